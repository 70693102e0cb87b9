#!/usr/bin/env bash
# Writes requirements.lock: every dependency for every platform, with hashes, without the address it came from.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet uv
"$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
  --extra dev pyproject.toml --output-file requirements.lock "$@"
if grep -nE '://|^--(index|extra|find)' requirements.lock; then
  echo "requirements.lock names an address; it must not" >&2
  exit 1
fi
