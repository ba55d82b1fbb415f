# Makes environments of other people's programs once; for scripts to source, run nowhere else.

# make_once FOLDER INPUT COMMAND LOG SAYING: run COMMAND unless FOLDER was made from this INPUT in
# this place; fail, with its words in LOG, if it fails. The stamp is written last: without it an
# environment is half made and is made anew.
make_once() {
    made_from=$(cat "$2" && python3 --version && pwd) || return
    if [ -f "$1/made_from" ] && [ "$(cat "$1/made_from")" = "$made_from" ]; then
        return
    fi
    echo "Installing $5 ..." >&2
    : >"$4" && rm -rf "$1" && mkdir -p "$1" || return
    "$3" "$1" "$2" >"$4" 2>&1 </dev/null || return
    echo "$made_from" >"$1/made_from"
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
