"""How much work a run is before any of it is done: replies, tokens and GPU-hours, all of them upper bounds."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from emodistill.cluster.profiles import Profile
from emodistill.config import VLLM, Config, OpenAI, Scripted
from emodistill.emotions import GOEMOTIONS
from emodistill.evaluate.cells import cells
from emodistill.stages import STAGES, Stage

# Tokens of the longest prompt before the first word, and of one message, both with template and emotion block:
# measured with the demo's tokenizer.
_PROMPT_TOKENS, _MESSAGE_TOKENS = 320, 45
_VERDICT_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Speech:
    """What one role's model says in a stage, if every dialogue has its full length."""

    stage: str
    role: str
    model: str  # empty: the simulator
    engine: bool  # the stage's own jobs run the model
    replies: int
    generated_tokens: int
    prompt_tokens: int
    usd: float | None = None  # by the endpoint's two prices; None: no endpoint, or no price is given


@dataclass(frozen=True, slots=True)
class GPUHours:
    """Of a stage that asks for GPUs. `needed`: by its tokens and the profile's rate; None if either is not known."""

    stage: str
    gpus: int  # a job
    jobs: int
    tokens: int  # generated or trained on, by models of its own
    needed: float | None
    limit: float  # if every job runs into its time limit once


def speech(config: Config, stages: Collection[str] = tuple(STAGES)) -> list[Speech]:
    """Of these stages, each role for itself."""
    each = config.negotiation.max_messages // 2
    sweep = _rollouts(config)
    held_out = len(config.scenarios.domains) * config.scenarios.held_out
    evaluation = held_out * config.evaluate.seeds
    seats = _seats(config)
    audit = evaluation * len(GOEMOTIONS)
    prompt = _PROMPT_TOKENS + _MESSAGE_TOKENS * config.negotiation.max_messages // 2
    to_play = sweep if config.sweep.imported is None else 0
    found = []
    for stage, role, episodes, longest in (
        ("rollout", "teacher", to_play, config.sweep.sampling.max_tokens),
        ("rollout", "counterparty", to_play, config.sweep.sampling.max_tokens),
        ("judge", "judge", sweep * config.judge.repeats, _VERDICT_TOKENS),
        ("evaluate", "student", evaluation * seats["student"], config.evaluate.sampling.max_tokens),
        ("evaluate", "counterparty", evaluation * seats["counterparty"], config.sweep.sampling.max_tokens),
        ("evaluate", "teacher", evaluation * seats["teacher"], config.evaluate.sampling.max_tokens),
        ("audit", "teacher", audit, config.evaluate.sampling.max_tokens),
        ("audit", "counterparty", audit, config.sweep.sampling.max_tokens),
    ):
        if stage not in stages or (stage == "evaluate" and role == "teacher" and not episodes):
            continue
        spec, replies = getattr(config.models, role), episodes * each
        if isinstance(spec, Scripted):
            found.append(Speech(stage, role, "", False, replies, 0, 0))
        else:
            engine, counts = isinstance(spec, VLLM), (replies, replies * longest, replies * prompt)
            found.append(Speech(stage, role, spec.model, engine, *counts, _usd(spec, *counts[1:])))
    return found


def _seats(config: Config) -> Counter[str]:
    """How many cells each role's model plays in; other counterparties' models count as the configured one."""
    seats: Counter[str] = Counter()
    for cell in cells(config).values():
        seats[cell.variant.role] += 1
        seats["counterparty" if cell.opponent is None else cell.opponent.role] += 1
    return seats


def _usd(spec: VLLM | OpenAI, generated: int, prompt: int) -> float | None:
    if not isinstance(spec, OpenAI) or not (spec.usd_per_million_prompt or spec.usd_per_million_generated):
        return None
    return (prompt * spec.usd_per_million_prompt + generated * spec.usd_per_million_generated) / 1e6


def trained_tokens(config: Config) -> dict[str, int]:
    """Tokens of all training dialogues, once for each epoch and recipe; JPO reads them once more as its reference."""
    whole = _PROMPT_TOKENS + _MESSAGE_TOKENS * config.negotiation.max_messages
    rollouts = _rollouts(config)
    passes = {"sft": config.sft.epochs, "jpo": config.jpo.epochs + 1}
    found = {}
    for stage, settings in (("sft", config.sft), ("jpo", config.jpo)):
        dialogues = min(settings.max_dialogues or rollouts, rollouts)
        found[stage] = dialogues * min(whole, settings.max_length) * passes[stage] * len(STAGES[stage].tasks(config))
    return found


def gpu_hours(config: Config, profile: Profile, stages: Mapping[str, Stage] = STAGES) -> list[GPUHours]:
    """Of each stage whose jobs ask for GPUs."""
    tokens = trained_tokens(config)
    for said in speech(config, stages):
        tokens[said.stage] = tokens.get(said.stage, 0) + (said.generated_tokens if said.engine else 0)
    found = []
    for name, stage in stages.items():
        asked, work = profile.resources(name), tokens.get(name, 0)
        gpus, jobs = asked.gpus, -(-len(stage.tasks(config)) // asked.bundle)
        if gpus:
            needed = gpus * work / asked.tokens_per_s / 3600 if work and asked.tokens_per_s else None
            found.append(GPUHours(name, gpus, jobs, work, needed, gpus * jobs * asked.time_min / 60))
    return found


def _rollouts(config: Config) -> int:
    if config.sweep.imported is not None:
        return config.sweep.imported.episodes
    return len(config.scenarios.domains) * config.scenarios.train * config.sweep.rollouts
