#!/bin/sh
# Makes .cache/browser: what drives Chromium in the tests of the console, and what checks its pages.
set -eu
cd "$(dirname "$0")/.."
. deploy/once.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'echo "falgate: stopped; the same command goes on with it" >&2; exit 1' INT TERM HUP

if ! command -v npm >/dev/null; then
    echo "!!! npm is missing: the tests of the console in a browser will FAIL." >&2
    exit 0
fi
make_once .cache/browser tests/console/browser/package-lock.json make_javascript "$log" \
    "what drives a browser into .cache/browser (once, about 6 MB to download)" || {
    tail -n 20 "$log" >&2
    echo "!!! That failed, see above: the tests of the console in a browser will FAIL" >&2
}
