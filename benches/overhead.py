#!/usr/bin/env python3
"""What passing through costs: direct, through nginx, through Headroom, in one run on loopback.

    cargo build --release && python3 benches/overhead.py [--headroom target/release/headroom] [--seconds 5]

Needs `nginx` and `wrk` (Debian packages nginx-light and wrk). An nginx worker plays the upstream and answers a small
JSON body; a second nginx and Headroom each stand before it, with one connection pool. For each, wrk sends

  * `passthrough`: POST /v1/embeddings, 2 kB
  * `short chat`: POST /v1/chat/completions, 2 kB, nothing long enough to condense (read, located, forwarded as it came)

and the table shows requests per second, median and 99th percentile latency, and the CPU milliseconds that the process
in the middle spent on a request (user and system, of all its threads). Machines are noisy: read the ratios of one run.
Also printed: Headroom's start-up time (until /headroom/ready answers 200) and its resident memory before and after.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HOST = "127.0.0.1"
START_LIMIT = 60  # seconds until a server must answer

UPSTREAM = """
location / { default_type application/json; return 200 '%s'; }
"""
RELAY = """
location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }
"""
NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000; client_body_buffer_size 64k;
  client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir};
  upstream up {{ server {host}:{upstream}; keepalive 64; }}
  server {{ listen {host}:{port}; {location} }}
}}
"""
ANSWER = json.dumps({"id": "x", "object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}}]})
WORDS = "The quick brown fox jumps over the lazy dog. "
BODIES = {
    "passthrough": ("/v1/embeddings", json.dumps({"model": "text-embedding-3-small", "input": WORDS * 42})),
    "short chat": ("/v1/chat/completions", json.dumps({"model": "gpt-4o", "messages": [
        {"role": "user" if i % 2 == 0 else "assistant", "content": WORDS * 10} for i in range(4)]})),
}


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_for(url, process):
    started = time.monotonic()
    while time.monotonic() - started < START_LIMIT:
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended at once with status {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                answer.read()
                return time.monotonic() - started
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.005)
    sys.exit(f"{url} did not answer within {START_LIMIT} s")


def nginx(folder, name, port, upstream, location):
    home = pathlib.Path(folder, name)
    home.mkdir()
    conf = home / "nginx.conf"
    conf.write_text(NGINX.format(dir=home, host=HOST, port=port, upstream=upstream, location=location))
    return subprocess.Popen(["nginx", "-p", str(home), "-c", str(conf)], stderr=subprocess.DEVNULL, start_new_session=True)


def family(pid):
    """The process and its children (nginx does its work in one)."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def cpu_seconds(pid):
    ticks = 0
    for each in family(pid):
        fields = pathlib.Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def load(folder, port, path, body, seconds):
    script = pathlib.Path(folder, "post.lua")
    script.write_text(f'wrk.method="POST"\nwrk.headers["Content-Type"]="application/json"\nwrk.body=[==[{body}]==]\n')
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", "-s", str(script), f"http://{HOST}:{port}{path}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", text)
    if failed:
        sys.exit(f"requests failed: {failed[0]}")
    latency = [re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", text) for share in (50, 99)]
    scale = {"us": 1e-3, "ms": 1, "s": 1e3}
    return int(re.search(r"(\d+) requests in", text)[1]), [float(found[1]) * scale[found[2]] for found in latency]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headroom", default="target/release/headroom")
    parser.add_argument("--seconds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(arguments, folder)


def run(arguments, folder):
    upstream, relay, ours = free_port(), free_port(), free_port()
    started = []
    try:
        started.append(nginx(folder, "upstream", upstream, upstream, UPSTREAM % ANSWER))
        started.append(nginx(folder, "relay", relay, upstream, RELAY))
        wait_for(f"http://{HOST}:{upstream}/", started[0])
        wait_for(f"http://{HOST}:{relay}/", started[1])
        command = [arguments.headroom, "serve", "--listen", f"{HOST}:{ours}", "--upstream", f"http://{HOST}:{upstream}"]
        headroom = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        started.append(headroom)
        ready = wait_for(f"http://{HOST}:{ours}/headroom/ready", headroom)
        idle = resident_mib(headroom.pid)
        report(arguments, folder, (("direct", upstream, None), ("nginx", relay, started[1].pid), ("headroom", ours, headroom.pid)))
        print(f"\nheadroom: ready after {ready:.2f} s; resident {idle:.0f} MiB idle, {resident_mib(headroom.pid):.0f} MiB after load")
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def report(arguments, folder, targets):
    print(f"{'request':12} {'way':9} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'cpu ms/req':>11} {'p50 to direct':>14} {'cpu to nginx':>13}")
    for name, (path, body) in BODIES.items():
        direct = nginx_cpu = None
        for way, port, pid in targets:
            load(folder, port, path, body, 1)
            before = cpu_seconds(pid) if pid else 0
            count, (median, slow) = load(folder, port, path, body, arguments.seconds)
            spent = (cpu_seconds(pid) - before) * 1000 / count if pid else None
            direct = direct or median
            nginx_cpu = spent if way == "nginx" else nginx_cpu
            ratio = f"{spent / nginx_cpu:.2f}" if spent and nginx_cpu else "-"
            shown = f"{spent:.3f}" if spent else "-"
            print(f"{name:12} {way:9} {count / arguments.seconds:8.0f} {median:8.2f} {slow:8.2f} {shown:>11} {median / direct:14.2f} {ratio:>13}")


if __name__ == "__main__":
    main()
