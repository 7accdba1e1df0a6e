"""Which blocks are merged, and which are given up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from collector.storage.traces.block_table import Block
from collector.storage.traces.settings import TraceSettings

MOST_WEIGHT = 32 << 20
"""Bytes of details in a block that is not merged any more: what a merge has in memory is some three times that."""


def is_full(block: Block, settings: TraceSettings) -> bool:
    return block.rows >= settings.block_rows or block.weight >= MOST_WEIGHT


def merge_due(blocks: Iterable[Block], now: int, settings: TraceSettings) -> list[Block]:
    """Blocks of one kind to become one, oldest first; empty when none are. `now` in nanoseconds.

    Blocks of like size, within a factor of `merge`, so that a row is rewritten a few times in its life; once their time is
    over, all that is small.
    """
    length = max(1, int(settings.merge_span * 1e9))
    groups: dict[tuple[int, int, int], list[Block]] = {}
    for block in blocks:
        if not is_full(block, settings):
            span = block.taken // length
            size = -1 if (span + 1) * length < now else _size(block.rows, settings.merge)
            groups.setdefault((block.kind, span, size), []).append(block)
    for (_, _, size), group in groups.items():
        enough = len(group) >= (2 if size < 0 else settings.merge) or sum(block.rows for block in group) >= settings.block_rows
        if enough and len(chosen := list(_within(sorted(group, key=lambda block: block.low), settings))) > 1:
            return chosen
    return []


def _within(group: list[Block], settings: TraceSettings) -> Iterator[Block]:
    """The first of them, up to what makes a full block."""
    rows = weight = 0
    for block in group:
        yield block
        rows, weight = rows + block.rows, weight + block.weight
        if rows >= settings.block_rows or weight >= MOST_WEIGHT:
            return


def _size(rows: int, factor: int) -> int:
    size = 0
    while rows >= factor:
        rows //= factor
        size += 1
    return size


def expired(blocks: Iterable[Block], now: int, settings: TraceSettings) -> list[Block]:
    """Those whose newest row is too old."""
    until = now - int(settings.keep * 1e9)
    return [block for block in blocks if block.until < until]


def crowded_out(blocks: Iterable[Block], size: int, settings: TraceSettings) -> list[Block]:
    """The oldest, as many as `size` bytes of a database are too many."""
    excess, chosen = size - settings.max_bytes, []
    for block in sorted(blocks, key=lambda block: (block.until, block.low)):
        if excess <= 0:
            break
        chosen.append(block)
        excess -= block.bytes
    return chosen
