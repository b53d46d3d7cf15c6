#!/usr/bin/env bash
# Every test there is: the Rust workspace, then real clients (openai-python, Anthropic's SDK, LangChain, LlamaIndex)
# against the real binary. Needs the Rust toolchain and python3 with pip; `--rust` or `--clients` runs one half.
set -euo pipefail
cd "$(dirname "$0")"

which=${1:-all}
target=${CARGO_TARGET_DIR:-target}

case $which in
all | --rust | --clients) ;;
*)
    echo "usage: ./test.sh [--rust|--clients]" >&2
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

cargo build --quiet --bin headroom
HEADROOM_BIN=$(cd "$target" && pwd)/debug/headroom
export HEADROOM_BIN
export HEADROOM_TEST_MODEL=${HEADROOM_TEST_MODEL-}
"$venv/bin/python" -m pytest -q -p no:cacheprovider proxy-tests/clients
