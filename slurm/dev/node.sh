#!/usr/bin/env bash
# Loses a node of a Slurm with several, as a power cut would, and brings it back.
# Usage: node.sh down|up NODE.
#   down  cuts its wire and kills slurmd and all that runs there. Slurm is not told: it notices after about 30 s, marks
#         the node down and queues its jobs again.
#   up    plugs it in, starts slurmd, and waits until Slurm gives it work again.
# Exit codes: 0 done; 1 the node did not come up; 2 there is no such node.
set -euo pipefail
# shellcheck source=slurm/dev/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ $# == 2 && $1 =~ ^(down|up)$ ]] || die 2 "usage: $0 down|up NODE"
node=$2
if [[ ! -O $dir || ! -e $marker ]] || ! is_namespace "$node" || ! nodes | grep -qxF "$node"; then
  die 2 "There is no node '$node' to take $1: the Slurm in $dir has $(nodes | paste -sd' ' | grep . || echo 'no nodes'), and only one of several can be lost. Bring such a Slurm up with $here/up.sh 2."
fi
lock_folder

if [[ $1 == down ]]; then
  unplug "$node" # first, so that no closing connection tells anybody
  kill_node "$node" || die 1 "Something on $node does not die."
  echo "$node is lost."
else
  start_node "$node"
  in_service() { [[ $(ask sinfo --noheader --nodes="$node" --format=%T) =~ ^(idle|mixed|allocated)$ ]]; }
  wait_for 30 in_service || fail "slurmd.$node" "$node is not in service"
  echo "$node is in service."
fi
