"""YAML to one validated, frozen `Config`. Unknown keys are errors that suggest the nearest name.

Every field carries its default; METHOD.md names the source of each. `Config` is the whole description of a run:
a stage's fingerprint hashes the sections it depends on (see stages.py).
"""

import difflib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import yaml
from emodistill.errors import BadInput
from emodistill.records import Layout, Replies

EMOTIONLESS = "emotion-free"
VARIANTS = ("vanilla-slm", "random-emotion", "iql-only", "sft", "sft+jpo", "full", EMOTIONLESS)
Signal = Literal["judge", "outcome", "hybrid"]
Persona = Literal["vanilla", "pressure", "victim", "threat"]  # of the counterparty
Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(gt=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Above = Annotated[float, Field(gt=0)]
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
    model: str
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    max_model_len: Positive = 2048
    max_num_seqs: Positive = 128
    kv_cache_gb: Positive = 1  # CPU only
    tensor_parallel: Positive = 1
    gpu_memory_utilization: Fraction = 0.9


class OpenAI(Section):
    """Any OpenAI-compatible endpoint. The key is read from the environment variable `api_key_env` and never stored."""

    backend: Literal["openai"]
    model: str
    base_url: str
    api_key_env: str = "OPENAI_API_KEY"
    concurrency: Positive = 32
    timeout_s: Above = 120.0
    retries: Annotated[int, Field(ge=0)] = 6
    max_tokens_spent: Positive | None = None  # a task stops asking at this many prompt and generated tokens
    max_usd: Above | None = None  # and at this much money, by the two prices
    usd_per_million_prompt: NonNegative = 0.0
    usd_per_million_generated: NonNegative = 0.0


Spec = Annotated[Scripted | VLLM | OpenAI, Field(discriminator="backend")]


class Models(Section):
    """Who plays which role."""

    teacher: Spec = Scripted(backend="scripted")
    student: VLLM
    counterparty: Spec = Scripted(backend="scripted")
    judge: Spec = Scripted(backend="scripted")


class Scenarios(Section):
    """100 a domain in file order: the first `train` train, the next `held_out` are held out (METHOD.md §1)."""

    domains: tuple[str, ...] = ("crad",)
    csv: dict[str, str] = {}  # domain -> path of a published CSV; a domain not named here uses the built-in generator
    skip_bad: bool = False  # leave out CSV rows that cannot be read, instead of stopping
    train: Positive = 80
    held_out: Positive = 20


class Negotiation(Section):
    """METHOD.md §1."""

    max_messages: Positive = 30
    tolerance_pct: NonNegative = 5.0
    tolerance_units: NonNegative | None = None
    layout: Layout = "chat"  # chat: prefix-stable turns; paper: one user message (METHOD.md §3)
    replies: Replies = "text"  # structured: JSON of message, offer and decision


class Sampling(Section):
    """How negotiators sample. Temperature 0.7 is the paper's."""

    temperature: NonNegative = 0.7
    top_p: Fraction = 1.0
    max_tokens: Positive = 120


class Sweep(Section):
    """METHOD.md §3: M random-emotion rollouts for each training scenario."""

    rollouts: Positive = 100
    shard_episodes: Positive = 1000
    persona: Persona = "vanilla"
    sampling: Sampling = Sampling()


class Judge(Section):
    """METHOD.md §4. `attempts`: how often an unparseable reply is asked again before the score is missing.

    `repeats`: independent scorings of each utterance; the mean is the score, and their agreement is reported.
    """

    attempts: Positive = 3
    repeats: Positive = 1


class IQL(Section):
    """METHOD.md §5."""

    signal: Signal = "outcome"
    hidden: Positive = 256
    tau: Annotated[float, Field(gt=0, lt=1)] = 0.7
    gamma: Fraction = 0.99
    beta: NonNegative = 3.0
    polyak: Fraction = 0.005
    learning_rate: Above = 3e-4
    batch: Positive = 256
    steps: Positive = 20_000
    clip: Above = 1.0
    log_every: Positive = 100
    checkpoint_every: Positive = 2_000
    deepspeed: str = "zero0"


class LoRA(Section):
    """Adapter shape, METHOD.md §6."""

    rank: Positive = 16
    alpha: Positive = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")


class PolicyTraining(Section):
    """What SFT and JPO share. One sequence is one dialogue; the loss is on its chosen responses only."""

    max_dialogues: Positive | None = None  # cap, dealt over the scenarios in turn
    epochs: Positive = 1
    batch_turns: Positive = 16  # responses an optimiser step (effective batch)
    micro_batch_tokens: Positive = 4096  # padded tokens a forward pass
    warmup_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.03
    clip: Above = 1.0
    max_length: Positive = 1024
    checkpoint_every: Positive = 10
    deepspeed: str = "zero1"


class SFT(PolicyTraining):
    """METHOD.md §6."""

    signal: Signal = "hybrid"
    keep_fraction: Fraction = 0.25
    lora: LoRA = LoRA()
    learning_rate: Above = 1e-4


class JPO(PolicyTraining):
    """METHOD.md §7."""

    signal: Signal = "judge"
    kappa: Annotated[float, Field(ge=0, le=1)] = 1.0
    epsilon: Fraction = 0.2
    beta_kl: NonNegative = 0.04
    learning_rate: Above = 5e-6


class Evaluate(Section):
    """METHOD.md §8. `seeds`: episodes for each held-out scenario and variant."""

    variants: tuple[str, ...] = ("vanilla-slm", "random-emotion", "iql-only", "sft", "full", EMOTIONLESS)
    seeds: Positive = 5
    persona: Persona = "vanilla"
    sampling: Sampling = Sampling()


class Report(Section):
    """95 % cluster bootstrap."""

    resamples: Positive = 10_000


class Config(Section):
    """A whole run.

    `in_flight` bounds the episodes a rollout task has open at once; it changes no result of the simulator.
    """

    name: Name
    seed: int = 0
    in_flight: Positive = 128
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

        known = (*VARIANTS, *(f"fixed:{emotion}" for emotion in GOEMOTIONS))
        for variant in self.evaluate.variants:
            if variant not in known:
                raise ValueError(f"evaluate.variants: no variant {variant!r}{_nearest(variant, known)}")
        lists = {"evaluate.variants": self.evaluate.variants, "scenarios.domains": self.scenarios.domains}
        for key, names in lists.items():
            if not names or len(set(names)) < len(names):
                raise ValueError(f"{key}: name at least one, and each only once")
        return self

    def recipes(self) -> tuple[str, ...]:
        """The policies to train: with emotion, and without if a variant needs it."""
        return ("emotion", EMOTIONLESS) if EMOTIONLESS in self.evaluate.variants else ("emotion",)


class _Loader(yaml.SafeLoader):
    """Safe YAML that reads 1e-4 as a number, as people write it, and refuses a key given twice."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d[\d_]*)(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag != "tag:yaml.org,2002:str":
            raise yaml.YAMLError(f"a key is no word (line {line}); put it into quotes or mend it")
        if key_node.value in seen:
            raise yaml.YAMLError(f"the key {key_node.value!r} is given twice (line {line})")
        seen.add(key_node.value)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; `BadInput` if the file is missing, is not YAML, or is no mapping."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise BadInput(f"There is no file {path}. Name an existing YAML file (yaml/ holds examples).") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The file {path} cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise BadInput(f"The file {path} is not valid YAML: {' '.join(str(error).split())}. Mend that line.") from None
    if not isinstance(data, dict):
        raise BadInput(f"The file {path} must hold a mapping of keys to values, not {type(data).__name__}.")
    return data


def load_config(path: Path, overrides: tuple[str, ...] = ()) -> Config:
    """Read and validate a run's configuration; `overrides` are `a.b=value` strings (the --set option)."""
    data = load_yaml(path)
    for override in overrides:
        _set(data, override)
    return validate(Config, data, str(path))


def with_absolute_paths(config: Config) -> Config:
    """The same with CSV paths that hold from any folder, as a run directory records them."""
    csv = {domain: str(Path(path).absolute()) for domain, path in config.scenarios.csv.items()}
    return config.model_copy(update={"scenarios": config.scenarios.model_copy(update={"csv": csv})})


def validate(schema: type[BaseModel], data: dict[str, Any], where: str) -> Any:
    """Build `schema` from plain data; `BadInput` names the first bad key, its file, and the nearest right one."""
    try:
        return schema.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        raise BadInput(_explain(schema, error, where)) from None


def resolved_yaml(config: BaseModel) -> str:
    """The complete configuration as YAML, defaults included, in schema order."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _set(data: dict[str, Any], override: str) -> None:
    key, found, value = override.partition("=")
    if not found or not key:
        raise BadInput(f"--set {override!r}: write it as a.b=value, for example --set iql.steps=500.")
    *sections, leaf = key.split(".")
    for section in sections:
        data = data.setdefault(section, {})
        if not isinstance(data, dict):
            raise BadInput(f"--set {override!r}: {section!r} is a value, not a section.")
    try:
        data[leaf] = yaml.load(value, Loader=_Loader)
    except yaml.YAMLError:
        raise BadInput(f"--set {override!r}: the value is not valid YAML. Quote it or mend it.") from None


def _explain(schema: type[BaseModel], error: ValidationError, where: str) -> str:
    # A misspelt key also makes the right one missing: name the cause first.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"] if part not in ("scripted", "vllm", "openai"))
    more = f" ({error.error_count() - 1} more after this one.)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        near = _nearest(str(first["loc"][-1]), _keys_beside(schema, first["loc"][:-1]))
        return f"{where}: unknown key {key!r}{near or '.'} Remove it or mend its name.{more}"
    problem = first["msg"].removeprefix("Value error, ")
    given = "" if first["type"] in ("missing", "value_error") else f" It says {str(first['input'])[:80]!r}."
    return f"{where}: {key + ': ' if key else ''}{problem}.{given} Mend that value.{more}"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _keys_beside(schema: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand in the section at `path`."""
    section: Any = schema
    for part in path:
        field = getattr(section, "model_fields", {}).get(part)
        section = field.annotation if field is not None else _union_member(section, part)
    return list(getattr(section, "model_fields", {}))


def _union_member(union: Any, tag: int | str) -> Any:
    """The model of a tagged union whose `backend` is `tag`; None if there is none."""
    members = [m for m in get_args(union) if hasattr(m, "model_fields")]
    return next((m for m in members if tag in get_args(m.model_fields["backend"].annotation)), None)
