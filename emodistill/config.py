"""The schema of a run: one frozen `Config`, read from YAML by configfile.py.

Every field carries its default; METHOD.md names the source of each. `Config` is the whole description of a run:
a stage's fingerprint hashes the sections it depends on (see stages.py).
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emodistill.errors import nearest
from emodistill.records import Layout, Replies

EMOTIONLESS, ALOL = "emotion-free", "alol"
VARIANTS = ("vanilla-slm", "vanilla-llm", "random-emotion", "iql-only", "sft", "sft+jpo", "full", EMOTIONLESS, ALOL)
Signal = Literal["judge", "outcome", "hybrid"]
Persona = Literal["vanilla", "pressure", "victim", "threat"]  # of the counterparty
Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(gt=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Above = Annotated[float, Field(gt=0)]
Precision = Literal["auto", "bfloat16", "float32"]  # auto: bfloat16 where the hardware multiplies it natively
_NAMES = ("variants", "personas", "unseen", "tournament")  # lists of evaluate
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # goes into paths and job names


class Section(BaseModel):
    """Base of all sections: closed, frozen, and strict about types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Scripted(Section):
    """The simulator: no model, known truth; everything made with it is labelled simulated."""

    backend: Literal["scripted"]


class VLLM(Section):
    """An in-process vLLM engine. `model`: an embedded name (`emodistill models`), a folder, or a hub id."""

    backend: Literal["vllm"]
    model: str  # embedded name, folder or hub id
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = (
        "auto"  # bfloat16 where the hardware multiplies it natively
    )
    max_model_len: Positive = 2048  # tokens of the longest prompt and its reply
    max_num_seqs: Positive = 128  # replies in the making at once
    kv_cache_gb: Positive = 1  # CPU only
    tensor_parallel: Positive = 1  # GPUs that share one copy of the model
    gpu_memory_utilization: Fraction = 0.9  # share of the GPU's memory that the engine takes


_URL = r"^https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~%/-]*)?$"


class OpenAI(Section):
    """Any OpenAI-compatible endpoint. The key is read from the environment variable `api_key_env` and never stored."""

    backend: Literal["openai"]
    model: str  # the name that the endpoint knows it by
    base_url: Annotated[str, Field(pattern=_URL)]  # up to and with /v1; no key in it
    api_key_env: str = "OPENAI_API_KEY"  # the environment variable that holds the key
    concurrency: Positive = 32  # requests open at once, of one process
    timeout_s: Above = 120.0  # seconds that one request may take
    retries: Annotated[int, Field(ge=0)] = 6  # after 429, 5xx, a timeout or a cut connection
    max_tokens_spent: Positive | None = None  # the run stops asking at this many prompt and generated tokens
    max_usd: Above | None = None  # and at this much money, by the two prices
    usd_per_million_prompt: NonNegative = 0.0  # what the endpoint charges; 0: nobody counts
    usd_per_million_generated: NonNegative = 0.0  # the same for generated tokens


Spec = Annotated[Scripted | VLLM | OpenAI, Field(discriminator="backend")]


class Models(Section):
    """Who plays which role."""

    teacher: Spec = Scripted(backend="scripted")  # the focal side of the sweep
    student: VLLM  # trained and evaluated
    counterparty: Spec = Scripted(backend="scripted")  # the other side, in sweep and evaluation
    judge: Spec = Scripted(backend="scripted")  # scores the focal utterances


class Scenarios(Section):
    """Of each domain, in file order: the first `train` train, the next `held_out` are held out (METHOD.md §1)."""

    domains: tuple[str, ...] = ("crad",)  # one or several of crad, disaster, hospital, student
    csv: dict[str, str] = {}  # domain -> path of a published CSV; a domain not named here uses the built-in generator
    skip_bad: bool = False  # leave out CSV rows that cannot be read, instead of stopping
    train: Positive = 80  # for the sweep and for training
    held_out: Positive = 20  # for the evaluation alone


class Negotiation(Section):
    """METHOD.md §1."""

    max_messages: Positive = 30  # of both sides together; then it is a timeout
    tolerance_pct: NonNegative = 5.0  # offers this near, in percent of the targets' distance, agree
    tolerance_units: NonNegative | None = None  # the same in the domain's unit, in place of tolerance_pct
    layout: Layout = "chat"  # chat: prefix-stable turns; paper: one user message (METHOD.md §3)
    replies: Replies = "text"  # structured: JSON of message, offer and decision


