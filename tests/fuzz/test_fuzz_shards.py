"""A shard whose bytes or tables are not ours is refused in one paragraph, checksum or not; no link is followed."""

import io
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from fuzzing import FUZZ, TEXTS, taken
from hypothesis import given
from hypothesis import strategies as st

from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import random_emotion
from emodistill.records import Dialogue, ScoredTurn, Verdict
from emodistill.shards import DIALOGUES, EPISODES, VERDICTS, read_records, read_table, write_records
from emodistill.shards.tables import _CRC, _CRC_END

from builders import played, tasks

BLOCK = 512
TURN = ScoredTurn(2, "joy", 7.0, 0.1, 1.0, 7.5)
RECORDS = {
    "episodes": (EPISODES, played(tasks(3), ScriptedModel(), random_emotion)),
    "verdicts": (VERDICTS, [Verdict("e", ((1.0, 2.0), (3.0,)), ((1.5, 2.0), (3.0,))), Verdict("f", (), (), "no")]),
    "dialogues": (DIALOGUES, [Dialogue("e", "s", (("system", "a"), ("user", "b"), ("assistant", "c")), (TURN,))]),
}


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> dict[str, tuple[Path, bytes]]:
    folder, made = tmp_path_factory.mktemp("shards"), {}
    for name, (codec, records) in RECORDS.items():
        path = folder / f"{name}.h5"
        write_records(path, records, codec)
        made[name] = path, path.read_bytes()
    return made


def sealed(content: bytes) -> bytes:
    """With the checksum that somebody who means harm would write."""
    return _CRC % zlib.crc32(content[_CRC_END:]) + content[_CRC_END:]


@FUZZ
@given(st.sampled_from(sorted(RECORDS)), st.integers(0), st.integers(1, 255), st.booleans())
def test_a_flipped_byte_or_a_cut_file_is_no_record(shards, name, place, flip, cut):
    path, whole = shards[name]
    place %= len(whole)
    path.write_bytes(whole[:place] if cut else whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
    found = taken(lambda: read_records([path], RECORDS[name][0]))
    assert isinstance(found, str) and str(path) in found


@FUZZ
@given(st.sampled_from(sorted(RECORDS)), st.binary(max_size=BLOCK - _CRC_END) | st.binary(min_size=600, max_size=700))
def test_no_header_breaks_a_reader(shards, name, block):
    path, whole = shards[name]
    path.write_bytes(sealed(bytes(_CRC_END) + block.ljust(BLOCK - _CRC_END, b"\n")[: BLOCK - _CRC_END] + whole[BLOCK:]))
    assert isinstance(taken(lambda: read_records([path], RECORDS[name][0])), str)


ARRAYS = st.one_of(
    st.lists(st.integers(-3, 300), max_size=40).map(lambda values: np.array(values, np.int64)),
    st.lists(st.integers(0, 255), max_size=40).map(lambda values: np.array(values, np.uint8)),
    st.lists(st.floats(), max_size=40).map(lambda values: np.array(values, np.float64)),
    st.sampled_from([np.zeros((2, 2)), np.float64(3.0), np.array([b"x"]), np.array([2**63], np.uint64)]),
    st.sampled_from(["x", b"\xff"]),
)
LABELS = st.sampled_from(["[", "[1]", "{}", '["agreement"]', "[]", "[" * 5000]) | TEXTS.map(
    lambda t: t.replace("\0", "")
)


@FUZZ
@given(st.sampled_from(sorted(RECORDS)), st.data())
def test_no_table_breaks_a_reader(shards, name, data):
    """A table with one column exchanged, dropped, linked elsewhere or named otherwise, under a true checksum."""
    path, whole = shards[name]
    image = io.BytesIO(whole)
    with h5py.File(image, "r+") as file:
        column = data.draw(st.sampled_from(sorted(file)))
        what = data.draw(st.sampled_from(["exchange", "drop", "link", "label", "group", "huge", "soft"]))
        if what == "label":
            file[column].attrs["labels"] = data.draw(LABELS.map(lambda text: text.encode("utf-8", "replace")))
        else:
            del file[column]
        if what == "exchange":
            file.create_dataset(column, data=data.draw(ARRAYS))
        elif what == "link":
            file[column] = h5py.ExternalLink("/etc/hostname", "/x")
        elif what == "soft":
            file[column] = h5py.SoftLink(f"/{column}")
        elif what == "group":
            file.create_group(column)
        elif what == "huge":
            file.create_dataset(column, shape=(10**13,), dtype="u1", chunks=(1 << 20,), compression="gzip")
    path.write_bytes(sealed(image.getvalue()))
    taken(lambda: read_table(path))
    found = taken(lambda: read_records([path], RECORDS[name][0]))
    assert isinstance(found, str) or what in ("exchange", "label")
