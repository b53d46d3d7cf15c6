#!/usr/bin/env bash
# The page at /headroom/ in a real Chromium, against the real program and a scripted provider; pictures of it go to
# target/page. Needs what test.sh needs and the distribution's browser (`apt-get install chromium`); without one it says
# so and tests nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$chromium" ]; then
    echo "skipped: no chromium on the path; the page was not looked at"
    exit 0
fi
target=${CARGO_TARGET_DIR:-target}
requirements=proxy-tests/page/requirements.txt
venv=$target/page-venv
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$venv/requirements.txt"
fi
cargo build --quiet --bin headroom
target=$(cd "$target" && pwd)
export HEADROOM_BIN=$target/debug/headroom HEADROOM_TEST_CHROMIUM=$chromium HEADROOM_TEST_PICTURES=$target/page
"$venv/bin/python" -m pytest -q -p no:cacheprovider proxy-tests/page "$@"
