"""What kinds of run directory there are: a run holds the chain of stages, an audit a chain of its own."""

from emodistill.audit import stage as audit
from emodistill.errors import RunFailed
from emodistill.runs import RunDir
from emodistill.stages import STAGES, Stage

EVERY: dict[str, Stage] = {**STAGES, **audit.STAGES}


def recorded_stages(run: RunDir) -> set[str]:
    """The stages that the manifest names; none of a folder without a readable one."""
    try:
        return set(run.manifest().get("stages", {}))
    except RunFailed:
        return set()


def is_audit(run: RunDir) -> bool:
    """Whether the folder holds an audit."""
    return audit.AUDIT.name in recorded_stages(run)


def stages_of(run: RunDir) -> dict[str, Stage]:
    """The stages that the run directory is for."""
    return audit.STAGES if is_audit(run) else STAGES
