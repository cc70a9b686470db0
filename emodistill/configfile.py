"""YAML files to validated schemas. Unknown keys are errors that suggest the nearest name."""

import json
import re
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

import yaml
from emodistill.config import Config
from emodistill.errors import BadInput, nearest, shown
from emodistill.presets import PRESETS, merged

_DEEPEST = 20  # sections within sections


class _Loader(yaml.SafeLoader):
    """Safe YAML that reads 1e-4 as a number, as people write it; it refuses a key given twice, and aliases.

    A few lines of aliases can stand for more data than any memory holds, or for data that holds itself.
    """

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """One value and what is in it."""
        line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"an alias (line {line}); write the value out, or use `extends`")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise yaml.YAMLError(f"nested too deeply (line {line})")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d[\d_]*)(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag != "tag:yaml.org,2002:str":
            raise yaml.YAMLError(f"a key is no word (line {line}); put it into quotes or mend it")
        if key_node.value in seen:
            raise yaml.YAMLError(f"the key {key_node.value!r} is given twice (line {line})")
        seen.add(key_node.value)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; `BadInput` if the file is missing, is not YAML, or is no mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"There is no file {path}. Name an existing YAML file (yaml/ holds examples).") from None
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no name a file can have
        raise BadInput(f"The file {path} cannot be read: {error}.") from None
    try:
        data = _parsed(text)
    except ValueError as error:
        raise BadInput(f"The file {path} is not valid YAML: {error}. Mend that line.") from None
    if data is None:
        raise BadInput(f"The file {path} is empty. Write keys and values into it (yaml/ holds examples).")
    if not isinstance(data, dict):
        raise BadInput(f"The file {path} must hold a mapping of keys to values, not {type(data).__name__}.")
    return data


def _parsed(text: str) -> Any:
    """Plain data of a YAML text; `ValueError` says in one line why there is none."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        text = " ".join(str(error).split()).replace('in "<unicode string>", ', "at ")
        raise ValueError(text) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # as its constructors fail
        raise ValueError(f"a value is not what it looks like, or what its tag says ({error})") from None


def load_config(path: Path, overrides: tuple[str, ...] = ()) -> Config:
    """Read and validate a run's configuration; `overrides` are `a.b=value` strings (the --set option).

    A `preset` fills in defaults; the result names all of them, and the preset no more.
    """
    data = _extended(path, ())
    if "cluster" in data:
        raise BadInput(f"{path} is a profile, not a run's configuration. Name the run's file, and give this one as "
                       "--profile.")  # fmt: skip
    for override in overrides:
        _set(data, override)
    preset = data.pop("preset", None)
    if preset is not None:
        if not isinstance(preset, str) or preset not in PRESETS:
            name = str(preset)
            raise BadInput(f"{path}: preset: there is no preset {name[:80]!r}{nearest(name, PRESETS)} Known: "
                           f"{', '.join(PRESETS)}.")  # fmt: skip
        data = merged(PRESETS[preset], data)
    config: Config = validate(Config, data, str(path))
    return config


def _extended(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """The file's mapping over that of the file it `extends`, named relative to it; sections are merged key by key."""
    data = load_yaml(path)
    if path.resolve() in below:
        raise BadInput(f"{path} extends itself. Take one `extends` out.")
    if (parent := data.pop("extends", None)) is None:
        return data
    return merged(_extended(path.parent / str(parent), (*below, path.resolve())), data)


def validate(schema: type[BaseModel], data: dict[str, Any], where: str) -> Any:
    """Build `schema` from plain data; `BadInput` names the first bad key, its file, and the nearest right one."""
    try:
        plain = json.dumps(data, default=str)
    except ValueError as error:  # a number that Python does not write out
        raise BadInput(f"{where}: a value in it is too long ({error}). Mend that value.") from None
    try:
        return schema.model_validate_json(plain)
    except ValidationError as error:
        raise BadInput(_explain(schema, error, where)) from None


def resolved_yaml(config: BaseModel) -> str:
    """The complete configuration as YAML, defaults included, in schema order."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _set(data: dict[str, Any], override: str) -> None:
    key, found, value = override.partition("=")
    if not found or not key:
        raise BadInput(f"--set {override!r}: write it as a.b=value, for example --set iql.steps=500.")
    *sections, leaf = key.split(".")
    for section in sections:
        data = data.setdefault(section, {})
        if not isinstance(data, dict):
            raise BadInput(f"--set {override!r}: {section!r} is a value, not a section.")
    try:
        data[leaf] = _parsed(value)
    except ValueError:
        raise BadInput(f"--set {override!r}: the value is not valid YAML. Quote it or mend it.") from None


def _explain(schema: type[BaseModel], error: ValidationError, where: str) -> str:
    # A misspelt key also makes the right one missing: name the cause first.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"] if part not in ("scripted", "vllm", "openai"))
    more = f" ({error.error_count() - 1} more after this one.)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        near = nearest(str(first["loc"][-1]), _keys_beside(schema, first["loc"][:-1]))
        return f"{where}: unknown key {key[:200]!r}{near or '.'} Remove it or mend its name.{more}"
    if first["type"] == "missing":
        return f"{where}: {shown(key)} is missing. Add it.{more}"
    problem, given = (
        _problem(first),
        "" if first["type"] == "value_error" else f" It says {str(first['input'])[:80]!r}.",
    )
    return f"{where}: {shown(key) + ': ' if key else ''}{problem}{given} Mend that value.{more}"


def _problem(error: ErrorDetails) -> str:
    """pydantic's message as a sentence, without its own words for lists and backends."""
    if error["type"] == "union_tag_invalid":
        return f"there is no backend {error['ctx']['tag']!r}. Known: {error['ctx']['expected_tags']}."
    if error["type"] == "tuple_type":
        return "this key takes a list: write [a, b]."
    text = error["msg"].removeprefix("Value error, ")
    return text if text.endswith((".", "?")) else f"{text}."


def _keys_beside(schema: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand in the section at `path`."""
    section: Any = schema
    for part in path:
        field = getattr(section, "model_fields", {}).get(part)
        section = field.annotation if field is not None else _union_member(section, part)
    return list(getattr(section, "model_fields", {}))


def _union_member(union: Any, tag: int | str) -> Any:
    """The model of a tagged union whose `backend` is `tag`; None if there is none."""
    members = [m for m in get_args(union) if hasattr(m, "model_fields")]
    return next((m for m in members if tag in get_args(m.model_fields["backend"].annotation)), None)
