"""`emodistill ope DIR`: what the trained selector would return, from the sweep alone, as a table."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emodistill import files
from emodistill.config import Config
from emodistill.dataset.transitions import Transitions, stored_transitions, take
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.evaluate.offpolicy import Evaluated, Logged, evaluate
from emodistill.evaluate.variants import variant_named
from emodistill.ledger import Ledger
from emodistill.report.latex import latex_of
from emodistill.report.sheet import Cell, Column, Sheet, csv_of, markdown_of, words
from emodistill.runs import Marker, RunDir
from emodistill.stages import STAGES

Rows = list[tuple[str, str, dict[str, Evaluated], float]]  # domain, selector, estimates, mean return of the sweep


def off_policy(run: RunDir, config: Config) -> list[Path]:
    """Evaluate the selectors of a run whose iql stage is done, domain by domain, and write both tables.

    A marker of their own, `ope/main.done`, holds their checksums for `verify`.
    """
    if config.sweep.imported is not None:
        raise BadInput(
            f"The sweep of {run.root} was imported, and does not say with what chance it showed each emotion, which "
            "these estimates need. Give a run whose sweep was played here."
        )
    ledger = Ledger(run, config)
    missing = [task for task in STAGES["iql"].tasks(config) if not ledger.is_done(STAGES["iql"], task)]
    if missing:
        raise BadInput(
            f"The selector of {run.root} is not trained yet ({', '.join(missing)}). "
            f"Train it first: emodistill run {run.path('config.yaml')} --out {run.root} --until iql."
        )
    data = stored_transitions(run)
    domains = np.array([scenario.domain for scenario in run.scenarios().values()])
    rows: Rows = []
    for domain, task in variant_named("full").selectors(config).items():
        of_domain = take(data, domains[data.scenario] == domain)
        if not len(of_domain.a_tm1):
            continue
        mean = float(of_domain.outcome_t.sum() / of_domain.done_t.sum())
        for name, target in _targets(run.path("iql", task), config, of_domain):
            found = evaluate(Logged.of(of_domain, target), config.report.resamples, config.seed)
            rows.append((domain, name, found, mean))
    people = off_policy_sheet(rows, config.name)
    pages = {"md": markdown_of(people), "csv": csv_of(off_policy_figures(rows)), "tex": latex_of(people)}
    written = [run.path("tables", f"offpolicy.{kind}") for kind in pages]
    for path, text in zip(written, pages.values(), strict=True):
        files.write_text(path, text)
    made_with = ledger.fingerprint(STAGES["iql"], STAGES["iql"].tasks(config)[0])
    run.mark(Marker("ope", "main", made_with, "", len(rows), 0, 0.0, run.checksums(written)))
    return written


def _targets(folder: Path, config: Config, data: Transitions) -> Iterator[tuple[str, np.ndarray]]:
    """Name and π(e|s) [n, 28] of what to evaluate: the trained selector, chance, the configured fixed emotions."""
    from emodistill.policy.artefact import load, probabilities

    size = (len(data.a_tm1), len(GOEMOTIONS))
    yield "iql", probabilities(*load(folder), data.s_tm1, data.last_tm1)
    yield "random-emotion", np.full(size, 1 / len(GOEMOTIONS))
    for name in config.evaluate.variants:
        if name.startswith("fixed:"):
            yield name, np.broadcast_to(np.array(GOEMOTIONS) == name.removeprefix("fixed:"), size).astype(np.float64)


def off_policy_sheet(rows: Rows, name: str) -> Sheet:
    """For people: value, interval and effective episodes of each estimator."""
    names = ("domain", "selector", "fitted Q", "weighted importance sampling", "doubly robust")
    columns = (*(Column("", heading) for heading in names), Column("", "sweep's mean", 2), Column("", "episodes"))
    cells: tuple[tuple[Cell, ...], ...] = tuple(
        (domain, selector, *(_cell(found[kind]) for kind in ("fqe", "wis", "dr")), mean, found["fqe"].estimate.n)
        for domain, selector, found, mean in rows
    )
    note = (
        "95 % intervals by scenario, none for a single one: the jackknife with Student's t for the fitted Q, the "
        "expanded percentile bootstrap for the others. (n): effective episodes of the weights. With few of them, "
        "importance sampling and doubly robust say little, and the fitted Q is only as good as its features. The "
        "selector was trained on the same sweep, so its row is somewhat too good. Teacher and counterparty are those "
        "of the sweep."
    )
    title = f"{name}: expected return of emotion selectors, estimated from the random-emotion sweep"
    return Sheet(title, columns, cells, (note,))


def _cell(one: Evaluated) -> str:
    return f"{words(one.estimate, 2)} ({one.effective:,.0f})"


def off_policy_figures(rows: Rows) -> Sheet:
    """For machines: one line an estimate."""
    names = "domain selector estimator return low high episodes effective_episodes sweep_return".split()
    cells = tuple(
        (domain, selector, kind, e.value, e.low, e.high, e.n, one.effective, mean)
        for domain, selector, found, mean in rows
        for kind, one in found.items()
        for e in [one.estimate]
    )
    return Sheet("", tuple(Column(name, "") for name in names), cells)
