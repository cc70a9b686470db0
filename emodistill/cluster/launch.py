"""`emodistill launch`: the missing tasks of a run as one chain of Slurm jobs that needs nobody to watch it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from emodistill.cluster import slurm
from emodistill.cluster.begin import begin, changed_tasks, say_retries
from emodistill.cluster.graph import Array, Place, arrays, wanted
from emodistill.cluster.profiles import Profile
from emodistill.cluster.queue import settled
from emodistill.cluster.record import Launch, Submission, launches
from emodistill.cluster.sbatch import job_name
from emodistill.cluster.submit import submit_array
from emodistill.code import code_digest
from emodistill.config import Config
from emodistill.errors import BadInput
from emodistill.ledger import Ledger
from emodistill.runs import RunDir
from emodistill.stages import STAGES, Stage


def launch(
    config: Config,
    root: Path,
    profile: Profile,
    fresh: bool,
    until: str | None,
    allow_code_change: bool,
    say: Callable[[str], None],
    stages: Mapping[str, Stage] = STAGES,
) -> list[Submission]:
    """Submit what is missing and not in the queue; the new submissions.

    `BadInput` or `RunFailed` if Slurm refuses; what it took before is recorded, and the next launch goes on from there.
    """
    if profile.cluster != "slurm":
        raise BadInput("A launch needs a profile with `cluster: slurm`. Without Slurm, use: emodistill run.")
    if "%" in str(root):
        raise BadInput(f"Slurm would read the % in {root} as a pattern for names of logs. Choose another with --out.")
    run = RunDir(root)
    run.create()
    with run.lock():
        queued = settled(run, profile.slurm_cluster).tasks
        if queued and changed_tasks(run, config, stages):
            raise BadInput(
                f"{len(queued)} task(s) of {root} are in Slurm's queue with another configuration. "
                f"Take them out first: emodistill cancel {root}"
            )
        held = sorted({str(job.element) for job in queued.values() if job.state == slurm.HELD})
        if held:
            say(f"{len(held)} job(s) are held, and wait for: scontrol release {','.join(held)}")
        begin(run, config, fresh, stages)
        ledger = Ledger(run, config)
        names = list(stages)[: list(stages).index(until) + 1] if until else list(stages)
        missing = {name: ledger.to_do(stages[name]) for name in names}
        # Beyond `until` only what is in the queue already, and would else wait for the wrong jobs.
        chosen = {
            name: kept
            for name, tasks in wanted(config, missing, queued, stages).items()
            if (kept := [task for task in tasks if name in names or (name, task) in queued])
        }
        if not chosen:
            return []
        say_retries(ledger, [stages[name] for name in chosen], say)
        code = None if allow_code_change else _same_code(run, config, stages)
        again = [(name, task) for name, tasks in chosen.items() for task in tasks]
        stale = {queued[task].element for task in again if task in queued}
        slurm.cancel(sorted(stale, key=str))
        for name, task in again:  # what was given up is to be tried again
            run.forgive(name, task)
        places = {
            task: Place(job.element.job, job.element.index, job.of)
            for task, job in queued.items()
            if job.element not in stale
        }
        bundle = {name: profile.resources(name).bundle for name in stages}
        limit = slurm.max_array_size(profile.slurm_cluster)
        planned = arrays(config, chosen, places, bundle.__getitem__, limit, stages)
        record = Launch.begin(run, code_digest(), profile.model_dump(mode="json"))
        return _submit(run, config, profile, planned, record, code, say)


def _same_code(run: RunDir, config: Config, stages: Mapping[str, Stage]) -> str:
    """The code's digest; `BadInput` if something of the run was made by a launch of other code."""
    former = launches(run)
    begun = any(run.claim_path(stage.name, task).exists() for stage in stages.values() for task in stage.tasks(config))
    if former and begun and former[-1].code != code_digest():
        raise BadInput(
            f"The code has changed since the last launch of {run.root} ({former[-1].code} → {code_digest()}), and two "
            "versions do not make one run. Undo the edit, or use another --out; "
            "with --allow-code-change if results stay as they are."
        )
    return code_digest()


def _submit(
    run: RunDir,
    config: Config,
    profile: Profile,
    planned: list[Array],
    record: Launch,
    code: str | None,
    say: Callable[[str], None],
) -> list[Submission]:
    for array in planned:
        asked = profile.resources(array.stage)
        tasks = [task for bundle in array.bundles for task in bundle]
        name = job_name(config.name, array.stage, tasks)
        folder = record.path.parent / f"{len(record.submissions):02d}-{array.stage}"
        dependency = ",".join(wait.text([made.job for made in record.submissions]) for wait in array.waits)
        job = submit_array(asked, array, name, run.root, folder, dependency, code)
        place = str(folder.relative_to(run.root))
        done = Submission(array.stage, job, name, array.bundles, place, dependency, asked.cluster)
        record.add(done)
        say(f"{array.stage}: {len(array.bundles)} job(s) as {job}" + (f" after {dependency}" if dependency else ""))
    return record.submissions
