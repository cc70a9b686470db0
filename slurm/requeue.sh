# The end of every job's script; $1 is the code that srun ended with. Plain bash, with the node's own Slurm commands: an
# image seldom has any. A job that saved and stopped, crashed or was killed goes back into the queue. The tasks count
# what brings nothing (attempts.py); a job that dies before it can count has a limit here.
job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
job=${job:-$SLURM_JOB_ID} # an array's last element has the array's own number: that would mean them all
case $1 in
0 | 2 | 3) exit "$1" ;;     # done, bad input, given up: final
75 | 130) restarts=1000 ;;  # stopped with all saved
*) restarts=50 ;;
esac
if [ "${SLURM_RESTART_COUNT:-0}" -lt $restarts ]; then
  for wait in 1 2 4 8 16 16 0; do
    if [[ $(scontrol --oneliner show job "$job") =~ JobState=([A-Z_]+) ]]; then
      # CANCELLED by its user; or PREEMPTED, and then Slurm itself requeues it.
      [ "${BASH_REMATCH[1]}" = RUNNING ] || exit "$1"
      scontrol requeue "$job" && sleep 600 # until Slurm ends this script
    fi
    sleep $wait
  done
fi
echo "emodistill: job $job ended with $1 and is not requeued, after ${SLURM_RESTART_COUNT:-0} restarts." >&2
exit "$1"
