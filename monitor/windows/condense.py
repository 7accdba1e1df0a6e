"""Deltas of a past that is only kept by tens of seconds, put together: a tenth of them, which replay to the same windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.series import SeriesInfo
from monitor.windows.fold import Longs, empty_delta, summed
from monitor.windows.frame import Delta
from monitor.windows.rings import TEN, floor_to

_ENTRIES = ("rows", "seconds", "counts", "sums", "mins", "maxs", "lasts", "last_times")
_BINS = ("hist_rows", "hist_seconds", "hist_bins", "hist_counts")
_MEMBERS = ("set_rows", "set_seconds", "set_hashes")


def condensed(deltas: Iterable[Delta]) -> Iterator[Delta]:
    """The same by tens: what a row did within ten seconds is one entry, whose second is the ten's first.

    Once `FINE` and ten seconds have passed since the last of them, windows and history are those that `deltas` themselves give.
    Late entries, of a ten that was closed when they came, stay by themselves, as the windows keep them.
    """
    group: _Group | None = None
    for delta in deltas:
        if group is None or group.ends_before(delta):
            if group is not None:
                yield from group.told()
            # What lay before the first is not known: all of that counts as late, which is always right.
            group = _Group(delta.time, delta.time - 1) if group is None else _Group(group.time, group.time)
        group.add(delta)
    if group is not None:
        yield from group.told()


class _Group:
    """Deltas that become one."""

    def __init__(self, closed: float, before: float) -> None:
        self.time = closed
        """Of the last delta taken; what is of tens before it is late."""
        self._before = before
        self._ten: int | None = None
        self._added: dict[int, SeriesInfo] = {}
        self._gone: list[Ids] = []
        self._prompt: list[dict[str, Any]] = []
        self._late: list[dict[str, Any]] = []
        self._bins: list[dict[str, Any]] = []
        self._members: list[dict[str, Any]] = []

    def ends_before(self, delta: Delta) -> bool:
        """Whether this delta must not be put to those so far: its ten is another, or not one."""
        return self._ten is None or self._ten != _ten_of(delta, self.time)

    def add(self, delta: Delta) -> None:
        # What is late when it comes is added to closed tens one by one, by the windows too.
        late = delta.seconds < floor_to(int(self.time), TEN)
        entries = _columns(delta, _ENTRIES)
        if late.any():
            self._late.append(_where(entries, late))
            entries = _where(entries, ~late)
        self._prompt.append(entries)
        self._bins.append(_columns(delta, _BINS))
        self._members.append(_columns(delta, _MEMBERS))
        self._added.update((info.row, info) for info in delta.added)
        if len(delta.gone):
            self._forget(delta.gone)
        self._ten = _ten_of(delta, self.time)
        self.time = delta.time

    def _forget(self, gone: Ids) -> None:
        """Rows given up leave nothing behind, and may be given out anew."""
        for parts, key in ((self._prompt, "rows"), (self._late, "rows"), (self._bins, "hist_rows"), (self._members, "set_rows")):
            parts[:] = [_where(part, ~np.isin(part[key], gone)) for part in parts]
        for row in gone.tolist():
            self._added.pop(row, None)
        self._gone.append(gone)

    def told(self) -> Iterator[Delta]:
        if self._gone:
            yield replace(empty_delta(self._before), gone=np.unique(np.concatenate(self._gone)))
        late, prompt = _joined(self._late, _ENTRIES), _folded(_joined(self._prompt, _ENTRIES))
        if late:
            late = _where(late, np.argsort(floor_tens(late["seconds"]), kind="stable"))
            prompt = {name: np.concatenate((late[name], prompt[name])) for name in _ENTRIES}
        prompt["seconds"] = floor_tens(prompt["seconds"])
        columns = prompt | _folded_bins(_joined(self._bins, _BINS)) | _folded_members(_joined(self._members, _MEMBERS))
        yield replace(empty_delta(self.time), added=tuple(self._added.values()), **columns)


def floor_tens(seconds: Longs) -> Longs:
    floored: Longs = seconds - seconds % TEN
    return floored


def _ten_of(delta: Delta, before: float) -> int | None:
    """The one ten that a delta closes seconds of, None where it does not lie within one: nothing is put to such."""
    ten = floor_to(int(delta.time) - 1, TEN)
    prompt = delta.seconds[delta.seconds >= floor_to(int(before), TEN)]
    return ten if not len(prompt) or int(prompt.min()) >= ten else None


def _columns(delta: Delta, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(delta, name) for name in names}


def _where(columns: dict[str, Any], which: npt.NDArray[Any]) -> dict[str, Any]:
    return {name: column[which] for name, column in columns.items()}


def _joined(parts: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: np.concatenate([part[name] for part in parts]) for name in names} if parts else {}


def _folded(entries: dict[str, Any]) -> dict[str, Any]:
    """One entry a ten and row, ordered so. Sums are made in the order in which the windows make them."""
    size = len(entries["rows"])
    if not size:
        return entries
    tens = floor_tens(entries["seconds"])
    order = np.lexsort((entries["rows"], tens))
    new, places = _numbered(order, tens, entries["rows"])
    count = int(places[order[-1]]) + 1
    mins, maxs = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(mins, places, entries["mins"])
    np.maximum.at(maxs, places, entries["maxs"])
    in_time = np.argsort(entries["last_times"], kind="stable")
    lasts: Floats = np.empty(count)
    last_times: Floats = np.empty(count)
    # Of places that occur more than once the last assignment stays.
    lasts[places[in_time]] = entries["lasts"][in_time]
    last_times[places[in_time]] = entries["last_times"][in_time]
    first = order[new]
    return {
        "rows": entries["rows"][first],
        "seconds": tens[first],
        "counts": summed(places, entries["counts"], count),
        "sums": summed(places, entries["sums"], count),
        "mins": mins,
        "maxs": maxs,
        "lasts": lasts,
        "last_times": last_times,
    }


def _folded_bins(bins: dict[str, Any]) -> dict[str, Any]:
    if not len(bins["hist_rows"]):
        return bins
    tens = floor_tens(bins["hist_seconds"])
    order = np.lexsort((bins["hist_bins"], bins["hist_rows"], tens))
    new, places = _numbered(order, tens, bins["hist_rows"], bins["hist_bins"])
    first = order[new]
    return {
        "hist_rows": bins["hist_rows"][first],
        "hist_seconds": tens[first],
        "hist_bins": bins["hist_bins"][first],
        "hist_counts": summed(places, bins["hist_counts"], len(first)),
    }


def _folded_members(members: dict[str, Any]) -> dict[str, Any]:
    if not len(members["set_rows"]):
        return members
    tens = floor_tens(members["set_seconds"])
    order = np.lexsort((members["set_hashes"], members["set_rows"], tens))
    new, _ = _numbered(order, tens, members["set_rows"], members["set_hashes"])
    first = order[new]
    return {
        "set_rows": members["set_rows"][first],
        "set_seconds": tens[first],
        "set_hashes": members["set_hashes"][first],
    }


def _numbered(order: npt.NDArray[np.intp], *keys: npt.NDArray[Any]) -> tuple[npt.NDArray[np.bool_], Longs]:
    """Which of the ordered entries begin a new key, and the number of each entry's key, in the entries' own order."""
    new = np.ones(len(order), np.bool_)
    new[1:] = False
    for key in keys:
        sorted_key = key[order]
        new[1:] |= sorted_key[1:] != sorted_key[:-1]
    places = np.empty(len(order), np.int64)
    places[order] = np.cumsum(new) - 1
    return new, places
