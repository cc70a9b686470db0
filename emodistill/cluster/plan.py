"""What a run would do, and whether it can: nothing here starts a job."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml
from emodistill.cluster import slurm
from emodistill.cluster.advice import advice, too_crowded, unfilled
from emodistill.cluster.estimate import Speech, gpu_hours, speech
from emodistill.cluster.graph import arrays
from emodistill.cluster.profiles import Profile, Resources
from emodistill.cluster.record import comment_of
from emodistill.config import VLLM, Config, OpenAI, Scripted, Spec
from emodistill.domains import build_scenarios
from emodistill.errors import BadInput, RunFailed
from emodistill.models import require, resolve
from emodistill.plain import table
from emodistill.stages import STAGES, Fingerprints, Stage

_PACKAGES = {
    "iql": ("torch", "deepspeed"),
    "sft": ("torch", "deepspeed", "peft", "transformers"),
    "jpo": ("torch", "deepspeed", "peft", "transformers"),
    "evaluate": ("torch",),
    "tables": ("matplotlib",),
    "findings": ("matplotlib",),
}
_BACKENDS = {Scripted: "", OpenAI: "openai", VLLM: "vllm"}
_TRAINED = ("iql", "sft", "jpo")  # by DeepSpeed
_DEFAULT_ARRAY = 1001  # Slurm's own MaxArraySize
_PARTS = ("weights", "gradients", "optimiser", "activations")
_SAFE = 0.95  # of a GPU's memory; the rest is lost to fragments


def check(config: Config, profile: Profile, stages: Sequence[str]) -> None:
    """`BadInput` if a setting, package, model, key or file that the jobs of these stages need is not there."""
    if left := unfilled(config, profile, stages):
        raise BadInput(" ".join(left))
    build_scenarios(config.scenarios, config.seed)
    for stage in stages:
        # Without Slurm a job is a process like this one.
        asked = profile.resources(stage) if profile.cluster == "slurm" else Resources()
        if stage in _TRAINED:
            _deepspeed_text(config, stage)
        models = {said.key: said.spec for said in speech(config, [stage])}
        if stage in ("sft", "jpo"):
            models["models.student"] = config.models.student
        needed = {*_PACKAGES.get(stage, ())} | {_BACKENDS[type(spec)] for spec in models.values()} - {""}
        if asked.python is None:
            require(*sorted(needed))
        with _exported(asked.env):
            for key, spec in models.items():
                _check_model(key, spec)
            if stage == "sft" and asked.python is None and not _costs_nothing(config):
                _check_template(config)
        if (crowded := too_crowded(config, profile, stage, models)) is not None:
            raise BadInput(crowded)


def _costs_nothing(config: Config) -> bool:
    """Whether all that comes before the training is simulated: then its own refusal is early enough."""
    models = config.models
    return all(isinstance(spec, Scripted) for spec in (models.teacher, models.counterparty, models.judge))


def _check_template(config: Config) -> None:
    """`BadInput` if the student's chat template is none to train with. Loads transformers, which takes seconds."""
    from emodistill.train.policy_model import load_tokenizer
    from emodistill.train.sequences import check_template

    said = (("user", "Open."), ("assistant", "20 days."))
    chat = (("system", "You bargain."), *said, *said) if config.negotiation.layout == "chat" else said
    check_template(load_tokenizer(config.models.student), chat)


@contextmanager
def _exported(env: Mapping[str, str]) -> Iterator[None]:
    """The environment as it is in jobs that export `env`."""
    before = dict(os.environ)
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _check_model(key: str, spec: Spec) -> None:
    if isinstance(spec, VLLM):
        resolve(spec.model)
    elif isinstance(spec, OpenAI) and not os.environ.get(spec.api_key_env):
        raise BadInput(
            f"{key}: the environment variable {spec.api_key_env} holds no key for {spec.base_url}. "
            "Export it before the run."
        )


