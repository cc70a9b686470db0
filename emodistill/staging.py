"""`emodistill models`: list, fetch, and stage the models of a run, for nodes that do not see the internet."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from emodistill.errors import BadInput

if TYPE_CHECKING:
    from emodistill.config import Config

# What vLLM and transformers read of a hub repository; no pickled weights, no code.
_WANTED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `models` to a parser; `command(name, function, text)` makes one."""
    models = command("models", None, "the models of this machine: list, fetch the embedded ones, stage those of a run")
    actions = models.add_subparsers(required=True, metavar="WHAT")
    shown = actions.add_parser("list", help="the embedded models, and where they are")
    shown.set_defaults(command=_list)
    fetched = actions.add_parser("fetch", help="make embedded models available")
    fetched.set_defaults(command=_fetch)
    fetched.add_argument("name", nargs="*", help="model names (default: all)")
    staged = actions.add_parser("stage", help="put every model of a configuration where jobs find it without internet")
    staged.set_defaults(command=_stage)
    staged.add_argument("config", type=Path, help="YAML file, see yaml/")
    staged.add_argument("--set", dest="overrides", action="append", default=[], metavar="a.b=VALUE",
                        help="override one key; may be repeated")  # fmt: skip


def _list(_: argparse.Namespace) -> None:
    from emodistill.models import EMBEDDED, resolve

    for name in EMBEDDED:
        try:
            print(f"{name}: {resolve(name)}")
        except BadInput:
            print(f"{name}: not fetched")


def _fetch(options: argparse.Namespace) -> None:
    from emodistill.models import EMBEDDED, fetch

    for name in options.name or EMBEDDED:
        print(f"{name}: {fetch(name)}")


def _stage(options: argparse.Namespace) -> None:
    from emodistill.configfile import load_config
    from emodistill.models import cache

    names = engine_models(load_config(options.config, tuple(options.overrides)))
    for name in names:
        print(f"{name}: {stage(name)}")
    print(f'{len(names)} model(s) are whole. Jobs need: env: {{EMODISTILL_CACHE: {cache()}, HF_HUB_OFFLINE: "1"}}')


def engine_models(config: "Config") -> list[str]:
    """The models that the run's own jobs load, in the configuration's order; endpoints and the simulator need none."""
    from emodistill.config import VLLM

    roles = config.models
    specs = [roles.teacher, roles.student, roles.counterparty, roles.judge, *config.evaluate.counterparties.values()]
    return list(dict.fromkeys(spec.model for spec in specs if isinstance(spec, VLLM)))


def stage(name: str) -> Path:
    """Bring a model into the cache, if it is not there, and read over its files. A folder is only read over."""
    from emodistill.models import EMBEDDED, fetch, hub_folder, resolve

    if name in EMBEDDED:
        folder = fetch(name)
    else:
        folder = Path(resolve(name, offline=False))
        if "/" in name and not name.startswith((".", "/", "~")):
            folder = hub_folder(name)
            if not folder.is_dir():
                _download(name, folder)
    check_checkpoint(folder)
    return folder


def _download(name: str, folder: Path) -> None:
    from emodistill.files import new_folder
    from emodistill.models import require

    require("huggingface_hub")
    from huggingface_hub import snapshot_download

    with new_folder(folder) as made:
        try:
            snapshot_download(name, local_dir=made, allow_patterns=list(_WANTED))
        except Exception as error:  # the hub's client raises many kinds; each means: not here, not now
            raise BadInput(
                f"The model {name} could not be downloaded ({' '.join(str(error).split())[:300]}). Stage it on a "
                f"machine that sees the hub, or copy its checkpoint to {folder}, and give the command again."
            ) from None


def check_checkpoint(folder: Path) -> None:
    """`BadInput` if a checkpoint lacks a file, or a weights file is shorter or longer than its header says."""
    index = folder / "model.safetensors.index.json"
    try:
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = ["model.safetensors"]
        if index.is_file():
            weights = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        for name in weights:
            _check_length(folder / name)
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(
            f"The checkpoint in {folder} is not whole ({error}). Delete that folder and stage it again: "
            "emodistill models stage CONFIG."
        ) from None
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json")):
        raise BadInput(f"The checkpoint in {folder} has no tokenizer (tokenizer.json, tokenizer.model or vocab.json). "
                       "Copy it there.")  # fmt: skip


def _check_length(weights: Path) -> None:
    """By the header of the safetensors format: 8 bytes with its length, JSON with each tensor's place, the tensors."""
    with weights.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= weights.stat().st_size:
            raise ValueError(f"{weights.name} is no safetensors file")
        header = json.loads(file.read(length))
    ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    expected, size = 8 + length + max(ends, default=0), weights.stat().st_size
    if size != expected:
        raise ValueError(f"{weights.name} has {size} bytes where its header says {expected}")
