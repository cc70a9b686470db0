"""Judge Policy Optimization (METHOD.md §7): a clipped, KL-anchored policy gradient on judge advantages.

It starts from the SFT adapter. π_ref is that adapter, frozen; its log-probabilities are computed once (`reference.py`).
No dropout, so that ρ = 1 and KL = 0 exactly at step 0.
"""

from collections.abc import Iterator

import torch

from emodistill.config import Config
from emodistill.recipes import Recipe
from emodistill.runs import RunDir
from emodistill.seeds import seed_of
from emodistill.tasks import Result, TaskContext
from emodistill.train.engine import Engine, MicroLoss
from emodistill.train.losses import jpo_terms
from emodistill.train.policy_model import load_tokenizer, stored_adapter
from emodistill.train.reference import reference_log_probs
from emodistill.train.selection import advantage_turns, sampled
from emodistill.train.sequences import MicroBatch, Sequence, micro_batches, plan_steps, share
from emodistill.train.sft import pairs, plan_of, prepare, save_adapter


def train_jpo(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Train one recipe's JPO adapter, starting from its SFT adapter. `alol` is the emotion recipe with κ = 0."""
    settings, student, recipe = config.jpo, config.models.student, Recipe.of(context.task)
    kappa = 0.0 if recipe.alol else settings.kappa
    tokenizer = load_tokenizer(student)
    dialogues = pairs(run, recipe)
    chosen = advantage_turns(dialogues, recipe.jpo_signal or settings.signal)
    seed = seed_of(config.seed, "jpo", recipe.prompts)
    picked = sampled(dialogues, chosen, settings.max_dialogues, seed)
    sequences, dropped = prepare(picked, chosen, tokenizer, settings.max_length)
    steps = plan_steps(sequences, settings.batch_turns, settings.epochs, seed)
    folder = run.path("jpo", context.task)
    model = stored_adapter(student, settings, run.path("sft", recipe.sft_task, "adapter"))
    engine = Engine(model, plan_of(settings, student, len(steps), seed), folder, torch.optim.AdamW)

    def batches_of(step: int) -> list[MicroBatch]:
        return micro_batches(steps[step], settings.micro_batch_tokens, tokenizer.pad_token_id, engine.world)

    every = [batch for step in range(len(steps)) for batch in batches_of(step)]
    reference = reference_log_probs(engine, every, folder / "reference", context.stop)

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
            logp = engine(ids, row, column)
            terms = jpo_terms(logp, before, response, weight, kappa, settings.epsilon, settings.ratio)
            loss = batch.scale * (settings.beta_kl * terms.kl / tokens - terms.surrogate / responses)
            metrics = {
                "loss": loss.item(),
                "kl": batch.scale * terms.kl.item() / tokens,
                "clipped": batch.scale * terms.clipped.item() / responses,
                "responses": batch.scale * len(batch.weight),
                "response_tokens": batch.scale * len(batch.row),
                "tokens": batch.scale * batch.tokens,
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
