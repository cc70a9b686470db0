"""A profile says where a run's jobs go and what they ask for: one YAML file in slurm/profiles/, or the user's own."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from emodistill.config import Above, Positive, Section
from emodistill.configfile import load_yaml, validate
from emodistill.errors import BadInput, shown
from emodistill.kinds import EVERY
from emodistill.shipped import shipped

_IN_RANKS = ("iql", "sft", "jpo")  # what torch.distributed can spread
_ONE_CLUSTER = "jobs wait for one another, and Slurm allows that on one cluster. Name one, in default.sbatch.clusters."
_FOLDER = "slurm/profiles"
_OURS = frozenset("array dependency error job-name open-mode output requeue signal".split())

_SECRET = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)$", re.IGNORECASE)
_GPU_GRES = re.compile(r"(?:^|,)gpu(?::[^:,\d][^:,]*)?(?::(\d+))?")
_BY_KEY = ("env", "sbatch")

Line = Annotated[str, Field(pattern=r"^[^\n\r]*$")]
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Option = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class Resources(Section):
    """What one job of a stage asks for, and how many run at once. None: not asked for."""

    time_min: Positive = 60  # time limit of a job
    grace_s: Positive = 120  # how long before the time limit a job is told to save
    nodes: Positive = 1  # of a job
    tasks_per_node: Positive = 1  # ranks on each node; only iql, sft and jpo take more than one
    cpus_per_task: Positive = 1  # cores of each
    gpus_per_node: Annotated[int, Field(ge=0)] = 0  # 0: none is asked for
    gpu_memory_gb: Above | None = None  # of one GPU; for the plan's verdict on whether training fits
    gres: Line | None = None  # in place of gpus_per_node, in Slurm's spelling: gpu:a100:4
    mem_gb: Positive | None = None  # memory of a node
    partition: Line | None = None  # --partition
    account: Line | None = None  # --account
    qos: Line | None = None  # --qos
    constraint: Line | None = None  # --constraint
    parallel: Positive = 1  # jobs of the stage at once
    bundle: Positive = 1  # tasks a job runs one after the other, sharing a loaded model
    stagger_s: Annotated[int, Field(ge=0)] = 0  # jobs wait at random up to this long, so that not all begin at once
    modules: tuple[Line, ...] = ()  # `module load` lines
    setup: tuple[Line, ...] = ()  # shell lines before the job: activate conda or a venv, mount
    env: dict[EnvName, Line] = {}  # variables that are exported before the job
    python: Line | None = None  # how the job calls Python: `apptainer exec --nv image.sif python`; default: this one
    sbatch: dict[Option, Line | int | bool] = {}  # further sbatch options; true gives a bare flag
    tokens_per_s: Above | None = None  # what one job generates or trains on, as measured; for the plan's GPU-hours

    @property
    def gpus(self) -> int:
        """GPUs of one job, whichever way they are asked for: `gpus_per_node: 4`, or `gres: gpu:a100:4` of a node."""
        by_gres = _GPU_GRES.findall(self.gres or "")
        return self.nodes * (self.gpus_per_node or sum(int(count or 1) for count in by_gres))

    @property
    def cluster(self) -> str:
        """Which of several Slurm clusters, if the profile says."""
        return str(self.sbatch.get("clusters", ""))


class Profile(Section):
    """`default` holds for every stage; `stages` overrides it key by key, also inside `env` and `sbatch`."""

    cluster: Literal["local", "slurm"]  # local: processes on this machine; slurm: jobs
    default: Resources = Resources()  # of every stage
    stages: dict[str, dict[str, Any]] = {}  # by stage, the keys that differ there

    def resources(self, stage: str) -> Resources:
        """What the stage's jobs ask for."""
        return _asked(self, stage, stage)

    @property
    def slurm_cluster(self) -> str:
        """Which of several Slurm clusters all jobs go to; empty: the one of this machine."""
        return self.default.cluster


def load_profile(name: str) -> Profile:
    """A shipped profile by name, or a file by path; `BadInput` for unknown stages or keys.

    It may say something of every stage there is, so that runs and audits share one.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else shipped(_FOLDER) / f"{name}.yaml"
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in shipped(_FOLDER).glob("*.yaml")))
        raise BadInput(f"There is no profile {name!r}. Shipped: {names}; or give the path of a YAML file.")
    data = load_yaml(path)
    profile: Profile = validate(Profile, data, str(path))
    _check(profile.default, f"{path}: default")
    if unknown := next((stage for stage in profile.stages if stage not in EVERY), None):
        raise BadInput(f"{path}: stages.{shown(unknown)}: there is no such stage. Stages: {', '.join(EVERY)}.")
    for stage in EVERY:
        asked = _asked(profile, stage, f"{path}: stages.{stage}")
        _check(asked, f"{path}: stages.{stage}")
        if asked.cluster != profile.slurm_cluster:
            raise BadInput(f"{path}: stages.{stage}: {_ONE_CLUSTER}")
        if asked.nodes * asked.tasks_per_node > 1 and (stage not in _IN_RANKS or profile.cluster == "local"):
            raise BadInput(
                f"{path}: stages.{stage}: only {', '.join(_IN_RANKS)} run in several ranks, and only as jobs of Slurm. "
                "Leave nodes and tasks_per_node at 1 for all else, and raise parallel for more jobs at once."
            )
    return profile


def _asked(profile: Profile, stage: str, where: str) -> Resources:
    base, own = profile.default.model_dump(mode="json"), profile.stages.get(stage, {})
    merged = {**base, **own, **{key: {**base[key], **own[key]} for key in _BY_KEY if isinstance(own.get(key), dict)}}
    asked: Resources = validate(Resources, merged, where)
    return asked


def _check(asked: Resources, where: str) -> None:
    if taken := sorted(_OURS & asked.sbatch.keys()):
        raise BadInput(f"{where}: sbatch.{taken[0]} is set by the launch itself. Leave it out.")
    if secret := next(filter(_SECRET.search, asked.env), None):
        raise BadInput(
            f"{where}: env.{secret} would stand in every sbatch text. Leave it out and export it before the launch: "
            "Slurm hands your environment on."
        )
    if asked.gpus_per_node and _GPU_GRES.search(asked.gres or ""):
        raise BadInput(
            f"{where}: gres: {shown(str(asked.gres))} and gpus_per_node: {asked.gpus_per_node} both ask for GPUs. "
            "Keep one of them; where the other is the default's, take it back with gpus_per_node: 0 or gres: null."
        )
    if asked.grace_s >= 60 * asked.time_min:
        raise BadInput(
            f"{where}: a job of {asked.time_min} min (time_min) would be told to save {asked.grace_s} s (grace_s) "
            "before its end, which is as soon as it begins. Raise time_min, or lower grace_s."
        )
    if "," in asked.cluster or asked.cluster == "all":
        raise BadInput(f"{where}: {_ONE_CLUSTER}")
