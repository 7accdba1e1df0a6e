"""Where running totals go on after a restart: the last that the history has of a series.

Deltas are kept as totals. A counter's total could begin at 0 again, which is a reset; that of an UpDownCounter could not: it
would be wrong by all that was before.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence

import numpy as np

from collector.storage.interning import KIND_LABEL
from monitor.model.batch import Floats
from monitor.model.matchers import NAME_TAG, Matcher
from monitor.model.series import SeriesKey
from monitor.query.history import Block, Hints, History, Labels, QueryError

log = logging.getLogger("lightship.otlp")

LOOK_BACK = 600.0
"""Seconds: what said nothing for longer begins anew."""
PATIENCE = 0.25
"""Seconds that one request waits for the history at most, and a question more."""
AT_ONCE = 500
"""Metrics of one question: most of its cost is the same for one as for many."""
MOST_SAMPLES = 2_000_000
"""Of one question; where there are more in that time, these totals begin anew."""
MOST_NAMES = 10_000
MOST_KEPT = 200_000


class LastTotals:
    """Asks for each metric once, when the first of its series is met; `clock`: seconds since the epoch."""

    def __init__(self, history: History, clock: Callable[[], float], elapsed: Callable[[], float] = time.perf_counter) -> None:
        self._history, self._clock, self._elapsed = history, clock, elapsed
        self.resumed = 0
        """Series whose totals went on."""
        self.begin()

    def begin(self) -> None:
        """Every metric is to be asked for again."""
        self._asked: set[str] = set()
        self._found: dict[SeriesKey, float] = {}

    def of(self, keys: Sequence[SeriesKey]) -> Floats:
        """The last totals, NaN where there is none, or where it could not be had in time."""
        until = self._elapsed() + PATIENCE
        names = [name for name in dict.fromkeys(key.name for key in keys) if name not in self._asked]
        names = names[: max(0, MOST_NAMES - len(self._asked))]
        self._asked.update(names)
        for begin in range(0, len(names), AT_ONCE):
            if self._elapsed() < until:
                self._ask(names[begin : begin + AT_ONCE])
        totals = np.array([self._found.pop(key, np.nan) for key in keys], np.float64)
        self.resumed += int(np.count_nonzero(~np.isnan(totals)))
        return totals

    def _ask(self, names: Sequence[str]) -> None:
        now = round(self._clock() * 1000)
        start = now - round(LOOK_BACK * 1000)
        try:
            found = self._history.select([_named(names)], start, now, Hints(first=now, max_samples=MOST_SAMPLES))
        except QueryError as error:
            log.warning("running totals of %s begin at 0: what they were cannot be read (%s)", ", ".join(names)[:200], error)
            return
        seen: set[SeriesKey] = set()
        for block in found.blocks:
            for labels, total in zip(block.labels, _lasts(block).tolist(), strict=True):
                key = _key_of(labels)
                if key in seen:  # of two kinds: nobody knows which is meant
                    self._found.pop(key, None)
                elif len(self._found) < MOST_KEPT and not np.isnan(total):
                    self._found[key] = total
                seen.add(key)


def _named(names: Sequence[str]) -> Matcher:
    if len(names) == 1:
        return Matcher(NAME_TAG, "=", names[0])
    return Matcher(NAME_TAG, "=~", "|".join(map(re.escape, names)))


def _key_of(labels: Labels) -> SeriesKey:
    tags = tuple(pair for pair in labels if pair[0] not in (NAME_TAG, KIND_LABEL))
    return SeriesKey(dict(labels)[NAME_TAG], tags)


def _lasts(block: Block) -> Floats:
    """[S]: the last sample of each series; a staleness marker is NaN too."""
    if not len(block.times):
        return np.full(len(block.labels), np.nan)
    if block.present is None:
        lasts: Floats = block.values[:, -1]
        return lasts
    places = block.present.shape[1] - 1 - np.argmax(block.present[:, ::-1], axis=1)
    rows = np.arange(len(block.labels))
    return np.where(block.present[rows, places], block.values[rows, places], np.nan)
