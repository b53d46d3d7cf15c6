"""openai-python on the Responses API: whole, streamed, parsed, with tools and reasoning."""

import httpx
import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from conftest import KEY, report

pytestmark = pytest.mark.client("openai-python")

DOCUMENT = report("the bay")
QUESTION = "When was the bridge opened?"
TOOLS = [
    {
        "type": "function",
        "name": "read_minutes",
        "description": report("how this tool is used"),
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
        "strict": False,
    }
]
ARGUMENTS = '{"town":  "Aberwick",\n "page": 1.0}'


def test_a_string_is_condensed_and_answered(client, upstream):
    raw = client.responses.with_raw_response.create(model="gpt-5", instructions=DOCUMENT, input=f"{DOCUMENT}\n\n{QUESTION}")
    assert raw.headers["x-headroom-outcome"] == "compressed"
    response = raw.parse()
    assert response.output_text == "The answer is 42."
    assert response.usage.input_tokens_details.cached_tokens == 3
    arrived = upstream.last.json()
    assert arrived["instructions"] == DOCUMENT
    assert arrived["input"].endswith(QUESTION) and len(arrived["input"]) < len(DOCUMENT) / 2


def test_a_stream_arrives_event_by_event(client, upstream):
    with client.responses.stream(model="gpt-5", input=f"{DOCUMENT}\n\n{QUESTION}") as stream:
        words = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert words == upstream.script.words
    assert final.output_text == "".join(words)
    assert len(upstream.last.json()["input"]) < len(DOCUMENT) / 2


def test_a_client_that_leaves_in_mid_stream_ends_the_upstreams_request(client, upstream):
    upstream.script.hold = True
    stream = client.responses.create(model="gpt-5", input=DOCUMENT, stream=True)
    assert next(iter(stream)).type == "response.created"
    stream.close()
    assert upstream.client_gone.wait(timeout=20)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_is_called_and_its_long_result_condensed(client, upstream, streamed):
    upstream.script.tool_call = ("read_minutes", ARGUMENTS)
    asked = [{"role": "user", "content": "When was the garden of Aberwick opened?"}]
    if streamed:
        with client.responses.stream(model="gpt-5", input=asked, tools=TOOLS) as stream:
            response = stream.get_final_response()
    else:
        response = client.responses.create(model="gpt-5", input=asked, tools=TOOLS)
    (call,) = response.output
    assert (call.call_id, call.name, call.arguments) == ("call_1", "read_minutes", ARGUMENTS)
    assert upstream.last.json()["tools"][0]["description"] == TOOLS[0]["description"]

    result = report("Aberwick")
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": report("a secret")}
    output = {"type": "function_call_output", "call_id": call.call_id, "output": result}
    said = [*asked, reasoning, call.to_dict(), output]
    client.responses.create(model="gpt-5", input=said, tools=TOOLS, include=["reasoning.encrypted_content"], store=False)
    arrived = upstream.last.json()["input"]
    assert arrived[:3] == said[:3]
    assert {**arrived[3], "output": result} == output
    assert len(arrived[3]["output"]) < len(result) / 2 and "2006" in arrived[3]["output"]


def test_parse_gives_the_object(client, upstream):
    class Opening(BaseModel):
        subject: str
        year: int

    upstream.script.words = ['{"subject": "museum",', ' "year": 1999}']
    response = client.responses.parse(model="gpt-5", input=f"{DOCUMENT}\n\n{QUESTION}", text_format=Opening)
    assert response.output_parsed == Opening(subject="museum", year=1999)
    assert upstream.last.json()["text"]["format"]["name"] == "Opening"


@pytest.mark.client("LangChain")
def test_langchain_speaks_responses(proxy, upstream):
    @tool
    def read_minutes(town: str) -> str:
        """Reads the minutes of a town."""
        return report(town)

    http_client = httpx.Client(trust_env=False, timeout=60)
    model = ChatOpenAI(
        model="gpt-5", base_url=proxy.base_url, api_key=KEY, max_retries=0, http_client=http_client, use_responses_api=True
    ).bind_tools([read_minutes])
    upstream.script.tool_call = ("read_minutes", '{"town": "Aberwick"}')
    asked = HumanMessage("When was the market of Aberwick opened?")
    answer = model.invoke([asked])
    (call,) = answer.tool_calls
    upstream.script.tool_call = None
    result = read_minutes.invoke(call["args"])
    assert model.invoke([asked, answer, ToolMessage(result, tool_call_id=call["id"])]).text == "The answer is 42."
    assert upstream.last.path == "/v1/responses"
    (output,) = [item for item in upstream.last.json()["input"] if item.get("type") == "function_call_output"]
    assert len(output["output"]) < len(result) / 2 and "1978" in output["output"]


def test_an_error_is_the_upstreams(client, upstream):
    error = {"message": "no", "type": "invalid_request_error", "param": "input", "code": None}
    upstream.script.refusal = (400, {}, {"error": error})
    with pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model="gpt-5", input=DOCUMENT)
    assert raised.value.body == error
