"""What a plan warns of: settings that are allowed, and with which jobs would end badly."""

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from emodistill.cluster.estimate import longest_prompt, speech
from emodistill.cluster.profiles import Profile
from emodistill.config import VLLM, Config, OpenAI, Spec
from emodistill.kinds import EVERY

_EXAMPLE = re.compile(r"(?:^|\.)example(?:\.(?:com|net|org))?$", re.IGNORECASE)  # RFC 2606: nobody's host
_OPEN = "CHANGE-ME"  # in shipped profiles


def advice(config: Config, profile: Profile, stages: Collection[str]) -> list[str]:
    """A line for each thing left open, engine without a GPU, GPU that is asked too much, and context too short."""
    lines = unfilled(config, profile, stages)
    short: dict[str, tuple[int, int, str]] = {}
    on_gpus = profile.cluster == "slurm" and any(profile.resources(name).gpus for name in stages)
    for stage in stages:
        models = {said.key: said.spec for said in speech(config, [stage])}
        engines = {key: spec for key, spec in models.items() if isinstance(spec, VLLM)}
        asked, tokens = profile.resources(stage), longest_prompt(config, stage)
        if engines and on_gpus and not asked.gpus and not any(option.startswith("gpu") for option in asked.sbatch):
            lines.append(f"{stage} runs {' and '.join(engines)} in its own jobs, and they ask for no GPU: set "
                         f"stages.{stage}.gpus_per_node in the profile.")  # fmt: skip
        if (crowded := too_crowded(config, profile, stage, models)) is not None:
            lines.append(crowded)
        for key, spec in engines.items():
            if max(spec.max_model_len, short.get(key, (0, 0, ""))[1]) < tokens:
                short[key] = (spec.max_model_len, tokens, stage)
    return lines + [
        f"{key}.max_model_len is {length:,}, and a dialogue of {stage} can grow to {tokens:,} tokens: one that "
        "outgrows it ends as a technical error. Raise it, or lower negotiation.max_messages."
        for key, (length, tokens, stage) in short.items()
    ]


def unfilled(config: Config, profile: Profile, stages: Collection[str]) -> list[str]:
    """One line for each setting that still is as a shipped example left it open."""
    models = {said.key: said.spec for said in speech(config, stages)}
    lines = [
        f"{key}.base_url is still the example's {spec.base_url}: put in your endpoint and its model."
        for key, spec in models.items()
        if isinstance(spec, OpenAI) and _EXAMPLE.search(urlsplit(spec.base_url).hostname or "")
    ]
    if profile.cluster == "slurm":
        asked = [profile.resources(stage).model_dump() for stage in stages]
        lines += [
            f"{key} is still {_OPEN} in the profile: put in your cluster's, or take the line out."
            for key in sorted({key for one in asked for key, value in one.items() if value == _OPEN})
        ]
    return lines


def too_crowded(config: Config, profile: Profile, stage: str, models: Mapping[str, Spec]) -> str | None:
    """What is wrong if engines that are open side by side, in a job or local jobs, want more than one GPU's memory."""
    engines = {spec: key for key, spec in models.items() if isinstance(spec, VLLM)}
    total = round(sum(spec.gpu_memory_utilization for spec in engines), 6)
    asked, tasks = profile.resources(stage), len(EVERY[stage].tasks(config))
    jobs = 1 if profile.cluster == "slurm" else min(asked.parallel, -(-tasks // asked.bundle))
    if total * jobs <= 1 or not _on_gpu(profile, stage):
        return None
    if total <= 1:
        return (
            f"The stage {stage} runs {jobs} jobs at once, and each opens {' and '.join(engines.values())} on this "
            f"machine's GPU: in sum they take {total * jobs:g} of its memory. Set stages.{stage}.parallel: 1 in the "
            f"profile (one engine batches what it is given), or lower gpu_memory_utilization to {1 / jobs:.2g} in all."
        )
    return (
        f"The stage {stage} opens {' and '.join(engines.values())} side by side on the same GPU, and their "
        f"gpu_memory_utilization come to {total:g} of its memory. Lower them to 1 or less in sum (two: 0.45 each), "
        "or put one behind an endpoint (backend: openai)."
    )


def _on_gpu(profile: Profile, stage: str) -> bool:
    if profile.cluster == "slurm":
        return profile.resources(stage).gpus > 0
    import torch

    return torch.cuda.is_available()
