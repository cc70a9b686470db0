"""Launches that are cut off, repeated, or made with other code: on a Slurm of little scripts."""

import time

import pytest

from emodistill.cluster import launch as module
from emodistill.cluster.launch import launch
from emodistill.cluster.plan import render
from emodistill.cluster.profiles import Profile
from emodistill.cluster.record import launches, submissions
from emodistill.configfile import load_config
from emodistill.errors import BadInput, RunFailed
from emodistill.runs import RunDir
from emodistill.stages import STAGES

from helpers import ROOT, small_disk

CONFIG = load_config(ROOT / "yaml" / "smoke.yaml", ())
PROFILE = Profile(cluster="slurm")


def go(root, until="judge", allow=False):
    return launch(CONFIG, root, PROFILE, False, until, allow, lambda line: None)


def test_what_is_in_the_queue_is_not_submitted_again_by_whatever_path(cluster, tmp_path):
    assert [made.stage for made in go(tmp_path / "run")] == ["rollout", "judge"]
    (tmp_path / "link").symlink_to(tmp_path / "run")
    assert go(tmp_path / "link") == [] and len(cluster.called("sbatch")) == 2


def test_an_array_that_slurm_took_as_the_launch_was_killed_is_not_there_twice(cluster, tmp_path, monkeypatch):
    taken = module.submit_array

    def killed(asked, array, *rest):
        job = taken(asked, array, *rest)
        if array.stage == "judge":
            raise KeyboardInterrupt
        return job

    monkeypatch.setattr(module, "submit_array", killed)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path)
    monkeypatch.setattr(module, "submit_array", taken)
    [judge] = go(tmp_path)
    assert cluster.called("scancel") == ["scancel 2_0 2_1"]
    assert (judge.stage, judge.job, judge.dependency) == ("judge", "3", "aftercorr:1")
    assert cluster.queue.read_text().count("PENDING") == 2


def test_a_quota_that_is_full_when_slurm_has_taken_an_array_costs_no_second_one(cluster, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder, "2m"):
        cluster.script("sbatch", f"{cluster.takes}\ncat /dev/zero > {folder}/filler 2> /dev/null\nexit 0")
        with pytest.raises(OSError, match="No space left on device"):
            go(folder / "run")
        assert submissions(RunDir(folder / "run")) == [] and cluster.queue.read_text().startswith("1|0-1|PENDING|")
        (folder / "filler").unlink()
        cluster.script("sbatch", cluster.takes)
        assert [made.job for made in go(folder / "run")] == ["2", "3"]
        assert cluster.called("scancel") == ["scancel 1_0 1_1"]
        assert cluster.queue.read_text().count("PENDING") == 2


def test_a_part_that_is_launched_again_is_waited_for_by_what_is_queued_behind_it(cluster, tmp_path):
    """Else the dataset would begin when the former verdicts have ended, and give up those that are still to come."""
    go(tmp_path, until="dataset")
    cluster.queue.write_text(cluster.queue.read_text().splitlines(keepends=True)[2])  # rollout and judge have failed
    rollout, judge, dataset = go(tmp_path)
    assert (dataset.stage, dataset.dependency) == ("dataset", f"afterany:{rollout.job},afterany:{judge.job}")
    assert cluster.called("scancel") == ["scancel 3"]


def test_what_is_still_ending_is_waited_for(cluster, tmp_path):
    """It is on its way out of the queue or back into it: a job that depends on it could be killed with it."""
    go(tmp_path)
    waiting = cluster.queue.read_text()
    cluster.queue.write_text(waiting.replace("PENDING", "COMPLETING"))
    with pytest.raises(RunFailed, match=r"still ending: 1_0, 1_1, 2_0, 2_1\. Nothing was submitted"):
        go(tmp_path)
    cluster.queue.write_text("")
    assert [made.dependency for made in go(tmp_path)] == ["", "aftercorr:3"]


def test_held_jobs_are_named_with_what_releases_them(cluster, tmp_path):
    go(tmp_path)
    cluster.queue.write_text(cluster.queue.read_text().replace("1|0-1|PENDING", "1|0-1|PENDING JobHeldUser"))
    said = []
    assert launch(CONFIG, tmp_path, PROFILE, False, "judge", False, said.append) == []
    assert said == ["2 job(s) are held, and wait for: scontrol release 1_0,1_1"]


def test_two_versions_of_the_code_make_no_run(cluster, tmp_path, finish, monkeypatch):
    go(tmp_path)
    cluster.queue.write_text("")
    monkeypatch.setattr(module, "code_digest", lambda: "edited")
    assert len(go(tmp_path)) == 2  # nothing had begun
    cluster.queue.write_text("")
    finish(RunDir(tmp_path), "rollout", "shard-00000")
    assert len(go(tmp_path)) == 3  # the other rollout, and two verdicts that wait for different things
    cluster.queue.write_text("")
    monkeypatch.setattr(module, "code_digest", lambda: "edited again")
    with pytest.raises(BadInput, match=r"code has changed since the last launch.*edited → edited again"):
        go(tmp_path)
    assert len(go(tmp_path, allow=True)) == 3


def test_records_are_in_order_though_a_clock_was_ahead(cluster, tmp_path):
    ahead = tmp_path / "submissions" / "20990101-000000"
    ahead.mkdir(parents=True)
    for _ in range(11):
        go(tmp_path)
        cluster.queue.write_text("")
    order = [launch.submissions[0].job for launch in launches(RunDir(tmp_path))]
    assert len(order) == 11 and order == sorted(order, key=int)


def test_a_path_that_slurm_would_read_as_a_pattern_is_refused(cluster, tmp_path):
    with pytest.raises(BadInput, match="as a pattern"):
        go(tmp_path / "50%")
    assert not cluster.called("sbatch")


def test_the_plan_shows_what_a_launch_submits_to_the_letter(cluster, tmp_path):
    cluster.says.says("scontrol", "MaxArraySize = 4")
    config, root = load_config(ROOT / "yaml" / "smoke.yaml", ("sweep.shard_episodes=8",)), tmp_path / "run"
    profile = Profile(cluster="slurm", default={"mem_gb": 4}, stages={"rollout": {"parallel": 6}})
    shown = render(config, profile, root).partition("# resolved configuration")[0].split("\n# sbatch, ")
    assert "cut to MaxArraySize 4 (as scontrol says)" in shown[0]
    made = launch(config, root, profile, False, None, False, lambda line: None)
    assert len(shown) - 1 == len(made) > len(STAGES)
    for submission, text in zip(made, shown[1:], strict=True):
        expected = text.partition("\n")[2].strip()
        for number, other in reversed(list(enumerate(made))):
            expected = expected.replace(f"JOB{number}", other.job)
        folder = root / submission.folder
        assert (folder / "job.sh").read_text().strip() == expected.replace(
            "submissions/T/", f"submissions/{folder.parent.name}/"
        )


def test_ten_thousand_shards_are_submitted_within_a_minute(cluster, tmp_path):
    settings = ("scenarios.train=1000", "sweep.rollouts=100", "sweep.shard_episodes=10")
    config, started = load_config(ROOT / "yaml" / "smoke.yaml", settings), time.monotonic()
    made = launch(config, tmp_path / "run", PROFILE, False, "dataset", False, lambda line: None)
    assert time.monotonic() - started < 60
    assert [(one.stage, len(one.bundles)) for one in made] == [
        *[("rollout", 1001)] * 9, ("rollout", 991), *[("judge", 1001)] * 9, ("judge", 991), ("dataset", 1),
    ]  # fmt: skip
    assert len(cluster.called("sbatch")) == 21 and len(cluster.called("squeue")) <= 1
