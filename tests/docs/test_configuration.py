"""The configuration page is the schema's, and no key is without a word on what it means."""

import pytest

from emodistill.cli import main
from emodistill.cluster import profiles
from emodistill.config import Config, Section
from emodistill.configpage import markdown, meanings

from helpers import ROOT


def test_the_committed_page_is_the_one_that_the_schema_gives():
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == markdown(), "make docs"


def schemas(of: type[Section]) -> set[type[Section]]:
    return {of}.union(*(schemas(below) for below in of.__subclasses__()))


@pytest.mark.parametrize("schema", sorted(schemas(Section), key=lambda s: s.__name__))
def test_every_key_that_is_no_section_has_a_meaning(schema):
    if schema in (Section, Config) or not schema.__module__.startswith("emodistill"):
        return
    assert schema.__doc__
    whole = schema.model_json_schema()["properties"]
    assert not [key for key, field in whole.items() if "const" not in field and not meanings(schema.__name__)[key]]


def test_types_bounds_and_defaults_are_said_as_they_are():
    page = markdown()
    assert "| `tau` | number above 0, below 1 | `0.7` | expectile of V |" in page
    assert "| `student` | a model | required | trained and evaluated |" in page
    assert "| `csv` | mapping of names to text | `{}` |" in page
    assert "`iql.steps: 20000`" in page
    assert all(f"| `{key}` |" in page for key in (*Config.model_fields, *profiles.Resources.model_fields))


def test_one_section_or_the_nearest_name(capsys):
    assert main(["config", "sft"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("## `sft`") and "## `sft.lora`" in shown and "## `jpo`" not in shown
    assert main(["config", "stf"]) == 2
    assert "no section 'stf'; did you mean 'sft'?" in capsys.readouterr().err
