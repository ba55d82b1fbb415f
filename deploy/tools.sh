#!/bin/sh
# Gets what the tests need besides Python: Node with npm, Debian's Redis, Chromium and nginx, or with
# the argument `edge` what `make edge` needs besides. By apt where it may; where it may not it says so,
# and the tests that need the tool fail, each naming it.
set -eu

works() {
    case $1 in
    nodejs) node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' ;;
    npm) npm --version ;;
    redis-server) redis-server --version | grep -E ' v=([7-9]|[1-9][0-9])\.' ;;
    chromium) chromium --version ;;
    nginx-light) nginx -v || dpkg -s nginx-light ;; # in /usr/sbin, which is not everybody's PATH
    curl) curl --version | grep HTTP2 ;;
    golang-go) go version ;;
    default-jdk-headless) javac -version && java -version ;;
    libhttpclient5-java) [ -e /usr/share/java/httpclient5.jar ] ;;
    esac >/dev/null 2>&1
}

if [ "$(id -u)" = 0 ]; then
    as_root="env"
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n env"
else
    as_root=""
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'echo "falgate: stopped; the same command goes on with it" >&2; exit 1' INT TERM HUP

packages="nodejs npm redis-server chromium nginx-light"
if [ "${1:-}" = edge ]; then
    packages="curl golang-go default-jdk-headless libhttpclient5-java"
fi

missing_ones() {
    for package in $packages; do
        works "$package" || echo "$package"
    done
}

# RUNLEVEL=1 keeps a package from starting a server: the tests start their own.
apt() {
    $as_root DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 LC_ALL=C apt-get -qq "$@" \
        >"$log" 2>&1 </dev/null
}

# What apt would download, in its words, such as "Need to get 92.1 MB of archives".
size() {
    $as_root LC_ALL=C apt-get --assume-no --no-install-recommends install "$@" 2>/dev/null </dev/null |
        grep -oE 'Need to get [0-9.,]+ [kMG]?B' | cut -d ' ' -f 4-
}

install_all() {
    [ -n "$as_root" ] && command -v apt-get >/dev/null || return 0
    if ! apt update; then
        cat "$log" >&2
        return 0
    fi
    for package in "$@"; do
        amount=$(size "$package")
        echo "Installing $package by apt (once${amount:+, $amount to download}) ..." >&2
        apt -y --no-install-recommends install "$package" || cat "$log" >&2
    done
}

missing=$(missing_ones | tr '\n' ' ')
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # one word each
    install_all $missing
    missing=$(missing_ones | tr '\n' ' ')
fi
if [ -n "$missing" ]; then
    {
        echo "!!! Missing or too old (Node 18, Redis 7.0 or later), so that their tests will FAIL: $missing"
        echo "!!! As root: apt-get update && apt-get install -y --no-install-recommends $missing"
    } | sed 's/ $//' >&2
fi
