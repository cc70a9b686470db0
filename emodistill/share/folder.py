"""`emodistill export --to hf`: the whole folder, or none of it."""

import json
import shutil
from pathlib import Path

from emodistill import files
from emodistill.runs import RunDir
from emodistill.shards import EPISODES, VERDICTS, read_records
from emodistill.share.columns import EVALUATION, ROLLOUTS, SCENARIOS
from emodistill.share.contents import Adapter, Contents, contents
from emodistill.share.dataset_card import dataset_card
from emodistill.share.model_card import model_card
from emodistill.share.parquet import write_parquet
from emodistill.share.rows import Row, evaluation_rows, rollout_rows, scenario_rows

_SELECTOR = ("selector.json", "selector.safetensors")


def share(run: RunDir, folder: Path, base: str | None) -> None:
    """Write what is finished of a run for a hub: the adapter at the top, others, selector and episodes below it."""
    shared = contents(run, base)
    with files.new_folder(folder) as made:
        main, *others = shared.adapters
        _write_adapter(made, shared, main, top=True)
        for adapter in others:
            _write_adapter(made / "adapters" / adapter.name, shared, adapter, top=False)
        for task, source in shared.selectors.items():
            (made / "selector" / task).mkdir(parents=True)
            for name in _SELECTOR:
                shutil.copyfile(source / name, made / "selector" / task / name)
        _write_dataset(made / "dataset", shared)


def _write_adapter(folder: Path, shared: Contents, adapter: Adapter, top: bool) -> None:
    """PEFT's files with the base model's public name, and our card in place of PEFT's."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = json.loads((adapter.folder / "adapter_config.json").read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = shared.base
    files.write_json(folder / "adapter_config.json", settings)
    shutil.copyfile(adapter.folder / "adapter_model.safetensors", folder / "adapter_model.safetensors")
    files.write_text(folder / "README.md", model_card(shared, adapter, top))


def _write_dataset(folder: Path, shared: Contents) -> None:
    counts: dict[str, dict[str, int]] = {}
    example: Row | None = None
    for number, (task, shard) in enumerate(shared.rollouts.items()):
        judged = [shared.verdicts[task]] if task in shared.verdicts else []
        verdicts = {verdict.episode_id: verdict for verdict in read_records(judged, VERDICTS)}
        rows = list(rollout_rows(read_records([shard], EPISODES), verdicts, shared.scenarios))
        example = example or next((row for row in rows if row["status"] == "agreement"), None)
        _count(
            counts, "rollouts", "train", write_parquet(folder / f"rollouts/train-{number:05d}.parquet", ROLLOUTS, rows)
        )
    for number, (variant, shards) in enumerate(shared.evaluated.items()):
        episodes = read_records(shards, EPISODES)
        path = folder / f"evaluation/test-{number:05d}.parquet"
        spoken = evaluation_rows(variant, episodes, shared.scenarios)
        _count(counts, "evaluation", "test", write_parquet(path, EVALUATION, spoken))
    for split, name in (("train", "train"), ("held_out", "test")):
        chosen = [scenario for scenario in shared.scenarios.values() if scenario.split == split]
        path = folder / f"scenarios/{name}-00000.parquet"
        _count(counts, "scenarios", name, write_parquet(path, SCENARIOS, scenario_rows(chosen)))
    files.write_text(folder / "README.md", dataset_card(shared, counts, example))


def _count(counts: dict[str, dict[str, int]], name: str, split: str, rows: int) -> None:
    of = counts.setdefault(name, {})
    of[split] = of.get(split, 0) + rows
