"""What a run would do, and whether it can: nothing here starts a job."""

import os
from collections.abc import Sequence
from pathlib import Path

import yaml
from emodistill.cluster.profiles import Profile
from emodistill.config import VLLM, Config, OpenAI, Scripted, Spec
from emodistill.domains import build_scenarios
from emodistill.errors import BadInput
from emodistill.models import require, resolve
from emodistill.stages import STAGES, Fingerprints

_USERS = {
    "rollout": ("teacher", "counterparty"),
    "judge": ("judge",),
    "sft": ("student",),
    "jpo": ("student",),
    "evaluate": ("student", "counterparty"),
}
_PACKAGES = {
    "iql": ("torch", "deepspeed"),
    "sft": ("torch", "deepspeed", "peft", "transformers"),
    "jpo": ("torch", "deepspeed", "peft", "transformers"),
    "evaluate": ("torch",),
    "tables": ("matplotlib",),
}
# Tokens of the longest prompt before the first word, and of one message, both with template and emotion block:
# measured with the demo's tokenizer.
_PROMPT_TOKENS, _MESSAGE_TOKENS = 320, 45


def check(config: Config, stages: Sequence[str]) -> None:
    """`BadInput` if a package, model, key or file that these stages need is not there."""
    build_scenarios(config.scenarios, config.seed)
    for stage in stages:
        require(*_PACKAGES.get(stage, ()))
        if stage in ("iql", "sft", "jpo"):
            _deepspeed_text(config, stage)
        for role in _USERS.get(stage, ()):
            _check_model(role, getattr(config.models, role))


def _check_model(role: str, spec: Spec) -> None:
    if isinstance(spec, Scripted):
        return
    if isinstance(spec, OpenAI):
        require("openai")
        if not os.environ.get(spec.api_key_env):
            raise BadInput(
                f"models.{role}: the environment variable {spec.api_key_env} holds no key for {spec.base_url}. "
                "Export it before the run."
            )
        return
    require("vllm")
    resolve(spec.model)


def render(config: Config, profile: Profile, root: Path) -> str:
    """The whole plan as text: stages and tasks, tokens, DeepSpeed settings, sbatch text, resolved configuration."""
    scenarios = build_scenarios(config.scenarios, config.seed)
    held_out = sum(s.split == "held_out" for s in scenarios)
    lines = [
        f"run {config.name} → {root}   seed {config.seed}   profile {profile.cluster}",
        f"scenarios: {len(scenarios) - held_out} train, {held_out} held out, "
        f"{sum(s.imputed for s in scenarios)} imputed",
        "",
    ]
    lines += _table(
        [("stage", "fingerprint", "tasks", "jobs", "needs"), *(_stage_row(config, profile, name) for name in STAGES)]
    )
    lines += ["", "language-model work (upper bounds: every dialogue at full length)"]
    lines += _table(
        [("stage", "role", "model", "replies", "generated tokens", "prompt tokens"), *_token_rows(config, held_out)]
    )
    lines += ["", *_gpu_hours(config, profile, held_out)]
    for name in ("iql", "sft", "jpo"):
        lines += ["", f"# DeepSpeed, {name}", _deepspeed_text(config, name)]
    if profile.cluster == "slurm":
        lines += [text for name in STAGES for text in ("", f"# sbatch, {name}", _sbatch(config, profile, name, root))]
    return "\n".join(
        [*lines, "", "# resolved configuration", yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)]
    )


def _stage_row(config: Config, profile: Profile, name: str) -> tuple[str, ...]:
    tasks, asked = STAGES[name].tasks(config), profile.resources(name)
    jobs = -(-len(tasks) // asked.bundle)
    ranks = asked.nodes * asked.tasks_per_node
    needs = f"{ranks} × {asked.cpus_per_task} CPU" + (
        f", {asked.nodes * asked.gpus_per_node} GPU" if asked.gpus_per_node else ""
    )
    return (
        name,
        Fingerprints(config)(STAGES[name], tasks[0]),
        str(len(tasks)),
        f"{jobs} ({min(jobs, asked.parallel)} at once)",
        needs,
    )


def _token_rows(config: Config, held_out: int) -> list[tuple[str, ...]]:
    each = config.negotiation.max_messages // 2
    sweep = len(config.scenarios.domains) * config.scenarios.train * config.sweep.rollouts
    scorings = sweep * config.judge.repeats
    evaluation = held_out * config.evaluate.seeds * len(config.evaluate.variants)
    work = (
        ("rollout", "teacher", sweep, config.sweep.sampling.max_tokens),
        ("rollout", "counterparty", sweep, config.sweep.sampling.max_tokens),
        ("judge", "judge", scorings, 4),
        ("evaluate", "student", evaluation, config.evaluate.sampling.max_tokens),
        ("evaluate", "counterparty", evaluation, config.sweep.sampling.max_tokens),
    )
    rows = []
    for stage, role, episodes, longest in work:
        spec, replies = getattr(config.models, role), episodes * each
        if isinstance(spec, Scripted):
            rows.append((stage, role, "simulator", f"{replies:,}", "0", "0"))
        else:
            prompt = replies * (_PROMPT_TOKENS + _MESSAGE_TOKENS * config.negotiation.max_messages // 2)
            rows.append((stage, role, spec.model, f"{replies:,}", f"{replies * longest:,}", f"{prompt:,}"))
    return rows


def _gpu_hours(config: Config, profile: Profile, held_out: int) -> list[str]:
    """Upper bounds for the stages with an engine of their own, from the rates the profile tells."""
    tokens: dict[str, int] = {}
    for stage, role, _, _, generated, _ in _token_rows(config, held_out):
        if isinstance(getattr(config.models, role), VLLM):
            tokens[stage] = tokens.get(stage, 0) + int(generated.replace(",", ""))
    lines = []
    for stage, count in tokens.items():
        asked = profile.resources(stage)
        if asked.tokens_per_s is None:
            lines.append(
                f"GPU-hours of {stage}: not estimated; set stages.{stage}.tokens_per_s as a short run shows it."
            )
        else:
            hours = count / asked.tokens_per_s / 3600
            lines.append(
                f"GPU-hours of {stage}: at most {hours * asked.nodes * asked.gpus_per_node:,.1f} "
                f"({hours:,.1f} job-hours at {asked.tokens_per_s:,.0f} generated tokens/s a job)."
            )
    return lines or ["GPU-hours: no stage generates with an engine of its own."]


def _deepspeed_text(config: Config, name: str) -> str:
    from emodistill.train.deepspeed_config import deepspeed_config

    section = getattr(config, name)
    bf16 = name != "iql" and config.models.student.dtype == "bfloat16"
    return yaml.safe_dump(deepspeed_config(section.deepspeed, section.clip, bf16), sort_keys=False).rstrip()


def _sbatch(config: Config, profile: Profile, name: str, root: Path) -> str:
    from emodistill.cluster.sbatch import job_name, sbatch_text

    tasks, asked = STAGES[name].tasks(config), profile.resources(name)
    jobs = -(-len(tasks) // asked.bundle)
    return sbatch_text(asked, job_name(config.name, name, tasks), jobs, root.absolute() / "submissions" / name).rstrip()


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
