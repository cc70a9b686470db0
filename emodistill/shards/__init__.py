"""Shards: records as columns in HDF5 files. `tables` alone knows HDF5, `codecs` the records, `writer` the kills."""

from emodistill.records import SCHEMA
from emodistill.shards.codecs import DIALOGUES, EPISODES, VERDICTS, Codec, read_records, write_records
from emodistill.shards.tables import Damaged, Table, content_hash, open_table, read_table, write_table
from emodistill.shards.writer import ShardWriter

__all__ = [
    "DIALOGUES", "EPISODES", "SCHEMA", "VERDICTS", "Codec", "Damaged", "ShardWriter", "Table", "content_hash",
    "open_table", "read_records", "read_table", "write_records", "write_table",
]  # fmt: skip
