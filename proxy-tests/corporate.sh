#!/usr/bin/env bash
# The clients behind a real corporate proxy: tinyproxy, on loopback, with a password. Needs it from the distribution, and what
# test.sh needs.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v tinyproxy >/dev/null; then
    echo "install it first: apt-get install tinyproxy" >&2
    exit 2
fi
exec ./test.sh --clients proxy-tests/clients/test_corporate.py
