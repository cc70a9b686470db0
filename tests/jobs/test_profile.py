"""Where a stage's time goes: each moment has one name."""

import sys
from pathlib import Path

from emodistill.files import replace_atomically
from jobs.bench.profile import Sampler, named


def test_a_moment_is_named_after_our_innermost_function(tmp_path: Path) -> None:
    said = []

    def write(temporary: Path) -> None:
        temporary.touch()
        said.append(named(sys._getframe()))

    replace_atomically(tmp_path / "x", write)
    assert said == ["files.py replace_atomically"]


def test_the_sampler_sees_the_thread_that_made_it() -> None:
    sampler = Sampler()
    sampler.start()
    while sampler.seen.total() < 3:
        pass
    sampler.end()
    assert sampler.seen.total() >= 3
