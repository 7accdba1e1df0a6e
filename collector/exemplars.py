"""Exemplars of all receivers: taken in once a tick, kept within a bound and over a restart, and found by series and time."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from collector.storage.exemplar_file import pack, unpack
from collector.storage.interning import labels_of
from monitor.model.exemplar_table import ExemplarTable, Found, Snapshot
from monitor.model.exemplars import Exemplars
from monitor.model.matchers import NAME_TAG, Matcher, promql_name
from monitor.model.series import SeriesKey

log = logging.getLogger("lightship")

WAITING = 200_000
"""Exemplars that wait for a tick; further ones are shed."""
SAVE_EVERY = 60.0
"""Seconds: what a kill may cost."""
FIGURES = {
    "exemplars": "Exemplars kept.",
    "exemplar_series": "Series that have exemplars.",
    "exemplars_taken_total": "Exemplars taken in.",
    "exemplars_duplicate_total": "Exemplars passed over because they equal the newest of their series.",
    "exemplars_out_of_order_total": "Exemplars refused because their series has much newer ones.",
    "exemplars_invalid_total": "Exemplars left out: no number, no possible time, or of a series that is dropped.",
    "exemplars_thinned_total": "Exemplars left out because another of the same second tells more.",
    "exemplars_crowded_out_total": "Exemplars given up, oldest first, because there were too many.",
    "exemplars_shed_total": "Exemplars dropped because too many waited for a tick.",
}
Matchers = Sequence[Matcher]


class KeptExemplars:
    """`take` may be called from any thread, all else from the loop's."""

    def __init__(
        self,
        limit: int,
        window: float,
        file: Path,
        processed: Callable[[Exemplars], Exemplars] = lambda same: same,
    ) -> None:
        """`limit` and `window` as of `ExemplarTable`; `processed` is what the pipeline makes of them. Reads `file`."""
        self._table = ExemplarTable(limit, window)
        self._file, self._processed = file, processed
        self._waiting: deque[Exemplars] = deque()
        self._lock = threading.Lock()
        self._count = 0
        self._shed = self._dropped = 0
        self.share: Callable[[Snapshot], None] = lambda fresh: None
        """Gets what a tick kept."""
        self._saved, self._saved_at = 0, time.monotonic()
        self._disk = ThreadPoolExecutor(1, "lightship-exemplars")
        self._saving: Future[None] | None = None
        self._failed = ""
        self._held: tuple[int, Snapshot] | None = None
        self._restore()

    def take(self, exemplars: Exemplars) -> None:
        """For the next tick. Never waits."""
        with self._lock:
            if self._count + len(exemplars) > WAITING:
                self._shed += len(exemplars)
            else:
                self._waiting.append(exemplars)
                self._count += len(exemplars)

    def tick(self, now: float) -> None:
        """Takes in what came since the last one; `now`: seconds since the epoch."""
        if self._waiting:
            with self._lock:
                waiting, self._waiting, self._count = self._waiting, deque(), 0
            came = sum(map(len, waiting))
            processed = [self._processed(each) for each in waiting]
            self._dropped += came - sum(map(len, processed))
            self._table.add(processed, now)
            if self._table.fresh is not None:
                self.share(self._table.fresh)
        if self._table.changes != self._saved and time.monotonic() - self._saved_at >= SAVE_EVERY:
            self._save_beside()

    # ------------------------------------------------------------ what is asked

    def snapshot(self) -> Snapshot:
        """All of them now, for another thread; the same as before where nothing came since."""
        if self._held is None or self._held[0] != self._table.changes:
            self._held = self._table.changes, self._table.snapshot()
        return self._held[1]

    async def find(self, sets: Sequence[Matchers], start: float, end: float) -> list[Found]:
        """Those of series that meet any of the sets of matchers, between two times in seconds. Raises `SelectorError`."""
        kept = self.snapshot()
        return await asyncio.to_thread(lambda: found_in(kept, sets, start, end))

    # ------------------------------------------------------------ over a restart

    def close(self) -> None:
        """Waits for the file."""
        self._disk.shutdown(wait=True)
        if self._table.changes != self._saved:
            self._write(self.snapshot(), self._table.changes)

    def _save_beside(self) -> None:
        if self._saving is None or self._saving.done():
            self._saved_at = time.monotonic()
            self._saving = self._disk.submit(self._write, self.snapshot(), self._table.changes)

    def _write(self, kept: Snapshot, changes: int) -> None:
        unfinished = self._file.with_suffix(".unfinished")
        try:
            unfinished.write_bytes(pack(kept))
            unfinished.replace(self._file)
            self._saved, self._failed = changes, ""
        except OSError as error:
            self._failed = f"exemplars cannot be kept over a restart: {error.strerror}"

    def _restore(self) -> None:
        try:
            self._table.restore(unpack(self._file.read_bytes()))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning("exemplars of before the restart cannot be read (%s); they begin empty", error)

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        counters = self._table.counters
        return {
            "exemplars": float(len(self._table)),
            "exemplar_series": float(self._table.series),
            "exemplars_taken_total": float(counters.taken),
            "exemplars_duplicate_total": float(counters.duplicates),
            "exemplars_out_of_order_total": float(counters.out_of_order),
            "exemplars_invalid_total": float(counters.invalid + self._dropped),
            "exemplars_thinned_total": float(counters.thinned),
            "exemplars_crowded_out_total": float(counters.crowded_out),
            "exemplars_shed_total": float(self._shed),
        }

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        return [self._failed] if self._failed else []


def found_in(kept: Snapshot, sets: Sequence[Matchers], start: float, end: float) -> list[Found]:
    """As `KeptExemplars.find`, sorted by labels. What came with a bucket also answers for the histogram that it is of: a bucket's
    exemplar is found as `x_bucket{le="1"}` and, where only `x` is selected, as `x`.
    """
    found = kept.find(lambda key: any(_meets(key, matchers) for matchers in sets), start, end)
    told = {each.key for each in found}
    whole = kept.find(
        lambda key: key not in told and (of := histogram_of(key)) is not None and any(_meets(of, each) for each in sets),
        start,
        end,
    )
    found += [Found(histogram_of(each.key) or each.key, each.rows) for each in whole]
    return sorted(found, key=lambda each: labels_of(each.key))


def histogram_of(key: SeriesKey) -> SeriesKey | None:
    """The histogram whose bucket a series is; None where it is none."""
    if not key.name.endswith("_bucket") or not any(name == "le" for name, _ in key.tags):
        return None
    return SeriesKey(key.name.removesuffix("_bucket"), tuple(tag for tag in key.tags if tag[0] != "le"))


def _meets(key: SeriesKey, matchers: Matchers) -> bool:
    tags: dict[str, str] | None = None
    for matcher in matchers:
        if matcher.name == NAME_TAG:
            if not (matcher.test(key.name) or (matcher.op in ("=", "=~") and matcher.test(promql_name(key.name)))):
                return False
            continue
        tags = dict(key.tags) if tags is None else tags
        if not matcher.test(tags.get(matcher.name, "")):
            return False
    return True
