"""Background work: blocks that become one, blocks that are given up, room that goes back to the file system."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass

from collector.storage.traces.block_table import Block, BlockTable
from collector.storage.traces.plan import crowded_out, expired, merge_due
from collector.storage.traces.reading import Reading
from collector.storage.traces.settings import TraceSettings
from collector.storage.traces.writing import give_up, write_merged
from monitor.model.logs import Logs
from monitor.model.spans import Spans

_SPARE_PAGES, _VACUUM_AT_ONCE = 64, 2000
_AT_ONCE = 16
"""Blocks given up in one transaction."""


@dataclass
class Counters:
    """Since the start, of rows unless said otherwise. `refused`: memory was full; `expired`: by age; `crowded_out`: by size;
    `lost`: could not be read any more when their block was merged. `commits`, `merges`: how many there were.
    """

    spans: int = 0
    logs: int = 0
    refused: int = 0
    expired: int = 0
    crowded_out: int = 0
    lost: int = 0
    merged: int = 0
    commits: int = 0
    merges: int = 0
    disk_errors: int = 0

    def took(self, rows: Spans | Logs) -> None:
        if isinstance(rows, Spans):
            self.spans += len(rows)
        else:
            self.logs += len(rows)

    def figures(self) -> dict[str, float]:
        return {f"traces_{name}_total": float(value) for name, value in asdict(self).items()}


def step(
    connection: sqlite3.Connection, table: BlockTable, reading: Reading, now: int, settings: TraceSettings, counters: Counters
) -> BlockTable | None:
    """The table after one small step of what is due at `now` (nanoseconds); None when nothing is. Raises `sqlite3.Error`."""
    blocks = table.blocks.values()
    if old := expired(blocks, now, settings):
        changed = give_up(connection, table, old[:_AT_ONCE])
        counters.expired += _rows(old[:_AT_ONCE])
        return changed
    if excess := crowded_out(blocks, database_bytes(connection), settings):
        changed = give_up(connection, table, excess[:_AT_ONCE])
        counters.crowded_out += _rows(excess[:_AT_ONCE])
        return changed
    if due := merge_due(blocks, now, settings):
        changed, lost = write_merged(connection, table, due, reading)
        counters.lost += lost
        counters.merges += 1
        counters.merged += _rows(due)
        return changed
    vacuum(connection)
    return None


def database_bytes(connection: sqlite3.Connection) -> int:
    """Size of the database without its free pages."""
    size, pages, free = (_pragma(connection, name) for name in ("page_size", "page_count", "freelist_count"))
    return size * (pages - free)


def vacuum(connection: sqlite3.Connection) -> None:
    """Gives free pages back to the file system, when there are many."""
    pages, free = _pragma(connection, "page_count"), _pragma(connection, "freelist_count")
    if free > max(_SPARE_PAGES, pages // 10):
        # A script, because `execute` stops after the first page. Not all at once: pages that move go through the log.
        connection.executescript(f"PRAGMA incremental_vacuum({min(_VACUUM_AT_ONCE, free - _SPARE_PAGES // 2)})")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _rows(blocks: list[Block]) -> int:
    return sum(block.rows for block in blocks)
