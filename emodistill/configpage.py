"""The configuration reference: every key of the schema with its type, default and meaning (`emodistill config`).

A key's meaning is the comment behind its field, a section's is its class's docstring, so each is written once.
"""

import argparse
import ast
import inspect
import io
import json
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from emodistill.errors import BadInput, nearest

_HEAD = """# Configuration

Every key of a run's YAML file and of a Slurm profile. `make docs` makes this page from the schema, and a test compares
them. `emodistill config` prints it, `emodistill config iql` one section.

An unknown key is refused with the nearest right one; `--set iql.steps=500` overrides one. Two more keys may stand at
the top of a file: `extends: other.yaml` takes that file and changes what this one names; `preset: paper` fills in the
values that are told below under that name. A number's name has its unit: `timeout_s`, `mem_gb`.
"""
_BOUNDS = {"exclusiveMinimum": "above", "minimum": "from", "maximum": "up to", "exclusiveMaximum": "below"}
_WORDS = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text", "null": "null"}


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `config` to a parser; `command(name, function, text)` makes one."""
    added = command("config", _config, "every key of a configuration and a profile: type, default, meaning (Markdown)")
    added.add_argument("section", nargs="?", help="only this one, for example iql or models (default: all)")


def _config(options: argparse.Namespace) -> None:
    if options.section is None:
        print(markdown(), end="")
        return
    parts = dict(_sections())
    found = [text for name, text in parts.items() if name == options.section or name.startswith(f"{options.section}.")]
    if not found:
        raise BadInput(f"There is no section {options.section!r}{nearest(options.section, parts)} "
                       f"Known: {', '.join(parts)}.")  # fmt: skip
    print("\n".join(found), end="")


def markdown() -> str:
    """The whole page."""
    return _linked("\n".join([_HEAD, *(text for _, text in _sections())]))


def _sections() -> Iterator[tuple[str, str]]:
    """Each section's dotted name, and its text."""
    from emodistill.cluster.profiles import Profile
    from emodistill.config import Config

    for schema, start, title in ((Config, "run", "A run"), (Profile, "profile", "A profile")):
        whole = schema.model_json_schema()
        yield start, _section(schema.__name__, whole, title)
        yield from _below("" if schema is Config else "profile", whole, whole)


def _below(path: str, section: dict[str, Any], whole: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, field in section["properties"].items():
        name = f"{path}.{key}" if path else key
        for ref in _refs(field):
            found = whole["$defs"][ref]
            if "backend" in found["properties"]:  # a model: its keys are told once
                continue
            yield name, _section(ref, found, f"`{name}`")
            yield from _below(name, found, whole)
    if path == "models":
        for ref in ("VLLM", "OpenAI", "Scripted"):
            backend = whole["$defs"][ref]["properties"]["backend"]["const"]
            yield f"models.{backend}", _section(ref, whole["$defs"][ref], f"A model with `backend: {backend}`")
    if path == "report":
        yield "preset", _presets()


def _refs(field: dict[str, Any]) -> list[str]:
    options = [field, *field.get("anyOf", []), *field.get("oneOf", [])]
    return [option["$ref"].rpartition("/")[2] for option in options if "$ref" in option]


def _section(name: str, section: dict[str, Any], title: str) -> str:
    lines = [f"## {title}", " ".join(section["description"].split()), "", "| key | type | default | meaning |"]
    lines.append("|---|---|---|---|")
    said = meanings(name)
    for key, field in section["properties"].items():
        cells = (f"`{key}`", _type(field), _default(field), said.get(key, ""))
        lines.append("| " + " | ".join(cell.replace("|", "&#124;") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _type(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "$ref" in field or "oneOf" in field:
        return "a model" if {"VLLM", "OpenAI"} & {*_refs(field)} else "section"
    if "anyOf" in field:
        return " or ".join(map(_type, field["anyOf"]))
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if field.get("type") == "object":
        inner = field.get("additionalProperties", True)
        return "mapping" if inner is True else f"mapping of names to {_type(inner)}"
    bounds = [f"{word} {field[key]:g}" for key, word in _BOUNDS.items() if key in field]
    return " ".join([_WORDS[field["type"]], ", ".join(bounds)]).rstrip()


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return "required" if "const" not in field else ""
    value = field["default"]
    if isinstance(value, dict):
        return f"`{value['backend']}`" if "backend" in value else ("as below" if value else "`{}`")
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


@cache
def meanings(name: str) -> dict[str, str]:
    """What the comments behind the fields of a schema's class say, its base classes included."""
    from emodistill import config
    from emodistill.cluster import profiles

    found: dict[str, str] = {}
    schema = getattr(config, name, None) or getattr(profiles, name)
    for part in reversed(schema.__mro__):
        if part.__module__ in (config.__name__, profiles.__name__):
            found |= _comments(textwrap.dedent(inspect.getsource(part)))
    return found


def _comments(source: str) -> dict[str, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    behind = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    [body] = ast.parse(source).body
    found = {}
    for node in body.body if isinstance(body, ast.ClassDef) else ():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            found[node.target.id] = " ".join(behind[line] for line in lines if line in behind)
    return found


def _presets() -> str:
    from emodistill.presets import PRESETS

    lines = ["## `preset`"]
    for name, sections in PRESETS.items():
        keys = [f"`{section}.{key}: {json.dumps(v)}`" for section, own in sections.items() for key, v in own.items()]
        lines += [f"`preset: {name}` fills in these, where the file names none: {', '.join(keys)}.", ""]
    return "\n".join(lines)


def _linked(text: str) -> str:
    return text.replace("METHOD.md §", "[method](method.md) §")
