#!/bin/sh
# Gets what the benchmark needs besides the tools of the tests: wrk, by apt where it may, and the
# gateways of others under .cache/bench, each in an environment of its own. The benchmark goes on
# without one that cannot be installed, and its report says so.
set -eu
cd "$(dirname "$0")/.."
. deploy/once.sh

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

# peer NAME LOCK COMMAND MEGABYTES: make the environment of a gateway, or say that it is not there.
peer() {
    make_once ".cache/bench/$1" "$2" "$3" "$log" \
        "$1 into .cache/bench (once, about $4 MB to download)" || {
        tail -n 20 "$log" >&2
        echo "!!! $1 cannot be installed, see above: the benchmark goes on without it" >&2
    }
}

peer litellm bench/peers/litellm.lock make_python 200
peer javascript bench/peers/package-lock.json make_javascript 10
