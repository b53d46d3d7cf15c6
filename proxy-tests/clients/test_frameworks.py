"""LangChain and LlamaIndex work as they are: one base URL, nothing else."""

import httpx
import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai import OpenAI as LlamaIndexOpenAI

from conftest import KEY, report

DOCUMENT = report("the island")
QUESTION = "When was the market opened?"


@tool
def read_minutes(town: str) -> str:
    """Reads the minutes of a town."""
    return report(town)


def langchain(proxy) -> ChatOpenAI:
    http_client = httpx.Client(trust_env=False, timeout=60)
    return ChatOpenAI(
        model="gpt-4o-mini", base_url=proxy.base_url, api_key=KEY, max_retries=0, http_client=http_client
    )


def llama_index(proxy) -> LlamaIndexOpenAI:
    http_client = httpx.Client(trust_env=False, timeout=60)
    return LlamaIndexOpenAI(
        model="gpt-4o-mini", api_base=proxy.base_url, api_key=KEY, max_retries=0, http_client=http_client
    )


def arrived(upstream, message: int) -> str:
    content = upstream.last.json()["messages"][message]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@pytest.mark.client("LangChain")
def test_langchain_invokes_with_a_long_document(proxy, upstream):
    messages = [SystemMessage("Be brief."), HumanMessage(f"{DOCUMENT}\n\n{QUESTION}")]
    assert langchain(proxy).invoke(messages).content == "The answer is 42."
    assert arrived(upstream, 0) == "Be brief."
    assert arrived(upstream, 1).endswith(QUESTION)
    assert len(arrived(upstream, 1)) < len(DOCUMENT) / 2


@pytest.mark.client("LangChain")
def test_langchain_streams(proxy, upstream):
    chunks = [chunk.content for chunk in langchain(proxy).stream(f"{DOCUMENT}\n\n{QUESTION}") if chunk.content]
    assert chunks == upstream.script.words


@pytest.mark.client("LangChain")
def test_langchain_calls_tools_and_returns_their_results(proxy, upstream):
    model = langchain(proxy).bind_tools([read_minutes])
    upstream.script.tool_call = ("read_minutes", '{"town": "Aberwick"}')
    asked = HumanMessage("When was the market of Aberwick opened?")
    answer = model.invoke([asked])
    (call,) = answer.tool_calls
    assert (call["name"], call["args"]) == ("read_minutes", {"town": "Aberwick"})

    upstream.script.tool_call = None
    result = read_minutes.invoke(call["args"])
    model.invoke([asked, answer, ToolMessage(result, tool_call_id=call["id"])])
    assert len(arrived(upstream, 2)) < len(result) / 2
    assert "1978" in arrived(upstream, 2)


@pytest.mark.client("LlamaIndex")
def test_llama_index_chats_with_a_long_document(proxy, upstream):
    answer = llama_index(proxy).chat([ChatMessage(role="user", content=f"{DOCUMENT}\n\n{QUESTION}")])
    assert answer.message.content == "The answer is 42."
    assert arrived(upstream, 0).endswith(QUESTION)
    assert len(arrived(upstream, 0)) < len(DOCUMENT) / 2


@pytest.mark.client("LlamaIndex")
def test_llama_index_streams(proxy, upstream):
    stream = llama_index(proxy).stream_chat([ChatMessage(role="user", content=f"{DOCUMENT}\n\n{QUESTION}")])
    assert "".join(chunk.delta or "" for chunk in stream) == "".join(upstream.script.words)
