"""The card of the shared episodes: what `datasets.load_dataset` reads, column by column."""

from collections.abc import Mapping

from emodistill.share.columns import EVALUATION, ROLLOUTS, SCENARIOS, flat
from emodistill.share.contents import Contents
from emodistill.share.model_card import played_by, simulated, simulation_note
from emodistill.share.names import label
from emodistill.share.rows import Row
from emodistill.share.text import cell, front_matter, table

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MEANING = {
    "rollouts": "the training sweep: a random emotion at each focal turn, every focal utterance judged",
    "evaluation": "the evaluated variants on held-out scenarios, all with the same seeds",
    "scenarios": "what was bargained over, training scenarios and held-out ones",
}
_IMPORTED = "an imported sweep with the emotions that its files state, every focal utterance judged"
_COLUMNS = {"rollouts": ROLLOUTS, "evaluation": EVALUATION, "scenarios": SCENARIOS}


def dataset_card(shared: Contents, counts: Mapping[str, Mapping[str, int]], example: Row | None) -> str:
    """`counts`: rows by configuration and split, as written; `example`: one episode to show."""
    config = shared.config
    meaning = _MEANING if config.sweep.imported is None else {**_MEANING, "rollouts": _IMPORTED}
    episodes = sum(counts.get("rollouts", {}).values()) + sum(counts.get("evaluation", {}).values())
    head = {
        "pretty_name": f"{config.name}: emotional negotiations between agents",
        "language": ["en"],
        "task_categories": ["text-generation"],
        "size_categories": [next((name for limit, name in _SIZES if episodes < limit), "n>1M")],
        "tags": ["negotiation", "emotion", "emodistill", "agents-only", *(["simulated"] if simulated(config) else [])],
        "configs": [_config(name, splits) for name, splits in counts.items()],
    }
    lines = [
        f"# {cell(config.name)}: emotional negotiations between agents",
        "",
        "Dialogues between two programs that bargain over one number. The focal side is told which emotion to show at "
        "each of its turns; its counterparty is not told. No human took part. Made with EmoDistill.",
        *simulation_note(config),
        "",
        f"Rollouts: {played_by(config)}; judge {cell(label(config.models.judge))}. In `evaluation` the focal side is "
        f"`{shared.base}`, with the model card's adapters.",
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        *(f'load_dataset("FOLDER", "{name}")  # {meaning[name]}' for name in counts),
        "```",
    ]
    for name, splits in counts.items():
        sizes = ", ".join(f"{split} {count:,}" for split, count in splits.items())
        lines += ["", f"## `{name}`", "", f"{meaning[name].capitalize()}. Rows: {sizes}.", ""]
        lines += table(("column", "type", "meaning and unit"), flat(_COLUMNS[name]))
    if example is not None:
        turns = [(turn["seat"], turn["emotion"] or "", turn["utterance"]) for turn in example["turns"]]
        lines += ["", "## An episode", "", *table(("seat", "emotion", "utterance"), turns)]
    lines += ["", "## Limits and risks", "", *_LIMITS, "", "## Licence", "", _LICENCE]
    return front_matter(head) + "\n" + "\n".join(lines) + "\n"


_LIMITS = (
    "- Agents only, no humans: nothing here says how people react to emotion.",
    "- Offers are read from the words by rules, and may be misread; the words are kept.",
    "- Judge scores are one model's (or the simulator's) opinion.",
    "- The texts show what emotional language moves a counterparty. Emotion-tuned agents could extract value at scale.",
    "- The text of technical errors, and all settings of endpoints, are left out.",
)
_LICENCE = "Whoever shares this folder chooses the terms and names them in the front matter (`license:`)."


def _config(name: str, splits: Mapping[str, int]) -> dict[str, object]:
    found: dict[str, object] = {"config_name": name}
    if name == "rollouts":
        found["default"] = True
    return {**found, "data_files": [{"split": split, "path": f"{name}/{split}-*.parquet"} for split in splits]}
