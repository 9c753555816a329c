#!/usr/bin/env bash
# Writes both lock files anew from pyproject.toml. Needs uv on PATH; one lock serves CPython 3.11 to 3.14 on x86_64 and aarch64.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

lock() {
    local file=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
        "$@" pyproject.toml --output-file "$file.new"
    {
        echo "# Written by packaging/lock.sh from pyproject.toml; installed with pip --require-hashes."
        cat "$file.new"
    } >"$file"
    rm "$file.new"
}

lock requirements.lock --group build
lock requirements-test.lock --group build --group test
