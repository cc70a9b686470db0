"""An audit on a Slurm of little scripts: its own arrays, what waits for what, resume, plan and status."""

import json
import re

import pytest

from emodistill.cli import main
from emodistill.cluster.record import submissions
from emodistill.emotions import GOEMOTIONS
from emodistill.execute import run_tasks
from emodistill.runs import RunDir

from helpers import ROOT

SMOKE = str(ROOT / "yaml" / "smoke.yaml")
PROFILE = "cluster: slurm\ndefault: {mem_gb: 4}\nstages: {rollout: {parallel: 9}, audit: {bundle: 10, parallel: 2}}\n"


@pytest.fixture
def audit(cluster, tmp_path):
    """The arguments of the audit that is launched."""
    (tmp_path / "p.yaml").write_text(PROFILE)
    return [SMOKE, "--out", str(tmp_path / "audit"), "--profile", str(tmp_path / "p.yaml")]


def arrays(root) -> list[tuple[str, str, tuple[int, ...], str]]:
    return [(s.stage, s.job, tuple(map(len, s.bundles)), s.dependency) for s in submissions(RunDir(root))]


def test_its_emotions_are_an_array_and_its_tables_wait_for_all_of_them(cluster, audit, tmp_path, capsys):
    root = tmp_path / "audit"
    assert main(["audit", *audit]) == 0
    assert f"4 job(s) submitted in 2 array(s). See them with: emodistill status {root}" in capsys.readouterr().out
    assert arrays(root) == [("audit", "1", (10, 10, 8), ""), ("findings", "2", (1,), "afterok:1")]
    emotions = [task for bundle in submissions(RunDir(root))[0].bundles for task in bundle]
    assert emotions == list(GOEMOTIONS)
    assert main(["audit", *audit]) == 0 and "Nothing to submit" in capsys.readouterr().out
    cluster.queue.write_text("")  # all of it was cancelled, after one job had ended
    assert run_tasks(str(root), "audit", GOEMOTIONS[:10]).kind == "done"
    assert main(["resume", str(root)]) == 0
    assert arrays(root)[2:] == [("audit", "3", (10, 8), ""), ("findings", "4", (1,), "afterok:3")]
    capsys.readouterr()
    assert main(["status", str(root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["stages"]
    assert {name: (s["done"], s["planned"]) for name, s in told.items()} == {"audit": (10, 28), "findings": (0, 1)}
    assert run_tasks(str(root), "audit", GOEMOTIONS[10:]).kind == run_tasks(str(root), "findings", ["main"]).kind
    assert "**smoke: susceptibility" in (root / "tables" / "audit.md").read_text()


def test_the_plan_shows_what_it_submits_to_the_letter(cluster, audit, tmp_path, capsys):
    assert main(["plan", "--audit", *audit]) == 0
    shown, *scripts = capsys.readouterr().out.partition("# resolved configuration")[0].split("\n# sbatch, ")
    assert re.search(r"^audit +\w{16} +28 +3 \(2 at once\)", shown, re.MULTILINE) and "rollout" not in shown
    assert re.search(r"^audit +teacher +simulator +504 ", shown, re.MULTILINE)  # 28 emotions, 3 scenarios, 2 seeds
    assert "DeepSpeed" not in shown and not (tmp_path / "audit").exists()
    assert main(["audit", *audit]) == 0
    for submission, text in zip(submissions(RunDir(tmp_path / "audit")), scripts, strict=True):
        folder = tmp_path / "audit" / submission.folder
        expected = text.partition("\n")[2].strip().replace("JOB0", "1").replace("/T/", f"/{folder.parent.name}/")
        assert (folder / "job.sh").read_text().strip() == expected


def test_jobs_have_no_findings_to_print_yet(audit, capsys):
    assert main(["audit", *audit, "--json"]) == 2
    assert "give the command again with --json and without --profile" in capsys.readouterr().err
