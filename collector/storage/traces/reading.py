"""Reading blocks: connections for questions, unpacked columns kept for the next one, and damage that is told and left out."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from collector.storage.traces.block_table import Block, MissingBlockError, read_chunk, read_columns, read_filter
from collector.storage.traces.blocks import Held, log_row, unpack_logs, unpack_spans
from collector.storage.traces.codec import DamagedChunkError
from collector.storage.traces.details import RowTest
from collector.storage.traces.settings import KIND_NAMES, SPANS
from collector.storage.traces.summary import Summary
from collector.storage.traces.text_filter import Bits
from monitor.model.logs import Logs
from monitor.model.spans import Spans

_ROW_BYTES = 96
"""About what a row's columns take in memory."""
_MOST_DAMAGED = 10_000
Places = npt.NDArray[np.int64]


class ColumnCache:
    """Unpacked columns of the blocks asked for last. Numbers of blocks are never given twice."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[int, Held] = OrderedDict()
        self.bytes = 0

    def get(self, block: int) -> Held | None:
        with self._lock:
            if (found := self._held.get(block)) is not None:
                self._held.move_to_end(block)
            return found

    def put(self, block: int, held: Held) -> None:
        with self._lock:
            if block in self._held or len(held) * _ROW_BYTES > self._most:
                return
            self._held[block] = held
            self.bytes += len(held) * _ROW_BYTES
            while self.bytes > self._most:
                self.bytes -= len(self._held.popitem(last=False)[1]) * _ROW_BYTES

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self.bytes = 0


@dataclass
class Damage:
    """What of the blocks was found damaged since the start, each once. `tell` gets a sentence."""

    tell: Callable[[str], None]
    known: set[tuple[int, int]] = field(default_factory=set)

    def found(self, block: Block, chunk: int, why: str) -> None:
        """`chunk` -1: its columns."""
        if (block.id, chunk) in self.known or len(self.known) >= _MOST_DAMAGED:
            return
        self.known.add((block.id, chunk))
        what = f"{block.rows} {KIND_NAMES[block.kind]}" if chunk < 0 else f"some of {block.rows} {KIND_NAMES[block.kind]}"
        self.tell(f"Block {block.id} of the store of traces is damaged ({why}): {what} were left out.")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A source of rows: a block of the database, or what is not committed yet. `first` to `last`: times in nanoseconds;
    `low` to `high`: numbers in order of arrival."""

    kind: int
    first: int
    last: int
    low: int
    high: int
    summary: Summary | None
    block: Block | None = None
    fresh: Held | None = None


class Reading:
    """One question's look at the blocks, as of one moment. `left_out`: whether some of them was damaged.

    `strict`: a block that is not there raises `MissingBlockError`; otherwise it is damage as any other.
    """

    def __init__(self, connection: sqlite3.Connection, cache: ColumnCache | None, damage: Damage, strict: bool = True) -> None:
        self._connection, self._cache, self._damage, self._strict = connection, cache, damage, strict
        self.left_out = False

    def columns(self, part: Part) -> Held | None:
        """Its rows, those of a block without details; None where they cannot be read."""
        if part.block is None:
            return part.fresh
        block = part.block
        held = self._cache.get(block.id) if self._cache is not None else None
        if held is None:
            try:
                blob = read_columns(self._connection, block)
                held = unpack_spans(blob) if block.kind == SPANS else unpack_logs(blob)
                if len(held) != block.rows:
                    raise DamagedChunkError("it has another number of rows than it says")
            except (DamagedChunkError, MissingBlockError) as error:
                self._lost(block, -1, error)
                return None
            if self._cache is not None:
                self._cache.put(block.id, held)
        return held

    def filter(self, block: Block) -> Bits | None:
        """The filter of its texts, where it has one."""
        return read_filter(self._connection, block)

    def may_hold(self, part: Part, test: RowTest) -> bool:
        """Whether a row of it may meet a test of text and tags, as far as its filter tells."""
        if part.block is None or not test:
            return True
        bits = self.filter(part.block)
        return bits is None or test.may_be_in(bits)

    def chunk(self, part: Part, held: Held, chunk: int) -> tuple[bytes, Sequence[int]] | None:
        """Details of one chunk of a block (`held.edges`), and where its rows begin and end; None where they cannot be read."""
        assert part.block is not None
        try:
            return read_chunk(self._connection, part.block, held, chunk)
        except (DamagedChunkError, MissingBlockError) as error:
            self._lost(part.block, chunk, error)
            return None

    def details(self, part: Part, held: Held, places: Places) -> Iterator[tuple[int, bytes]]:
        """Rows at rising places with their details (of logs: `log_row`); those that cannot be read are left out."""
        if part.block is None:
            yield from ((place, fresh_row(held.rows, place)) for place in places.tolist())
            return
        chunks = np.searchsorted(held.edges, places, "right") - 1
        for chunk in np.unique(chunks).tolist():
            found = self.chunk(part, held, chunk)
            if found is None:
                continue
            data, edges = found
            begin = int(held.edges[chunk])
            for place in places[chunks == chunk].tolist():
                yield place, data[edges[place - begin] : edges[place - begin + 1]]

    def all_details(self, part: Part, held: Held) -> tuple[Places, list[bytes]]:
        """Of a whole block: rising places of the rows that can be read, and their details."""
        places: list[Places] = []
        rows: list[bytes] = []
        for chunk in range(len(held.edges) - 1):
            found = self.chunk(part, held, chunk)
            if found is not None:
                data, edges = found
                rows += [data[begin:end] for begin, end in itertools.pairwise(edges)]
                places.append(np.arange(held.edges[chunk], held.edges[chunk + 1]))
        return np.concatenate(places) if places else np.empty(0, np.int64), rows

    def _lost(self, block: Block, chunk: int, error: DamagedChunkError | MissingBlockError) -> None:
        if isinstance(error, MissingBlockError) and self._strict:
            raise error
        self.left_out = True
        self._damage.found(block, chunk, "some of it is missing" if isinstance(error, MissingBlockError) else str(error))


def fresh_row(rows: Spans | Logs, place: int) -> bytes:
    """Of rows in memory, what `unpack_rows` would give of a block."""
    return log_row(rows.bodies[place], rows.details[place]) if isinstance(rows, Logs) else rows.details[place]
