"""The pages are true: names exist, quoted errors are the code's, code blocks run, links lead somewhere."""

import ast
import importlib
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from jobs.scale.__main__ import _arrays, _volume

from helpers import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_KINDS = re.compile(r"text|python|sh|sh needs=(?:minutes|run|slurm|key|files)")
_GAP = "…"


def blocks(page: Path) -> list[tuple[str, str]]:
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_code_block_says_whether_it_runs_and_every_link_leads_to_a_file(page):
    assert not [kind for kind, _ in blocks(page) if not _KINDS.fullmatch(kind)]
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose)
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


@pytest.mark.parametrize(
    "page", [p for p in PAGES if {"sh", "python"} & {k for k, _ in blocks(p)}], ids=lambda p: p.name
)
def test_the_code_blocks_of_a_page_run_one_after_the_other(page, tmp_path, tiny_model):
    for name in ("yaml", "slurm"):
        (tmp_path / name).symlink_to(ROOT / name)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "PY": sys.executable}
    for kind, code in blocks(page):
        command = [sys.executable, "-c", code]
        if kind == "sh":
            command = ["bash", "-ec", f'emodistill() {{ "$PY" -m emodistill "$@"; }}\n{code}']
        if kind in ("sh", "python"):
            done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{code}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize("page", [p for p in PAGES if p.parent == DOCS], ids=lambda page: page.name)
def test_every_name_of_the_code_that_a_page_gives_exists(page):
    for name in re.findall(r"`((?:emodistill|jobs)(?:\.\w+)+)`", page.read_text(encoding="utf-8")):
        assert exists(name), f"{page.name}: {name}"


def exists(name: str) -> bool:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def test_every_formula_of_the_map_has_its_function_and_no_section_is_empty():
    text = (DOCS / "method.md").read_text(encoding="utf-8")
    sections = re.split(r"^## §", text, flags=re.MULTILINE)[1:]
    assert [section[0] for section in sections] == list("12345678")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| what |")]
    assert len(rows) > 40 and all(re.search(r"\| `emodistill\.[^|]+` \|$", row) for row in rows)


@cache
def said_by_the_code() -> tuple[str, ...]:
    """Every text of the library, with … for what it fills in."""
    found = []
    for path in (ROOT / "emodistill").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (str(p.value) if isinstance(p, ast.Constant) else _GAP for p in node.values)
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(found)


def test_every_error_text_on_the_troubleshooting_page_is_one_of_the_code():
    rows = re.findall(r"^\| `([^`]+)` \|", (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 20
    for text in rows:
        pattern = re.compile(".*".join(map(re.escape, text.split(_GAP))), re.DOTALL)
        assert any(pattern.search(said) for said in said_by_the_code()), text


def test_the_tables_of_the_scale_page_are_what_the_commands_print(monkeypatch):
    page = (DOCS / "scale.md").read_text(encoding="utf-8")
    assert "\n".join(_volume(ROOT / "yaml" / "paper" / "all.yaml")) in page
    assert "\n".join(_arrays(1)) in page
