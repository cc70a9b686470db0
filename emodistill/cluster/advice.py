"""What a plan warns of: settings that are allowed, and with which jobs would end badly."""

from collections.abc import Collection, Mapping

from emodistill.cluster.estimate import longest_prompt, speech
from emodistill.cluster.profiles import Profile
from emodistill.config import VLLM, Config, Spec
from emodistill.kinds import EVERY


def advice(config: Config, profile: Profile, stages: Collection[str]) -> list[str]:
    """One line for each engine without a GPU, engines that want too much of one, and contexts that are too short."""
    lines: list[str] = []
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
