"""What a run's HTML report holds, gathered from the run directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from emodistill.config import Config
from emodistill.domains import DOMAINS
from emodistill.evaluate.cells import cells
from emodistill.evaluate.metrics import EvalRecords
from emodistill.ledger import Ledger
from emodistill.records import Episode, Verdict
from emodistill.report import provenance
from emodistill.report.dialogues import Source, gather
from emodistill.report.draw import Figure
from emodistill.report.headline import caveats, findings, paper_sheet, simulated
from emodistill.report.html import Drawing, Page
from emodistill.report.names import counterparty_label
from emodistill.report.sheet import Sheet
from emodistill.report.tables import Found, Row
from emodistill.runs import RunDir
from emodistill.shards import EPISODES, VERDICTS, read_records
from emodistill.stages import STAGES

TRAINING = "training rollouts"


@dataclass(frozen=True, slots=True)
class Results:
    """The tables of a run: the main one's rows, the paired differences, the main variants' episodes, every sheet."""

    rows: Sequence[Row]
    differences: Found
    records: Mapping[str, EvalRecords]
    sheets: Mapping[str, Sheet]


def page_of(run: RunDir, config: Config, ledger: Ledger, results: Results, drawn: Sequence[Figure]) -> Page:
    """The page of whatever there is of a run."""
    scenarios = run.scenarios()
    domains = [scenario.domain for scenario in scenarios.values()]
    used = dict.fromkeys(domains)
    slurm = provenance.slurm_cost_sheet(run)
    return Page(
        title=f"{config.name}: {', '.join(used)}, {counterparty_label(config)}",
        simulated=simulated(config),
        findings=tuple(findings(results.rows, results.differences)),
        caveats=tuple(caveats(config, results.rows)),
        paper=paper_sheet(results.records, domains, config),
        tables=tuple(results.sheets.items()),
        figures=tuple(Drawing(f.name, f.paths[0].read_text(encoding="utf-8"), f.caption) for f in drawn),
        costs=(provenance.stages_sheet(config, ledger), *([slurm] if slurm else [])),
        facts=tuple(provenance.facts(run, config)),
        provenance=(provenance.cell_prints_sheet(config, ledger), provenance.packages_sheet()),
        config=provenance.config_yaml(config),
        scenarios=tuple(scenarios.values()),
        roles={key: (DOMAINS[key].focal_role, DOMAINS[key].counterparty_role) for key in used},
        dialogues=tuple(gather(sources(run, config, ledger), scenarios, config.negotiation.max_messages)),
        max_messages=config.negotiation.max_messages,
    )


def sources(run: RunDir, config: Config, ledger: Ledger) -> list[Source]:
    """The finished evaluation cells, then the finished shards of the sweep with their judge's scores."""
    found = []
    for name in cells(config):
        if ledger.is_done(STAGES["evaluate"], name):
            found.append(Source(name, partial(_evaluated, run, name)))
    for shard in STAGES["rollout"].tasks(config):
        if ledger.is_done(STAGES["rollout"], shard):
            judged = ledger.is_done(STAGES["judge"], shard)
            found.append(Source(TRAINING, partial(_trained_on, run, shard, judged)))
    return found


def _evaluated(run: RunDir, cell: str) -> tuple[list[Episode], Mapping[str, Verdict]]:
    return _episodes(run, f"evaluate/{cell}", "shard-00000"), {}


def _trained_on(run: RunDir, shard: str, judged: bool) -> tuple[list[Episode], Mapping[str, Verdict]]:
    verdicts = read_records([run.shard("judge", shard)], VERDICTS) if judged else []
    return _episodes(run, "rollout", shard), {verdict.episode_id: verdict for verdict in verdicts}


def _episodes(run: RunDir, stage: str, task: str) -> list[Episode]:
    return read_records([run.shard(stage, task)], EPISODES)
