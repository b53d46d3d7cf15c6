"""A stream arrives event by event, and ends as the upstream ended it."""

import httpx
import openai
import pytest

from conftest import report

pytestmark = pytest.mark.client("openai-python")

MESSAGES = [{"role": "user", "content": report("the coast") + "\n\nWhen was the mill opened?"}]


def test_the_words_arrive_in_order(client, upstream):
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    assert stream.response.headers["x-headroom-outcome"] == "compressed"
    words = [event.choices[0].delta.content for event in stream if event.choices[0].delta.content]
    assert words == upstream.script.words
    assert "stream_options" not in upstream.last.json()


def test_the_first_event_arrives_while_the_upstream_still_holds_the_stream(client, upstream):
    upstream.script.hold = True
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    assert next(iter(stream)).choices[0].delta.role == "assistant"
    assert not upstream.client_gone.is_set()
    stream.close()


def test_a_client_that_leaves_in_mid_stream_ends_the_upstreams_request(client, upstream):
    upstream.script.hold = True
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    next(iter(stream))
    stream.close()
    assert upstream.client_gone.wait(timeout=20)


def test_a_stream_that_breaks_off_looks_broken_off(client, upstream):
    upstream.script.break_after = 3
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    got = []
    with pytest.raises((openai.APIConnectionError, httpx.TransportError)):
        got.extend(stream)
    assert len(got) == 3
