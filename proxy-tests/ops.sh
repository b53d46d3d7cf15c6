#!/usr/bin/env bash
# The real Prometheus loads ops/prometheus, scrapes the real program and answers every query of the Grafana dashboard.
# Needs what test.sh needs and `apt-get install prometheus`; without it, it says so and tests nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
    echo "skipped: no prometheus on the path; ops/ was not tried"
    exit 0
fi
promtool check config ops/prometheus/prometheus.yml
(cd ops/prometheus && promtool test rules alerts.test.yml)
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --bin headroom
exec python3 proxy-tests/ops.py "$target/debug/headroom"
