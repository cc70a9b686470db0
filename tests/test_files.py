import json

import pytest

from emodistill.files import replace_atomically, sha256, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    write_text(path, "old")

    def half(temporary):
        temporary.write_text("ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_atomically(path, half)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_the_old_file_stays_in_place_until_the_new_one_is_whole(tmp_path):
    path, seen = tmp_path / "a.txt", []
    write_text(path, "old")

    def write(temporary):
        temporary.write_text("new")
        seen.append((path.read_text(), temporary.parent == path.parent))

    replace_atomically(path, write)
    assert seen == [("old", True)] and path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path):
    write_json(tmp_path / "a" / "b" / "c.json", {"σ": [1, None]})
    assert (tmp_path / "a/b/c.json").read_text("utf-8") == '{\n  "σ": [\n    1,\n    null\n  ]\n}\n'
    assert json.loads((tmp_path / "a/b/c.json").read_text("utf-8")) == {"σ": [1, None]}


def test_sha256_is_that_of_the_bytes(tmp_path):
    write_text(tmp_path / "abc", "abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
