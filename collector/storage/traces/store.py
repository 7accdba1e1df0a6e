"""The store of recent spans and logs: written to and searched from any thread."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from collector.storage.connections import Readers
from collector.storage.traces import log_search, span_search, trace_answer, upkeep
from collector.storage.traces.block_table import BlockTable, MissingBlockError
from collector.storage.traces.database import DATABASE, TraceStoreError, connect, damage_of, is_damage, open_database
from collector.storage.traces.log_context import with_contexts
from collector.storage.traces.log_search import LogAnswer
from collector.storage.traces.longest import find_longest
from collector.storage.traces.pending import Pending, fresh_of
from collector.storage.traces.questions import LogSearch, TraceSearch, trace_number
from collector.storage.traces.reading import ColumnCache, Damage, Part, Reading
from collector.storage.traces.services import services_of
from collector.storage.traces.settings import LOGS, SPANS, TraceSettings
from collector.storage.traces.trace_answer import TraceAnswer
from collector.storage.traces.writing import write_fresh
from monitor.model.logs import Logs
from monitor.model.spans import Spans
from monitor.wire.tracing import ServiceOperations, TraceSummary

log = logging.getLogger("lightship")
_MOST_PROBLEMS = 100
_TRIES = 3
"""Looks while blocks are being merged, before one is taken while nothing is."""
_PAUSE = 1.0
_LONGEST_REST = 60.0
LEFT_OUT = "Some of what is kept is damaged and was left out."
Found = TypeVar("Found")
_READERS = 4
"""Questions at work at once."""


class TraceStore:
    """Spans and logs of the last days. All calls may come from any thread.

    What `append_spans` and `append_logs` took is seen by searches at once; when `commit` returned True it is on the disk.
    `start` runs the background work in a thread; without it, call `step`.
    """

    def __init__(self, folder: Path, settings: TraceSettings | None = None, *, clock: Callable[[], float] = time.time) -> None:
        """Opens or begins the store in a folder. Raises `TraceStoreError`; what is damaged is told in `problems` instead."""
        self.settings = settings or TraceSettings()
        self.problems: list[str] = []
        self.counters = upkeep.Counters()
        self._path, self._clock = folder / DATABASE, clock
        self._state = threading.Lock()
        """Held for moments: over what is pending and which blocks there are."""
        self._writing = threading.Lock()
        """Held by whoever writes to the database."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._cache = ColumnCache(self.settings.cache_bytes)
        self._damage = Damage(self._tell)
        self._failed_at = float("-inf")
        self._failing = ""
        self._suspect = False
        self._connection, self._table, self._readers = self._opened()
        self._pending = Pending(max(self._table.next_row, int(clock() * 1e6)))
        # From the clock, so that a number given before a kill is not given again to another row.

    # Writing

    def append_spans(self, spans: Spans) -> bool:
        """Takes them all, or none where too much waits for a disk that refuses: False, and counted."""
        return self._append(spans)

    def append_logs(self, logs: Logs) -> bool:
        """As `append_spans`. A record of no trace gets the one its text tells."""
        return self._append(with_contexts(logs))

    def commit(self) -> bool:
        """Whether everything appended before is on the disk now; `failing` says why it is not."""
        with self._writing:
            with self._state:
                fresh = self._pending.fresh()
            if not fresh:
                return True
            if time.monotonic() - self._failed_at < self.settings.rest:
                return False
            try:
                table = write_fresh(self._connection, self._table, fresh, int(self._clock() * 1e9), self.settings)
            except (sqlite3.Error, OSError) as error:
                self._failed(error)
                return False
            with self._state:
                self._table = table
                self._pending.committed(len(fresh))
            self._failing, self._failed_at = "", float("-inf")
            self.counters.commits += 1
            return True

    @property
    def failing(self) -> str:
        """Why spans and logs are not being kept safely now (disk full, read-only), "" when all is well."""
        return self._failing

    # Reading

    def search(self, search: TraceSearch) -> list[TraceSummary]:
        """At most `search.limit` traces with a span that meets all of it, in the order asked for.

        Raises `TraceStoreError` where the disk does not let it read.
        """
        return self.search_traces(search)[0]

    def search_traces(self, search: TraceSearch) -> tuple[list[TraceSummary], tuple[str, ...]]:
        """As `search`, and sentences about what was left out."""
        if search.order == "longest":
            (longest, told), warnings = self._ask(SPANS, lambda reading, parts, _: find_longest(reading, parts, search))
            return longest, (*told, *warnings)
        return self._ask(SPANS, lambda reading, parts, _: span_search.find_traces(reading, parts, search))

    def trace(self, trace_id: str, limit: int = 5000) -> TraceAnswer:
        """All spans of a trace, by start, and logs that carry its id. Raises `ValueError` for what is no id."""
        trace = trace_number(trace_id)

        def find(reading: Reading, parts: Sequence[Part], _: int) -> TraceAnswer:
            of_kind = [[part for part in parts if part.kind == kind] for kind in (SPANS, LOGS)]
            return trace_answer.find_trace(reading, of_kind[0], of_kind[1], trace, limit)

        found, warnings = self._ask(None, find)
        return replace(found, warnings=(*found.warnings, *warnings))

    def logs(self, search: LogSearch) -> LogAnswer:
        """Records that meet it, the newest first, or from `search.after` on in order of arrival. Raises `ValueError`."""
        found, warnings = self._ask(LOGS, lambda reading, parts, top: log_search.find_logs(reading, parts, search, top))
        return replace(found, warnings=warnings)

    def services(self) -> list[ServiceOperations]:
        """Services that sent what is kept, by name, and their operations."""
        with self._state:
            parts = self._parts(None)
        return services_of(parts)

    def oldest(self) -> float:
        """Time of the oldest span or log kept, seconds; infinity while there is none."""
        with self._state:
            parts = self._parts(None)
        return min((part.first / 1e9 for part in parts), default=float("inf"))

    # Background work

    def start(self) -> None:
        """Runs the background work in a thread until `close`."""
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def step(self, now: float | None = None) -> None:
        """Commits, and does all background work that is due. `now`: seconds since the epoch. Disk errors are counted and told."""
        moment = int((self._clock() if now is None else now) * 1e9)
        try:
            if self._suspect:
                self._reopen()
            self.commit()
            while not self._stopping.is_set() and self._work(moment):
                pass
        except (sqlite3.Error, OSError) as error:
            self._failed(error)

    def close(self) -> None:
        """Commits and closes."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._failed_at = float("-inf")
        self.commit()
        with self._writing:
            self._readers.close()
            self._connection.close()

    def figures(self) -> dict[str, float]:
        """Counters since the start and gauges of now, for health."""
        with self._state:
            blocks, pending = list(self._table.blocks.values()), self._pending.weight
        return self.counters.figures() | {
            "traces_kept_spans": float(sum(block.rows for block in blocks if block.kind == SPANS)),
            "traces_kept_logs": float(sum(block.rows for block in blocks if block.kind == LOGS)),
            "traces_blocks": float(len(blocks)),
            "traces_bytes": float(sum(block.bytes for block in blocks)),
            "traces_pending_bytes": float(pending),
            "traces_damaged_total": float(len(self._damage.known)),
        }

    def notes(self) -> list[str]:
        """Sentences about what is wrong, for the health line."""
        refused = self.counters.refused
        full = f"{refused:,} spans and logs were refused, for too many wait for the disk." if refused else ""
        failing = f"Spans and logs are not kept safely: {self._failing}." if self._failing else ""
        return [sentence for sentence in (failing, full, *self.problems[-3:]) if sentence]

    def _append(self, rows: Spans | Logs) -> bool:
        if not len(rows):
            return True
        fresh = fresh_of(rows)
        with self._state:
            if self._pending.weight and self._pending.weight + fresh.weight > self.settings.pending_bytes:
                self.counters.refused += len(rows)
                return False
            self._pending.add(fresh)
            self.counters.took(rows)
        return True

    def _parts(self, kind: int | None) -> list[Part]:
        """Of one kind, or of both; to be called under `_state`."""
        blocks = [
            Part(block.kind, block.first, block.last, block.low, block.high, block.summary, block)
            for block in self._table.blocks.values()
            if kind is None or block.kind == kind
        ]
        return blocks + [part for part in self._pending.parts() if kind is None or part.kind == kind]

    def _ask(self, kind: int | None, find: Callable[[Reading, Sequence[Part], int], Found]) -> tuple[Found, tuple[str, ...]]:
        """The answer, and a warning where something was left out."""
        for _ in range(_TRIES):
            with contextlib.suppress(MissingBlockError):
                return self._look(kind, find, strict=True)
        with self._writing:  # nothing is merged now: what is not there is lost
            return self._look(kind, find, strict=False)

    def _look(
        self, kind: int | None, find: Callable[[Reading, Sequence[Part], int], Found], strict: bool
    ) -> tuple[Found, tuple[str, ...]]:
        with self._state:
            parts, top, readers = self._parts(kind), self._pending.next_row - 1, self._readers
        try:
            with readers.snapshot() as connection:
                reading = Reading(connection, self._cache, self._damage, strict)
                return find(reading, parts, top), (LEFT_OUT,) if reading.left_out else ()
        except sqlite3.Error as error:
            self._suspect = self._suspect or is_damage(error)
            why = f"The store of traces cannot be read: {error}. It is looked after in the background; ask again in a minute."
            raise TraceStoreError(why) from error

    def _work(self, moment: int) -> bool:
        """One step of what is due; whether there may be more."""
        with self._writing:
            reading = Reading(self._connection, None, self._damage, strict=False)
            table = upkeep.step(self._connection, self._table, reading, moment, self.settings, self.counters)
            if table is None:
                return False
            with self._state:
                self._table = table
            return True

    def _run(self) -> None:
        rest = _PAUSE
        while not self._stopping.wait(rest):
            errors = self.counters.disk_errors
            try:
                self.step()
            except Exception:
                self.counters.disk_errors += 1
                log.exception("Background work of the store of traces failed; it is tried again")
            rest = min(rest * 2, _LONGEST_REST) if self.counters.disk_errors > errors else _PAUSE

    def _failed(self, error: Exception) -> None:
        self.counters.disk_errors += 1
        self._failed_at = time.monotonic()
        self._failing = f"the store of traces cannot be written ({error}): what comes in stays in memory"
        self._suspect = self._suspect or (isinstance(error, sqlite3.Error) and is_damage(error))

    def _opened(self, known_damage: str = "") -> tuple[sqlite3.Connection, BlockTable, Readers]:
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(self._clock()))
        connection, table, problems = open_database(self._path, stamp, known_damage)
        for problem in problems:
            self._tell(problem)
        readers = Readers(lambda: connect(self._path), _READERS, "SELECT value FROM tally LIMIT 1", "the store of traces")
        return connection, table, readers

    def _reopen(self) -> None:
        """Opens the database again, and saves what can be saved of it where it is damaged."""
        damage = damage_of(self._path)
        with self._writing:
            self._readers.close()
            self._connection.close()
            self._cache.clear()
            opened = self._opened(damage)
            with self._state:
                self._connection, self._table, self._readers = opened
            self._suspect = False

    def _tell(self, problem: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)
