"""One shard's records, durable while its task runs: segments, compaction, and what is left after a kill."""

import logging
import os
import time
from pathlib import Path
from typing import Generic, TypeVar

from emodistill.shards.codecs import Codec, read_records, write_records
from emodistill.shards.tables import Damaged

R = TypeVar("R")
_log = logging.getLogger(__name__)


class ShardWriter(Generic[R]):
    """Collects one shard's records; the caller holds the task's lock, so it is the only writer.

    Finished records go to small segments, and `close` compacts these into the shard; without it they stay for the next
    attempt. A kill loses at most what was in no segment yet. `done()` gives the keys that need no more work. A damaged
    file is set aside until the shard is complete: the records of all others are kept, and only its own made again.
    """

    def __init__(self, path: Path, codec: Codec[R], every: int = 50, seconds: float = 5.0) -> None:
        self._path, self._codec, self._every, self._seconds = path, codec, every, seconds
        self._segments = sorted(path.parent.glob(f"{path.stem}.part-*.h5"))
        self._kept: dict[str, R] = {}
        for source in ([path] if path.exists() else []) + self._segments:
            for record in self._read(source):
                self._kept[codec.key(record)] = record
        self._new: list[R] = []
        self._last = max((int(path.stem.split("-")[-2]) for path in self._segments), default=0)
        self._synced = time.monotonic()

    def _read(self, source: Path) -> list[R]:
        try:
            return read_records([source], self._codec)
        except Damaged as error:
            os.replace(source, f"{source}.damaged")
            _log.warning("%s is set aside, and what it held is made again: %s", source, error)
            return []

    def done(self) -> set[str]:
        """Keys already recorded without failure."""
        return {key for key, record in self._kept.items() if not self._codec.failed(record)}

    def add(self, record: R) -> None:
        """Take one record; it is durable after the next segment."""
        self._kept[self._codec.key(record)] = record
        self._new.append(record)
        if len(self._new) >= self._every or time.monotonic() - self._synced > self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write what is not yet on disk as a segment."""
        if self._new:
            self._last = max(time.time_ns(), self._last + 1)  # the latest, even if another machine's clock is ahead
            segment = self._path.with_name(f"{self._path.stem}.part-{self._last:020d}-{os.getpid()}.h5")
            write_records(segment, self._new, self._codec)
            self._segments.append(segment)
        self._new, self._synced = [], time.monotonic()

    def close(self) -> list[R]:
        """Compact into the shard, ordered by key, and drop the segments; returns the shard's records."""
        records = [self._kept[key] for key in sorted(self._kept)]
        write_records(self._path, records, self._codec)
        for spent in [*self._segments, *self._path.parent.glob(f"{self._path.stem}.*.damaged")]:
            spent.unlink(missing_ok=True)
        return records
