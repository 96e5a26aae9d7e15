#!/usr/bin/env bash
# What only a GPU can show, in at most eight minutes: one table, and one exit status.
#
#     benchmarks/on_gpu.sh            # 0 if all holds, 1 if something does not, 2 without a GPU, 124 if it takes longer
#
# PYTHON names the interpreter; that of .venv if there is one, else python3.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -z "${PYTHON:-}" ]]; then
  PYTHON=python3
  [[ -x .venv/bin/python ]] && PYTHON=.venv/bin/python
fi
exec timeout "${SECONDS_AT_MOST:-480}" "$PYTHON" benchmarks/on_gpu.py "$@"
