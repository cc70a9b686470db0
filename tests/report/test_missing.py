"""What the tables say of tasks that are missing from them."""

import dataclasses

from emodistill.ledger import Ledger
from emodistill.report.build import _missing_notes, report
from emodistill.runs import Failure
from emodistill.stages import STAGES, Fingerprints

from helpers import begun


def test_each_missing_task_is_named_with_its_reason_and_the_end_of_its_log(tmp_path):
    run = begun(tmp_path / "run", "sweep.shard_episodes=8", "evaluate.variants=[vanilla-slm]")  # six shards
    config = run.config()
    mine = Fingerprints(config)(STAGES["rollout"], "shard-00000")
    run.path("rollout").mkdir()
    for k in (1, 2, 4):
        failure = Failure("rollout", f"shard-{k:05d}", mine, "", 5, "killed\nwithout a word", "noise\nsrun: Killed\n")
        run.give_up(failure if k < 4 else dataclasses.replace(failure, fingerprint="another configuration's"))
    rollout, judge, evaluate = _missing_notes(Ledger(run, config), config)
    why = "rollout given up after 5 tries: killed without a word, its log ends with “srun: Killed”"
    assert rollout == (
        "Missing from rollout: 6 of 6 (shard-00000, shard-00003 to shard-00005: not finished; "
        f"shard-00001 to shard-00002: {why})."
    )
    assert judge == rollout.replace("Missing from rollout", "Missing from judge")
    assert evaluate == "Missing from evaluate: 1 of 1 (vanilla-slm: not finished)."


def test_what_did_not_run_is_said_in_every_format_and_is_no_number(tmp_path):
    run = begun(tmp_path / "run", "evaluate.variants=[vanilla-slm]")
    files = {path.name: path.read_text() for path in report(run, run.config()).files}
    assert set(files) == {
        "main.csv", "main.md", "main.tex", "differences.csv", "differences.tex", "judge.csv", "judge.md", "judge.tex",
        "report.html",
    }  # fmt: skip
    assert files["main.md"].splitlines()[4] == "| vanilla-slm |" + " not run |" * 6
    assert files["main.csv"].splitlines()[1].startswith("vanilla-slm" + ",not run" * 14 + ",simulated")
    assert "vanilla-slm" + " & not run" * 6 in files["main.tex"]
