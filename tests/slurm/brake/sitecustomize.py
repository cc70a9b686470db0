"""On the path of Slurm jobs in tests: a record takes as long as the stage's brake says, for as long as it is on.

So a stage lasts until the test lets go of it, on a fast machine as on a slow one. `EMODISTILL_BRAKE` names a folder; a
file of the stage's name in it holds the seconds a record takes.
"""

import os
import sys
import time
from pathlib import Path

if "emodistill.cluster.payload" in " ".join(sys.orig_argv) and "EMODISTILL_BRAKE" in os.environ:
    from emodistill.shards import ShardWriter

    _add = ShardWriter.add

    def _braked(self, record) -> None:
        for stage in self._path.parts[-3:-1]:
            try:
                time.sleep(float(Path(os.environ["EMODISTILL_BRAKE"], stage).read_text() or 0))
            except OSError:
                continue
        _add(self, record)

    ShardWriter.add = _braked
