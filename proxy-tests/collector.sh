#!/usr/bin/env bash
# A real collector takes what the program sends: Rotel, an OpenTelemetry collector that comes as a Python wheel (for Linux on
# x86-64 with Python 3.11; elsewhere this says so and tests nothing). Needs what test.sh needs.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
venv=$target/collector
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import rotel' 2>/dev/null; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    if ! "$venv/bin/pip" install --quiet --disable-pip-version-check rotel==0.0.1a15; then
        echo "skipped: there is no wheel of rotel for this machine; no collector was tried"
        exit 0
    fi
fi
cargo build --quiet --bin headroom
exec "$venv/bin/python" proxy-tests/collector.py "$target/debug/headroom"
