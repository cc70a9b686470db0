import json
import random
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emodistill.emotions import GOEMOTIONS
from emodistill.errors import RunFailed
from emodistill.records import STATUSES, Dialogue, Episode, Reading, ScoredTurn, Turn, Verdict
from emodistill.shards import (
    DIALOGUES,
    EPISODES,
    SCHEMA,
    VERDICTS,
    Damaged,
    ShardWriter,
    content_hash,
    read_records,
    read_table,
    tables,
    write_records,
    write_table,
)

from builders import dialogue, episode

WRITES = settings(max_examples=50, deadline=None)  # each example syncs files
words = st.text(st.characters(), max_size=20)  # lone surrogates included
number = st.floats(allow_nan=False)
score = st.floats(1, 10) | st.just(float("nan"))
said = st.tuples(
    words,
    st.builds(Reading, st.none() | number, st.booleans(), st.booleans()),
    st.none() | st.sampled_from(GOEMOTIONS),
    words,
)


def turns_of(spoken):
    return tuple(Turn(k, "counterparty" if k % 2 else "focal", *parts) for k, parts in enumerate(spoken))


episodes = st.builds(
    Episode,
    words, words, st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1), st.sampled_from(STATUSES), st.none() | number,
    st.lists(said, max_size=5).map(turns_of), words,
)  # fmt: skip
repeats = st.lists(st.tuples(score, score), min_size=1, max_size=3).map(lambda pairs: tuple(zip(*pairs, strict=True)))
verdicts = st.lists(repeats, max_size=5).map(lambda turns: [*zip(*turns, strict=True)] or [(), ()])
scored = st.builds(ScoredTurn, st.integers(0, 99), st.sampled_from(("", *GOEMOTIONS)), score, score, number, score)
messages = st.lists(st.tuples(words, words), max_size=5)
dialogues = st.builds(Dialogue, words, words, messages.map(tuple), st.lists(scored, max_size=4).map(tuple))


def ep(k: int, status="timeout", error="", text="Hello.") -> Episode:
    turns = (Turn(0, "focal", text, Reading(float(k)), "joy", text),)
    return Episode(f"e{k:03d}", "s", k, k, status, None, turns, error)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("shards") / "round-trip.h5"


@pytest.fixture
def shard(tmp_path):
    return tmp_path / "shard-00007.h5"


def segments(shard):
    return sorted(shard.parent.glob("shard-00007.part-*"))


@WRITES
@given(st.lists(episodes, max_size=4))
def test_episodes_come_back_as_they_were(file, made):
    write_records(file, made, EPISODES)
    assert read_records([file], EPISODES) == made


@WRITES
@given(st.lists(st.tuples(words, verdicts), max_size=4))
def test_verdicts_come_back_as_they_were(file, rows):
    made = [Verdict(key, *scores) for key, scores in rows]
    write_records(file, made, VERDICTS)
    assert repr(read_records([file], VERDICTS)) == repr(made)  # repr: NaN is NaN


@WRITES
@given(st.lists(dialogues, max_size=4))
def test_dialogues_come_back_as_they_were(file, made):
    write_records(file, made, DIALOGUES)
    assert repr(read_records([file], DIALOGUES)) == repr(made)


def test_records_of_several_shards_keep_their_order(tmp_path):
    for name, keys in (("b", (3, 1)), ("a", (2,))):
        write_records(tmp_path / name, [ep(k) for k in keys], EPISODES)
    assert read_records([tmp_path / "b", tmp_path / "a"], EPISODES) == [ep(3), ep(1), ep(2)]


def test_an_unclosed_writer_loses_only_what_was_in_no_segment(shard):
    writer = ShardWriter(shard, EPISODES, every=2)
    for k in range(5):
        writer.add(ep(k))
    assert ShardWriter(shard, EPISODES).done() == {"e000", "e001", "e002", "e003"} and not shard.exists()
    writer.flush()
    assert ShardWriter(shard, EPISODES).done() == {f"e{k:03d}" for k in range(5)}


def test_time_alone_makes_a_segment(shard):
    ShardWriter(shard, EPISODES, every=100, seconds=-1).add(ep(0))
    assert ShardWriter(shard, EPISODES).done() == {"e000"}


def test_closing_compacts_in_key_order_and_drops_the_segments(shard):
    writer = ShardWriter(shard, EPISODES, every=1)
    for k in (2, 0, 1):
        writer.add(ep(k))
    assert len(segments(shard)) == 3
    assert writer.close() == read_records([shard], EPISODES) == [ep(0), ep(1), ep(2)]
    assert list(shard.parent.iterdir()) == [shard]


