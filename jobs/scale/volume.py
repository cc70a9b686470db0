"""Tokens, GPU-hours, files and bytes of a run, from its configuration and rates that are named."""

import math
from dataclasses import dataclass

from emodistill.cluster.estimate import speech, trained_tokens
from emodistill.config import Config
from emodistill.stages import STAGES


@dataclass(frozen=True, slots=True)
class Rates:
    """Tokens a second of one GPU, all assumed: no GPU has run this suite. Bytes: measured, see docs/scale.md."""

    generated: float = 2000.0  # a 7B model in vLLM, many dialogues at once
    read: float = 20_000.0  # prompt tokens, those from the prefix cache included
    trained: float = 3000.0  # LoRA on a 7B model
    bytes_a_message: float = 27.0  # of a shard, measured on the simulator's utterances of 56 bytes
    utterance: float = 480.0  # bytes of a model's utterance: 120 tokens of 4 bytes (assumed)
    simulated_utterance: float = 56.0  # bytes, measured


@dataclass(frozen=True, slots=True)
class Volume:
    """Of one stage, at most: every dialogue at full length."""

    tasks: int
    generated: int = 0
    prompt: int = 0
    trained: int = 0
    gpu_hours: float = 0.0


def volumes(config: Config, rates: Rates) -> dict[str, Volume]:
    """By stage. Every token counts, also of models that answer from endpoints: somebody's GPU makes it."""
    trained = trained_tokens(config)
    found = {}
    for name, stage in STAGES.items():
        said = [one for one in speech(config) if one.stage == name]
        generated, prompt = sum(one.generated_tokens for one in said), sum(one.prompt_tokens for one in said)
        seconds = generated / rates.generated + prompt / rates.read + trained.get(name, 0) / rates.trained
        found[name] = Volume(len(stage.tasks(config)), generated, prompt, trained.get(name, 0), seconds / 3600)
    return found


def hours(of: Volume, gpus: int, ranks: int) -> float:
    """Of a stage by itself on so many GPUs: its tasks in waves, each on `ranks` GPUs or on all there are."""
    each = min(ranks, gpus)
    waves = math.ceil(of.tasks / (gpus // each))
    return waves * of.gpu_hours / of.tasks / each


def shard_bytes(messages: int, rates: Rates) -> float:
    """Of so many messages, their texts as well compressed as the simulator's."""
    return messages * rates.bytes_a_message * rates.utterance / rates.simulated_utterance
