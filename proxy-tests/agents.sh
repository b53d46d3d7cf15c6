#!/usr/bin/env bash
# Codex and Claude Code, unmodified, before the real program and a scripted provider. Needs npm, and what test.sh needs;
# they are some 700 MB, so test.sh leaves them out.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
agents=$target/agents
npm install --silent --no-audit --no-fund --prefix "$agents" @openai/codex@0.171.0 @anthropic-ai/claude-code@2.1.197
# Fetches its program; npm runs no such script unasked.
node "$agents/node_modules/@anthropic-ai/claude-code/install.cjs"
HEADROOM_TEST_AGENTS=$(cd "$agents" && pwd)/node_modules/.bin
export HEADROOM_TEST_AGENTS
exec ./test.sh --clients
