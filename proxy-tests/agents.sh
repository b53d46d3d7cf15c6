#!/usr/bin/env bash
# What is too heavy for every run, unmodified, before the real program and a scripted provider: Codex, Claude Code, opencode,
# LiteLLM (as client and as gateway with its `headroom` guardrail) and openai-agents. Needs npm, and what test.sh needs; it
# installs some 1.5 GB.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
agents=$target/agents
npm install --silent --no-audit --no-fund --prefix "$agents" \
    @openai/codex@0.171.0 @anthropic-ai/claude-code@2.1.197 opencode-ai@1.18.33
# Fetches its program; npm runs no such script unasked.
node "$agents/node_modules/@anthropic-ai/claude-code/install.cjs"
HEADROOM_TEST_AGENTS=$(cd "$agents" && pwd)/node_modules/.bin
export HEADROOM_TEST_AGENTS
failed=0
./test.sh --clients || failed=1

# LiteLLM wants other versions of packages than the clients have.
requirements=proxy-tests/clients/requirements-gateways.txt
venv=$target/gateways
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$venv/requirements.txt"
fi
HEADROOM_BIN=$(cd "$target" && pwd)/debug/headroom
export HEADROOM_BIN
"$venv/bin/python" -m pytest -q -W ignore -p no:cacheprovider \
    proxy-tests/clients/test_litellm.py proxy-tests/clients/test_openai_agents.py || failed=1
exit "$failed"
