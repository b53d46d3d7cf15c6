"""What each client's texts came to in tokens, before and after: counted by the proxies of its tests, told at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest

#: Tokens before and after, by client and API.
_SUMS: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
_APIS = {
    "/v1/chat/completions": "chat completions",
    "/v1/responses": "Responses",
    "/v1/messages": "Messages",
    "/v1/messages/count_tokens": "Messages, counted",
}


@pytest.fixture(autouse=True)
def measured(request: pytest.FixtureRequest) -> Iterator[None]:
    """Adds what a test of a client has its proxies condense; `@pytest.mark.client(NAME)` names the client."""
    from conftest import Proxy

    marker = request.node.get_closest_marker("client")
    if marker is None:
        yield
        return
    upstream = request.getfixturevalue("upstream")
    before = {proxy: proxy.tokens() for proxy in Proxy.all}
    yield
    paths = [received.path.partition("?")[0] for received in upstream.received]
    api = marker.kwargs.get("api") or next((_APIS[path] for path in reversed(paths) if path in _APIS), "")
    for proxy in Proxy.all:
        was, now = before.get(proxy, (0, 0)), proxy.tokens()
        for index in (0, 1):
            _SUMS[marker.args[0], api][index] += now[index] - was[index]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "client(name, api): the client that a test is of, for the table of tokens")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [(client, api, *sums) for (client, api), sums in sorted(_SUMS.items()) if sums[0]]
    if not rows:
        return
    terminalreporter.write_line("")
    terminalreporter.write_line("| client | API | tokens before | after | less |")
    terminalreporter.write_line("|---|---|--:|--:|--:|")
    for client, api, before, after in rows:
        less = f"{100 * (before - after) / before:.0f} %"
        terminalreporter.write_line(f"| {client} | {api} | {before} | {after} | {less} |")
