#!/usr/bin/env bash
# Fuzzes what reads log lines for so many seconds (an hour if none are given), in a virtualenv of its own.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

seconds=${1:-3600}
if [[ ! -x .venv-fuzz/bin/python ]]; then
    python3.11 -m venv .venv-fuzz
    .venv-fuzz/bin/pip install --quiet --require-hashes -r requirements-fuzz.lock -r requirements.lock
fi
mkdir -p .fuzz
cd .fuzz
PYTHONPATH=..:../src exec ../.venv-fuzz/bin/python -m tests.scan.fuzz \
    . ../tests/scan/fuzz_corpus -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1
