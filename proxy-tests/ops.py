"""The real Prometheus before the real program: scraped, rules loaded, every query of the dashboard answered."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from standin import free_port, provider, until

ROOT = pathlib.Path(__file__).parent.parent
TEXT = (ROOT / "fixtures/demo/service-agreement.md").read_text()


def ask(url, body=None):
    request = urllib.request.Request(url, body, {"content-type": "application/json"} if body else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.read()


def main(headroom):
    upstream = f"http://127.0.0.1:{provider()}"
    proxy, monitor = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = (ROOT / "ops/prometheus/prometheus.yml").read_text()
        config = config.replace("127.0.0.1:8787", f"127.0.0.1:{proxy}").replace("15s", "1s")
        config = config.replace("alerts.yml", str(ROOT / "ops/prometheus/alerts.yml"))
        pathlib.Path(folder, "prometheus.yml").write_text(config)
        env = {**os.environ, "XDG_STATE_HOME": folder, "HEADROOM_MODEL__ENABLED": "false", "HEADROOM_LOG": "warn",
               "HEADROOM_UPSTREAM": upstream, "HEADROOM_RATIO": "4"}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running = [
            subprocess.Popen([headroom, "--listen", f"127.0.0.1:{proxy}"], env=env, **quiet),
            subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                              f"--web.listen-address=127.0.0.1:{monitor}"], **quiet),
        ]
        try:
            check(f"http://127.0.0.1:{proxy}", f"http://127.0.0.1:{monitor}/api/v1")
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(30)


def check(proxy, monitor):
    until("the proxy is ready", lambda: b"ready" in ask(f"{proxy}/headroom/ready"))
    def query(text):
        answer = json.loads(ask(f"{monitor}/query?{urllib.parse.urlencode({'query': text})}"))
        if answer["status"] != "success":
            raise SystemExit(f"{text}\n{answer}")
        return answer["data"]["result"]

    for turn in range(6):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"{turn} {TEXT}"}]}
        ask(f"{proxy}/v1/chat/completions", json.dumps(body).encode())
        time.sleep(1)
    until("a scrape after the requests", lambda: query("headroom_tokens_before_total > 0"))
    assert query("headroom_tokens_after_total < headroom_tokens_before_total")
    types = json.loads(ask(f"{monitor}/metadata"))["data"]
    assert types["headroom_requests"][0]["type"] == "counter" and types["headroom_cache_bytes"][0]["unit"] == "bytes", types
    rules = json.loads(ask(f"{monitor}/rules"))["data"]["groups"][0]["rules"]
    assert len(rules) >= 9 and all(rule["health"] in ("ok", "unknown") for rule in rules), rules
    dashboard = json.loads((ROOT / "ops/grafana/headroom.json").read_text())
    answered = empty = 0
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            text = target["expr"].replace("$__rate_interval", "10s").replace("$__range", "1m")
            text = re.sub(r"\$(job|instance)", ".*", text)
            found = query(text)
            answered, empty = answered + 1, empty + (not found)
    print(f"{len(rules)} alerts loaded, {answered} queries of the dashboard answered, {empty} of them with nothing yet")
    # What only a failure or the fidelity check brings up has no series here.
    assert answered > 30 and empty <= 6


main(sys.argv[1])
