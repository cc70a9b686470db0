"""The development Slurm does what the project needs of a Slurm: batch jobs, submitit arrays, accounting."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import submitit

JOB_TIMEOUT_S = 90


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=JOB_TIMEOUT_S).stdout.strip()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + JOB_TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline_s:
            pytest.fail(f"{what}: not within {JOB_TIMEOUT_S} s")
        time.sleep(0.2)


def accounted_states(job_id: str) -> dict[str, str]:
    """State of each allocation of a job or array, from the accounting database, which lags a few seconds behind."""
    lines = run("sacct", "-j", job_id, "-X", "--noheader", "--parsable2", "--format=JobID,State").splitlines()
    return dict(line.split("|") for line in lines)


def test_batch_job_runs_and_is_accounted(slurm, tmp_path: Path) -> None:
    assert f"SLURM_CONF = {slurm.conf}" in " ".join(run("scontrol", "show", "config").split()), "another Slurm answers"

    def node_is_idle() -> bool:
        return run("sinfo", "--noheader", "--partition=main", "--format=%P %T") == "main* idle"

    wait_until(node_is_idle, "idle node in the default partition")
    output = tmp_path / "job.out"
    script = "echo job $SLURM_JOB_ID of $SLURM_CLUSTER_NAME; srun --ntasks=1 echo step $SLURM_JOB_ID"
    job_id = run("sbatch", "--parsable", "--wait", f"--output={output}", f"--wrap={script}")

    assert output.read_text() == f"job {job_id} of emodistill\nstep {job_id}\n"
    wait_until(lambda: accounted_states(job_id) == {job_id: "COMPLETED"}, "COMPLETED in sacct")

    failed = subprocess.run(
        ["sbatch", "--parsable", "--wait", "--output=/dev/null", "--wrap=exit 3"],
        capture_output=True, text=True, timeout=JOB_TIMEOUT_S,
    )  # fmt: skip
    assert failed.returncode == 3  # sbatch --wait hands the job's exit code on
    failed_id = failed.stdout.strip()
    wait_until(lambda: accounted_states(failed_id) == {failed_id: "FAILED"}, "FAILED in sacct")


def test_submitit_array_returns_results_and_is_accounted(slurm, tmp_path: Path) -> None:
    def where_am_i(shard: int) -> tuple[int, str, int]:
        if shard == 2:
            raise ValueError("shard 2 is bad")
        environment = submitit.JobEnvironment()
        return shard, environment.job_id, environment.num_tasks

    executor = submitit.AutoExecutor(folder=tmp_path, cluster="slurm")
    executor.update_parameters(timeout_min=5, slurm_array_parallelism=2)
    jobs = executor.map_array(where_am_i, range(3))
    array_id = jobs[0].job_id.split("_")[0]
    try:
        assert [job.job_id for job in jobs] == [f"{array_id}_{index}" for index in range(3)]
        wait_until(lambda: all(job.done(force_check=True) for job in jobs), f"end of array {array_id}")

        assert [job.result() for job in jobs[:2]] == [(shard, f"{array_id}_{shard}", 1) for shard in range(2)]
        with pytest.raises(submitit.core.utils.FailedJobError, match="shard 2 is bad"):
            jobs[2].result()
        expected = {f"{array_id}_0": "COMPLETED", f"{array_id}_1": "COMPLETED", f"{array_id}_2": "FAILED"}
        wait_until(lambda: accounted_states(array_id) == expected, f"{expected} in sacct")
    finally:
        subprocess.run(["scancel", array_id], check=False, timeout=JOB_TIMEOUT_S)
