"""Parquet: the schema as columns, lists and structs as they are, in row groups of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from zjolcrawl.fields import FIELDS, Field

_ROWS, _BYTES = 2000, 16 * 2**20  # of a row group: what is held in memory until it is written
_AT_ONCE = 100  # rows
_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(), "int": pa.int64(), "long": pa.int64(), "timestamp": pa.timestamp("ms", tz="UTC"),
    "objectid": pa.string(),
}  # fmt: skip


class Group:
    """Rows that will be one row group, most of them as Arrow has them: in less room."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._rows: list[dict[str, Any]] = []
        self._batches: list[pa.RecordBatch] = []
        self._count = self._bytes = 0

    def add(self, row: dict[str, Any]) -> None:
        """Take a row as `fitted` gives it. Raises UnicodeEncodeError for half a surrogate pair."""
        self._bytes += _size(row)
        self._rows.append({**row, "run_id": str(row["run_id"])} if "run_id" in row else row)
        self._count += 1
        if self._count >= _ROWS or self._bytes >= _BYTES:
            self.write()
        elif len(self._rows) >= _AT_ONCE:
            self._pack()

    def write(self) -> None:
        """Write what there is."""
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
    """What takes rows and writes them to a file; all of them are there at the end."""
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
    """About the bytes of a row, which all must be UTF-8."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 8


# The least and the greatest of each row group, by which readers pass over groups, are in memory to the
# end: those of whole texts serve nobody.
_BOUNDED = [f.name for f in FIELDS if not (f.parts or f.many or f.name in {"body", "body_html"})]
SCHEMA = pa.schema([(field.name, _type(field)) for field in FIELDS])
"""The columns of a file."""
