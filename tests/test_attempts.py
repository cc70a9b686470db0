"""What tells a poison task from bad luck."""

from hypothesis import given
from hypothesis import strategies as st

from emodistill.attempts import Attempts, begin
from emodistill.runs import RunDir


@given(st.lists(st.floats(0, 100)))
def test_beginnings_are_counted_while_nothing_new_is_done(progress):
    now, best, count = Attempts("7"), 0.0, 0
    for restarts, done in enumerate(progress):
        now = now.begun("7", done, restarts)
        best, count = (done, 1) if done > best else (best, count + 1)
        assert (now.tries, now.progress) == (count, best)
    assert now.begun("8", 0.0, 3).tries == 1


def test_a_full_quota_cannot_hide_how_often_a_task_was_begun(tmp_path, monkeypatch):
    run = RunDir(tmp_path)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
    assert begin(run, "iql", "selector", "7").tries == 1
    full = OSError(28, "No space left on device")
    monkeypatch.setattr("emodistill.files.write_json", lambda path, data: (_ for _ in ()).throw(full))
    monkeypatch.setenv("SLURM_RESTART_COUNT", "4")
    assert begin(run, "iql", "selector", "7").tries == 3
    assert begin(run, "iql", "never written", "7").tries == 5
