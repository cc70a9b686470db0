"""What a stage's work function gets and gives: the contract between stages.py and the rooms."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from emodistill.config import Spec

if TYPE_CHECKING:
    from emodistill.llm.base import ChatModel


@dataclass(slots=True)
class StopFlag:
    """Turns true when the task is asked to stop; work functions look at it between units of work."""

    raised: bool = False

    def __call__(self) -> bool:
        return self.raised


@dataclass(frozen=True, slots=True)
class TaskContext:
    """Which task of which stage runs, and what it may use.

    `upstream` maps each input stage to its task names; `model` opens a language model that later tasks of the same
    process share; `progress(done, total, errors=0, usage={})` tells those who watch; errors and usage: technical ones,
    and what models used, since it began.
    """

    stage: str
    task: str
    upstream: dict[str, tuple[str, ...]]
    stop: StopFlag
    model: "Callable[[Spec], ChatModel]"
    progress: Callable[..., None]
    fingerprint: str  # of what is being made


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished task wrote."""

    rows: int
    files: list[Path]
    errors: int = 0
    usage: dict[str, float] = field(default_factory=dict)  # tokens and the like, for status and cost


@contextmanager
def stop_on_signals(flag: StopFlag) -> Iterator[None]:
    """SIGTERM, SIGINT and the pre-limit SIGUSR2 raise the flag instead of killing the task."""

    def raise_flag(*_: object) -> None:
        flag.raised = True

    watched = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)
    before = [signal.signal(number, raise_flag) for number in watched]
    try:
        yield
    finally:
        for number, handler in zip(watched, before, strict=True):
            signal.signal(number, handler)
