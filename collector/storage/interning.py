"""From what receivers call a series to what the history calls it."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable, Sequence

import numpy as np

from collector.storage.sink import Longs, Sink
from monitor.model.batch import Floats, Ids
from monitor.model.series import KeySpace, Kind, SeriesKey
from monitor.query.history import Labels

KIND_LABEL = "lightship_kind"
TRY_AGAIN = 5.0
"""Seconds after which series that the history had no room for are offered to it again."""


class Interning:
    """Refs of series, remembered by key space until the history gives refs anew. `-1`: no room for another."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._spaces: weakref.WeakKeyDictionary[KeySpace, Longs] = weakref.WeakKeyDictionary()
        self._newest: weakref.WeakKeyDictionary[KeySpace, Floats] = weakref.WeakKeyDictionary()
        self._generation = sink.generation
        self._again = 0.0

    def begun_anew(self) -> bool:
        """Whether refs that were given out since the last call mean nothing any more."""
        if self._sink.generation == self._generation:
            return False
        self._generation = self._sink.generation
        self._spaces.clear()
        return True

    def refs_in(self, space: KeySpace, ids: Ids) -> Longs:
        """The refs of a receiver's ids, int64."""
        known = self._spaces.get(space)
        if known is None or len(known) < len(space):
            held = np.empty(0, np.int64) if known is None else known
            keys, kinds, units = space.keys[len(held) :], space.kinds[len(held) :], space.units[len(held) :]
            known = self._spaces[space] = np.concatenate((held, self.refs(keys, kinds, units)))
        refs: Longs = known[ids]
        if refs.min(initial=0) < 0 and time.monotonic() >= self._again:
            # There was no room for them when they came; there may be by now.
            self._again = time.monotonic() + TRY_AGAIN
            lacking = np.unique(ids[refs < 0]).tolist()
            known[lacking] = self.refs(
                [space.keys[number] for number in lacking],
                [space.kinds[number] for number in lacking],
                [space.units[number] for number in lacking],
            )
            refs = known[ids]
        return refs

    def refs(self, keys: Sequence[SeriesKey], kinds: Sequence[Kind], units: Sequence[str]) -> Longs:
        """Refs of these series. Where one name and tags come as two kinds, the later kind gets a label that says so."""
        labels = [labels_of(key) for key in keys]
        refs = self._sink.intern(labels, [int(kind) for kind in kinds], units)
        known = np.flatnonzero(refs >= 0)
        other = self._sink.kinds(refs[known]) != np.array(kinds, np.int8)[known]
        for place in known[other].tolist():
            told = tuple(sorted((*labels[place], (KIND_LABEL, kinds[place].name.lower()))))
            refs[place] = self._sink.intern([told], [int(kinds[place])], units[place : place + 1])[0]
        return refs

    def silent(self, space: KeySpace, ids: Ids, times: Floats, seconds: float) -> tuple[Ids, Floats]:
        """Which of these series said nothing for so long before `times`, or never, each once; and its first time among them.

        Afterwards they have spoken at `times`.
        """
        newest = self._newest.get(space)
        if newest is None or len(newest) < len(space):
            grown = np.full(len(space), -np.inf)
            grown[: 0 if newest is None else len(newest)] = () if newest is None else newest
            newest = self._newest[space] = grown
        order = np.argsort(times, kind="stable")
        found, first = np.unique(ids[order], return_index=True)
        earliest = times[order][first]
        which = newest[found] < earliest - seconds
        np.maximum.at(newest, ids, times)
        return found[which], earliest[which]


def labels_of(key: SeriesKey) -> Labels:
    """The labels under which the history knows a series: its tags without empty ones, and its name as `__name__`."""
    return tuple(sorted((("__name__", key.name), *((name, value) for name, value in key.tags if value and name != "__name__"))))


def keys_of(labels: Iterable[Labels]) -> list[SeriesKey]:
    """The way back from `labels_of`."""
    return [
        SeriesKey(dict(each).get("__name__", ""), tuple((name, value) for name, value in each if name != "__name__"))
        for each in labels
    ]
