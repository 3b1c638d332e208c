"""Writes Parquet: the schema as columns with nested lists and structs, in bounded row groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from zjolcrawl.fields import FIELDS, Field

_ROWS, _BYTES = 2000, 16 * 2**20  # limits of a row group, which is held in memory until written
_AT_ONCE = 100  # rows converted to Arrow together
_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(), "int": pa.int64(), "long": pa.int64(), "timestamp": pa.timestamp("ms", tz="UTC"),
    "objectid": pa.string(),
}  # fmt: skip


class Group:
    """Rows of the next row group; most are already converted to Arrow, which needs less memory."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._rows: list[dict[str, Any]] = []
        self._batches: list[pa.RecordBatch] = []
        self._count = self._bytes = 0

    def add(self, row: dict[str, Any]) -> None:
        """Add a row from `conform`. Raises UnicodeEncodeError for half of a surrogate pair."""
        self._bytes += _size(row)
        self._rows.append({**row, "run_id": str(row["run_id"])} if "run_id" in row else row)
        self._count += 1
        if self._count >= _ROWS or self._bytes >= _BYTES:
            self.write()
        elif len(self._rows) >= _AT_ONCE:
            self._pack()

    def write(self) -> None:
        """Write the buffered rows as one row group."""
        self._pack()
        if self._batches:
            table = pa.Table.from_batches(self._batches, SCHEMA)
            self._writer.write_table(table, row_group_size=self._count)
        self._batches, self._count, self._bytes = [], 0, 0

    def _pack(self) -> None:
        if self._rows:
            self._batches.append(pa.RecordBatch.from_pylist(self._rows, SCHEMA))
            self._rows = []


@contextmanager
def row_groups(file: IO[bytes]) -> Iterator[Group]:
    """A `Group` that writes to a file; all rows are written when the block ends."""
    with pq.ParquetWriter(file, SCHEMA, compression="zstd", write_statistics=_BOUNDED) as writer:
        group = Group(writer)
        yield group
        group.write()


def _type(field: Field) -> pa.DataType:
    one = (
        pa.struct([(part.name, _type(part)) for part in field.parts])
        if field.parts
        else _ARROW[field.type]
    )
    return pa.list_(one) if field.many else one


def _size(value: Any) -> int:
    """Approximate size of a row in bytes; its text must be encodable as UTF-8."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 8


# Minimum and maximum per row group let readers skip groups, but stay in memory until the end. For whole
# texts they are useless.
_BOUNDED = [f.name for f in FIELDS if not (f.parts or f.many or f.name in {"body", "body_html"})]
SCHEMA = pa.schema([(field.name, _type(field)) for field in FIELDS])
"""The Arrow schema of a file."""
