"""What models are called in public: a hub id or a bare name, never a path of this machine."""

import re

from emodistill.config import Scripted, Spec
from emodistill.errors import BadInput
from emodistill.models import EMBEDDED, SMOLLM2

# The embedded models that others find on a hub, with their licences. `tiny-random` is made from a seed.
_HUB = {SMOLLM2: ("HuggingFaceTB/SmolLM2-135M-Instruct", "apache-2.0")}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_PATH = re.compile(r"(?<!\S)(?:~|\.{1,2})?/(?:[^\s|,;]*/)*([^\s|,;/]*)")


def base_id(model: str, given: str | None) -> str:
    """The public id of the student's base model; `BadInput` if only the user can know it."""
    if given is not None:
        if not _HUB_ID.fullmatch(given):
            raise BadInput(f"--base {given!r} is no hub id. Write it as owner/name.")
        return given
    if model in EMBEDDED:
        return _HUB[model][0] if model in _HUB else model
    if not _HUB_ID.fullmatch(model):
        raise BadInput("The base model is a folder of this machine, which others cannot load. Name its public id with "
                       "--base OWNER/NAME.")  # fmt: skip
    return model


def licence_of(base: str) -> str | None:
    """The base model's licence, where it is known here."""
    return dict(_HUB.values()).get(base)


def label(spec: Spec) -> str:
    """Who played a role; the simulator is always named as such."""
    return "simulated" if isinstance(spec, Scripted) else without_paths(spec.model)


def without_paths(text: str) -> str:
    """The text with each path of a machine cut to its last part."""
    return _PATH.sub(lambda path: path[1] or "a local folder", text)
