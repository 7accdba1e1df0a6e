"""The blocks as rows of the database, and what memory knows of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from collector.storage.history.codec import seal_of
from collector.storage.traces import text_filter
from collector.storage.traces.blocks import Held, Packed
from collector.storage.traces.codec import DamagedChunkError, opened, sealed, unpack_rows
from collector.storage.traces.summary import Summary, pack, unpack
from collector.storage.traces.text_filter import Bits

CHUNKS = 65_536
_FILTER = CHUNKS - 1
"""The place of a block's filter of texts beside its chunks, of which there are never so many."""
_INSERT = "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One block. Times in nanoseconds; `taken`: when the newest of its rows was committed; `low`, `high`: in order of arrival.
    `bytes` it takes packed, `weight` of its details unpacked."""

    id: int
    kind: int
    first: int
    last: int
    taken: int
    rows: int
    bytes: int
    weight: int
    low: int
    high: int
    summary: Summary

    @property
    def until(self) -> int:
        """The age of the block: of its newest row, though a sender's clock may run ahead."""
        return min(self.last, self.taken)

    def numbers(self) -> tuple[int, ...]:
        return self.id, self.kind, self.first, self.last, self.taken, self.rows, self.bytes, self.weight, self.low, self.high


class MissingBlockError(Exception):
    """A block that is not in the database: it was merged or given up a moment ago."""


@dataclass
class BlockTable:
    """All blocks by number. `next_block`, `next_row`: above every number ever given."""

    blocks: dict[int, Block] = field(default_factory=dict)
    next_block: int = 1
    next_row: int = 1

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> tuple[BlockTable, int]:
        """All there are, and of how many the row is damaged. Raises `sqlite3.DatabaseError`."""
        table, damaged = cls(), 0
        for row in connection.execute("SELECT * FROM blocks ORDER BY id"):
            numbers = row[:10]
            try:
                if not all(isinstance(number, int) for number in numbers):
                    raise DamagedChunkError("a row is damaged")
                block = Block(*(*numbers, unpack(opened(row[10], *numbers))))
            except DamagedChunkError:
                damaged += 1
                continue
            table.blocks[block.id] = block
            table.next_block = max(table.next_block, block.id + 1)
            table.next_row = max(table.next_row, block.high + 1)
        return table, damaged

    def changed(self, added: Sequence[Block], gone: Iterable[int]) -> BlockTable:
        """The table with some more and some less."""
        left = set(gone)
        blocks = {number: block for number, block in self.blocks.items() if number not in left}
        blocks |= {block.id: block for block in added}
        return replace(
            self,
            blocks=blocks,
            next_block=max([self.next_block, *(block.id + 1 for block in added)]),
            next_row=max([self.next_row, *(block.high + 1 for block in added)]),
        )


def write_block(connection: sqlite3.Connection, block: Block, packed: Packed) -> Block:
    """Inserts it; the block with its size."""
    summary = pack(block.summary)
    size = len(packed.columns) + sum(map(len, packed.chunks)) + len(packed.filter) + len(summary) + 128
    block = replace(block, bytes=size)
    connection.execute(_INSERT, (*block.numbers(), sealed(summary, *block.numbers())))
    connection.execute("INSERT INTO columns VALUES (?, ?)", (block.id, sealed(packed.columns, block.id, block.kind, -1)))
    rows = ((block.id * CHUNKS + at, sealed(data, block.id, block.kind, at)) for at, data in enumerate(packed.chunks))
    connection.executemany("INSERT INTO details VALUES (?, ?)", rows)
    if packed.filter:
        sealed_filter = sealed(packed.filter, block.id, block.kind, _FILTER)
        connection.execute("INSERT INTO details VALUES (?, ?)", (block.id * CHUNKS + _FILTER, sealed_filter))
    return block


def delete_blocks(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    for number in numbers:
        connection.execute("DELETE FROM blocks WHERE id = ?", (number,))
        connection.execute("DELETE FROM columns WHERE id = ?", (number,))
        connection.execute("DELETE FROM details WHERE id >= ? AND id < ?", (number * CHUNKS, (number + 1) * CHUNKS))


def drop_strays(connection: sqlite3.Connection, table: BlockTable) -> None:
    """Deletes rows of blocks that the table does not know: what damage left of them."""
    for (number,) in connection.execute("SELECT id FROM blocks").fetchall():
        if number not in table.blocks:
            connection.execute("DELETE FROM blocks WHERE id = ?", (number,))
    connection.execute("DELETE FROM columns WHERE id NOT IN (SELECT id FROM blocks)")
    connection.execute("DELETE FROM details WHERE id / ? NOT IN (SELECT id FROM blocks)", (CHUNKS,))


def read_columns(connection: sqlite3.Connection, block: Block) -> bytes:
    """Raises `DamagedChunkError`, `MissingBlockError`."""
    row = connection.execute("SELECT data FROM columns WHERE id = ?", (block.id,)).fetchone()
    if row is None:
        raise MissingBlockError(block.id)
    return opened(row[0], block.id, block.kind, -1)


def read_filter(connection: sqlite3.Connection, block: Block) -> Bits | None:
    """The filter of a block's texts; None where it has none or a damaged one, so that its details must be read."""
    row = connection.execute("SELECT data FROM details WHERE id = ?", (block.id * CHUNKS + _FILTER,)).fetchone()
    try:
        return text_filter.unpack(opened(row[0], block.id, block.kind, _FILTER)) if row is not None else None
    except DamagedChunkError:
        return None


def read_chunk(connection: sqlite3.Connection, block: Block, held: Held, chunk: int) -> tuple[bytes, list[int]]:
    """One chunk of details, and where its rows begin, the last where they end.

    Raises `DamagedChunkError`, `MissingBlockError`.
    """
    row = connection.execute("SELECT data FROM details WHERE id = ?", (block.id * CHUNKS + chunk,)).fetchone()
    if row is None:
        raise MissingBlockError(block.id)
    data, edges = unpack_rows(opened(row[0], block.id, block.kind, chunk))
    if len(edges) - 1 != held.edges[chunk + 1] - held.edges[chunk]:
        raise DamagedChunkError("a chunk holds another number of rows than its block says")
    return data, edges.tolist()


def read_tally(connection: sqlite3.Connection) -> dict[str, int]:
    """{} when there is none. Raises `DamagedChunkError`."""
    found = {}
    for name, value, seal in connection.execute("SELECT name, value, seal FROM tally"):
        if seal != seal_of(value, *name.encode("utf-8", "replace")):
            raise DamagedChunkError("a count is damaged")
        found[name] = value
    if found and found.keys() != {"blocks", "next_block", "next_row"}:
        raise DamagedChunkError("a count is missing")
    return found


def write_tally(connection: sqlite3.Connection, table: BlockTable) -> None:
    values = {"blocks": len(table.blocks), "next_block": table.next_block, "next_row": table.next_row}
    rows = ((name, value, seal_of(value, *name.encode())) for name, value in values.items())
    connection.executemany("INSERT OR REPLACE INTO tally VALUES (?, ?, ?)", rows)
