"""What an audit writes once every emotion has been played: table, figure and model card."""

from pathlib import Path

from emodistill import files
from emodistill.audit.card import model_card
from emodistill.audit.figure import shift_figure
from emodistill.audit.findings import Findings, findings
from emodistill.audit.tables import audit_csv, audit_markdown
from emodistill.config import Config
from emodistill.runs import RunDir
from emodistill.tasks import Result, TaskContext


def write_findings(run: RunDir, config: Config, context: TaskContext) -> Result:
    """The audit's last task."""
    found = findings(run, config)
    return Result(len(found.rows), write(run, found))


def write(run: RunDir, found: Findings) -> list[Path]:
    """Table, figure and model card of the findings; where each is."""
    texts = {
        run.path("tables", "audit.csv"): audit_csv(found),
        run.path("tables", "audit.md"): audit_markdown(found),
        run.path("audit.md"): model_card(found),
    }
    for path, text in texts.items():
        files.write_text(path, text)
    figures = [run.path("figures", f"audit.{kind}") for kind in ("svg", "png")]
    shift_figure(found, figures)
    return [*texts, *figures]
