"""The tables stage: every finished evaluation cell to `tables/` and `figures/`; what did not run is said."""

from emodistill import files
from emodistill.config import Config, Scripted
from emodistill.evaluate.metrics import EvalRecord, eval_records
from emodistill.ledger import Ledger
from emodistill.records import Scenario
from emodistill.report.figures import utility_figure
from emodistill.report.tables import differences, differences_csv, main_csv, main_markdown, main_rows
from emodistill.runs import RunDir
from emodistill.shards import open_table
from emodistill.stages import STAGES
from emodistill.tasks import Result, TaskContext


def build_report(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Write the main table, the paired differences and the main figure."""
    return report(run, config)


def report(run: RunDir, config: Config) -> Result:
    """The same from whatever cells are there."""
    records, not_run = _cells(run, config, run.scenarios())
    rows = main_rows(records, config.report.resamples, config.seed)
    found = differences(records, config.report.resamples, config.seed)
    who = counterparty_label(config)
    title = f"{config.name}: {', '.join(config.scenarios.domains)}, held-out scenarios, {who}"
    notes = [_interval_note(config), _judge_note(run, config)]
    tables = {
        "main.csv": main_csv(rows, who),
        "main.md": main_markdown(rows, found, title, not_run, notes),
        "differences.csv": differences_csv(found, who),
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


def _judge_note(run: RunDir, config: Config) -> str:
    """Who made the training data, and how many judge scores are missing from it."""
    markers = [marker for task in STAGES["judge"].tasks(config) if (marker := run.marker("judge", task)) is not None]
    missing = sum(marker.usage.get("missing_scores", 0.0) for marker in markers)
    dataset = run.marker("dataset", "pairs")
    roles = ", ".join(
        f"{role} {'simulated' if isinstance(spec, Scripted) else spec.model}"
        for role, spec in (("teacher", config.models.teacher), ("judge", config.models.judge))
    )
    return f"Training data: {roles}; {missing:.0f} of {dataset.rows if dataset else 0} judge scores missing."


def counterparty_label(config: Config) -> str:
    """Who the other side was; the simulator is always named as such."""
    spec = config.models.counterparty
    return "simulated counterparty" if isinstance(spec, Scripted) else f"counterparty {spec.model}"


def _cells(
    run: RunDir, config: Config, scenarios: dict[str, Scenario]
) -> tuple[dict[str, list[EvalRecord]], list[str]]:
    records, not_run, ledger = {}, [], Ledger(run, config)
    for variant in config.evaluate.variants:
        if ledger.is_done(STAGES["evaluate"], variant):
            with open_table(run.path("evaluate", variant, "shard-00000.h5")) as episodes:
                records[variant] = eval_records(episodes, scenarios)
        else:
            not_run.append(variant)
    return records, not_run