class Sampling(Section):
    """How negotiators sample. Temperature 0.7 is the paper's."""

    temperature: NonNegative = 0.7  # 0: always the likeliest token
    top_p: Fraction = 1.0  # share of probability that is drawn from
    max_tokens: Positive = 120  # of one reply


class Imported(Section):
    """A sweep that was played elsewhere; `emodistill import-sweep` alone writes this section."""

    domain: str  # whose negotiations they are
    files: dict[str, str]  # name -> checksum
    content: str  # checksum of what was read of them
    shards: Positive  # that it fills
    episodes: Positive  # that are taken up
    longest: Positive  # messages of a dialogue


class Sweep(Section):
    """METHOD.md §3: M random-emotion rollouts for each training scenario; or an imported sweep in their place."""

    rollouts: Positive = 100  # for each training scenario
    shard_episodes: Positive = 1000  # episodes of one shard, which one task plays
    persona: Persona = "vanilla"  # the character of the counterparty
    sampling: Sampling = Sampling()  # of both sides
    imported: Imported | None = None  # `emodistill import-sweep` writes it; leave it out


class Judge(Section):
    """METHOD.md §4. `attempts`: how often an unparseable reply is asked again before the score is missing.

    `repeats`: independent scorings of each utterance; the mean is the score, and their agreement is reported.
    """

    attempts: Positive = 3  # until the score is missing
    repeats: Positive = 1  # scorings of each utterance


class IQL(Section):
    """METHOD.md §5."""

    signal: Signal = "outcome"  # what the reward is made of
    per_domain: bool = False  # one selector for each domain, instead of one for all
    extraction: Literal["closed_form", "awr"] = "closed_form"  # awr: the release's policy net
    critics: Annotated[int, Field(ge=1, le=2)] = 2  # 1: the paper's single Q
    ensemble: Positive = 4  # members, trained at once
    hidden: Positive = 256  # width of both hidden layers
    tau: Annotated[float, Field(gt=0, lt=1)] = 0.7  # expectile of V
    gamma: Fraction = 0.99  # discount of a turn
    beta: NonNegative = 10.0  # closed_form: in units of the advantage's spread (ours); awr: of max|r|, as the release
    polyak: Fraction = 0.005  # share of the new weights in the target, each step
    learning_rate: Above = 3e-4  # of Adam
    batch: Positive = 256  # transitions a step
    steps: Positive = 3_000  # fewer than the paper's 20,000 (ours): see what they reach in docs/simulator.md
    clip: Above = 1.0  # norm of the gradient
    log_every: Positive = 100  # steps
    checkpoint_every: Positive = 2_000  # steps
    precision: Precision = "auto"  # of the networks' products; weights, losses and what is stored are float32
    deepspeed: str = "zero0"  # a file of yaml/deepspeed/, or a path


class LoRA(Section):
    """Adapter shape, METHOD.md §6."""

    rank: Annotated[int, Field(ge=1, le=512)] = 16  # of the two factors; vLLM serves no higher one
    alpha: Positive = 32  # the update is scaled by alpha / rank
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05  # on the adapter's input
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")  # which projections get an adapter


class PolicyTraining(Section):
    """What SFT and JPO share. One sequence is one dialogue; the loss is on its chosen responses only.

    `precision` auto: bfloat16 where the hardware multiplies it natively and the student's dtype is not float32.
    Ranks on machines of different kinds need it spelt out.
    """

    max_dialogues: Positive | None = None  # cap, dealt over the scenarios in turn
    epochs: Positive = 1  # passes over the data
    batch_turns: Positive = 16  # responses an optimiser step (effective batch)
    micro_batch_tokens: Positive = 4096  # padded tokens a forward pass
    warmup_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.03  # share of the steps in which the learning rate rises
    clip: Above = 1.0  # norm of the gradient
    max_length: Positive = 1024  # tokens of a dialogue; responses beyond are not trained on
    checkpoint_every: Positive = 10  # steps
    checkpoint_minutes: Above = 10.0  # and at the latest after so long
    gradient_checkpointing: bool = False  # less memory, a third more work
    precision: Precision = "auto"  # of the model's products
    deepspeed: str = "zero1"  # a file of yaml/deepspeed/, or a path


