"""The tables stage: every finished evaluation cell to `tables/` and `figures/`; what did not run is said."""

from emodistill import files
from emodistill.config import Config, Scripted, Spec
from emodistill.evaluate.metrics import EvalRecord, eval_records
from emodistill.ledger import Ledger
from emodistill.records import Scenario, Verdict
from emodistill.report.figures import utility_figure
from emodistill.report.judging import JudgeRow, judge_csv, judge_markdown, judge_rows, shown
from emodistill.report.tables import differences, differences_csv, main_csv, main_markdown, main_rows
from emodistill.runs import RunDir
from emodistill.shards import VERDICTS, open_table, read_records
from emodistill.stages import STAGES
from emodistill.tasks import Result, TaskContext


def build_report(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Write the main table, the paired differences, the judge's table and the main figure."""
    return report(run, config)


def report(run: RunDir, config: Config) -> Result:
    """The same from whatever cells and verdicts are there."""
    scenarios = run.scenarios()
    ledger = Ledger(run, config)
    records, not_run = _cells(run, ledger, config, scenarios)
    judged = judge_rows(_verdicts(run, ledger, config), scenarios, config.judge.repeats)
    rows = main_rows(records, config.report.resamples, config.seed)
    found = differences(records, config.report.resamples, config.seed)
    who = counterparty_label(config)
    title = f"{config.name}: {', '.join(config.scenarios.domains)}, held-out scenarios, {who}"
    notes = [_interval_note(config), _judge_note(judged, config), *_missing_notes(run, ledger, config)]
    judge = model_label(config.models.judge)
    tables = {
        "main.csv": main_csv(rows, who),
        "main.md": main_markdown(rows, found, title, not_run, notes),
        "differences.csv": differences_csv(found, who),
        "judge.csv": judge_csv(judged, judge),
        "judge.md": judge_markdown(judged, f"{config.name}: scores of the training rollouts, {judge} judge"),
    }
    written = []
    for name, text in tables.items():
        written.append(run.path("tables", name))
        files.write_text(written[-1], text)
    figures = [run.path("figures", f"utility.{kind}") for kind in ("svg", "png")]
    if rows:
        counts = sorted({row.n for row in rows})
        note = f"n = {' to '.join(map(str, counts[:: max(1, len(counts) - 1)]))} episodes a variant"
        utility_figure(rows, title, note, figures)
        written += figures
    return Result(rows=len(rows), files=written)


def _interval_note(config: Config) -> str:
    scenarios = config.scenarios.held_out * len(config.scenarios.domains)
    return (
        f"95 % intervals: bootstrap clustered by scenario ({scenarios} held-out scenarios). "
        "Outcomes are over agreed episodes, utility over valid ones with failures as 0."
    )


def _missing_notes(run: RunDir, ledger: Ledger, config: Config) -> list[str]:
    """One line for each stage that goes into the tables without some of its tasks, with the first reason."""
    notes = []
    for name in ("rollout", "judge", "evaluate"):
        tasks = STAGES[name].tasks(config)
        gone = [task for task in tasks if not ledger.is_done(STAGES[name], task)]
        if gone:
            named = f"{', '.join(gone[:8])}{' and more' if len(gone) > 8 else ''}"
            reasons = [failure.reason for task in gone if (failure := run.failure(name, task)) is not None]
            because = f"; given up: {' '.join(reasons[0].split())[:200]}" if reasons else ""
            notes.append(f"Missing from {name}: {len(gone)} of {len(tasks)} ({named}){because}.")
    return notes


def _judge_note(rows: list[JudgeRow], config: Config) -> str:
    """Who made the training data, how many judge scores are missing from it, and how far the judge's repeats agree."""
    roles = f"teacher {model_label(config.models.teacher)}, judge {model_label(config.models.judge)}"
    missing, turns = sum(row.missing for row in rows), sum(row.turns for row in rows)
    alphas = ", ".join(f"{row.domain} {shown(row.agreement.alpha)}" for row in rows)
    repeats = f"; α between {config.judge.repeats} repeats: {alphas}" if config.judge.repeats > 1 else ""
    return f"Training data: {roles}; {missing} of {turns} judge scores missing{repeats}."


def model_label(spec: Spec) -> str:
    """The model's name; the simulator is always named as such."""
    return "simulated" if isinstance(spec, Scripted) else spec.model


def _verdicts(run: RunDir, ledger: Ledger, config: Config) -> list[Verdict]:
    stage = STAGES["judge"]
    done = [task for task in stage.tasks(config) if ledger.is_done(stage, task)]
    return read_records((run.shard("judge", task) for task in done), VERDICTS)


def counterparty_label(config: Config) -> str:
    """Who the other side was; the simulator is always named as such."""
    spec = config.models.counterparty
    return "simulated counterparty" if isinstance(spec, Scripted) else f"counterparty {spec.model}"


def _cells(
    run: RunDir, ledger: Ledger, config: Config, scenarios: dict[str, Scenario]
) -> tuple[dict[str, list[EvalRecord]], list[str]]:
    records, not_run = {}, []
    for variant in config.evaluate.variants:
        if ledger.is_done(STAGES["evaluate"], variant):
            with open_table(run.path("evaluate", variant, "shard-00000.h5")) as episodes:
                records[variant] = eval_records(episodes, scenarios)
        else:
            not_run.append(variant)
    return records, not_run
