#!/bin/sh
# Makes the virtual environment in .venv: `setup.sh runtime` what serves, `setup.sh dev` that and
# what tests and checks. Does nothing when it is already there; repairs one that is half made.
set -eu
cd "$(dirname "$0")/.."
wanted=$1

refuse() {
    echo "falgate: $*" >&2
    exit 1
}

check_machine() {
    command -v python3 >/dev/null ||
        refuse "Python 3.11 or later is missing: apt-get install python3 python3-venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        refuse "$(python3 --version) is too old, 3.11 is needed:" \
            "apt-get install python3 python3-venv (Debian 12 or later)"
    python3 -c 'import ensurepip, venv' 2>/dev/null ||
        refuse "Python's venv module is missing: apt-get install python3-venv"
}

can_write() { (: >"$1/.write") 2>/dev/null && rm -f "$1/.write"; }

check_folders() {
    for folder in "$PWD" "$PWD/.cache" "$PWD/.venv"; do
        if [ ! -e "$folder" ] || can_write "$folder"; then continue; fi
        owner=$(stat -c %U "$folder" 2>/dev/null) || owner="somebody else"
        refuse "cannot write in $folder, which belongs to $owner:" \
            "use a clone of your own, or take this one over: sudo chown -R \"\$(id -u)\" '$PWD'"
    done
}

trap 'refuse "set-up was stopped; the same command goes on with it"' INT TERM HUP

# Two commands at once must not make one environment; the second waits and finds it made. Who cannot
# write here has nothing to make, or is refused below.
mkdir -p .cache 2>/dev/null || true
if (: >>.cache/setup.lock) 2>/dev/null; then
    exec 9>>.cache/setup.lock
    if command -v flock >/dev/null; then flock 9; fi
fi

# --- What is there already ------------------------------------------------------------------------
# The stamps are written last, so an environment without them is half made. They say what it was
# made from: the locks, the place (its scripts name it) and its Python (which may be gone since).
packages_stamp=.venv/packages.stamp
project_stamp=.venv/project.stamp

hash_of() { cat "$@" | sha256sum | cut -d ' ' -f 1; }
hash_of_packages() {
    {
        cat requirements.lock requirements-dev.lock
        echo "$PWD"
        .venv/bin/python -c 'import sys; print(sys.prefix, sys.version)' 2>/dev/null
    } | hash_of -
}
stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

packages=$(hash_of_packages)
if stamped "$packages_stamp" "dev $packages"; then
    have=dev
elif stamped "$packages_stamp" "runtime $packages"; then
    have=runtime
else
    have=nothing
fi

# --- Making what is missing -----------------------------------------------------------------------
log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() {
    if "$@" >"$log" 2>&1 </dev/null; then return; fi
    # pip's words for each way of not getting through, in all its versions.
    unreached=$(grep -oE '\[Errno -?[0-9]+\] [A-Za-z ]+|timed out|CERTIFICATE_VERIFY_FAILED' "$log" |
        sort -u | head -n 1)
    if grep -qE 'connection broken|Max retries exceeded|Failed to (connect|establish)' "$log"; then
        refuse "the package index${index:+ at $index} cannot be reached${unreached:+ ($unreached)}:" \
            "connect this machine, or name another index by PIP_INDEX_URL; the same command tries again"
    fi
    cat "$log" >&2
    refuse "set-up failed, see above; the same command tries again"
}

install() {
    # Without what may stand before the host: a name and a password.
    index=$(echo "${PIP_INDEX_URL:-}" | sed 's#//[^/]*@#//#')
    # Only wheels: building one would need a compiler, which a fresh machine has not.
    quietly .venv/bin/python -m pip --disable-pip-version-check --no-input \
        --retries "${PIP_RETRIES:-2}" install \
        --require-hashes --no-deps --only-binary :all: -r "$1"
}

case $wanted in
runtime) lock=requirements.lock ;;
dev) lock=requirements-dev.lock ;;
*) refuse "setup.sh takes runtime or dev, not $wanted" ;;
esac

if [ "$have" = nothing ]; then
    # With .venv activated, python3 is the one in it, which cannot make it anew.
    PATH=${PATH#"$PWD/.venv/bin:"}
    check_machine
fi

if [ "$have" = nothing ] || { [ "$have" = runtime ] && [ "$wanted" = dev ]; }; then
    check_folders
    size=$(grep -oE '^# [0-9]+ MB' "$lock" | cut -c 3-)
    echo "Installing falgate's $(grep -c '^[a-z].*==' "$lock") packages into .venv" \
        "(once, about $size to download) ..." >&2
    rm -f "$packages_stamp" "$project_stamp"
    if [ "$have" = nothing ]; then
        rm -rf .venv
        quietly python3 -m venv .venv
    fi
    install "$lock"
    echo "$wanted $(hash_of_packages)" >"$packages_stamp"
fi

project=$(hash_of pyproject.toml)
if ! stamped "$project_stamp" "$project"; then
    check_folders
    # The build backend looks for its own program on the PATH.
    quietly env PATH="$PWD/.venv/bin:$PATH" .venv/bin/python -m pip \
        --disable-pip-version-check --no-input install \
        --no-deps --no-build-isolation --no-index -e .
    echo "$project" >"$project_stamp"
fi
