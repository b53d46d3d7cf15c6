"""The real program sends its traces and figures to a real collector, which writes down what it understood."""

import json
import os
import pathlib
import re
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.request

import rotel
from standin import Provider, free_port, provider, until

TEXT = (pathlib.Path(__file__).parent.parent / "fixtures/demo/service-agreement.md").read_text()
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def listens(port):
    with socket.create_connection(("127.0.0.1", port), 1):
        return True


def main(headroom):
    agent = pathlib.Path(rotel.__file__).parent / "rotel-agent"
    agent.chmod(agent.stat().st_mode | stat.S_IXUSR)
    upstream = f"http://127.0.0.1:{provider()}"
    proxy, collector, grpc = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/collector.log", "w") as log:
        taken = lambda: pathlib.Path(folder, "collector.log").read_text()
        env = {name: value for name, value in os.environ.items() if not name.startswith(("HEADROOM", "OTEL"))}
        agent = subprocess.Popen(
            [agent, "start", "--exporter", "blackhole", "--debug-log", "traces", "--debug-log", "metrics", "--debug-log-verbosity", "detailed",
             "--otlp-http-endpoint", f"127.0.0.1:{collector}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}"],
            env=env, stdout=log, stderr=log)
        program = subprocess.Popen(
            [headroom, "--listen", f"127.0.0.1:{proxy}", "--ratio", "4", "--no-model"], stdout=subprocess.DEVNULL,
            env={**env, "XDG_STATE_HOME": folder, "HEADROOM_UPSTREAM": upstream,
                 "HEADROOM_LOG": "warn", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}"})
        try:
            until("the collector listens", lambda: listens(collector))
            until("the proxy listens", lambda: listens(proxy))
            body = json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": TEXT}]}).encode()
            request = urllib.request.Request(f"http://127.0.0.1:{proxy}/v1/chat/completions", body, {
                "content-type": "application/json", "authorization": "Bearer sk-secret",
                "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.headers["x-headroom-outcome"].startswith("compressed")
            program.terminate()
            assert program.wait(60) == 0
            until("the trace is in the collector", lambda: "gen_ai.usage.input_tokens" in taken())
            until("the figures are in the collector", lambda: "gen_ai.client.token.usage" in taken())
        finally:
            for process in (program, agent):
                if process.poll() is None:
                    process.terminate()
                    process.wait(30)
        text = taken()
    parent = Provider.heads[0]["traceparent"]
    assert parent.startswith(f"00-{TRACE}-") and "00f067aa0ba902b7" not in parent
    for word in [TRACE, "chat gpt-5", "POST chat_completions", "gen_ai.operation.name", "headroom.tokens.before"]:
        assert word in text, f"{word} in\n{text}"
    for secret in ["sk-secret", "availability", "Storage and Compute"]:
        assert secret not in text, secret
    print("\n".join(line for line in text.splitlines() if re.search(r"gen_ai\.|Name|Trace ID|headroom\.", line))[:4000])
    print("1 trace of 2 spans and the figures were taken by Rotel")


main(sys.argv[1])
