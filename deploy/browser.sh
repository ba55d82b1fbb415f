#!/bin/sh
# Makes what the tests of the console need from npm: .cache/browser, which drives Chromium and checks
# pages, and .cache/provider, an OpenID provider to sign in by.
set -eu
cd "$(dirname "$0")/.."
. deploy/once.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'echo "falgate: stopped; the same command goes on with it" >&2; exit 1' INT TERM HUP

if ! command -v npm >/dev/null; then
    echo "!!! npm is missing: the tests of the console in a browser and with a provider will FAIL." >&2
    exit 0
fi

# tools NAME SAYING SIZE: make .cache/NAME from the lock file in tests/console/NAME.
tools() {
    make_once ".cache/$1" "tests/console/$1/package-lock.json" make_javascript "$log" \
        "$2 into .cache/$1 (once, about $3 MB to download)" || {
        tail -n 20 "$log" >&2
        echo "!!! That failed, see above: the tests of the console with $2 will FAIL" >&2
    }
}

tools browser "what drives a browser" 6
tools provider "an OpenID provider" 2
