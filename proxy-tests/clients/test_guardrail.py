"""The call of other gateways, as LiteLLM's guardrail makes it."""

import httpx

from conftest import KEY, report


def test_a_gateway_has_its_messages_condensed(proxy, upstream):
    messages = [{"role": "system", "content": report("the rules")}, {"role": "user", "content": f"{report('it')}\n\nWhen?"}]
    with httpx.Client(trust_env=False, timeout=60) as client:
        url = f"{proxy.base_url}/compress"
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = client.post(url, json={"messages": messages, "model": "gpt-4o-mini"}, headers=headers).json()
        refused = client.post(url, json={"messages": messages, "config": {"protect_recent": 4}}, headers=headers)
    assert answer["messages"][0] == messages[0]
    assert len(answer["messages"][1]["content"]) < len(messages[1]["content"]) / 2
    assert answer["tokens_saved"] == answer["tokens_before"] - answer["tokens_after"] > 0
    assert 0 < answer["compression_ratio"] < 1
    assert refused.status_code == 400 and "config.protect_recent" in refused.json()["error"]["message"]
    assert upstream.received == [], "nothing is forwarded"
