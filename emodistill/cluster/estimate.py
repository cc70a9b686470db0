"""How much work a run is before any of it is done: replies, tokens and GPU-hours, all of them upper bounds.

Of what is asked once, in negotiations whose facts are as long as the generator's: a retry, and a verdict that is asked
again because it was no score (`judge.attempts`), is paid again.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from emodistill.cluster.profiles import Profile
from emodistill.config import VLLM, Config, OpenAI, Scripted, Spec
from emodistill.emotions import GOEMOTIONS
from emodistill.evaluate.cells import cells
from emodistill.llm.completions import WRAPPER_TOKENS
from emodistill.stages import STAGES, Stage

# Tokens of the longest prompt before the first word, of the judge's, and of template and emotion block of a message:
# measured with the demo's tokenizer (379, 461 and 16) and rounded up.
_PROMPT_TOKENS, _JUDGE_TOKENS, _TEMPLATE_TOKENS = 400, 480, 20
_VERDICT_TOKENS = 4
_FOCAL = ("models.student", "models.teacher")  # on the focal seat of an evaluation
_NAMED = "evaluate.counterparties."


@dataclass(frozen=True, slots=True)
class Speech:
    """What one model of the configuration says in a stage, if every dialogue has its full length."""

    stage: str
    key: str  # models.teacher, evaluate.counterparties.NAME
    spec: Spec
    replies: int
    generated_tokens: int
    prompt_tokens: int

    @property
    def model(self) -> str:
        """Its name; empty: the simulator."""
        return "" if isinstance(self.spec, Scripted) else self.spec.model

    @property
    def engine(self) -> bool:
        """Whether the stage's own jobs run the model."""
        return isinstance(self.spec, VLLM)

    @property
    def usd(self) -> float | None:
        """By the endpoint's two prices; None: no endpoint, or no price is given."""
        spec = self.spec
        if not isinstance(spec, OpenAI) or not (spec.usd_per_million_prompt or spec.usd_per_million_generated):
            return None
        return (
            self.prompt_tokens * spec.usd_per_million_prompt + self.generated_tokens * spec.usd_per_million_generated
        ) / 1e6


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
    """Of these stages, each model for itself."""
    each, message, found = _turns(config), _message_tokens(config), []
    for stage, key, episodes, longest in _episodes(config):
        if stage in stages and episodes:
            spec, replies = _spec(config, key), episodes * each
            prompt = (_JUDGE_TOKENS if stage == "judge" else _PROMPT_TOKENS) + message * each  # the mean over the turns
            if stage == "judge" and isinstance(spec, OpenAI):
                longest += WRAPPER_TOKENS
            tokens = (0, 0) if isinstance(spec, Scripted) else (replies * longest, replies * prompt)
            found.append(Speech(stage, key, spec, replies, *tokens))
    return found


def longest_prompt(config: Config, stage: str) -> int:
    """Tokens of a stage's longest prompt with its reply: a whole dialogue, each message as long as it may be."""
    swept, turns = config.sweep.sampling.max_tokens + _TEMPLATE_TOKENS, _turns(config)
    focal = config.evaluate.sampling.max_tokens + _TEMPLATE_TOKENS if stage in ("evaluate", "audit") else swept
    first = _JUDGE_TOKENS if stage == "judge" else _PROMPT_TOKENS
    return first + focal * turns + swept * (config.negotiation.max_messages - turns)


def _turns(config: Config) -> int:
    """Of the focal side, which speaks first, in a dialogue of full length; the other side has as many or one less."""
    return -(-config.negotiation.max_messages // 2)


def _message_tokens(config: Config) -> int:
    """Of the longest message as it stands in a prompt, whoever speaks and wherever."""
    return max(config.sweep.sampling.max_tokens, config.evaluate.sampling.max_tokens) + _TEMPLATE_TOKENS


def _episodes(config: Config) -> list[tuple[str, str, int, int]]:
    """Stage, model's key, episodes that it speaks in, and tokens of its longest reply."""
    sweep = _rollouts(config)
    to_play = sweep if config.sweep.imported is None else 0
    evaluation = len(config.scenarios.domains) * config.scenarios.held_out * config.evaluate.seeds
    audit = evaluation * len(GOEMOTIONS)
    swept, evaluated = config.sweep.sampling.max_tokens, config.evaluate.sampling.max_tokens
    return [
        ("rollout", "models.teacher", to_play, swept),
        ("rollout", "models.counterparty", to_play, swept),
        ("judge", "models.judge", sweep * config.judge.repeats, _VERDICT_TOKENS),
        *(
            ("evaluate", key, evaluation * seats, evaluated if key in _FOCAL else swept)
            for key, seats in sorted(_seats(config).items(), key=lambda item: item[0] not in _FOCAL)
        ),
        ("audit", "models.teacher", audit, evaluated),
        ("audit", "models.counterparty", audit, swept),
    ]


def _seats(config: Config) -> Counter[str]:
    """How many cells each model plays in."""
    seats: Counter[str] = Counter()
    for cell in cells(config).values():
        seats[f"models.{cell.variant.role}"] += 1
        if cell.opponent is not None:
            seats[f"models.{cell.opponent.role}"] += 1
        else:
            seats[f"{_NAMED}{cell.model}" if cell.model else "models.counterparty"] += 1
    return seats


def _spec(config: Config, key: str) -> Spec:
    if key.startswith(_NAMED):
        return config.evaluate.counterparties[key.removeprefix(_NAMED)]
    spec: Spec = getattr(config.models, key.removeprefix("models."))
    return spec


def trained_tokens(config: Config) -> dict[str, int]:
    """Tokens of all training sequences, once for each epoch and recipe; JPO reads them once more as its reference.

    A sequence is a dialogue, in the paper's layout a focal turn with all that was said before it.
    """
    rollouts, most = _rollouts(config), config.negotiation.max_messages
    messages = range(1, most + 1, 2) if config.negotiation.layout == "paper" else [most]
    passes = {"sft": config.sft.epochs, "jpo": config.jpo.epochs + 1}
    found = {}
    for stage, settings in (("sft", config.sft), ("jpo", config.jpo)):
        lengths = [min(_PROMPT_TOKENS + _message_tokens(config) * n, settings.max_length) for n in messages]
        tokens = rollouts * sum(lengths)
        if settings.max_dialogues:
            tokens = min(tokens, settings.max_dialogues * lengths[-1])
        found[stage] = tokens * passes[stage] * len(STAGES[stage].tasks(config))
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
