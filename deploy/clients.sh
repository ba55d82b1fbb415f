#!/bin/sh
# Makes the environments of fal's own clients under .cache/clients: a Python one for each lock file
# in tests/clients/python, a Node one for each folder in tests/clients/javascript.
set -eu
cd "$(dirname "$0")/.."
. deploy/once.sh

logs=$(mktemp -d)
other=
# The other half may still write to its log, and needs it to say what is wrong.
finish() {
    [ -z "$other" ] || wait "$other" || true
    rm -rf "$logs"
}
trap finish EXIT
stop() {
    [ -z "$other" ] || kill "$other"
    echo "falgate: stopped; the same command goes on with it" >&2
    exit 1
}
trap stop INT TERM HUP

# client NAME LOCK COMMAND: make the environment of a client, or end.
client() {
    log=$logs/$1
    make_once ".cache/clients/$1" "$2" "$3" "$log" \
        "fal's client $1 into .cache/clients (once, less than 10 MB to download)" && return
    # pip's words, and npm's.
    if grep -qE 'connection broken|Max retries exceeded|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT' \
        "$log"; then
        echo "falgate: the package index of fal's client $1 cannot be reached: connect this" \
            "machine; the same command tries again" >&2
        exit 1
    fi
    cat "$log" >&2
    echo "falgate: fal's client $1 could not be installed, see above" >&2
    exit 1
}

make_all_python() {
    for lock in tests/clients/python/*.lock; do
        client "python-$(basename "$lock" .lock)" "$lock" make_python
    done
}

make_all_javascript() {
    if ! command -v npm >/dev/null; then
        echo "!!! npm is missing: the tests of fal's JavaScript client will FAIL." >&2
        return
    fi
    for lock in tests/clients/javascript/*/package-lock.json; do
        client "javascript-$(basename "$(dirname "$lock")")" "$lock" make_javascript
    done
}

# Both at once: each works on one core, and waits for its own index.
make_all_python &
other=$!
make_all_javascript
wait "$other"
