"""The embedded history: samples in, durably; numpy blocks out. Journal and memory for what is fresh, SQLite for the rest."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from collector.storage.history.columns import Columns
from collector.storage.history.database import HistoryError, damage_of, is_damage, look_over
from collector.storage.history.deletion import lay_tombstone
from collector.storage.history.histograms import DISTRIBUTION, HistogramColumns, HistogramLayout
from collector.storage.history.intake import Intake
from collector.storage.history.newest import NEVER
from collector.storage.history.opening import DATABASE, Opened, oldest_chunks, open_history, tier_sizes
from collector.storage.history.reader import Asked, Reading
from collector.storage.history.records import names_record
from collector.storage.history.registry import SeriesRegistry
from collector.storage.history.series_index import SeriesIndex, counters_among
from collector.storage.history.settings import TIER_NAMES, HistorySettings
from collector.storage.history.upkeep import UpkeepCounters, database_bytes
from monitor.model.matchers import Matcher
from monitor.query.history import Hints, Labels, Metadata, Millis, QueryError, Selected, Values

log = logging.getLogger("lightship")

_MOST_PROBLEMS = 100
_PAUSE = 1.0
"""Seconds between looks at what background work is due."""
_LONGEST_REST = 60.0


class HistoryStore:
    """A `History` (monitor/query/history.py) that is also written to. All calls may come from any thread.

    What `append` took is seen by queries at once; when `commit` returned True it is on the disk. A sample of the same series and
    millisecond as one before takes its place. One more than `out_of_order` older than the newest its series had before the
    batch is counted and dropped. `start` runs the background work in a thread; without it, call `step`.
    """

    def __init__(
        self,
        folder: Path,
        settings: HistorySettings | None = None,
        *,
        registry: Callable[[Path], SeriesIndex] = SeriesRegistry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens or begins the history in a folder. Raises `HistoryError`; what is damaged is told in `problems` instead."""
        self.settings = settings or HistorySettings()
        self._folder, self._registry, self._clock = folder, registry, clock
        self._upkeep_lock = threading.RLock()
        self._naming = threading.Lock()
        """Names of series stand in the journal before the first sample that needs them."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._disk_problem = self._known_damage = ""
        self._suspect = False
        self._looked_over = True
        """Whether all of the database was read through: of a large one, that is left to the background work."""
        """The database may be damaged: it is opened anew by the background work."""
        self.disk_errors = 0
        self.damaged_chunks = 0
        self.intake = Intake(self.settings, folder, clock)
        self._counters = UpkeepCounters()
        self.problems: list[str] = []
        self._opened = self._open()

    # Writing

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> npt.NDArray[np.int64]:
        """Refs of the series, int64[n]; those that are new are registered. `kinds`: `Kind` of each. -1: no room for another.

        A ref is good until `generation` rises: then series without samples have left, and their refs are dead.
        """
        with self._naming:
            found = self._opened.index.intern(labels, kinds, units)
            new = self._opened.index.news()
            if new[0]:
                self.intake.add_record(names_record(*new))
        return found

    def kinds(self, refs: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """The kind each ref was interned with first."""
        return self._opened.index.kinds(refs)

    @property
    def generation(self) -> int:
        """Rises when series leave the registry: intern anew."""
        return self._counters.generation

    def append(self, refs: npt.NDArray[np.int64], times_ms: Millis, values: Values) -> int:
        """Takes n samples in any order; how many were taken. `values` may hold staleness markers."""
        keys = np.asarray(refs).astype(np.int32)
        return self.intake.take(Columns(keys, np.array(times_ms, np.int64), np.array(values, np.float64)), None)

    def append_histograms(
        self,
        refs: npt.NDArray[np.int64],
        times_ms: Millis,
        offsets: npt.NDArray[np.int64],
        bins: npt.NDArray[np.int32],
        counts: Values,
        sums: Values,
        layout: HistogramLayout = DISTRIBUTION,
    ) -> int:
        """Takes n histograms; how many were taken. Number i has `bins[offsets[i]:offsets[i + 1]]` with their `counts`.

        By default they are deltas in the product's own bins: what was observed since the sample before. Queries see running
        sums, so a series should begin with an empty one just before its first observation.
        """
        columns = (
            np.array(offsets, np.int64),
            np.array(bins, np.int32),
            np.array(counts, np.float64),
            np.array(sums, np.float64),
        )
        keys = np.asarray(refs).astype(np.int32)
        numbers = np.arange(len(keys), dtype=np.float64)
        return self.intake.take(Columns(keys, np.array(times_ms, np.int64), numbers), HistogramColumns(layout, *columns))

    def commit(self) -> bool:
        """Whether everything appended before is on the disk now; `failing` says why it is not."""
        return self.intake.journal.flush(time.monotonic())

    @property
    def failing(self) -> str:
        """Why samples are not being kept safely now (disk full, read-only), "" when all is well."""
        return self.intake.failing or self._disk_problem

    def delete(self, matchers: Sequence[Matcher], start: int, end: int) -> int:
        """Deletes the samples of these series in [start, end]: hidden when this returns, off the disk soon. How many series."""
        refs = self._opened.index.find(matchers)
        if not len(refs) or end < start:
            return 0
        try:
            with self._upkeep_lock:
                self._opened.upkeep.fold()
                lay_tombstone(self._opened.connection, refs, start, end)
        except sqlite3.Error as error:
            self._failed(error)
            raise QueryError(f"Nothing was deleted: {self._disk_problem}.") from error
        return len(refs)

    # Reading

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """All samples in [start, end] of the series that meet all matchers. Raises `TooManySamplesError`."""
        with self.reading() as opened:
            refs = opened.index.find(matchers)
            labels = opened.index.labels(refs)
            warnings: list[str] = []
            if not all(labels):  # a row of the registry is damaged: better none than one without a name
                warnings.append(f"{labels.count(())} series whose labels are damaged were left out")
                refs, labels = refs[[bool(each) for each in labels]], [each for each in labels if each]
            if not len(refs) or end < start:
                return Selected((), warnings=tuple(warnings))
            asked = Asked(refs, labels, counters_among(opened.index, refs), start, end, hints)
            runs = self.intake.head.runs(wanted=refs)
            with opened.readers.snapshot() as connection:
                found = Reading(connection, runs, opened.times_cache, asked).found()
        if found.damaged:
            self.damaged_chunks += found.damaged
            self._tell(found.problems)
            warnings.append(f"{found.damaged} damaged chunks of the history were left out")
        return Selected(tuple(found.blocks), found.resolution, tuple(warnings), tuple(found.infos))

    def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[Labels]:
        """Series that had their newest sample at `start` or later, sorted."""
        with self.reading() as opened:
            found = sorted(each for each in opened.index.labels(self._living(opened, matchers, start)) if each)
        return found[:limit] if limit else found

    def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """Label names of those series, sorted."""
        with self.reading() as opened:
            found = opened.index.label_names(self._living(opened, matchers, start))
        return found[:limit] if limit else found

    def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """Values of one label of those series, sorted."""
        with self.reading() as opened:
            found = opened.index.label_values(name, self._living(opened, matchers, start))
        return found[:limit] if limit else found

    def metadata(self) -> dict[str, Metadata]:
        """By metric name, of the metrics something is known of."""
        with self.reading() as opened:
            return opened.index.metadata()

    def oldest(self) -> float:
        """Time of the oldest sample kept, seconds; infinity while there is none."""
        fresh = [int(run.columns.times.min()) for run in self.intake.head.runs()]
        with self.reading() as opened, opened.readers.snapshot() as connection:
            return min([*fresh, *oldest_chunks(connection)], default=float("inf")) / 1000

    def _living(self, opened: Opened, matchers: Sequence[Matcher], start: int) -> npt.NDArray[np.int64]:
        refs = opened.index.find(matchers)
        newest = self.intake.newest_of(refs)
        living: npt.NDArray[np.int64] = refs[(newest >= start) | (newest == NEVER)]  # after damage nothing is known of some
        return living

    @contextmanager
    def reading(self) -> Iterator[Opened]:
        """What is open now. Where the disk refuses, the question fails and the background work looks at the file."""
        try:
            yield self._opened
        except sqlite3.Error as error:
            self._suspect = self._suspect or is_damage(error)
            raise QueryError(
                f"The history cannot be read: {error}. It is looked after in the background; ask again in a minute."
            ) from error

    # Background work

    def start(self) -> None:
        """Runs the background work in a thread until `close`."""
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    def step(self, now: float | None = None) -> None:
        """Does all background work that is due. `now`: seconds since the epoch. Disk errors are counted, told and rested from."""
        moment = int((self._clock() if now is None else now) * 1000)
        try:
            if self._suspect:
                self._reopen()
            self._look_over()
            work = self._opened.upkeep.due(moment)
            while not self._stopping.is_set():
                with self._upkeep_lock:
                    if next(work, self) is self:
                        break
            self._disk_problem = ""
            self._tell(self._counters.problems)
            self._counters.problems.clear()
        except (sqlite3.Error, OSError) as error:
            self._failed(error)

    def fold(self) -> None:
        """Makes chunks of all fresh samples now."""
        with self._upkeep_lock:
            self._opened.upkeep.fold()

    def close(self) -> None:
        """Commits and closes. What is fresh is read back from the journal by the next start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self.commit()
        self.intake.journal.close()
        with self._upkeep_lock:
            self._opened.close()

    def stats(self) -> dict[str, int]:
        """Counters since the start and gauges of now, for health."""
        with self.reading() as opened, opened.readers.snapshot() as connection:
            tiers, size = tier_sizes(connection), database_bytes(connection)
        work = self._counters
        figures = self.intake.figures() | self._opened.index.figures()
        for tier, (samples, tier_bytes, chunks) in tiers.items():
            name = TIER_NAMES[tier].replace(" ", "")
            figures |= {f"{name}_samples": samples, f"{name}_bytes": tier_bytes, f"{name}_chunks": chunks}
        return figures | {
            "bytes": size + self.intake.journal.size,
            "folds": work.folds,
            "folded_samples": work.folded_samples,
            "merged_chunks": work.merged_chunks,
            "duplicate_samples": work.duplicate_samples,
            "expired_samples": work.expired,
            "crowded_out_samples": work.crowded_out,
            "ended_series": work.ended_series,
            "damaged_chunks": self.damaged_chunks + work.damaged_chunks,
            "disk_errors": self.disk_errors,
        }

    def _run(self) -> None:
        rest = _PAUSE
        while not self._stopping.wait(rest):
            errors = self.disk_errors
            try:
                self.step()
            except Exception:
                self.disk_errors += 1
                log.exception("Background work of the history failed; it is tried again")
            rest = min(rest * 2, _LONGEST_REST) if self.disk_errors > errors else _PAUSE

    def _failed(self, error: Exception) -> None:
        self.disk_errors += 1
        self._disk_problem = f"the history cannot be written ({error}): fresh samples stay in memory and in the journal"
        self._suspect = self._suspect or (isinstance(error, sqlite3.Error) and is_damage(error))

    def _look_over(self) -> None:
        """What was too large to be looked over when it was opened. Raises `sqlite3.DatabaseError` for what is damaged."""
        if self._looked_over:
            return
        with self._upkeep_lock:
            try:
                self._tell(look_over(self._opened.connection))
            except sqlite3.DatabaseError as error:
                self._known_damage = str(error)
                raise
        self._looked_over = True

    def _reopen(self) -> None:
        """Opens the database again, and saves what can be saved of it where it is damaged. Raises `OSError`."""
        damage = damage_of(self._folder / DATABASE) or self._known_damage
        self._known_damage = ""
        with self._upkeep_lock:
            self._opened.close()
            try:
                self._opened = self._open(damage)
            except HistoryError as error:
                raise OSError(str(error)) from None
            self._suspect = False

    def _open(self, known_damage: str = "") -> Opened:
        """Opens the database and takes in what the journal has beyond it."""
        opened = open_history(
            self._folder, self._registry, self.settings, self.intake, self._counters, self._clock(), known_damage
        )
        self._tell(opened.problems)
        self._looked_over = opened.looked_over
        return opened

    def _tell(self, problems: Sequence[str]) -> None:
        self.problems += list(problems)[: max(0, _MOST_PROBLEMS - len(self.problems))]
