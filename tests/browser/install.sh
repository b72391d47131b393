#!/bin/sh
# Make sure that the browser tests find a Chromium: the system's, else Debian's package, else Playwright's own build.
# Usage: install.sh BIN    (BIN: the bin folder of the virtual environment)
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
    "$1/playwright" install chromium
fi
