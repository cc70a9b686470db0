"""An audit on a real Slurm is the audit of this machine."""

import time

import pytest

from emodistill.audit.work import shard_of
from emodistill.cluster.record import submissions
from emodistill.emotions import GOEMOTIONS
from emodistill.runs import RunDir
from emodistill.shards import content_hash
from emodistill.verify import verify

from helpers import emodistill

pytestmark = [pytest.mark.slow]
AUDIT = ("audit", "yaml/smoke.yaml", "--set", "report.resamples=300")


def test_a_launched_audit_is_that_of_this_machine(slurm, tmp_path):
    here, there = RunDir(tmp_path / "here"), RunDir(tmp_path / "there")
    alone = emodistill(*AUDIT, "--out", here.root)
    emodistill(*AUDIT, "--out", there.root, "--profile", "one-machine")
    deadline = time.monotonic() + 240
    while there.marker("findings", "main") is None:
        assert time.monotonic() < deadline, emodistill("status", there.root).stdout
        time.sleep(1)
    assert [(s.stage, len(s.bundles)) for s in submissions(there)] == [("audit", 1), ("findings", 1)]
    emotions = [[shard_of(run, emotion) for emotion in GOEMOTIONS] for run in (here, there)]
    assert content_hash(emotions[0]) == content_hash(emotions[1]) and verify(there) == []
    assert emodistill(*AUDIT, "--out", there.root).stdout == alone.stdout
