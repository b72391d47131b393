#!/bin/sh
# Make sure that the tests of the strongest sandbox find bubblewrap, and those of coding agents a real one; where these
# cannot be had, their tests are skipped.
# Usage: install.sh VENV    (VENV: the virtual environment)
set -eu
CLAUDE=2.1.197

if [ "$(uname)" = Linux ] && ! command -v bwrap >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bubblewrap >/dev/null
    else
        echo "bubblewrap is not installed: the tests of the strongest sandbox will be skipped." >&2
    fi
fi

package=$1/agents/node_modules/@anthropic-ai/claude-code
if ! grep -q "\"version\": \"$CLAUDE\"" "$package/package.json" 2>/dev/null; then
    npm install --silent --no-audit --no-fund --fetch-retries 1 --prefix "$1/agents" \
        "@anthropic-ai/claude-code@$CLAUDE" && (cd "$package" && node install.cjs) ||
        echo "Claude Code cannot be installed by npm: the tests of a real coding agent will be skipped." >&2
fi
