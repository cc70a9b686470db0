import os
import signal
import subprocess
import sys
import time

import pytest

from emodistill.cluster.logs import Wanted, jobs, show
from emodistill.errors import BadInput
from emodistill.tails import last_words, news, tail

from helpers import ROOT, emodistill

TWO = (("shard-00000",), ("shard-00001",))
BOTH = (("rollout", "12", TWO), ("judge", "13", TWO), ("dataset", "14", (("pairs",),)))


def write(run, stage: str, stem: str, text: str, age: float = 0.0, kind: str = "err"):
    (folder,) = run.path("submissions").glob(f"*/*-{stage}")
    path = folder / f"{stem}_0_log.{kind}"
    path.write_text(text)
    os.utime(path, (time.time() - age,) * 2)
    return path


def shown(run, lines: int = 20, **wanted) -> str:
    said = []
    show(run, jobs(run, Wanted(**wanted)), lines, said.append)
    return "\n".join(said)


@pytest.fixture
def run(launched):
    made = launched(*BOTH)
    write(made, "rollout", "12_0", "old\n", age=100)
    write(made, "rollout", "12_1", "a\nb\nnewest\n")
    write(made, "rollout", "12_1", "an output\n", kind="out")
    write(made, "judge", "13_0", "judged\n")
    return made


def test_the_latest_job_of_each_stage(run):
    said = shown(run, lines=2)
    assert "b\nnewest\n" in said and "an output" in said and "judged" in said
    assert "old" not in said and "a\nb" not in said and "12_1_0_log.err" in said


def test_one_stage_one_task(run):
    assert "judged" not in shown(run, stage="rollout")
    assert "old" in shown(run, task="shard-00000") and "judged" in shown(run, task="shard-00000")
    assert "old" in shown(run, task="shard-00000", stage="rollout")
    assert "are not there yet" in shown(run, task="pairs")
    for wanted, words in (({"stage": "rolout"}, "no such stage"), ({"task": "shard-9"}, "has no task 'shard-9'")):
        with pytest.raises(BadInput, match=words):
            shown(run, **wanted)


def test_only_what_failed(run, slurm_says):
    job = "12_{}|hpc|smoke.rollout|{}|2026-03-01T10:00:00|5|1|cpu=4|4G|60||||"
    slurm_says.says("sacct", job.format(0, "FAILED"), job.format(1, "COMPLETED"))
    said = shown(run, failed=True)
    assert "old" in said and "newest" not in said and "judged" not in said
    assert len(slurm_says.calls()) == 1
    assert shown(run, failed=True, task="shard-00001") == ""


def test_local_runs_too(tmp_path):
    out = tmp_path / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, "--until", "judge")
    done = emodistill("logs", out, "--lines", 1).stdout
    assert "==> rollout: submissions/" in done and "==> judge: submissions/" in done
    assert done.count("Exiting after successful completion") == 2
    one, other = (emodistill("logs", out, "--stage", "rollout", "--shard", k).stdout for k in (0, 1))
    assert "Exiting" in one and "Exiting" in other and one != other
    assert "No job of that kind failed" in emodistill("logs", out, "--failed").stdout


def test_a_local_job_that_failed(tmp_path):
    out = tmp_path / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, "--until", "rollout")
    (out / "rollout" / "shard-00000.h5").write_bytes(b"damaged")
    assert emodistill("run", "yaml/smoke.yaml", "--out", out, "--until", "judge", check=False).returncode
    failed = emodistill("logs", out, "--failed").stdout.split("==> ")[1:]
    assert failed and all(one.startswith("judge: ") for one in failed)


def test_following_shows_what_is_added_and_new_files_until_ctrl_c(run):
    command = [sys.executable, "-m", "emodistill", "logs", str(run.root), "-f"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        seen = []
        for line in process.stdout:
            seen.append(line.strip())
            if line == "judged\n":
                with write(run, "judge", "13_0", "judged\n").open("a") as file:
                    file.write("added\nhalf a line")
            elif line == "added\n":
                write(run, "dataset", "14", "begun\n")
            elif line == "begun\n":
                process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0 and process.stderr.read() == ""
    assert seen.count("judged") == seen.count("added") == seen.count("begun") == 1
    assert "half a line" not in seen
    assert seen[seen.index("added") - 1].startswith("==> judge")


def test_the_end_of_a_file(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"%d\n" % k for k in range(100_000)))
    assert tail(path, 2) == ["99998", "99999"] and tail(path, 10**6)[-1] == "99999"
    path.write_bytes(b"one\r\n10%\r20%\r100%\nlast \xff")
    assert tail(path, 9) == ["one", "100%", "last �"]
    path.write_bytes(b"")
    assert tail(path, 9) == []


def test_news_are_whole_lines(tmp_path):
    path = tmp_path / "log"
    path.write_text("one\ntw")
    assert news(path, 0) == (["one"], 4)
    path.write_text("one\ntwo\n")
    assert news(path, 4) == (["two"], 8) and news(path, 8) == ([], 8)
    path.write_text("new\n")
    assert news(path, 8) == (["new"], 4)


def test_the_last_words_are_the_commands_own(tmp_path):
    path = tmp_path / "log"
    assert last_words(path) == ""
    path.write_text("emodistill: first\nemodistill: last\nsrun: error\n")
    assert last_words(path) == "last"
