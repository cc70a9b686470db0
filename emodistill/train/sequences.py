"""Dialogues to token sequences with marked responses, and steps of micro-batches under a token budget.

The chat layout is prefix-stable, so one sequence holds a whole dialogue and each of its responses is conditioned on
exactly the prompt it had at rollout: one pass trains all turns of a dialogue (ours; equal to one sample a turn).
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emodistill.chat import Messages, token_ids
from emodistill.errors import BadInput
from emodistill.records import Dialogue


@dataclass(frozen=True, slots=True)
class Response:
    """Tokens [start, end) of a sequence: one focal utterance with its end-of-turn token."""

    start: int
    end: int
    weight: float  # what the trainer attaches: 1 for SFT, the advantage for JPO


@dataclass(frozen=True, slots=True)
class Sequence:
    """One dialogue's tokens and the responses to learn from."""

    key: str
    ids: tuple[int, ...]
    responses: tuple[Response, ...]


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Right-padded sequences and their flat response tokens. The model is causal, so padding needs no mask."""

    keys: tuple[str, ...]
    ids: Tensor  # int64 [sequences, longest]
    row: Tensor  # int64 [tokens], sequence of each response token
    column: Tensor  # int64 [tokens], its position in the sequence
    response: Tensor  # int64 [tokens], its response's number in this micro-batch
    weight: Tensor  # float32 [responses]
    tokens: int  # of the sequences, without padding
    scale: float = 1.0  # 0: only keeps this rank in step with the others


def tokenise(
    dialogue: Dialogue, weights: dict[int, float], tokenizer: Any, max_length: int
) -> tuple[Sequence | None, int]:
    """The sequence up to the last weighted response, and how many responses did not fit.

    `weights`: message index → weight. Raises `BadInput` if the model's chat template is not prefix-stable,
    or ends turns with another token than its tokenizer.
    """
    followed = (*dialogue.messages[: max(weights) + 1], ("user", "."))  # some templates mark the last of all answers
    ids = token_ids(tokenizer, followed, generate=False)
    kept = []
    for message, weight in sorted(weights.items()):
        prompt = token_ids(tokenizer, dialogue.messages[:message], generate=True)
        said = tokenizer(dialogue.messages[message][1], add_special_tokens=False)["input_ids"]
        start, end = len(prompt), len(prompt) + len(said) + 1
        if ids[: end - 1] != [*prompt, *said]:
            raise BadInput(
                f"The chat template of {tokenizer.name_or_path} is not prefix-stable: "
                "a longer dialogue does not start with the tokens of a shorter one. "
                "Use a model whose template adds turns without changing earlier ones."
            )
        if ids[end - 1 : end] != [tokenizer.eos_token_id]:
            raise BadInput(
                f"The chat template of {tokenizer.name_or_path} ends a turn with "
                f"{tokenizer.decode(ids[end - 1 : end])!r}, and its tokenizer's eos_token is {tokenizer.eos_token!r}: "
                "training would not teach where to stop. Use another model, or a copy of it in a folder whose "
                "tokenizer_config.json names the token that ends a turn."
            )
        if end <= max_length:
            kept.append(Response(start, end, weight))
    if not kept:
        return None, len(weights)
    return Sequence(dialogue.episode_id, tuple(ids[: kept[-1].end]), tuple(kept)), len(weights) - len(kept)


def check_template(tokenizer: Any, chat: Messages) -> None:
    """`BadInput` if that chat, in the model's template, could not be trained on."""
    answers = {k: 1.0 for k, (role, _) in enumerate(chat) if role == "assistant"}
    tokenise(Dialogue("", "", chat, ()), answers, tokenizer, max_length=0)


def plan_steps(sequences: Seq[Sequence], batch_turns: int, epochs: int, seed: int) -> list[list[Sequence]]:
    """Optimiser steps: sequences in a shuffled order, cut whenever a step holds at least `batch_turns` responses."""
    steps: list[list[Sequence]] = []
    for epoch in range(epochs):
        step: list[Sequence] = []
        for i in np.random.default_rng((seed, epoch)).permutation(len(sequences)):
            step.append(sequences[i])
            if sum(len(sequence.responses) for sequence in step) >= batch_turns:
                steps.append(step)
                step = []
        if step:
            steps.append(step)
    return steps


def micro_batches(step: Seq[Sequence], budget: int, pad: int, ranks: int = 1) -> list[MicroBatch]:
    """One step's sequences, by length, in micro-batches of at most `budget` padded tokens (or one sequence).

    None holds more than its part of them by `ranks`: a step often fits the budget whole, and one rank would do it all.
    """
    most = -(-len(step) // ranks)
    groups: list[list[Sequence]] = []
    for sequence in sorted(step, key=lambda s: (-len(s.ids), s.key)):
        if groups and len(groups[-1]) < most and (len(groups[-1]) + 1) * len(groups[-1][0].ids) <= budget:
            groups[-1].append(sequence)
        else:
            groups.append([sequence])
    return [_pad(group, pad) for group in groups]


def share(batches: list[MicroBatch], rank: int, world: int) -> list[MicroBatch]:
    """This rank's micro-batches; every rank gets equally many, filled up with copies that count for nothing."""
    filler = [replace(batches[0], scale=0.0)] * (-len(batches) % world)
    return (batches + filler)[rank::world]


def _pad(group: list[Sequence], pad: int) -> MicroBatch:
    longest = max(len(sequence.ids) for sequence in group)
    flat = [(row, response) for row, sequence in enumerate(group) for response in sequence.responses]
    lengths = [response.end - response.start for _, response in flat]
    return MicroBatch(
        keys=tuple(sequence.key for sequence in group),
        ids=torch.tensor([[*sequence.ids, *[pad] * (longest - len(sequence.ids))] for sequence in group]),
        row=torch.repeat_interleave(torch.tensor([row for row, _ in flat]), torch.tensor(lengths)),
        column=torch.cat([torch.arange(response.start, response.end) for _, response in flat]),
        response=torch.repeat_interleave(torch.arange(len(flat)), torch.tensor(lengths)),
        weight=torch.tensor([response.weight for _, response in flat], dtype=torch.float32),
        tokens=sum(len(sequence.ids) for sequence in group),
    )
