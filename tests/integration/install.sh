#!/bin/sh
# Make sure that the tests of the strongest sandbox find bubblewrap; where it cannot be had, they are skipped.
set -eu
if command -v bwrap >/dev/null 2>&1 || [ "$(uname)" != Linux ]; then
    exit 0
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bubblewrap >/dev/null
else
    echo "bubblewrap is not installed: the tests of the strongest sandbox will be skipped." >&2
fi
