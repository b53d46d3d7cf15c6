"""An upstream's error reaches the client as it is; the proxy's own errors look like a provider's."""

import httpx
import openai
import pytest

from conftest import KEY, report

MESSAGES = [{"role": "user", "content": report("the city") + "\n\nWhen was the bridge opened?"}]


def refuse(upstream, status, headers, kind):
    upstream.script.refusal = (status, headers, {"error": {"message": "no", "type": kind, "param": None, "code": kind}})


def test_a_rate_limit_comes_with_its_headers(client, upstream):
    headers = {"retry-after": "7", "x-ratelimit-remaining-tokens": "0", "x-request-id": "req_9"}
    refuse(upstream, 429, headers, "rate_limit_exceeded")
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    response = raised.value.response
    assert {name: response.headers[name] for name in headers} == headers
    assert raised.value.code == "rate_limit_exceeded"
    assert len(upstream.received) == 1, "a POST was sent twice"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (500, openai.InternalServerError),
        (529, openai.InternalServerError),
    ],
)
def test_every_status_is_the_upstreams(client, upstream, status, error):
    refuse(upstream, status, {}, "some_type")
    with pytest.raises(error) as raised:
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    assert raised.value.status_code == status
    assert raised.value.type == "some_type"


def test_the_clients_own_retries_work(client, upstream):
    refuse(upstream, 429, {"retry-after-ms": "1"}, "rate_limit_exceeded")
    with pytest.raises(openai.RateLimitError):
        client.with_options(max_retries=2).chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    bodies = {received.body for received in upstream.received}
    assert len(upstream.received) == 3 and len(bodies) == 1, "a retry arrived in another form"


def test_an_upstream_that_is_not_there_is_a_gateway_error_in_the_providers_envelope(start_proxy, tmp_path):
    proxy = start_proxy(tmp_path, upstream="http://127.0.0.1:9")
    with httpx.Client(trust_env=False) as http_client:
        client = openai.OpenAI(base_url=proxy.base_url, api_key=KEY, max_retries=0, http_client=http_client)
        with pytest.raises(openai.InternalServerError) as raised:
            client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    proxy.stop()
    assert raised.value.status_code == 502
    assert "x-headroom-error" in raised.value.response.headers
    assert raised.value.body["message"]