def render(config: Config, profile: Profile, root: Path, stages: Mapping[str, Stage] = STAGES) -> str:
    """The whole plan as text: stages and tasks, tokens, DeepSpeed settings, sbatch text, resolved configuration."""
    scenarios = build_scenarios(config.scenarios, config.seed)
    held_out = sum(s.split == "held_out" for s in scenarios)
    lines = [
        f"run {config.name} → {root}   seed {config.seed}   profile {profile.cluster}",
        f"scenarios: {len(scenarios) - held_out} train, {held_out} held out, "
        f"{sum(s.imputed for s in scenarios)} imputed",
        "",
    ]
    fingerprints = Fingerprints(config)
    rows = [_stage_row(config, profile, stage, fingerprints) for stage in stages.values()]
    lines += table(("stage", "fingerprint", "tasks", "jobs", "needs"), rows, ("stage", "fingerprint", "jobs", "needs"))
    lines += ["", "language-model work (upper bounds: every dialogue at full length)"]
    said = speech(config, stages)
    head = ("stage", "role", "model", "replies", "generated tokens", "prompt tokens", "USD")
    lines += table(head, [_speech_row(one) for one in said], head[:3])
    lines += _money(said)
    lines += ["", *_gpu_hours(config, profile, stages)]
    if trained := [name for name in _TRAINED if name in stages]:
        lines += ["", *_gpu_memory(config, profile)]
    if warned := advice(config, profile, tuple(stages)):
        lines += ["", "To mend before the run:", *warned]
    for name in trained:
        lines += ["", f"# DeepSpeed, {name}", _deepspeed_text(config, name)]
    if profile.cluster == "slurm":
        lines += ["", *_scripts(config, profile, root, stages)]
    return "\n".join(
        [*lines, "", "# resolved configuration", yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)]
    )


