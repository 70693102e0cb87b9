#!/usr/bin/env bash
# Writes requirements.lock (to run) and requirements-dev.lock (to test as well): every dependency for every platform,
# with hashes, without the address it came from.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet uv
lock() {
  "$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
    pyproject.toml --output-file "$@"
}
lock requirements.lock --extra build
lock requirements-dev.lock --extra build --extra dev --constraint requirements.lock
if grep -nE '://|^--(index|extra|find)' requirements.lock requirements-dev.lock; then
  echo "a lock file names an address; it must not" >&2
  exit 1
fi
