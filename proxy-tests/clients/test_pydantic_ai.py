"""pydantic-ai, unmodified: an agent that calls a tool, on both of OpenAI's APIs."""

import asyncio
from typing import Any

import httpx
import openai
import pytest
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from conftest import KEY, report
from upstream import Script

pytestmark = pytest.mark.client("pydantic-ai")

ASKED = "When was the garden of Aberwick opened?"
RESULT = report("Aberwick")
SCRIPT = Script(tool_call=("read_minutes", '{"town": "Aberwick"}'), until_result=True)


def client(proxy) -> openai.AsyncOpenAI:
    http_client = httpx.AsyncClient(trust_env=False, timeout=60)
    return openai.AsyncOpenAI(base_url=proxy.base_url, api_key=KEY, max_retries=0, http_client=http_client)


def assert_condensed(upstream, path: str) -> None:
    """What the tool gave back arrived shorter, with what was asked of it."""
    assert {received.path.partition("?")[0] for received in upstream.received} == {path}
    (arrived,) = [text for text in texts(upstream.last.json()) if "zephyrine" in text]
    assert "2006" in arrived and len(arrived) < len(RESULT) / 2, arrived


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in inner for text in texts(part)]


def chat(proxy):
    return OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client(proxy))), "/v1/chat/completions"


def responses(proxy):
    return OpenAIResponsesModel("gpt-5", provider=OpenAIProvider(openai_client=client(proxy))), "/v1/responses"


@pytest.mark.parametrize("api", [chat, responses])
def test_an_agent_calls_its_tool_and_gets_a_shorter_result(proxy, upstream, api):
    upstream.script = SCRIPT

    async def run() -> tuple[str, str]:
        model, path = api(proxy)
        agent = Agent(model, instructions="Be brief.")

        @agent.tool_plain
        def read_minutes(town: str) -> str:
            """Reads the minutes of a town."""
            return report(town)

        return (await agent.run(ASKED)).output, path

    output, path = asyncio.run(run())
    assert output == "The answer is 42."
    assert_condensed(upstream, path)