def _stage_row(config: Config, profile: Profile, stage: Stage, fingerprints: Fingerprints) -> tuple[str, ...]:
    tasks, asked = stage.tasks(config), profile.resources(stage.name)
    jobs = -(-len(tasks) // asked.bundle)
    ranks = asked.nodes * asked.tasks_per_node
    needs = f"{ranks} × {asked.cpus_per_task} CPU" + (f", {asked.gpus} GPU" if asked.gpus else "")
    return (
        stage.name,
        fingerprints(stage, tasks[0]),
        str(len(tasks)),
        f"{jobs} ({min(jobs, asked.parallel)} at once)",
        needs,
    )


def _speech_row(said: Speech) -> tuple[str, ...]:
    counts = (said.replies, said.generated_tokens, said.prompt_tokens)
    usd = "-" if said.usd is None else f"{said.usd:,.2f}"
    return (
        said.stage,
        said.key.removeprefix("models."),
        said.model or "simulator",
        *(f"{count:,}" for count in counts),
        usd,
    )


def _money(said: Sequence[Speech]) -> list[str]:
    """What the endpoints may cost in all, and what is not known of it."""
    paid = {one.key: one.spec for one in said if isinstance(one.spec, OpenAI)}
    known = [one.usd for one in said if one.usd is not None]
    lines = []
    if known:
        lines.append(f"Endpoints: at most {sum(known):,.2f} USD by the prices given; a retry or a verdict asked again "
                     "is paid again.")  # fmt: skip
    free = [key for key, spec in paid.items() if not spec.usd_per_million_prompt + spec.usd_per_million_generated]
    if free:
        lines.append(f"No price is given for {', '.join(free)}: set usd_per_million_prompt and "
                     "usd_per_million_generated there, and max_usd for a cap.")  # fmt: skip
    capped: dict[tuple[str, str, float], list[str]] = {}  # one purse for an endpoint's model, whoever asks
    for key, spec in paid.items():
        if spec.max_usd:
            capped.setdefault((spec.base_url, spec.model, spec.max_usd), []).append(key)
    return lines + [
        f"{keys[0]} stops asking at {usd:g} USD." if len(keys) == 1
        else f"{', '.join(keys)} stop asking at {usd:g} USD, spent by all of them together."
        for (_, _, usd), keys in capped.items()
    ]  # fmt: skip


def _gpu_hours(config: Config, profile: Profile, stages: Mapping[str, Stage]) -> list[str]:
    """A table of what is needed, where the profile tells a rate, and of what the time limits allow."""
    found = gpu_hours(config, profile, stages)
    if not found:
        return ["GPU-hours: no stage of this profile asks for a GPU."]
    head, rows = ("stage", "GPUs a job", "jobs", "tokens", "GPU-hours, at most", "if all run into their limit"), []
    for one in found:
        needed = "-" if one.needed is None else f"{one.needed:,.1f}"
        rows.append((one.stage, str(one.gpus), str(one.jobs), f"{one.tokens:,}", needed, f"{one.limit:,.1f}"))
    needed = "" if any(one.needed is None for one in found) else f"{sum(one.needed or 0.0 for one in found):,.1f}"
    rows.append(("all", "", "", "", needed, f"{sum(one.limit for one in found):,.1f}"))
    untold = [one.stage for one in found if one.tokens and one.needed is None]
    notes = [f"Set stages.{stage}.tokens_per_s as a short run shows it, for what it needs." for stage in untold]
    return ["GPU-hours (a job that is requeued begins its limit anew)", *table(head, rows), *notes]


def _gpu_memory(config: Config, profile: Profile) -> list[str]:
    """Whether SFT and JPO fit the profile's GPUs."""
    from emodistill.train.deepspeed_config import deepspeed_config
    from emodistill.train.memory import estimate, shape_of

    lines = []
    for name in ("sft", "jpo"):
        asked, settings, student = profile.resources(name), getattr(config, name), config.models.student
        shape = shape_of(student)
        if not asked.gpus_per_node or shape is None:
            why = "its jobs ask for no GPU" if shape else f"the sizes of {student.model} are not known on this machine"
            lines.append(f"GPU memory of {name}: not estimated; {why}.")
            continue
        bf16 = _bf16(config, name)
        zero = deepspeed_config(settings.deepspeed, settings.clip, bf16)["zero_optimization"]["stage"]
        found = estimate(shape, config.sft.lora, settings, bf16, zero, asked.nodes * asked.tasks_per_node)
        parts = ", ".join(f"{part} {getattr(found, part) / 1e9:.1f}" for part in _PARTS)
        text = f"GPU memory of {name}: about {found.total / 1e9:.1f} GB ({parts}, CUDA's own 1.0)"
        if asked.gpu_memory_gb is None:
            lines.append(f"{text}; set stages.{name}.gpu_memory_gb in the profile for a verdict.")
        elif found.total <= _SAFE * asked.gpu_memory_gb * 1e9:
            lines.append(f"{text} of {asked.gpu_memory_gb:g}: fits.")
        else:
            mend = "lower micro_batch_tokens" if settings.gradient_checkpointing else "set gradient_checkpointing: true"
            if found.weights > found.activations and zero < 3:
                mend = "choose deepspeed: zero3 with more ranks"
            if found.least > _SAFE * asked.gpu_memory_gb * 1e9:
                mend = f"every GPU holds the student whole at the start, {found.least / 1e9:.1f} GB: take a smaller one"
            lines.append(f"{text} of {asked.gpu_memory_gb:g}: DOES NOT FIT; {mend}.")
    return lines


def _deepspeed_text(config: Config, name: str) -> str:
    from emodistill.train.deepspeed_config import deepspeed_config

    section = getattr(config, name)
    bf16 = name != "iql" and _bf16(config, name)
    return yaml.safe_dump(deepspeed_config(section.deepspeed, section.clip, bf16), sort_keys=False).rstrip()


def _bf16(config: Config, name: str) -> bool:
    """Whether the trainer multiplies in bfloat16 on hardware that does."""
    return getattr(config, name).precision != "float32" and config.models.student.dtype != "float32"


def _scripts(config: Config, profile: Profile, root: Path, stages: Mapping[str, Stage]) -> list[str]:
    """The sbatch text of every array of a whole run; JOB3 stands for the id that sbatch will give to array 3."""
    from emodistill.cluster.sbatch import job_name, sbatch_text

    limit, how = _max_array_size(profile)
    tasks = {name: stage.tasks(config) for name, stage in stages.items()}
    made = arrays(config, tasks, {}, lambda name: profile.resources(name).bundle, limit, stages)
    lines = [
        f"{len(made)} arrays, cut to MaxArraySize {limit} ({how}). "
        "JOB3 stands for the id of array 3, T for the time of launch."
    ]
    for number, array in enumerate(made):
        names = [task for bundle in array.bundles for task in bundle]
        folder = root.absolute() / "submissions" / "T" / f"{number:02d}-{array.stage}"
        waits = ",".join(wait.text([f"JOB{n}" for n in range(number)]) for wait in array.waits)
        asked, name = profile.resources(array.stage), job_name(config.name, array.stage, names)
        text = sbatch_text(asked, name, len(array.bundles), folder, waits, array.share, comment_of(folder))
        lines += ["", f"# sbatch, {array.stage}, array {number}", text.rstrip()]
    return lines


def _max_array_size(profile: Profile) -> tuple[int, str]:
    try:
        return slurm.max_array_size(profile.slurm_cluster), "as scontrol says"
    except (BadInput, RunFailed):
        return _DEFAULT_ARRAY, "assumed, Slurm's default: there is no Slurm to ask"
