"""openai-agents, unmodified: an agent that calls a tool, on both of OpenAI's APIs, whole and streamed."""

import asyncio

import httpx
import openai
import pytest

# Only where the script that installs it runs these tests: it wants another openai than the other clients have.
pytest.importorskip("agents")

from agents import (  # noqa: E402
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)

from conftest import KEY, report  # noqa: E402
from upstream import Script  # noqa: E402

pytestmark = pytest.mark.client("openai-agents")

ASKED = "When was the garden of Aberwick opened?"
RESULT = report("Aberwick")
APIS = {
    "/v1/responses": (OpenAIResponsesModel, "gpt-5", "function_call_output", "output"),
    "/v1/chat/completions": (OpenAIChatCompletionsModel, "gpt-4o-mini", "tool", "content"),
}


@function_tool
def read_minutes(town: str) -> str:
    """Reads the minutes of a town."""
    return report(town)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("path", APIS)
def test_an_agent_calls_its_tool_and_gets_a_shorter_result(proxy, upstream, path, streamed):
    # It would send traces to OpenAI.
    set_tracing_disabled(True)
    upstream.script = Script(tool_call=("read_minutes", '{"town": "Aberwick"}'), until_result=True)
    api, model, kind, field = APIS[path]

    async def run() -> str:
        http_client = httpx.AsyncClient(trust_env=False, timeout=60)
        client = openai.AsyncOpenAI(base_url=proxy.base_url, api_key=KEY, max_retries=0, http_client=http_client)
        agent = Agent(
            name="reader", instructions="Be brief.", model=api(model=model, openai_client=client), tools=[read_minutes]
        )
        if not streamed:
            return (await Runner.run(agent, ASKED)).final_output
        result = Runner.run_streamed(agent, ASKED)
        async for _ in result.stream_events():
            pass
        return result.final_output

    assert asyncio.run(run()) == "The answer is 42."
    assert {received.path for received in upstream.received} == {path}
    body = upstream.last.json()
    items = body["input"] if "input" in body else body["messages"]
    (arrived,) = [item[field] for item in items if kind in (item.get("type"), item.get("role"))]
    assert "2006" in arrived and len(arrived) < len(RESULT) / 2, arrived
