"""`emodistill export`: a trained policy as one plain checkpoint, or all of a run as a folder for a hub."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emodistill.errors import BadInput, shown

if TYPE_CHECKING:
    from emodistill.runs import RunDir


def add(command: Callable[..., Any]) -> None:
    """Add the command to the parser."""
    added = command(
        "export", _export, "write a variant's model as one checkpoint, or a whole run as a folder for a hub"
    )
    added.any_order = True
    added.add_argument("dir", type=Path, help="run directory")
    added.add_argument("variant", nargs="?", help="a variant with an adapter, such as full or sft; none with --to hf")
    added.add_argument("folder", type=Path, help="where to write it; must not exist, or be empty")
    added.add_argument(
        "--to",
        choices=("merged", "hf"),
        default="merged",
        help="merged: a Hugging Face checkpoint, the adapter merged into the weights (default); hf: adapters, "
        "selector, episodes as Parquet, and cards",
    )
    added.add_argument(
        "--base", metavar="OWNER/NAME", help="with --to hf: the base model's public id, if it is a folder here"
    )


def _export(options: argparse.Namespace) -> None:
    from emodistill.runs import RunDir

    run, folder = RunDir.existing(options.dir), options.folder.absolute()
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise BadInput(f"{options.folder} exists already, and is not empty. Name a folder that does not.")
    if options.to == "hf":
        _share(run, folder, options)
    elif options.variant is None:
        raise BadInput(
            "Name the variant whose model to write, such as full or sft: emodistill export DIR VARIANT FOLDER."
        )
    elif options.base is not None:
        raise BadInput("--base is for --to hf alone: a merged checkpoint needs no base model.")
    else:
        _write_merged(run, options.variant, folder)
    print(options.folder)


def _share(run: "RunDir", folder: Path, options: argparse.Namespace) -> None:
    from importlib.util import find_spec

    if options.variant is not None:
        raise BadInput("--to hf writes all that a run has trained. Leave the variant out: export DIR --to hf FOLDER.")
    if find_spec("pyarrow") is None:
        raise BadInput("The Python package pyarrow, which writes Parquet, is not installed. Run `make install`, or pip "
                       "install -e '.[share]'.")  # fmt: skip
    from emodistill.share.folder import share

    share(run, folder, options.base)


def _write_merged(run: "RunDir", variant: str, folder: Path) -> None:
    from emodistill.evaluate.variants import adapter_folder, variant_named
    from emodistill.models import require, resolve

    require("torch", "transformers", "peft")
    adapter = adapter_folder(run, variant_named(variant))
    if adapter is None:
        raise BadInput(f"The variant {shown(variant)} has no adapter. Name one that has, such as sft or full.")
    if not adapter.is_dir():
        raise BadInput(f"{adapter} is not there yet: that adapter has not been trained in {run.root}. Run it first.")
    write_merged(resolve(run.config().models.student.model), adapter, folder)


def write_merged(base: str, adapter: Path, folder: Path) -> None:
    """The base model with the adapter merged in, and its tokenizer: whole, or not there at all."""
    from transformers import AutoTokenizer

    from emodistill.files import new_folder
    from emodistill.policy.adapters import merged_model

    with new_folder(folder) as made:
        merged_model(base, adapter).save_pretrained(str(made))
        AutoTokenizer.from_pretrained(base, trust_remote_code=False).save_pretrained(str(made))
