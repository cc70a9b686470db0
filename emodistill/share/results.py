"""The results in a model card: the project's tables as Markdown, each value with its interval."""

from collections.abc import Iterable

from emodistill.evaluate.variants import variant_named
from emodistill.report.sheet import MISSING
from emodistill.share.contents import FURTHER, Contents, TableRows
from emodistill.share.names import label
from emodistill.share.text import cell, table

_ENDS = ("_low", "_high")


def results(shared: Contents) -> list[str]:
    """Lines of Markdown: the main table, the paired differences, and what further questions were asked."""
    if not shared.tables["main"]:
        return ["Not evaluated yet."]
    config = shared.config
    lines = [
        f"On held-out scenarios; counterparty {cell(label(config.models.counterparty))}, persona "
        f"{config.evaluate.persona}. Value [95 % interval, bootstrap clustered by scenario]; n counts valid episodes, "
        "errors are technical ones and left out. Success in %; outcomes (over agreed episodes) and utility (over all, "
        "failures as 0) are 0 at the counterparty's target and 100 at the focal side's; rounds in messages.",
        "",
        *_with_intervals(shared.tables["main"]),
    ]
    variants = table(("variant", "who speaks", "the emotion"), map(_variant, _names(shared)))
    lines += ["", "What the variants are:", "", *variants]
    if shared.tables["differences"]:
        lines += ["", "Differences in utility, paired by scenario and seed:", ""]
        lines += _with_intervals(
            [{**row, "difference_low": row.get("low", ""), "difference_high": row.get("high", ""),
              "difference": row.get("utility_difference", "")} for row in shared.tables["differences"]],
            ("variant", "minus", "difference", "n"),
        )  # fmt: skip
    return [*lines, *(line for name, said in FURTHER.items() for line in _further(said, shared.tables.get(name, [])))]


def _further(said: str, rows: TableRows) -> list[str]:
    """What a further table is about, and its labels, values with intervals, and n; nothing where there is none."""
    if not rows:
        return []
    first, *columns = rows[0]
    shown = [name for name in columns if name in ("base", "n") or f"{name}_low" in rows[0]]
    if "difference" in columns:  # its ends have no name of their own
        rows = [{**row, "difference_low": row["low"], "difference_high": row["high"]} for row in rows]
        shown.insert(shown.index("n"), "difference")
    return ["", f"{said}:", "", *_with_intervals(rows, [first, *shown])]


def _names(shared: Contents) -> list[str]:
    shown = {value for row in shared.tables["main"] for value in row.values()}
    return [name for name in shared.config.evaluate.variants if name in shown]


def _variant(name: str) -> tuple[str, str, str]:
    """What an evaluated variant is made of."""
    made = variant_named(name)
    speaks = f"the adapter {'-'.join(made.adapter)}" if made.adapter else f"the {made.role}'s model as it is"
    chooses = {"none": "none", "random": "at random", "iql": "by the trained selector"}
    return name, speaks, chooses.get(made.selector, f"always {made.selector}")


def _with_intervals(rows: TableRows, columns: Iterable[str] = ()) -> list[str]:
    """A table of the project's as Markdown, each value with its interval in one cell."""
    names = list(columns) or [name for name in rows[0] if not name.endswith(_ENDS)]
    return table(names, ([_interval(row, name) for name in names] for row in rows))


def _interval(row: dict[str, str], name: str) -> str:
    low, high = (row.get(f"{name}{end}", "") for end in _ENDS)
    value = _short(row.get(name, ""))
    return f"{value} [{_short(low)}, {_short(high)}]" if low not in ("", MISSING) else value


def _short(value: str) -> str:
    try:
        return f"{float(value):.1f}" if "." in value else value
    except ValueError:
        return value
