"""Judge Policy Optimization (METHOD.md §7): a clipped, KL-anchored policy gradient on judge advantages.

It starts from the SFT adapter. π_ref is that adapter, frozen; its log-probabilities are computed once, in the
trainer's own micro-batches, and stored. No dropout, so that ρ = 1 and KL = 0 exactly at step 0.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emodistill.config import Config
from emodistill.runs import RunDir
from emodistill.seeds import seed_of
from emodistill.shards import DIALOGUES, read_records, read_table, write_table
from emodistill.tasks import Result, TaskContext
from emodistill.train.engine import Engine, MicroLoss, Plan
from emodistill.train.losses import jpo_terms
from emodistill.train.policy_model import load_tokenizer, stored_adapter
from emodistill.train.selection import advantage_turns, sampled
from emodistill.train.sequences import MicroBatch, Sequence, micro_batches, plan_steps, share
from emodistill.train.sft import prepare, save_adapter


def train_jpo(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Train one recipe's JPO adapter, starting from its SFT adapter."""
    settings, student, recipe = config.jpo, config.models.student, context.task
    tokenizer = load_tokenizer(student)
    dialogues = read_records([run.path("dataset", f"pairs-{recipe}.h5")], DIALOGUES)
    chosen = advantage_turns(dialogues, settings.signal)
    seed = seed_of(config.seed, "jpo", recipe)
    picked = sampled(dialogues, chosen, settings.max_dialogues, seed)
    sequences, dropped = prepare(picked, chosen, tokenizer, settings.max_length)
    steps = plan_steps(sequences, settings.batch_turns, settings.epochs, seed)
    plan = Plan(len(steps), settings.learning_rate, settings.clip, settings.deepspeed, settings.checkpoint_every, seed,
                student.dtype == "bfloat16", settings.warmup_fraction)  # fmt: skip
    folder = run.path("jpo", recipe)
    model = stored_adapter(student, run.path("sft", recipe, "adapter"))
    engine = Engine(model, plan, folder, torch.optim.AdamW)
    model.eval()

    def batches_of(step: int) -> list[MicroBatch]:
        return micro_batches(steps[step], settings.micro_batch_tokens, tokenizer.pad_token_id)

    reference = _reference(
        engine, [batch for step in range(len(steps)) for batch in batches_of(step)], folder, context.stop
    )

    def losses(step: int) -> Iterator[MicroLoss]:
        batches = batches_of(step)
        tokens, responses = sum(len(b.row) for b in batches), sum(len(b.weight) for b in batches)
        shared = share(batches, engine.rank, engine.world)
        for batch in shared:
            ids, row, column, response, weight = (
                tensor.to(engine.device)
                for tensor in (batch.ids, batch.row, batch.column, batch.response, batch.weight)
            )
            before = torch.cat([reference[key] for key in batch.keys]).to(engine.device)
            terms = jpo_terms(engine(ids, row, column), before, response, weight, settings.kappa, settings.epsilon)
            loss = batch.scale * (settings.beta_kl * terms.kl / tokens - terms.surrogate / responses)
            metrics = {
                "loss": loss.item(),
                "kl": batch.scale * terms.kl.item() / tokens,
                "clipped": batch.scale * terms.clipped.item() / responses,
                "response_tokens": batch.scale * len(batch.row),
                "tokens": batch.scale * batch.ids.numel(),
            }
            yield loss, metrics, batch is shared[-1]

    engine.train(losses, context.stop, context.progress)
    files = save_adapter(engine, model.peft, folder / "adapter")
    return Result(
        _responses(sequences),
        [*files, folder / "metrics.jsonl"],
        usage={"dialogues": float(len(sequences)), "dropped_responses": float(dropped)},
    )


def _responses(sequences: list[Sequence]) -> int:
    return sum(len(sequence.responses) for sequence in sequences)


@torch.no_grad()
def _reference(engine: Engine, batches: list[MicroBatch], folder: Path, stop: Callable[[], bool]) -> dict[str, Tensor]:
    """log π_ref of every sequence's response tokens, from disk if an earlier attempt stored them."""
    path = folder / "reference.h5"
    if not path.exists():
        found: dict[str, np.ndarray] = {}
        for batch in batches:
            if all(key in found for key in batch.keys):
                continue  # a later epoch
            engine.check(stop)
            logp = engine(*(tensor.to(engine.device) for tensor in (batch.ids, batch.row, batch.column))).cpu()
            for row, key in enumerate(batch.keys):
                found[key] = logp[batch.row == row].numpy()
        if engine.rank == 0:
            start = np.cumsum([0, *map(len, found.values())], dtype=np.int64)
            columns = {"episode_id": list(found), "start": start, "logp": np.concatenate(list(found.values()))}
            write_table(path, columns.items(), {"start": "index into logp", "logp": "nats"})
        return {key: torch.from_numpy(values) for key, values in found.items()}
    table = read_table(path)
    values, start = torch.from_numpy(table["logp"]), table["start"]
    return {key: values[a:b] for key, a, b in zip(table["episode_id"], start[:-1], start[1:], strict=True)}
