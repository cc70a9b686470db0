"""Rows to a Parquet file. The only importer of pyarrow."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from emodistill.share.columns import Column
from emodistill.share.rows import Row

_TYPES = {
    "string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_(),
}  # fmt: skip


def write_parquet(path: Path, columns: tuple[Column, ...], rows: Iterable[Row]) -> int:
    """Write the rows as the columns say; how many there were."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(list(rows), schema=pa.schema(map(_field, columns)))
    pq.write_table(table, path, compression="zstd")
    return int(table.num_rows)


def _field(column: Column) -> pa.Field:
    inner = pa.list_(pa.struct(list(map(_field, column.of)))) if column.of else _TYPES[column.kind]
    return pa.field(column.name, inner)
