"""LoRA-SFT (METHOD.md §6): cross-entropy on the best turns' tokens, mean over the response tokens of a step."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from emodistill.config import Config
from emodistill.errors import BadInput
from emodistill.files import sync_folder, sync_tree
from emodistill.records import Dialogue
from emodistill.runs import RunDir
from emodistill.seeds import seed_of
from emodistill.shards import DIALOGUES, read_records
from emodistill.tasks import Result, TaskContext
from emodistill.train.engine import Engine, MicroLoss, Plan
from emodistill.train.policy_model import load_tokenizer, new_adapter
from emodistill.train.selection import Chosen, best_turns, richest
from emodistill.train.sequences import Sequence, micro_batches, plan_steps, share, tokenise


def train_sft(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Train one recipe's SFT adapter on the run's pairs."""
    settings, student, recipe = config.sft, config.models.student, context.task
    tokenizer = load_tokenizer(student)
    dialogues = read_records([run.path("dataset", f"pairs-{recipe}.h5")], DIALOGUES)
    chosen = best_turns(dialogues, settings.signal, settings.keep_fraction)
    sequences, dropped = prepare(
        richest(dialogues, chosen, settings.max_dialogues), chosen, tokenizer, settings.max_length
    )
    seed = seed_of(config.seed, "sft", recipe)
    steps = plan_steps(sequences, settings.batch_turns, settings.epochs, seed)
    plan = Plan(len(steps), settings.learning_rate, settings.clip, settings.deepspeed, settings.checkpoint_every, seed,
                student.dtype == "bfloat16", settings.warmup_fraction)  # fmt: skip
    folder = run.path("sft", recipe)
    model = new_adapter(student, settings.lora, seed % 2**63)
    engine = Engine(model.train(), plan, folder, torch.optim.AdamW)

    def losses(step: int) -> Iterator[MicroLoss]:
        batches = micro_batches(steps[step], settings.micro_batch_tokens, tokenizer.pad_token_id)
        tokens = sum(len(batch.row) for batch in batches)
        shared = share(batches, engine.rank, engine.world)
        for batch in shared:
            logp = engine(*(tensor.to(engine.device) for tensor in (batch.ids, batch.row, batch.column)))
            loss = -batch.scale * logp.sum() / tokens
            metrics = {
                "loss": loss.item(),
                "response_tokens": batch.scale * len(batch.row),
                "tokens": batch.scale * batch.ids.numel(),
            }
            yield loss, metrics, batch is shared[-1]

    engine.train(losses, context.stop, context.progress)
    files = save_adapter(engine, model.peft, folder / "adapter")
    usage = {"dialogues": float(len(sequences)), "dropped_responses": float(dropped)}
    return Result(rows=sum(len(s.responses) for s in sequences), files=[*files, folder / "metrics.jsonl"], usage=usage)


def prepare(dialogues: list[Dialogue], chosen: Chosen, tokenizer: Any, max_length: int) -> tuple[list[Sequence], int]:
    """Tokenise the chosen turns; sequences and how many responses were too long. `BadInput` if none is left."""
    made = [tokenise(dialogue, chosen[dialogue.episode_id], tokenizer, max_length) for dialogue in dialogues]
    sequences = [sequence for sequence, _ in made if sequence is not None]
    if not sequences:
        raise BadInput(
            f"No response fits into max_length {max_length} tokens. Raise sft.max_length and jpo.max_length."
        )
    return sequences, sum(dropped for _, dropped in made)


def save_adapter(engine: Engine, peft_model: Any, folder: Path) -> list[Path]:
    """Rank 0 writes the PEFT adapter under a temporary name and renames; its files. Called by every rank."""
    with engine.gathered():
        if engine.rank == 0:
            temporary = folder.with_name(f".{folder.name}.tmp")
            shutil.rmtree(temporary, ignore_errors=True)
            peft_model.save_pretrained(str(temporary))
            sync_tree(temporary)
            shutil.rmtree(folder, ignore_errors=True)
            temporary.rename(folder)
            sync_folder(folder.parent)
    return [folder / "adapter_config.json", folder / "adapter_model.safetensors"]
