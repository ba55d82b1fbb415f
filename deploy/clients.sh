#!/bin/sh
# Makes the environments of fal's own clients under .cache/clients: a Python one for each lock file
# in tests/clients/python, a Node one for each folder in tests/clients/javascript.
set -eu
cd "$(dirname "$0")/.."

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
other=
stop() {
    [ -z "$other" ] || kill "$other"
    echo "falgate: stopped; the same command goes on with it" >&2
    exit 1
}
trap stop INT TERM HUP

# make_once NAME INPUT COMMAND: run COMMAND unless NAME was made from this INPUT in this place.
# The stamp is written last: without it an environment is half made and is made anew.
make_once() {
    folder=.cache/clients/$1
    log=$logs/$1
    made_from=$(cat "$2"; python3 --version; pwd)
    if [ -f "$folder/made_from" ] && [ "$(cat "$folder/made_from")" = "$made_from" ]; then
        return
    fi
    echo "Installing fal's client $1 into .cache/clients (once, less than 10 MB to download) ..." >&2
    rm -rf "$folder"
    mkdir -p "$folder"
    if ! "$3" "$folder" "$2" >"$log" 2>&1 </dev/null; then
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
    fi
    echo "$made_from" >"$folder/made_from"
}

make_python() {
    python3 -m venv "$1" &&
        "$1/bin/python" -m pip --disable-pip-version-check --no-input \
            --retries "${PIP_RETRIES:-2}" install \
            --require-hashes --no-deps --only-binary :all: -r "$2"
}

make_javascript() {
    cp "$2" "$(dirname "$2")/package.json" "$1" &&
        (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier)
}

make_all_python() {
    for lock in tests/clients/python/*.lock; do
        make_once "python-$(basename "$lock" .lock)" "$lock" make_python
    done
}

make_all_javascript() {
    if ! command -v npm >/dev/null; then
        echo "!!! npm is missing: the tests of fal's JavaScript client will FAIL." >&2
        return
    fi
    for lock in tests/clients/javascript/*/package-lock.json; do
        make_once "javascript-$(basename "$(dirname "$lock")")" "$lock" make_javascript
    done
}

# Both at once: each works on one core, and waits for its own index.
make_all_python &
other=$!
make_all_javascript
wait "$other"
