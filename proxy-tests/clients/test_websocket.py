"""openai-python on Responses over a WebSocket, with and without compression."""

import json
import threading
from collections.abc import Callable, Iterator

import httpx
import openai
import pytest
from websockets.sync.server import ServerConnection, serve

import answers
from conftest import KEY, report
from upstream import Script

pytestmark = pytest.mark.client("openai-python", api="Responses, WebSocket")

TURNS = 5


class Socket:
    """A provider's end: remembers each frame, and answers what asks for a response with a call of a tool."""

    def __init__(self, compression: str | None) -> None:
        self.received: list[str] = []
        self._server = serve(self._answer, "127.0.0.1", 0, compression=compression)
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _answer(self, connection: ServerConnection) -> None:
        for frame in connection:
            self.received.append(frame)
            if json.loads(frame)["type"] != "response.create":
                continue
            script = Script(tool_call=("read_minutes", '{"town": "Aberwick"}'))
            for event in answers.Responses.events(script):
                connection.send(json.dumps(event))

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture(params=["deflate", None])
def socket(request: pytest.FixtureRequest) -> Iterator[Socket]:
    socket = Socket(request.param)
    yield socket
    socket.stop()


def test_an_agents_turns_are_condensed(socket: Socket, start_proxy: Callable, tmp_path):
    proxy = start_proxy(tmp_path, upstream=socket.url)
    http_client = httpx.Client(trust_env=False, timeout=60)
    client = openai.OpenAI(base_url=proxy.base_url, api_key=KEY, http_client=http_client)
    result, said = report("Aberwick"), [{"role": "user", "content": "When was the garden of Aberwick opened?"}]
    with client.responses.connect() as connection:
        for turn in range(TURNS):
            connection.response.create(model="gpt-5", instructions=report("the rules"), input=said)
            for event in connection:
                if event.type == "response.completed":
                    (call,) = event.response.output
                    break
            assert (call.name, call.arguments) == ("read_minutes", '{"town": "Aberwick"}')
            said = [*said, call.to_dict(), {"type": "function_call_output", "call_id": call.call_id, "output": result}]
    log = proxy.stop()
    frames = [json.loads(frame) for frame in socket.received]
    assert len(frames) == TURNS
    for frame in frames:
        assert frame["instructions"] == report("the rules")
    for earlier, later in zip(frames, frames[1:]):
        assert later["input"][: len(earlier["input"])] == earlier["input"]
    outputs = [item["output"] for item in frames[-1]["input"] if item.get("type") == "function_call_output"]
    assert len(outputs) == TURNS - 1
    for output in outputs:
        assert len(output) < len(result) / 2 and "2006" in output
    assert log.count("outcome=\"compressed\"") == TURNS - 1, log
    assert KEY not in log and "zephyrine" not in log