@settings(WRITES, max_examples=25)
@given(st.lists(st.integers(0, 4), max_size=8), st.permutations(range(6)))
def test_kills_at_any_time_change_nothing_in_the_finished_shard(tmp_path_factory, lives, order):
    folder = tmp_path_factory.mktemp("kills")
    whole, killed = folder / "whole.h5", folder / "shard-00007.h5"
    writer = ShardWriter(whole, EPISODES)
    for k in range(6):
        writer.add(ep(k))
    writer.close()
    for life in [*lives, 6]:  # each attempt adds so many of what is missing, then dies or, the last one, closes
        writer = ShardWriter(killed, EPISODES, every=2)
        for k in [k for k in order if ep(k).id not in writer.done()][:life]:
            writer.add(ep(k))
    writer.close()
    assert content_hash([killed]) == content_hash([whole]) and segments(killed) == []
    assert read_records([killed], EPISODES) == [ep(k) for k in range(6)]


def test_a_kill_between_the_shard_and_the_removal_of_segments_duplicates_nothing(shard, tmp_path):
    writer = ShardWriter(shard, EPISODES, every=1)
    for k in range(3):
        writer.add(ep(k))
    for segment in segments(shard):
        shutil.copy(segment, tmp_path / f"copy of {segment.name}")
    writer.close()
    for copy in tmp_path.glob("copy of *"):
        copy.rename(tmp_path / copy.name.removeprefix("copy of "))
    assert len(segments(shard)) == 3
    assert ShardWriter(shard, EPISODES).close() == [ep(0), ep(1), ep(2)] and segments(shard) == []


def test_half_a_temporary_file_is_not_read(shard, tmp_path):
    (tmp_path / ".shard-00007.h5.123.tmp").write_bytes(b"half")
    (tmp_path / ".shard-00007.part-00000000000000000001-9.h5.123.tmp").write_bytes(b"half")
    (tmp_path / "shard-00008.part-00000000000000000001-9.h5").write_bytes(b"another shard's")
    assert ShardWriter(shard, EPISODES).done() == set()


KILLED = """
import sys
from pathlib import Path
sys.path += {tests!r}
from test_shards import EPISODES, ShardWriter, ep
writer = ShardWriter(Path({shard!r}), EPISODES, every=3)
for k in range(len(writer.done()), 100_000):
    writer.add(ep(k, text="word " * 50))
    print(k, flush=True)
"""


@pytest.mark.slow
def test_a_writer_killed_at_any_instant_leaves_a_whole_prefix(shard):
    """Real SIGKILL: what was in a segment is there, in order and once; all but the last two that were said are."""
    rng, said = random.Random(3), 0
    code = KILLED.format(tests=[str(Path(__file__).parents[k]) for k in (0, 1)], shard=str(shard))
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        lines = iter(process.stdout)
        said = int(next(lines))
        time.sleep(rng.uniform(0, 0.2))
        process.kill()
        said = max([said, *(int(line) for line in lines if line.endswith("\n"))])
        process.wait()
        writer = ShardWriter(shard, EPISODES, every=3)
        kept = len(writer.done())
        assert writer.done() == {ep(k).id for k in range(kept)} and said - 2 <= kept - 1 <= said + 1
    records = writer.close()
    assert [episode.id for episode in records] == [ep(k).id for k in range(kept)] and segments(shard) == []


@pytest.mark.parametrize("closed", [True, False])
def test_failed_records_are_kept_asked_again_and_replaced(shard, closed):
    writer = ShardWriter(shard, EPISODES, every=1)
    for made in (ep(0), ep(1, "error", "cut off")):
        writer.add(made)
    if closed:
        assert [e.error for e in writer.close()] == ["", "cut off"]
    again = ShardWriter(shard, EPISODES, every=1)
    assert again.done() == {"e000"}
    again.add(ep(1))
    assert ShardWriter(shard, EPISODES).done() == {"e000", "e001"}
    assert again.close() == [ep(0), ep(1)]


def test_an_empty_shard_is_a_shard(shard):
    assert ShardWriter(shard, EPISODES).close() == read_records([shard], EPISODES) == []


def test_a_truncated_file_is_named_whatever_its_length(shard):
    write_records(shard, [ep(k) for k in range(3)], EPISODES)
    whole = shard.read_bytes()
    for length in range(0, len(whole), 97):
        shard.write_bytes(whole[:length])
        with pytest.raises(RunFailed, match=rf"{shard} is damaged: .*verify --repair"):
            read_table(shard)


@pytest.mark.parametrize("harm", [lambda b: b[:1000], lambda b: b[:-9] + b"\0" + b[-8:], lambda b: b""])
def test_a_damaged_segment_is_set_aside_and_only_its_episodes_are_missing(shard, caplog, harm):
    writer = ShardWriter(shard, EPISODES, every=2)
    for k in range(6):
        writer.add(ep(k))
    torn = segments(shard)[1]
    torn.write_bytes(harm(torn.read_bytes()))
    again = ShardWriter(shard, EPISODES, every=2)
    assert again.done() == {"e000", "e001", "e004", "e005"} and f"{torn} is set aside" in caplog.text
    for k in (2, 3):
        again.add(ep(k))
    assert ShardWriter(shard, EPISODES).close() == [ep(k) for k in range(6)] == read_records([shard], EPISODES)
    assert list(shard.parent.iterdir()) == [shard]


