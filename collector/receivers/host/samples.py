"""Readings of the host become one batch a second: ids kept, counters turned into increments, vanished series marked."""

from __future__ import annotations

import math

import numpy as np

from monitor.model.batch import Batch
from monitor.model.cumulative import Cumulative
from monitor.model.series import KeySpace, Kind, SeriesKey, Tags, series_key

MAX_KEYS = 20_000
_NO_TAGS: Tags = ()
_MAX_TEXT = 200


def plain_text(text: str, limit: int = _MAX_TEXT) -> str:
    """`text` with everything that does not print (controls, escapes, direction marks) replaced by "?", cut to `limit`."""
    cut = text[:limit]
    return cut if cut.isprintable() else "".join(character if character.isprintable() else "?" for character in cut)


class Section:
    """One group of series that is read together; a series missing from the next reading has vanished."""

    def __init__(self, book: SampleBook, passing: bool = False) -> None:
        self.passing = passing
        self._book = book
        self.ids: set[int] = set()
        self._seen: set[int] = set()

    def gauge(self, name: str, value: float, tags: Tags = _NO_TAGS, unit: str = "") -> None:
        """A reading of a gauge; one that is not finite is left out."""
        if math.isfinite(value):
            series = self._book.series(name, tags, Kind.GAUGE, unit, self.passing)
            self._seen.add(series)
            self._book.gauges[series] = value

    def counter(self, name: str, reading: float, tags: Tags = _NO_TAGS, unit: str = "") -> None:
        """A cumulative reading of a counter."""
        if math.isfinite(reading):
            series = self._book.series(name, tags, Kind.COUNTER, unit, self.passing)
            self._seen.add(series)
            self._book.readings[series] = reading

    def close(self) -> None:
        """The group is complete: what was there last time and is not now has vanished."""
        if self._seen != self.ids:
            self._book.vanished.extend(self.ids - self._seen)
        self.ids, self._seen = self._seen, set()


class SampleBook:
    """The key space of the host receiver and the samples gathered since the last batch.

    Short-lived series (processes) would let the key space grow for ever: past `max_keys` a new one is begun with the
    series that live, and counters go on from their last readings.
    """

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self.space = KeySpace()
        self.gauges: dict[int, float] = {}
        self.readings: dict[int, float] = {}
        self.vanished: list[int] = []
        self._max_keys = max_keys
        self._ids: dict[tuple[str, Tags], int] = {}
        self._cumulative = Cumulative()
        self._last_readings: dict[int, float] = {}
        self._sections: list[Section] = []

    def section(self, passing: bool = False) -> Section:
        """A new group of series; `passing` as of `KeySpace.add`."""
        section = Section(self, passing)
        self._sections.append(section)
        return section

    def series(self, name: str, tags: Tags, kind: Kind, unit: str, passing: bool = False) -> int:
        """The id of a series, given one at its first sight."""
        found = self._ids.get((name, tags))
        if found is None:
            found = self._ids[name, tags] = self.space.add(series_key(name, tags), kind, unit, passing)
        return found

    def take(self, now: float) -> Batch | None:
        """All samples since the last call as one batch at `now`, or None when there are none."""
        counter_ids, increments = self._increments()
        # A series can move between two groups within a round; what was read again has not vanished.
        stale = [series for series in self.vanished if series not in self.gauges and series not in self.readings]
        self._forget(stale)
        count = len(self.gauges)
        ids = np.concatenate(
            (np.fromiter(self.gauges.keys(), np.int32, count), counter_ids, np.array(stale, np.int32)), dtype=np.int32
        )
        values = np.concatenate((np.fromiter(self.gauges.values(), np.float64, count), increments, np.full(len(stale), np.nan)))
        batch = Batch(self.space, ids, values, np.full(len(ids), now)) if len(ids) else None
        self.gauges.clear()
        self.readings.clear()
        self.vanished.clear()
        if len(self.space) > self._max_keys:
            self._begin_anew()
        return batch

    def _increments(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
        count = len(self.readings)
        ids = np.fromiter(self.readings.keys(), np.int32, count)
        readings = np.fromiter(self.readings.values(), np.float64, count)
        self._last_readings.update(self.readings)
        return self._cumulative.increments(ids, readings)

    def _forget(self, stale: list[int]) -> None:
        if not stale:
            return
        self._cumulative.forget(np.array(stale, np.int32))
        for series in stale:
            self._last_readings.pop(series, None)

    def _begin_anew(self) -> None:
        old_keys, old_kinds, old_units = self.space.keys, self.space.kinds, self.space.units
        old_readings = self._last_readings
        self.space, self._ids, self._cumulative, self._last_readings = KeySpace(), {}, Cumulative(), {}
        for section in self._sections:
            moved: set[int] = set()
            for series in section.ids:
                key: SeriesKey = old_keys[series]
                new = self.series(key.name, key.tags, old_kinds[series], old_units[series], section.passing)
                moved.add(new)
                if series in old_readings:
                    self._last_readings[new] = old_readings[series]
            section.ids = moved
        count = len(self._last_readings)
        ids = np.fromiter(self._last_readings.keys(), np.int32, count)
        self._cumulative.increments(ids, np.fromiter(self._last_readings.values(), np.float64, count))
