#!/usr/bin/env bash
# The whole suite in two halves at once: the Slurm half waits for Slurm most of the time. Fails if either half does.
set -uo pipefail
cd "$(dirname "$0")/.."
pytest=(.venv/bin/python -m pytest)
said=$(mktemp)
"${pytest[@]}" -m slurm >"$said" 2>&1 &
slurm=$!
trap 'kill -INT $slurm 2>/dev/null; wait $slurm; cat "$said"; rm -f "$said"; exit 130' INT TERM
"${pytest[@]}" -m "not slurm"
rest=$?
wait $slurm
half=$?
printf '\nOn a real Slurm:\n'
cat "$said"
rm -f "$said"
exit $((rest ? rest : half))
