#!/usr/bin/env bash
# Whether what `compose up` started works together: the proxy is ready, Prometheus scrapes it, Grafana has the dashboard.
set -euo pipefail
cd "$(dirname "$0")/../.."
get() { curl --fail --silent --show-error --retry 10 --retry-delay 2 --retry-all-errors "$@"; }

get http://127.0.0.1:8787/headroom/ready >/dev/null && echo "proxy: ready"
get http://127.0.0.1:8787/headroom/compress --json "$(python3 -c '
import json, pathlib
print(json.dumps({"text": pathlib.Path("fixtures/demo/service-agreement.md").read_text(), "ratio": 5}))')" |
    python3 -c '
import json, sys
answer = json.load(sys.stdin)
assert answer["outcome"] == "compressed", answer
print("proxy:", answer["tokens_before"], "->", answer["tokens_after"], "tokens")'
for _ in $(seq 30); do
    up=$(get "http://127.0.0.1:9090/api/v1/query?query=up%7Bjob%3D%22headroom%22%7D")
    case $up in *'"1"]'*) echo "prometheus: scrapes" && break ;; esac
    sleep 2
done
case $up in *'"1"]'*) ;; *) echo "prometheus does not scrape the proxy: $up" >&2 && exit 1 ;; esac
case $(get http://127.0.0.1:3000/api/search) in
*eadroom*) echo "grafana: has the dashboard" ;;
*) echo "grafana has no dashboard" >&2 && exit 1 ;;
esac
