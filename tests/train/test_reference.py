"""log π_ref is worked out once, in pieces, by any ranks."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from emodistill.errors import RunFailed, Stopped
from emodistill.train import reference
from emodistill.train.reference import reference_log_probs
from emodistill.train.sequences import Response, Sequence, micro_batches

SEQUENCES = [Sequence(f"s{k}", tuple(range(5 + k)), (Response(2, 5 + k, 1.0),)) for k in range(6)]
BATCHES = [micro_batches([s], 99, 0)[0] for s in SEQUENCES] * 2  # two epochs


class Fake:
    """An engine whose log π of a token is minus its number; ranks are threads."""

    def __init__(self, rank=0, world=1, until=99, meet=lambda: None):
        self.rank, self.world, self.calls, self._until, self.meet = rank, world, 0, until, meet
        self.device = torch.device("cpu")

    def __call__(self, ids, row, column):
        self.calls += 1
        return -ids[row, column].float()

    def check(self, stop, save):
        if self.calls >= self._until:
            save()
            raise Stopped("asked to")


def check_all(found):
    assert set(found) == {s.key for s in SEQUENCES}
    for sequence in SEQUENCES:
        assert found[sequence.key].tolist() == [-float(t) for t in sequence.ids[2:]]


def test_each_sequence_is_passed_once_whatever_the_epochs(tmp_path):
    engine = Fake()
    check_all(reference_log_probs(engine, BATCHES, tmp_path, lambda: False))
    assert engine.calls == 6
    again = Fake()
    check_all(reference_log_probs(again, BATCHES, tmp_path, lambda: False))
    assert again.calls == 0


def test_a_stopped_pass_goes_on_where_it_was_with_other_ranks(tmp_path):
    with pytest.raises(Stopped):
        reference_log_probs(Fake(until=2), BATCHES, tmp_path, lambda: True)
    barrier = threading.Barrier(3)
    engines = [Fake(rank, 3, meet=barrier.wait) for rank in range(3)]
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda engine: reference_log_probs(engine, BATCHES, tmp_path, lambda: False), engines):
            check_all(found)
    assert [engine.calls for engine in engines] == [2, 2, 2]  # four sequences, and two copies that count for nothing


def test_pieces_that_another_node_shows_late_are_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "_LOOK_S", 0.01)
    here, hidden = tmp_path / "here", tmp_path / "hidden"
    here.mkdir()
    with monkeypatch.context() as alone, pytest.raises(RunFailed, match="not to be seen here within 0 s"):
        alone.setattr(reference, "_LATE_S", 0.0)
        reference_log_probs(Fake(1, 2), BATCHES, here, lambda: False)  # its own share is written, the other's never
    here.rename(hidden)
    here.mkdir()

    meetings = iter("ab")  # before the work, and after it

    def meet():
        for piece in hidden.glob("*.h5") if next(meetings) == "b" else ():
            threading.Timer(0.1, piece.rename, [here / piece.name]).start()

    check_all(reference_log_probs(Fake(0, 2, meet=meet), BATCHES, here, lambda: False))
