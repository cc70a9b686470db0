"""A scenario file is refused in one paragraph, or gives scenarios whose prompts can be made."""

import csv
import io
import math
from pathlib import Path

import pytest
from fuzzing import FUZZ, TEXTS, taken
from hypothesis import given
from hypothesis import strategies as st

from emodistill.domains import DOMAINS
from emodistill.domains.base import Domain, as_scenarios
from emodistill.domains.importer import Imported, import_file

CELLS = TEXTS | st.integers(-5, 10**7).map(str) | st.sampled_from(
    ["High", "Yes", "10:30 PM", "25:99 AM", "n/a", "~60", "1.5 hours", "1,000", "9" * 400, "1e400", "nan", "-0", "٣",
     '"', '""', '"a" and "b"', "“a, b”", "“", "(a, b", "=cmd()", "\\input{x}", "<script>", "a, b, c", ",", "\n",
     "a" * 5000, "days, hours, " * 40, '"' * 301, "," * 600, "(" * 500]
)  # fmt: skip
NUMBERS = st.floats(allow_nan=True).map(str) | st.integers(1, 300).map(str)


def header(domain: Domain) -> list[str]:
    return [column.name for column in domain.columns]


def row(domain: Domain) -> "st.SearchStrategy[list[str]]":
    cells = [NUMBERS | CELLS if column.kind == "number" else CELLS for column in domain.columns]
    return st.tuples(*(st.integers(1, 200).map(str) | cell for cell in cells)).map(list)


def as_csv(rows: list[list[str]], quoted: bool) -> str:
    if not quoted:
        return "\n".join(",".join(cells) for cells in rows)
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def file_of(domain: Domain) -> "st.SearchStrategy[str]":
    heads = st.just(header(domain)) | st.permutations(header(domain)) | st.lists(CELLS, min_size=1, max_size=20)
    heads = heads | st.tuples(st.just(header(domain)), st.lists(st.sampled_from(header(domain)) | CELLS)).map(
        lambda pair: [*pair[0], *pair[1]]
    )
    rows = st.lists(row(domain) | st.lists(CELLS, max_size=30), max_size=3)
    return st.builds(lambda head, body, quoted: as_csv([head, *body], quoted), heads, rows, st.booleans())


FILES = st.sampled_from(list(DOMAINS.values())).flatmap(file_of) | TEXTS


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "scenarios.csv"


@FUZZ
@given(FILES.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=60), st.booleans())
def test_no_file_breaks_the_importer(path, content, skip_bad):
    path.write_bytes(content)
    found = taken(lambda: import_file(path, DOMAINS.values(), None, skip_bad))
    if isinstance(found, Imported):
        for one in as_scenarios(found.domain, found.drawn, len(found.drawn), 0):
            assert math.isfinite(one.focal_target) and math.isfinite(one.counterparty_target)
            assert one.focal_target != one.counterparty_target
            for seat in ("focal", "counterparty"):
                found.domain.brief(one, seat).encode()
