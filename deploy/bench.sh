#!/bin/sh
# Gets what the benchmark needs besides the tools of the tests: wrk, by apt where it may, and the
# gateways of others under .cache/bench, each in an environment of its own. The benchmark goes on
# without one that cannot be installed, and its report says so.
set -eu
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'echo "falgate: stopped; the same command goes on with it" >&2; exit 1' INT TERM HUP

as_root="env"
if [ "$(id -u)" != 0 ]; then as_root="sudo -n env"; fi
if ! command -v wrk >/dev/null; then
    echo "Installing wrk by apt (once) ..." >&2
    { $as_root LC_ALL=C apt-get -qq update && $as_root DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y --no-install-recommends install wrk; } >"$log" 2>&1 </dev/null || {
        cat "$log" >&2
        echo "falgate: wrk is missing: as root, apt-get install wrk" >&2
        exit 1
    }
fi

# make_once NAME LOCK COMMAND: run COMMAND unless NAME was made from this lock in this place. The
# stamp is written last: without it an environment is half made and is made anew.
make_once() {
    folder=.cache/bench/$1
    made_from=$(cat "$2"; python3 --version; pwd)
    if [ -f "$folder/made_from" ] && [ "$(cat "$folder/made_from")" = "$made_from" ]; then
        return
    fi
    echo "Installing $1 into .cache/bench (once, about $4 MB to download) ..." >&2
    rm -rf "$folder"
    mkdir -p "$folder"
    if "$3" "$folder" "$2" >"$log" 2>&1 </dev/null; then
        echo "$made_from" >"$folder/made_from"
    else
        tail -n 20 "$log" >&2
        echo "!!! $1 cannot be installed, see above: the benchmark goes on without it" >&2
    fi
}

make_litellm() {
    python3 -m venv "$1" &&
        "$1/bin/python" -m pip --disable-pip-version-check --no-input \
            --retries "${PIP_RETRIES:-2}" install \
            --require-hashes --no-deps --only-binary :all: -r "$2"
}

make_javascript() {
    cp "$2" "$(dirname "$2")/package.json" "$1" &&
        (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier)
}

make_once litellm bench/peers/litellm.lock make_litellm 200
make_once javascript bench/peers/package-lock.json make_javascript 10
