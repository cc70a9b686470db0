"""The real command on disks that are full, read-only, slow or broken: what is wrong is said, and nothing is lost."""

import errno
import os
import shutil
import subprocess
import sys
import time

import pytest

from emodistill.shards import content_hash

from helpers import ROOT, emodistill, small_disk
from scripted_run import scripted_run

pytestmark = pytest.mark.slow
BIG = ("--until", "dataset", "--set", "sweep.rollouts=100", "--set", "sweep.shard_episodes=300")


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if shutil.which("gcc") is None:
        pytest.skip("faults are made by a library that gcc compiles")
    made = tmp_path_factory.mktemp("fault") / "fault.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", made, ROOT / "tests/end_to_end/fault.c", "-ldl"], check=True)
    return made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, *BIG)
    return content(out)


def content(run):
    return {str(path.relative_to(run)): content_hash([path]) for path in sorted(run.glob("*/*.h5"))}


def under(shim, call, number, part, *arguments, code=1):
    """The command's paragraph when that call fails on such paths."""
    fault = {"LD_PRELOAD": str(shim), "FAULT": f"{call} {int(number)} {part}"}
    done = emodistill(*arguments, check=False, env={**os.environ, **fault})
    assert done.returncode == code and "Traceback" not in done.stderr, done.stderr
    return done.stderr


def test_each_stage_says_what_its_disk_refused_and_the_next_run_goes_on(shim, undisturbed, tmp_path):
    out = tmp_path / "run"
    command = ("run", "yaml/smoke.yaml", "--out", out, *BIG)
    for call, number, stage, said in (
        ("write", errno.EDQUOT, "rollout", "Disk quota exceeded"),
        ("fsync", errno.EIO, "judge", "Input/output error"),
        ("rename", errno.ENOSPC, "dataset", "No space left on device"),
    ):
        message = under(shim, call, number, f"run/{stage}/", *command)
        assert said in message and f"{stage}: " in message and "give the same command again" in message
        assert not [path for path in (out / stage).rglob("*") if path.suffix in (".done", ".tmp")]
        assert "whole" in emodistill("verify", out).stdout
    under(shim, "fsync", 0, "/", *command, code=0)  # and every sync is late
    assert content(out) == undisturbed and "whole" in emodistill("verify", out).stdout


def test_tables_that_cannot_be_written_are_made_by_the_next_run(shim, tmp_path):
    run = scripted_run(tmp_path / "run")
    command = ("run", "yaml/smoke.yaml", "--out", run.root)
    assert "No space left on device" in under(shim, "write", errno.ENOSPC, "run/tables/", *command)
    assert not list(run.path("tables").glob("*.csv")) and run.marker("tables", "main") is None
    assert "| vanilla-slm |" in emodistill(*command).stdout


def test_a_disk_that_fills_while_the_command_runs(undisturbed, tmp_path):
    with small_disk(tmp_path, "2g") as remount:
        out = tmp_path / "run"
        command = [sys.executable, "-m", "emodistill", "run", "yaml/smoke.yaml", "--out", str(out), *BIG]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        while not list(out.glob("rollout/*.part-*.h5")):
            assert process.poll() is None
            time.sleep(0.01)
        used = os.statvfs(tmp_path)
        remount(f"size={(used.f_blocks - used.f_bfree) * used.f_frsize + 4096}")
        _, said = process.communicate()
        assert process.returncode == 1 and "No space left on device" in said and "Traceback" not in said
        refused = emodistill("run", "yaml/smoke.yaml", "--out", out, *BIG, check=False)
        assert refused.returncode == 2 and "Only 0.00 GB are free" in refused.stderr
        remount("size=2g,ro")
        refused = emodistill("run", "yaml/smoke.yaml", "--out", out, *BIG, check=False)
        assert refused.returncode == 2 and "(Read-only file system). Choose another with --out" in refused.stderr
        remount("rw")
        emodistill("run", "yaml/smoke.yaml", "--out", out, *BIG)
        assert content(out) == undisturbed and "whole" in emodistill("verify", out).stdout