def test_a_damaged_shard_costs_what_its_segments_do_not_hold(shard):
    writer = ShardWriter(shard, EPISODES)
    writer.add(ep(0))
    writer.close()
    shard.write_bytes(shard.read_bytes()[:-1])
    assert ShardWriter(shard, EPISODES).done() == set() and not shard.exists()


def test_every_flipped_byte_is_noticed(shard):
    """Also those in HDF5's own headers, which libhdf5 reads without a check, and can crash on."""
    write_records(shard, [ep(k, text=f"grüße {k}") for k in range(3)], EPISODES)
    whole = shard.read_bytes()
    for position in range(0, len(whole), 31):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        shard.write_bytes(flipped)
        with pytest.raises(Damaged, match=f"{shard} is damaged"):
            read_table(shard)


def test_a_bare_hdf5_reader_finds_columns_units_and_text(shard):
    made = [ep(k, text=f"{k} grüße " * 40) for k in range(3000)]  # more than one chunk
    write_records(shard, made, EPISODES)
    with h5py.File(shard, "r") as file:
        lengths, buffer = file["turn.utterance.lengths"][...], file["turn.utterance.bytes"]
        assert buffer.compression == "gzip" and buffer.size > buffer.chunks[0]
        end = lengths.astype(int).cumsum()
        assert buffer[end[-2] : end[-1]].tobytes().decode() == made[-1].turns[0].utterance
        assert dict(file["agreed"].attrs) == {"unit": "domain unit, NaN: none"}
        assert file["status"].attrs["labels"] == json.dumps(STATUSES) and file["turn.raw.lengths"].size == 0
    assert read_records([shard], EPISODES) == made


@pytest.mark.parametrize(
    "codec, record",
    [
        (EPISODES, ep(0)),
        (VERDICTS, Verdict("e", ((1.0,),), ((1.0,),))),
        (DIALOGUES, Dialogue("e", "s", (("user", "a"),), (ScoredTurn(0, "joy", 1.0, 1.0, 1.0, 1.0),))),
    ],
)
def test_every_column_of_numbers_says_its_unit(codec, record):
    numbers = {name for name, column in codec.encode([record]) if isinstance(column, np.ndarray)}
    assert numbers == set(codec.units)


def test_a_missing_file_is_named(shard):
    with pytest.raises(RunFailed, match=str(shard)):
        read_table(shard)


def test_another_schema_is_refused(shard):
    write_records(shard, [ep(0)], EPISODES)
    with h5py.File(shard, "r") as file:
        older = file.userblock_size
    shard.write_bytes(shard.read_bytes()[older:])  # schema 1 was plain HDF5
    with pytest.raises(RunFailed, match=rf"{shard} has schema 1, this version reads {SCHEMA}. Run with --fresh"):
        read_table(shard)


def test_a_newer_schema_is_refused_and_its_segments_stay(shard, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(tables, "_IDENTITY", b"emodistill schema 99\n")
        write_records(shard, [ep(0)], EPISODES)
    with pytest.raises(RunFailed, match=rf"{shard} has schema 99, this version reads {SCHEMA}"):
        ShardWriter(shard, EPISODES)
    assert shard.exists()


def test_the_content_hash_sees_content_only(tmp_path):
    one = episode("agreement", 40.0, dialogue(40, emotions=("joy",)))
    made = [[one], [one], [replace(one, error="x")], [replace(one, agreed=41.0)], [one, one], []]
    for k, records in enumerate(made):
        write_table(tmp_path / str(k), EPISODES.encode(records), {"agreed": f"unit {k}"})
    found = [content_hash([tmp_path / str(k)]) for k in range(len(made))]
    assert found[0] == found[1] and len(set(found)) == len(made) - 1


def test_the_content_hash_sees_where_a_text_ends(tmp_path):
    write_table(tmp_path / "a", [("x", ["a\x1fb", "c"])])
    write_table(tmp_path / "b", [("x", ["a", "b\x1fc"])])
    assert content_hash([tmp_path / "a"]) != content_hash([tmp_path / "b"])


def test_columns_keep_their_types(tmp_path):
    table = {
        "f": np.array([1.5, np.nan], np.float32),
        "i": np.arange(2),
        "b": np.array([True, False]),
        "t": ["", "σ\x00"],
    }
    write_table(tmp_path / "t.h5", table.items())
    found = read_table(tmp_path / "t.h5")
    assert list(found["t"]) == [found["t"][0], found["t"][1]] == ["", "σ\x00"] and list(found) == sorted(table)
    for name in "fib":
        np.testing.assert_array_equal(found[name], table[name])
        assert found[name].dtype == table[name].dtype
