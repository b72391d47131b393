#!/bin/bash
# A search on several nodes of Slurm, from the folder of the project: sbatch slurm.sh
# It starts Ray on every node and the driver on the first one. Requeued, preempted or out of time it continues its run:
# the number of a job stays the same when it is requeued. Where ports are shared with other users, set a password for
# Ray (`ray start --help`): anybody who reaches its ports runs code as you.
#SBATCH --job-name=evo
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=64
#SBATCH --gpus-per-node=8
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@300
set -euo pipefail

run=${RUN:-$PWD/runs/$SLURM_JOB_NAME-$SLURM_JOB_ID}  # on a file system with working locks: SQLite needs them
nodes=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
first=${nodes%%$'\n'*}
export RAY_ADDRESS=$first:$((20000 + SLURM_JOB_ID % 20000))

# Candidates must not find a key in the environment of Ray's processes.
ray_on() {
    env -u ANTHROPIC_API_KEY -u OPENAI_API_KEY -u RAY_ADDRESS srun --overlap --nodes=1 --ntasks=1 --nodelist="$1" \
        ray start --block --num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus="${SLURM_GPUS_ON_NODE:-0}" "${@:2}" &
}

ray_on "$first" --head --port="${RAY_ADDRESS##*:}" --include-dashboard=false
until ray status > /dev/null 2>&1; do sleep 2; done
for node in $nodes; do
    [ "$node" = "$first" ] || ray_on "$node" --address="$RAY_ADDRESS"
done

if [ -e "$run/config.toml" ]; then
    evo resume "$run" --workers auto &
else
    evo run --workers auto --out "$run" &
fi
driver=$!
out_of_time=
trap 'out_of_time=yes; kill -TERM "$driver"' USR1
code=0
wait "$driver" || code=$?
while kill -0 "$driver" 2> /dev/null; do  # the signal ended the first wait: let the driver save
    code=0
    wait "$driver" || code=$?
done
[ -z "$out_of_time" ] || scontrol requeue "$SLURM_JOB_ID"
exit "$code"
