"""Writing blocks: what was taken in, blocks that become one, and those that are given up. Every change is one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from collector.storage.state_schema import transaction
from collector.storage.traces.block_table import Block, BlockTable, delete_blocks, write_block, write_tally
from collector.storage.traces.blocks import Held, Packed, Rows, log_parts, pack_logs, pack_spans
from collector.storage.traces.pending import Fresh, joined
from collector.storage.traces.plan import MOST_WEIGHT
from collector.storage.traces.reading import Part, Reading
from collector.storage.traces.settings import LOGS, SPANS, TraceSettings
from collector.storage.traces.summary import of_logs, of_spans
from collector.storage.traces.text_filter import Bits, bits_of, pack
from monitor.model.logs import Logs, joined_logs
from monitor.model.spans import Spans, joined_spans

_FILTERED = 4096
"""Rows from which on a block has a filter of its texts; the few smaller ones are read."""


@dataclass(frozen=True, slots=True, eq=False)
class _New:
    block: Block
    packed: Packed


def write_fresh(
    connection: sqlite3.Connection, table: BlockTable, fresh: Sequence[Fresh], now: int, settings: TraceSettings
) -> BlockTable:
    """The table with the blocks of all that is fresh, once it is on the disk. `now` in nanoseconds. Raises `sqlite3.Error`."""
    new, number = [], table.next_block
    for kind in (SPANS, LOGS):
        parts = [one.part for one in fresh if one.part.kind == kind]
        if not parts:
            continue
        rows, order = joined(parts)
        for begin, end in _pieces(rows, settings.block_rows):
            places = np.arange(begin, end)
            some = (rows, order) if end - begin == len(rows) else (rows.take(places), order[places])
            new.append(_packed(number, *some, now))
            number += 1
    return _write(connection, table, new, ())


def write_merged(
    connection: sqlite3.Connection, table: BlockTable, blocks: Sequence[Block], reading: Reading
) -> tuple[BlockTable, int]:
    """The table with those blocks as one, and how many rows of them could not be read. Raises `sqlite3.Error`."""
    pairs = [(block, one) for block in blocks if (one := _whole(reading, block)) is not None]
    found = [held for _, held in pairs]
    kept = sum(len(held) for held in found)
    taken = max(block.taken for block in blocks)
    new = []
    if kept:
        order = np.concatenate([held.order for held in found])
        spans = [held.rows for held in found if isinstance(held.rows, Spans)]
        rows: Spans | Logs = joined_spans(spans) if spans else joined_logs([h.rows for h in found if isinstance(h.rows, Logs)])
        bits = _joined_filter(reading, pairs) if kept >= _FILTERED else None
        new = [_packed(table.next_block, rows, order, taken, bits)]
    return _write(connection, table, new, [block.id for block in blocks]), sum(block.rows for block in blocks) - kept


def give_up(connection: sqlite3.Connection, table: BlockTable, blocks: Iterable[Block]) -> BlockTable:
    """The table without them. Raises `sqlite3.Error`."""
    return _write(connection, table, (), [block.id for block in blocks])


def _write(connection: sqlite3.Connection, table: BlockTable, new: Sequence[_New], gone: Sequence[int]) -> BlockTable:
    with transaction(connection):
        written = [write_block(connection, one.block, one.packed) for one in new]
        delete_blocks(connection, gone)
        changed = table.changed(written, gone)
        write_tally(connection, changed)
    return changed


def _packed(number: int, rows: Spans | Logs, order: Rows, taken: int, bits: Bits | None = None) -> _New:
    """`bits`: the filter of its texts, where that is known."""
    if isinstance(rows, Spans):
        packed, spans = pack_spans(rows, order)
        times, summary = spans.starts, of_spans(spans)
    else:
        packed, logs = pack_logs(rows, order)
        times, summary = logs.times, of_logs(logs)
    if bits is None and len(rows) >= _FILTERED:
        bits = bits_of(_texts(rows))
    if bits is not None:
        packed = replace(packed, filter=pack(bits))
    block = Block(
        id=number,
        kind=SPANS if isinstance(rows, Spans) else LOGS,
        first=int(times.min()),
        last=int(times.max()),
        taken=taken,
        rows=len(rows),
        bytes=0,
        weight=int(_weights(rows).sum()),
        low=int(order.min()),
        high=int(order.max()),
        summary=summary,
    )
    return _New(block, packed)


def _joined_filter(reading: Reading, pairs: Sequence[tuple[Block, Held]]) -> Bits:
    """The filter of blocks that become one: those they have, joined, and made of the rows of those that have none."""
    known = [(reading.filter(block), held) for block, held in pairs]
    bits = bits_of(text for one, held in known if one is None for text in _texts(held.rows))
    for one, _ in known:
        if one is not None:
            bits |= one
    return bits


def _texts(rows: Spans | Logs) -> Iterator[bytes]:
    """All that searches look at: operations, bodies, details."""
    if isinstance(rows, Spans):
        yield "\0".join(rows.texts[place] for place in np.unique(rows.names).tolist()).encode("utf-8", "replace")
    else:
        yield "\0".join(rows.bodies).encode("utf-8", "replace")
    yield b"".join(rows.details)


def _pieces(rows: Spans | Logs, most: int) -> Iterator[tuple[int, int]]:
    """Stretches that each make a block: at most so many rows, and not too heavy."""
    if len(rows) <= most and (total := _weights(rows)).sum() <= MOST_WEIGHT:
        yield 0, len(total)
        return
    ends, begin = np.cumsum(_weights(rows)), 0
    while begin < len(rows):
        before = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, min(begin + most, int(np.searchsorted(ends, before + MOST_WEIGHT, "right"))))
        yield begin, min(end, len(rows))
        begin = end


def _weights(rows: Spans | Logs) -> Rows:
    sizes = np.fromiter(map(len, rows.details), np.int64, len(rows))
    if isinstance(rows, Logs):
        sizes += np.fromiter(map(len, rows.bodies), np.int64, len(rows))
    return sizes


def _whole(reading: Reading, block: Block) -> Held | None:
    """The rows of a block with their details, as many as can be read."""
    part = Part(block.kind, block.first, block.last, block.low, block.high, block.summary, block)
    held = reading.columns(part)
    if held is None:
        return None
    places, details = reading.all_details(part, held)
    rows = held.rows
    if isinstance(rows, Spans):
        kept: Spans | Logs = Spans(**_columns(rows, places), texts=rows.texts, details=details)
    else:
        bodies = [log_parts(row) for row in details]
        kept = Logs(**_columns(rows, places), texts=rows.texts, bodies=[b for b, _ in bodies], details=[d for _, d in bodies])
    return Held(kept, held.order[places], held.edges)


def _columns(rows: Spans | Logs, places: Rows) -> dict[str, np.ndarray]:
    names = [name for name in rows.__slots__ if name not in ("texts", "details", "bodies")]
    return {name: getattr(rows, name)[places] for name in names}
