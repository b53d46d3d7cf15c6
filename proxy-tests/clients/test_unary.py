"""A plain request comes back as the upstream answered it, and arrives there shorter."""

import pytest

from conftest import KEY, Proxy, report

pytestmark = pytest.mark.client("openai-python")

QUESTION = "In which year was the library opened?"


def test_the_answer_is_the_upstreams(client, upstream):
    completion = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": QUESTION}])
    assert completion.choices[0].message.content == "The answer is 42."
    assert completion.usage.prompt_tokens == 11
    assert completion._request_id == "req_upstream"


def test_a_short_request_arrives_byte_for_byte(client, upstream):
    body = b'{"model":"gpt-4o-mini",  "messages":[{"content":"Hi \\u00e9", "role":"user"}], "x": 1.00, "x": 2e3}'
    client.post("/chat/completions", content=body, cast_to=object, options={"headers": {"content-type": "application/json"}})
    assert upstream.last.body == body


def test_a_long_document_arrives_shorter_with_its_answer(client, upstream):
    document = report("the town")
    response = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": f"{document}\n\n{QUESTION}"}]
    )
    arrived = upstream.last.json()["messages"][0]["content"]
    assert len(arrived) < len(document) / 2
    assert arrived.endswith(QUESTION)
    assert "library" in arrived and "1957" in arrived
    assert response.headers["x-headroom-outcome"] == "compressed"
    before, after = (int(response.headers[f"x-headroom-tokens-{when}"]) for when in ("before", "after"))
    assert 2 * after < before


def test_everything_but_long_texts_arrives_as_it_was(client, upstream):
    system = report("the rules")
    messages = [
        {"role": "system", "content": system},
        {"role": "user", "content": [{"type": "text", "text": report("the town")}, {"type": "text", "text": QUESTION}]},
        {"role": "assistant", "content": report("the past")},
        {"role": "user", "content": "And the mill?"},
    ]
    client.chat.completions.create(model="gpt-4o-mini", messages=messages, temperature=0.25, seed=7, user="u-1")
    arrived = upstream.last.json()
    assert (arrived["temperature"], arrived["seed"], arrived["user"]) == (0.25, 7, "u-1")
    assert arrived["messages"][0] == messages[0]
    assert arrived["messages"][1]["content"][0]["text"] != messages[1]["content"][0]["text"]
    assert arrived["messages"][1]["content"][1] == messages[1]["content"][1]
    assert arrived["messages"][2:] == messages[2:]


def test_the_key_and_other_headers_travel_and_controls_do_not(client, upstream):
    headers = {"x-headroom-mode": "off", "x-stainless-lang": "python", "openai-organization": "org-1"}
    document = report("the town")
    response = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": document}], extra_headers=headers
    )
    arrived = upstream.last
    assert arrived.headers["authorization"] == f"Bearer {KEY}"
    assert arrived.headers["openai-organization"] == "org-1"
    assert not [name for name in arrived.headers if name.startswith("x-headroom-")]
    assert arrived.json()["messages"][0]["content"] == document
    assert response.headers["x-headroom-outcome"] == "passthrough; reason=off"


def test_audit_measures_and_forwards_the_original(client, upstream):
    document = report("the town")
    response = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": document}],
        extra_headers={"x-headroom-mode": "audit"},
    )
    assert upstream.last.json()["messages"][0]["content"] == document
    assert response.headers["x-headroom-outcome"] == "audit"
    assert int(response.headers["x-headroom-tokens-after"]) < int(response.headers["x-headroom-tokens-before"])


def test_other_endpoints_pass(client, upstream, proxy: Proxy):
    assert [model.id for model in client.models.list()] == ["gpt-4o-mini"]
    assert (upstream.last.method, upstream.last.path) == ("GET", "/v1/models")
