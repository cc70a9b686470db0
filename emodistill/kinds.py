"""What kinds of run directory there are: a run holds the chain of stages, an audit a chain of its own."""

from emodistill.audit import stage as audit
from emodistill.errors import BadInput, RunFailed
from emodistill.runs import RunDir
from emodistill.stages import STAGES, Stage

EVERY: dict[str, Stage] = {**STAGES, **audit.STAGES}


def recorded_stages(run: RunDir) -> set[str]:
    """The stages that the manifest names; none of a folder without a readable one."""
    try:
        return set(run.manifest().get("stages", {}))
    except RunFailed:
        return set()


def stages_of(run: RunDir) -> dict[str, Stage]:
    """The stages that the run directory is for."""
    return audit.STAGES if audit.AUDIT.name in recorded_stages(run) else STAGES


def refuse_audit(run: RunDir) -> None:
    """`BadInput` if the folder holds an audit, which writes tables of its own."""
    if stages_of(run) is not STAGES:
        raise BadInput(f"{run.root} holds an audit. Its tables are written again by `emodistill audit` itself.")
