#!/bin/sh
# Regenerates the lock files with the newest packages: name==version with hashes and no address.
# Those of fal's clients keep the client's own version, which is the file's name.
set -eu
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile --universal --python-version 3.11 --upgrade --generate-hashes \
        --no-emit-index-url --no-annotate --no-header -q "$@"
}

compile pyproject.toml --group build --group dev -o requirements-dev.lock
# Constrained by the other: what is tested is what serves.
compile pyproject.toml --group build -c requirements-dev.lock -o requirements.lock
# Their first line says how much is downloaded: set-up tells whoever waits for it.
for lock in requirements.lock requirements-dev.lock; do
    folder=$(mktemp -d)
    .venv/bin/python -m pip -q download --require-hashes --no-deps --only-binary :all: \
        -d "$folder" -r "$lock"
    { echo "# $(du -sm "$folder" | cut -f 1) MB to download" && cat "$lock"; } >"$folder/lock"
    cat "$folder/lock" >"$lock"
    rm -r "$folder"
done
for lock in tests/clients/python/*.lock; do
    echo "fal-client==$(basename "$lock" .lock)" | compile - -o "$lock"
done
# Pinned: not every release can be installed, because some need packages that were never published.
echo "litellm[proxy]==$(sed -n 's/^litellm==\([0-9.]*\).*/\1/p' bench/peers/litellm.lock)" |
    compile - -o bench/peers/litellm.lock
# Where to give money is of no use to an install, and is an address.
without_funding='
    const fs = require("fs"), lock = JSON.parse(fs.readFileSync("package-lock.json"));
    for (const entry of Object.values(lock.packages)) delete entry.funding;
    fs.writeFileSync("package-lock.json", JSON.stringify(lock, null, 2) + "\n");
'
for folder in tests/clients/javascript/*/ tests/console/browser/ tests/console/provider/ bench/peers/; do
    (cd "$folder" && rm -f package-lock.json &&
        npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts -s &&
        node -e "$without_funding")
done
