"""The tables stage: every finished evaluation cell to `tables/` and `figures/`; what did not run is said."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from emodistill import files
from emodistill.config import Config
from emodistill.evaluate.cells import cells
from emodistill.evaluate.metrics import EvalRecords, eval_records
from emodistill.ledger import Ledger
from emodistill.records import Scenario, Verdict
from emodistill.report.draw import Draws, Figure
from emodistill.report.further import further_sheets
from emodistill.report.html import render
from emodistill.report.judging import JudgeRow, judge_rows, judge_sheet
from emodistill.report.latex import latex_of
from emodistill.report.names import counterparty_label, model_label, source_label
from emodistill.report.page_of import Results, page_of
from emodistill.report.sheet import csv_of, markdown_of, words
from emodistill.report.tables import best, differences, differences_sheet, main_markdown, main_rows, main_sheet
from emodistill.runs import Failure, RunDir
from emodistill.shards import VERDICTS, open_table, read_records
from emodistill.stages import STAGES
from emodistill.tasks import Result, TaskContext


def build_report(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Write the main table, the paired differences, the judge's table and the main figure."""
    return report(run, config)


def report(run: RunDir, config: Config) -> Result:
    """The same from whatever cells and verdicts are there."""
    results, written = write_tables(run, config)
    ledger = Ledger(run, config)
    drawn = draw_figures(run, config, ledger, results)
    page = run.path("report.html")
    files.write_text(page, render(page_of(run, config, ledger, results, drawn)))
    return Result(len(results.rows), [*written, *(path for figure in drawn for path in figure.paths), page])


def write_tables(run: RunDir, config: Config) -> tuple[Results, list[Path]]:
    """Every table in every format: what is in them, and the files."""
    results, written = _results(run, config), []
    for name, sheet in results.sheets.items():
        pages = {"csv": csv_of(sheet), "tex": latex_of(sheet)}
        if name == "main":
            pages["md"] = main_markdown(sheet, results.sheets["differences"])
        elif name != "differences":  # those stand below the main table
            pages["md"] = markdown_of(sheet)
        for kind, text in pages.items():
            written.append(run.path("tables", f"{name}.{kind}"))
            files.write_text(written[-1], text)
    return results, written


def draw_figures(run: RunDir, config: Config, ledger: Ledger, results: Results) -> list[Figure]:
    """Every figure that there is something for."""
    draws = Draws(run, config, ledger, counterparty_label(config))
    draws.utility(results.rows, results.sheets["main"].title)
    draws.offers(run.scenarios())
    draws.emotions_shown()
    draws.emotions_worth(results.sheets.get("emotions"))
    draws.matrices(results.sheets)
    draws.training()
    return draws.done


def _results(run: RunDir, config: Config) -> Results:
    """The main table's rows, every table by name, and what they are made of."""
    scenarios, ledger = run.scenarios(), Ledger(run, config)
    played = _cells(run, ledger, config, scenarios)
    records = {name: played[name] for name in config.evaluate.variants if name in played}
    not_run = [name for name in config.evaluate.variants if name not in played]
    judged = judge_rows(_verdicts(run, ledger, config), scenarios, config.judge.repeats)
    settings = config.report.resamples, config.seed
    rows, found = main_rows(records, *settings), differences(records, *settings)
    who, judge = counterparty_label(config), model_label(config.models.judge)
    sweep = "imported" if config.sweep.imported else "training"
    title = f"{config.name}: {', '.join(config.scenarios.domains)}, held-out scenarios, {who}"
    notes = [_interval_note(config), _judge_note(judged, config), *_missing_notes(ledger, config)]
    domains = [scenario.domain for scenario in scenarios.values()]
    sheets = {
        "main": main_sheet(rows, title, who, not_run, notes, best(records, rows, *settings)),
        "differences": differences_sheet(found, f"Paired differences, {title}", who),
        **further_sheets(played, config, domains, who),
        "judge": judge_sheet(judged, f"{config.name}: scores of the {sweep} rollouts, {judge} judge", judge),
    }
    return Results(rows, found, records, sheets)


def _interval_note(config: Config) -> str:
    scenarios = config.scenarios.held_out * len(config.scenarios.domains)
    return (
        f"95 % intervals: bootstrap clustered by scenario ({scenarios} held-out scenarios). "
        "Outcomes are over agreed episodes, utility over valid ones with failures as 0."
    )


def _missing_notes(ledger: Ledger, config: Config) -> list[str]:
    """For each stage that goes into the tables without some of its tasks: each of them, and why."""
    notes = []
    for name in ("rollout", "judge", "evaluate"):
        tasks = STAGES[name].tasks(config)
        gone = [k for k, task in enumerate(tasks) if not ledger.is_done(STAGES[name], task)]
        why: dict[str, list[int]] = {}
        for k in gone:
            why.setdefault(_reason(ledger.failure(STAGES[name], tasks[k])), []).append(k)
        told = "; ".join(f"{_named(tasks, which)}: {reason}" for reason, which in why.items())
        notes += [f"Missing from {name}: {len(gone)} of {len(tasks)} ({told})."] if gone else []
    return notes


def _reason(failure: Failure | None) -> str:
    """Why a task is missing, with the last line of its log."""
    if failure is None:
        return "not finished"
    last = next((line.strip() for line in reversed(failure.tail.splitlines()) if line.strip()), "")
    ends = f", its log ends with “{last[:200]}”" if last else ""
    return f"{failure.stage} given up after {failure.tries} tries: {' '.join(failure.reason.split())[:200]}{ends}"


def _named(tasks: Sequence[str], which: Sequence[int]) -> str:
    """The tasks of these positions, neighbours as `first to last`."""
    spans = [[k for _, k in some] for _, some in groupby(enumerate(which), key=lambda at: at[1] - at[0])]
    return ", ".join(tasks[s[0]] if len(s) == 1 else f"{tasks[s[0]]} to {tasks[s[-1]]}" for s in spans)


def _judge_note(rows: list[JudgeRow], config: Config) -> str:
    """Who made the training data, how many judge scores are missing from it, and how far the judge's repeats agree."""
    roles = f"{source_label(config)}, judge {model_label(config.models.judge)}"
    missing, turns = sum(row.missing for row in rows), sum(row.turns for row in rows)
    alphas = ", ".join(f"{row.domain} {words(row.agreement.alpha, 2)}" for row in rows)
    repeats = f"; α between {config.judge.repeats} repeats: {alphas}" if config.judge.repeats > 1 else ""
    return f"Training data: {roles}; {missing} of {turns} judge scores missing{repeats}."


def _verdicts(run: RunDir, ledger: Ledger, config: Config) -> list[Verdict]:
    stage = STAGES["judge"]
    done = [task for task in stage.tasks(config) if ledger.is_done(stage, task)]
    return read_records((run.shard("judge", task) for task in done), VERDICTS)


def _cells(run: RunDir, ledger: Ledger, config: Config, scenarios: dict[str, Scenario]) -> dict[str, EvalRecords]:
    """The episodes of each cell that has finished."""
    records = {}
    for name in cells(config):
        if ledger.is_done(STAGES["evaluate"], name):
            with open_table(run.path("evaluate", name, "shard-00000.h5")) as episodes:
                records[name] = eval_records(episodes, scenarios)
    return records
