"""`emodistill launch`: the missing tasks of a run as one chain of Slurm jobs that needs nobody to watch it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from emodistill.cluster import slurm
from emodistill.cluster.begin import begin, changed_tasks
from emodistill.cluster.graph import Array, Place, Task, arrays, wanted
from emodistill.cluster.profiles import Profile
from emodistill.cluster.record import Launch, Submission, by_task, submissions
from emodistill.cluster.sbatch import job_name
from emodistill.cluster.slurm import Element
from emodistill.cluster.submit import comment_of, submit_array
from emodistill.code import code_digest
from emodistill.config import Config
from emodistill.errors import BadInput
from emodistill.ledger import Ledger
from emodistill.runs import RunDir
from emodistill.stages import STAGES


def launch(
    config: Config,
    root: Path,
    profile: Profile,
    fresh: bool,
    until: str | None,
    allow_code_change: bool,
    say: Callable[[str], None],
) -> list[Submission]:
    """Submit what is missing and not in the queue; the new submissions.

    `BadInput` or `RunFailed` if Slurm refuses; what it took before is recorded, and the next launch goes on from there.
    """
    if profile.cluster != "slurm":
        raise BadInput("A launch needs a profile with `cluster: slurm`. Without Slurm, use: emodistill run.")
    run = RunDir(root)
    run.create()
    with run.lock():
        queued = in_queue(run)
        if queued and changed_tasks(run, config):
            raise BadInput(
                f"{len(queued)} task(s) of {root} are in Slurm's queue with another configuration. "
                f"Take them out first: emodistill cancel {root}"
            )
        begin(run, config, fresh)
        ledger = Ledger(run, config)
        names = list(STAGES)[: list(STAGES).index(until) + 1] if until else list(STAGES)
        missing = {name: _to_try(run, ledger, name) for name in names}
        states = {task: state for task, (_, state) in queued.items()}
        chosen = {name: tasks for name, tasks in wanted(config, missing, states).items() if name in names}
        stale = {queued[name, task][0] for name, tasks in chosen.items() for task in tasks if (name, task) in queued}
        if stale:
            slurm.cancel(sorted(stale, key=str))
        places = {
            task: Place(element.job, element.index) for task, (element, _) in queued.items() if element not in stale
        }
        bundle = {name: profile.resources(name).bundle for name in names}
        planned = arrays(config, chosen, places, bundle.__getitem__, slurm.max_array_size() if chosen else 1)
        code = None if allow_code_change else code_digest()
        return _submit(
            run, config, profile, planned, Launch.begin(run, code_digest(), profile.model_dump(mode="json")), code, say
        )


def in_queue(run: RunDir) -> dict[Task, tuple[Element, str]]:
    """The run's tasks that a job in Slurm's queue will do, with that job and its state."""
    known = by_task(submissions(run))
    if not known:
        return {}
    clusters = sorted({element.cluster for _, element in known.values() if element.cluster})
    held = slurm.live(clusters, about=comment_of(run.root.absolute()))
    # A job that was submitted without a cluster's name may be listed with one.
    states = {**held, **{replace(element, cluster=""): state for element, state in held.items()}}
    return {task: (element, states[element]) for task, (_, element) in known.items() if element in states}


def _to_try(run: RunDir, ledger: Ledger, name: str) -> list[str]:
    """The stage's missing tasks; those that were given up are to be tried again."""
    tasks = ledger.to_do(STAGES[name])
    for task in tasks:
        run.forgive(name, task)
    return tasks


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
        cluster = str(asked.sbatch.get("clusters", ""))
        place = str(folder.relative_to(run.root))
        done = Submission(array.stage, job, name, array.bundles, place, dependency, cluster)
        record.add(done)
        say(f"{array.stage}: {len(array.bundles)} job(s) as {job}" + (f" after {dependency}" if dependency else ""))
    return record.submissions
