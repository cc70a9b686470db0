"""A profile says where a run's jobs go and what they ask for: one YAML file in slurm/profiles/, or the user's own."""

from pathlib import Path
from typing import Literal

from emodistill.config import Positive, Section, load_yaml, validate
from emodistill.errors import BadInput

_IN_RANKS = ("iql", "sft", "jpo")  # what torch.distributed can spread
_SHIPPED = Path(__file__).parents[2] / "slurm" / "profiles"


class Resources(Section):
    """What one job of a stage asks for, and how many run at once. None: not asked for."""

    time_min: Positive = 60
    nodes: Positive = 1
    tasks_per_node: Positive = 1
    cpus_per_task: Positive = 1
    gpus_per_node: int = 0
    mem_gb: Positive | None = None
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    parallel: Positive = 1  # jobs of the stage at once
    bundle: Positive = 1  # tasks a job runs one after the other, sharing a loaded model


class Profile(Section):
    """`default` holds for every stage; `stages` overrides it key by key."""

    cluster: Literal["local", "slurm"]
    setup: tuple[str, ...] = ()  # shell lines before the job: module load, venv
    extra: dict[str, str | int] = {}  # further sbatch options
    default: Resources = Resources()
    stages: dict[str, dict[str, int | str | None]] = {}

    def resources(self, stage: str) -> Resources:
        """What the stage's jobs ask for."""
        return Resources.model_validate({**self.default.model_dump(), **self.stages.get(stage, {})})


def load_profile(name: str, stages: tuple[str, ...]) -> Profile:
    """A shipped profile by name, or a file by path; `BadInput` for unknown stages or keys."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else _SHIPPED / f"{name}.yaml"
    if not path.is_file():
        shipped = ", ".join(sorted(p.stem for p in _SHIPPED.glob("*.yaml")))
        raise BadInput(f"There is no profile {name!r}. Shipped: {shipped}; or give the path of a YAML file.")
    data = load_yaml(path)
    profile: Profile = validate(Profile, data, str(path))
    for stage, overrides in profile.stages.items():
        if stage not in stages:
            raise BadInput(f"{path}: stages.{stage}: there is no such stage. Stages: {', '.join(stages)}.")
        asked = validate(Resources, {**profile.default.model_dump(), **overrides}, f"{path}: stages.{stage}")
        if asked.nodes * asked.tasks_per_node > 1 and stage not in _IN_RANKS:
            raise BadInput(
                f"{path}: stages.{stage}: only {', '.join(_IN_RANKS)} run in several ranks. "
                "Leave nodes and tasks_per_node at 1, and raise parallel for more jobs at once."
            )
    return profile