class SFT(PolicyTraining):
    """METHOD.md §6."""

    signal: Signal = "hybrid"  # what ranks the turns
    keep_fraction: Fraction = 0.25  # best turns of each domain that are imitated
    lora: LoRA = LoRA()  # the adapter
    learning_rate: Above = 1e-4  # of AdamW


class JPO(PolicyTraining):
    """METHOD.md §7."""

    signal: Signal = "judge"  # what the advantage is made of
    kappa: Annotated[float, Field(ge=0, le=1)] = 1.0  # weight of negative advantages; 0 is the variant alol
    epsilon: Fraction = 0.2  # how far the ratio may go before it is clipped
    ratio: Literal["sequence", "token"] = "sequence"  # rho: of a response's mean log-ratio, or of each token's
    beta_kl: NonNegative = 0.04  # weight of the divergence from the SFT adapter
    learning_rate: Above = 5e-6  # of AdamW


class Evaluate(Section):
    """METHOD.md §8. `seeds`: episodes for each held-out scenario and cell. What is below `sampling` adds cells."""

    variants: tuple[str, ...] = ("vanilla-slm", "random-emotion", "iql-only", "sft", "full", EMOTIONLESS)  # to compare
    seeds: Positive = 5  # episodes for each scenario and cell
    persona: Persona = "vanilla"  # the character of the counterparty
    sampling: Sampling = Sampling()  # of the focal side
    emotions: bool = False  # the base model with each emotion, against neutral
    ablation: bool = False  # `full` with each signal for the selector, the SFT filter and JPO, one at a time
    transfer: bool = False  # `full` trained on one domain, played in all
    personas: tuple[Persona, ...] = ()  # unseen counterparties: the configured model in another character
    counterparties: dict[Name, Spec] = {}  # and other models, by name
    unseen: tuple[str, ...] = ("vanilla-slm", "full")  # who meets them
    tournament: tuple[str, ...] = ()  # variants that play each other, both seats


class Report(Section):
    """95 % cluster bootstrap."""

    resamples: Positive = 10_000  # of each bootstrap


class Config(Section):
    """A whole run.

    `in_flight` bounds the episodes a rollout task has open at once; it changes no result of the simulator.
    """

    name: Name  # of the run; also its folder in results/
    seed: int = 0  # all randomness of the run follows from it
    in_flight: Positive = 128  # episodes that a task has open at once
    scenarios: Scenarios = Scenarios()
    negotiation: Negotiation = Negotiation()
    models: Models
    sweep: Sweep = Sweep()
    judge: Judge = Judge()
    iql: IQL = IQL()
    sft: SFT = SFT()
    jpo: JPO = JPO()
    evaluate: Evaluate = Evaluate()
    report: Report = Report()

    @model_validator(mode="after")
    def _lists_make_sense(self) -> "Config":
        from emodistill.emotions import GOEMOTIONS

        asked, domains = self.evaluate, self.scenarios.domains
        known = (*VARIANTS, *(f"fixed:{emotion}" for emotion in GOEMOTIONS))
        for key in ("variants", "unseen", "tournament"):
            for variant in getattr(asked, key):
                if variant not in known:
                    raise ValueError(f"evaluate.{key}: no variant {variant!r}{nearest(variant, known)}")
        lists = {"scenarios.domains": domains, **{f"evaluate.{key}": getattr(asked, key) for key in _NAMES}}
        for key, names in lists.items():
            if len(set(names)) < len(names) or (not names and key.endswith(("variants", "domains", "unseen"))):
                raise ValueError(f"{key}: name at least one, and each only once")
        if asked.transfer and len(domains) < 2:
            raise ValueError("evaluate.transfer: needs at least two scenarios.domains")
        if len(asked.tournament) == 1:
            raise ValueError("evaluate.tournament: name at least two variants, or none")
        if both := sorted({*asked.personas} & {*asked.counterparties}):
            raise ValueError(f"evaluate.counterparties: {both[0]} is the name of a persona; choose another")
        return self


def with_absolute_paths(config: Config) -> Config:
    """The same with CSV paths that hold from any folder, as a run directory records them."""
    csv = {domain: str(Path(path).absolute()) for domain, path in config.scenarios.csv.items()}
    return config.model_copy(update={"scenarios": config.scenarios.model_copy(update={"csv": csv})})
