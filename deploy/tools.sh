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

updated=no
install() {
    [ -n "$as_root" ] && command -v apt-get >/dev/null || return 1
    if [ "$updated" = no ]; then
        $as_root apt-get -qq update </dev/null || return 1
        updated=yes
    fi
    # RUNLEVEL=1 keeps the package from starting a server: the tests start their own.
    $as_root DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get -qq -y --no-install-recommends install "$1" </dev/null
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

packages="nodejs npm redis-server chromium nginx-light"
if [ "${1:-}" = edge ]; then
    packages="curl golang-go default-jdk-headless libhttpclient5-java"
fi
for package in $packages; do
    if works "$package"; then continue; fi
    echo "Installing $package by apt (once) ..." >&2
    install "$package" >"$log" 2>&1 || cat "$log" >&2
    works "$package" || {
        echo "!!! $package is missing or too old (Node 18, Redis 7.0 or later): its tests will FAIL."
        echo "!!! As root: apt-get update && apt-get install $package"
    } >&2
done
