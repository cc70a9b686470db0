"""LoRA-SFT (METHOD.md §6): cross-entropy on the best turns' tokens, mean over the response tokens of a step."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from emodistill.config import JPO, SFT, VLLM, Config
from emodistill.errors import BadInput
from emodistill.files import sync_folder, sync_tree, write_json
from emodistill.recipes import Recipe
from emodistill.records import Dialogue
from emodistill.runs import RunDir
from emodistill.seeds import seed_of
from emodistill.shards import DIALOGUES, read_records
from emodistill.tasks import Result, TaskContext
from emodistill.train.engine import Engine, MicroLoss, Plan
from emodistill.train.policy_model import computes_in_bf16, load_tokenizer, new_adapter
from emodistill.train.selection import Chosen, best_turns, richest
from emodistill.train.sequences import Sequence, micro_batches, plan_steps, share, tokenise


def train_sft(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Train one recipe's SFT adapter on the run's pairs."""
    settings, student, recipe = config.sft, config.models.student, Recipe.of(context.task)
    tokenizer = load_tokenizer(student)
    dialogues = pairs(run, recipe)
    chosen = best_turns(dialogues, recipe.sft_signal or settings.signal, settings.keep_fraction)
    sequences, dropped = prepare(
        richest(dialogues, chosen, settings.max_dialogues), chosen, tokenizer, settings.max_length
    )
    seed = seed_of(config.seed, "sft", recipe.prompts)
    steps = plan_steps(sequences, settings.batch_turns, settings.epochs, seed)
    folder = run.path("sft", context.task)
    model = new_adapter(student, settings, seed)
    engine = Engine(model, plan_of(settings, student, len(steps), seed), folder, torch.optim.AdamW)

    def losses(step: int) -> Iterator[MicroLoss]:
        batches = micro_batches(steps[step], settings.micro_batch_tokens, tokenizer.pad_token_id, engine.world)
        tokens = sum(len(batch.row) for batch in batches)
        shared = share(batches, engine.rank, engine.world)
        for batch in shared:
            logp = engine(*(tensor.to(engine.device) for tensor in (batch.ids, batch.row, batch.column)))
            loss = -batch.scale * logp.sum() / tokens
            metrics = {
                "loss": loss.item(),
                "responses": batch.scale * len(batch.weight),
                "response_tokens": batch.scale * len(batch.row),
                "tokens": batch.scale * batch.tokens,
            }
            yield loss, metrics, batch is shared[-1]

    engine.train(losses, context.stop, context.progress)
    files = save_adapter(engine, model.peft, folder / "adapter")
    usage = {"dialogues": float(len(sequences)), "dropped_responses": float(dropped)}
    return Result(rows=sum(len(s.responses) for s in sequences), files=[*files, folder / "metrics.jsonl"], usage=usage)


def pairs(run: RunDir, recipe: Recipe) -> list[Dialogue]:
    """The dialogues that a recipe learns from; `BadInput` if there is none of its domain."""
    dialogues = read_records([run.path("dataset", f"pairs-{recipe.prompts}.h5")], DIALOGUES)
    if recipe.domain is None:
        return dialogues
    domains = {scenario.id: scenario.domain for scenario in run.scenarios().values()}
    found = [dialogue for dialogue in dialogues if domains[dialogue.scenario_id] == recipe.domain]
    if not found:
        raise BadInput(f"There is no dialogue of the domain {recipe.domain} to learn from. Sweep it again.")
    return found


def plan_of(settings: SFT | JPO, student: VLLM, steps: int, seed: int) -> Plan:
    """How SFT or JPO optimises."""
    return Plan(
        steps=steps, learning_rate=settings.learning_rate, clip=settings.clip, deepspeed=settings.deepspeed,
        checkpoint_every=settings.checkpoint_every, seed=seed, bf16=computes_in_bf16(student, settings),
        warmup_fraction=settings.warmup_fraction, checkpoint_minutes=settings.checkpoint_minutes,
    )  # fmt: skip


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
            _in_order(temporary / "adapter_config.json")
            sync_tree(temporary)
            shutil.rmtree(folder, ignore_errors=True)
            temporary.rename(folder)
            sync_folder(folder.parent)
    return [folder / name for name in ("README.md", "adapter_config.json", "adapter_model.safetensors")]


def _in_order(path: Path) -> None:
    """PEFT keeps the adapted modules in a set and writes them in any order: the same training, the same bytes."""
    adapter = json.loads(path.read_text(encoding="utf-8"))
    adapter["target_modules"] = sorted(adapter["target_modules"])
    write_json(path, adapter)
