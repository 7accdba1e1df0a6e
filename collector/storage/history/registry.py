"""Series by number, in the database of the chunks, with an inverted index over their labels.

New series stand in memory until `save` puts them into the database (the journal names them meanwhile). Nothing of a million
series that are only kept is in memory: posting lists, label pairs and rows are read when asked for, into bounded caches.
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.history.database import connect, transaction
from collector.storage.history.postings import SEGMENT, SEGMENT_BITS, Postings, standing_in
from collector.storage.history.registry_cache import ByteCache
from collector.storage.history.registry_columns import UNKNOWN, Kinds, list_by_rows, read_kinds
from collector.storage.history.registry_rows import PairBook, clean, digest_of, refs_by_labels, rows_of
from collector.storage.history.registry_saving import NewSeries, Saving, write_metric
from collector.storage.history.registry_schema import first_free, readable, schema, seal
from collector.storage.history.registry_search import Caches, Search, masks_of
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.history import Labels, Metadata
from monitor.query.memory_index import LabelIndex

Refs = npt.NDArray[np.int64]
_TYPES = {Kind.COUNTER: "counter", Kind.DISTRIBUTION: "histogram", Kind.GAUGE: "gauge", Kind.SET: "gauge"}


class RegistryBounds(msgspec.Struct, frozen=True):
    """What the registry holds in memory: `active` series found by their labels without the database, series `unsaved` (beyond
    it new ones are refused), `known` labels by ref, and bytes of posting lists.
    """

    active: int = 200_000
    unsaved: int = 200_000
    known: int = 50_000
    cache_bytes: int = 32 << 20


class SeriesRegistry:
    """Series by ref. Any thread; refs are given out once and never again."""

    def __init__(self, path: Path, bounds: RegistryBounds | None = None) -> None:
        """Opens the tables in a history's database, creating what is missing. Raises `sqlite3.Error`."""
        self.bounds = bounds or RegistryBounds()
        self._path = path
        self._lock = threading.RLock()
        self._looking = threading.Lock()
        """Held while the database is searched: not by who registers series, whom a search must not hold up."""
        self._connection = connect(path)
        self._connection.text_factory = readable
        try:
            with transaction(self._connection):
                schema(self._connection)
            self._next = first_free(self._connection)
        except BaseException:
            self._connection.close()
            raise
        self._reading = connect(path)
        self._book, self._reading_book = PairBook(), PairBook()
        self._caches = Caches(self.bounds.cache_bytes)
        self._kinds: ByteCache[Kinds] = ByteCache(self.bounds.cache_bytes // 8)
        self._active: dict[bytes, int] = {}
        self._labels: dict[int, Labels] = {}
        self._unsaved: dict[int, NewSeries] = {}
        self._fresh = LabelIndex()
        self._untold: list[int] = []
        self._removed: set[int] = set()
        self._saving: Saving | None = None
        self._described: dict[str, tuple[str, str]] = {}
        self.refused = 0
        """New series that there was no room for: ref -1."""
        self.rebuilt = 0
        """Posting lists that were damaged and made anew from the series' rows."""
        self.damaged = 0
        """Series asked for whose rows cannot be read."""

    # Writing

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Refs:
        """A ref a series, int64[n]; new ones are registered with their kind and unit. -1 where there is no room for another."""
        digests: list[bytes] = []
        cleaned = labels
        try:
            digests = [digest_of(each) for each in labels]
        except ValueError:
            cleaned = [clean(each) for each in labels]
            digests = [digest_of(each) for each in cleaned]
        with self._lock:
            active = self._active
            refs = [active.get(digest, -1) for digest in digests]
            lacking = {digests[place]: cleaned[place] for place, ref in enumerate(refs) if ref < 0}
            if lacking:
                found = refs_by_labels(self._connection, self._book, lacking)
                active.update((digest, ref) for digest, ref in found if ref not in self._removed)
            for place, ref in enumerate(refs):
                if ref < 0:
                    unit = units[place] if units else ""
                    refs[place] = self._ref_of(NewSeries(cleaned[place], int(kinds[place]), unit, digests[place]))
            self._learn_units(cleaned, units)
            if len(active) > self.bounds.active:
                self._active = dict(itertools.islice(active.items(), len(active) // 2, None))
        return np.array(refs, np.int64)

    def _learn_units(self, labels: Sequence[Labels], units: Sequence[str]) -> None:
        """A series that was named by the journal has no unit until its receiver says it again."""
        for each, unit in zip(labels, units, strict=False):
            name = next((value for key, value in each if key == "__name__"), "")
            if unit and name not in self._described and len(self._described) < self.bounds.known:
                self._described[name] = unit, ""

    def news(self) -> tuple[list[int], list[int], list[Labels]]:
        """Refs, kinds and labels of series registered since the last call: for the journal, before samples of them."""
        with self._lock:
            refs, self._untold = [ref for ref in self._untold if ref in self._unsaved], []
            said = [self._unsaved[ref] for ref in refs]
        return refs, [new.kind for new in said], [new.labels for new in said]

    def restore(self, refs: Sequence[int], kinds: Sequence[int], labels: Sequence[Labels]) -> None:
        """Registers series under refs they had; those it knows stay as they are."""
        with self._lock:
            known = {row.ref for row in rows_of(self._connection, np.unique(np.array(refs, np.int64)))}
            for ref, kind, each in zip(refs, kinds, labels, strict=True):
                if ref not in known and ref not in self._unsaved:
                    self._add(ref, NewSeries(each, kind, "", digest_of(each)))
            self._next = max(self._next, max(refs, default=-1) + 1)

    def reserve(self, ref: int) -> None:
        """Refs up to this one were given out, even if nothing else tells of them any more."""
        with self._lock:
            self._next = max(self._next, ref + 1)

    def remove(self, refs: Refs) -> None:
        """These have no samples any more. They are not found from now on, and leave the database with the next `save`."""
        with self._lock:
            gone = set(refs.tolist())
            for ref in gone & self._unsaved.keys():
                self._fresh.remove(ref, self._unsaved.pop(ref).labels)
            self._removed |= gone
            self._active = {digest: ref for digest, ref in self._active.items() if ref not in gone}
            for ref in gone:
                self._labels.pop(ref, None)

    def describe(self, name: str, unit: str, text: str) -> None:
        """What is known of a metric beside its kind; the next `save` writes it."""
        with self._lock:
            if len(self._described) < self.bounds.known:
                self._described[name] = unit, text[:4096]

    @property
    def unsaved(self) -> int:
        """How many series `save` would write or take out."""
        return len(self._unsaved) + len(self._removed)

    def save(self, connection: sqlite3.Connection) -> None:
        """Writes what is new in the caller's transaction. Call `saved` once that is committed. One thread at a time."""
        with self._lock:
            series, gone = dict(self._unsaved), np.array(sorted(self._removed), np.int64)
            described, following = dict(self._described), self._next
        self._saving = Saving(connection, series, gone, self._rebuilt)
        if series or len(gone):
            self._saving.run()
            row = 1, following, seal(1, following)
            connection.execute("INSERT OR REPLACE INTO series_next VALUES (?, ?, ?)", row)
        for name, (unit, text) in described.items():
            known = connection.execute("SELECT kind, unit, help FROM series_metrics WHERE name = ?", (name,)).fetchone()
            kind, before, help_before = known or (UNKNOWN, "", "")
            write_metric(connection, name, kind, unit or before, text or help_before)

    def saved(self) -> None:
        """What `save` wrote is committed."""
        saving, self._saving = self._saving, None
        if saving is None:
            return
        with self._lock:
            for ref, new in saving.series.items():
                if self._unsaved.get(ref) is new:
                    del self._unsaved[ref]
                    self._fresh.remove(ref, new.labels)
            if not self._unsaved:
                self._fresh = LabelIndex()
            self._removed.difference_update(saving.gone.tolist())
            self._described.clear()
            self._caches.lists.drop(saving.touched)
            self._caches.patterns.drop()
            self._kinds.drop()
            if len(saving.gone):
                self._book.forget()
        if len(saving.gone):
            with self._looking:
                self._reading_book.forget()

    def close(self) -> None:
        """Nothing is asked any more."""
        with self._looking, self._lock:
            self._connection.close()
            self._reading.close()

    # Reading

    def find(self, matchers: Sequence[Matcher]) -> Refs:
        """Refs of the series that meet all matchers, rising. Raises `SelectorError` for a pattern that is none."""
        with self._lock:
            new = self._fresh.find(matchers) if self._unsaved else set()
            hidden = np.array([*self._unsaved, *self._removed], np.int64)
            generations = self._caches.generations()
        with self._looking:
            found = self._search(generations).refs(matchers)
        if len(hidden):  # one that is being saved may be found in both
            found = np.delete(found, np.searchsorted(found, hidden[standing_in(hidden, found)]))
            unsaved = np.array(sorted(new), np.int64)
            found = np.insert(found, np.searchsorted(found, unsaved), unsaved)
        return found

    def labels(self, refs: Refs) -> list[Labels]:
        """Of each ref, in that order; () where the series is not known or its row damaged."""
        wanted = refs.tolist()
        with self._lock:
            found = [self._known(ref) for ref in wanted]
        lacking = np.unique(refs[[place for place, each in enumerate(found) if each is None]])
        if not len(lacking):
            return [each or () for each in found]
        with self._looking:
            rows = list(rows_of(self._reading, lacking))
            read = dict(zip((row.ref for row in rows), self._reading_book.labels(self._reading, rows), strict=True))
        with self._lock:
            self.damaged += sum(not read.get(ref) and ref not in self._removed for ref in lacking.tolist())
            if len(self._labels) + len(read) > self.bounds.known:
                self._labels = {}
            self._labels.update(itertools.islice(((ref, each) for ref, each in read.items() if each), self.bounds.known))
        return [each or read.get(ref, ()) for ref, each in zip(wanted, found, strict=True)]

    def kinds(self, refs: Refs) -> npt.NDArray[np.uint8]:
        """`Kind` of each ref, as it was first registered; 255 where it is not known."""
        kinds = np.full(len(refs), UNKNOWN, np.uint8)
        with self._lock:
            for segment in np.unique(refs >> SEGMENT_BITS).tolist():
                here = refs >> SEGMENT_BITS == segment
                kinds[here] = self._kinds_in(segment)[refs[here] & (SEGMENT - 1)]
            if self._unsaved:
                for place in np.flatnonzero(kinds == UNKNOWN).tolist():
                    new = self._unsaved.get(int(refs[place]))
                    kinds[place] = new.kind if new is not None else UNKNOWN
        return kinds

    def label_names(self, refs: Refs) -> list[str]:
        """Label names that these series (rising) have, sorted."""
        with self._lock:
            found = {name for new in self._fresh_among(refs) for name, _ in new.labels}
            generations = self._caches.generations()
        with self._looking:
            found.update(self._search(generations).names_of(masks_of(refs)))
        return sorted(found)

    def label_values(self, name: str, refs: Refs) -> list[str]:
        """Values of a label that these series (rising) have, sorted."""
        with self._lock:
            fresh = {value for new in self._fresh_among(refs) for label, value in new.labels if label == name}
            generations = self._caches.generations()
        with self._looking:
            found = self._search(generations).values_of(name, masks_of(refs))
        return sorted(fresh.union(found) if fresh else found)

    def metadata(self) -> dict[str, Metadata]:
        """By metric name: type by the kind its series have, unit, and help where somebody gave one."""
        with self._looking:
            rows = self._reading.execute("SELECT name, kind, unit, help, seal FROM series_metrics").fetchall()
        with self._lock:  # what is not in the database yet
            fresh = {dict(new.labels).get("__name__", ""): (new.kind, new.unit) for new in self._unsaved.values()}
            described = dict(self._described)
        known = {name: (kind, unit, "") for name, (kind, unit) in fresh.items()} | {
            name: (kind, unit, text) for name, kind, unit, text, checksum in rows if seal(name, kind, unit, text) == checksum
        }
        said = {name: described.get(name, ("", "")) for name in known}
        return {name: _metadata(kind, unit or said[name][0], text or said[name][1]) for name, (kind, unit, text) in known.items()}

    def figures(self) -> dict[str, int]:
        """Gauges and counters for health."""
        return {
            "given_refs": self._next,
            "active_series": len(self._active),
            "unsaved_series": len(self._unsaved),
            "refused_series": self.refused,
            "damaged_series": self.damaged,
            "rebuilt_lists": self.rebuilt,
            "index_bytes": self._caches.lists.bytes + self._caches.patterns.bytes,
        }

    # Within

    def _search(self, generations: tuple[int, int]) -> Search:
        return Search(self._reading, self._caches, generations, self._rebuilt)

    def _fresh_among(self, refs: Refs) -> list[NewSeries]:
        if not self._unsaved:
            return []
        unsaved = np.array(sorted(self._unsaved), np.int64)
        return [self._unsaved[ref] for ref in unsaved[standing_in(unsaved, refs)].tolist()]

    def _known(self, ref: int) -> Labels | None:
        new = self._unsaved.get(ref)
        return new.labels if new is not None else self._labels.get(ref)

    def _kinds_in(self, segment: int) -> Kinds:
        known = self._kinds.get(segment)
        if known is None:
            generation = self._kinds.generation
            known = read_kinds(self._connection, segment)
            self._kinds.put(segment, known, SEGMENT, generation)
        return known

    def _ref_of(self, series: NewSeries) -> int:
        """The ref of a series that is active by now, or of a new one."""
        known = self._active.get(series.digest)
        if known is not None:
            return known
        if len(self._unsaved) >= self.bounds.unsaved:
            self.refused += 1
            return -1
        ref, self._next = self._next, self._next + 1
        self._add(ref, series)
        self._untold.append(ref)
        return ref

    def _add(self, ref: int, series: NewSeries) -> None:
        self._unsaved[ref] = series
        self._fresh.add(ref, series.labels)
        self._active[series.digest] = ref

    def _rebuilt(self, connection: sqlite3.Connection, name: int, segment: int) -> Postings:
        self.rebuilt += 1
        return list_by_rows(connection, name, segment)


def _metadata(kind: int, unit: str, text: str) -> Metadata:
    return Metadata(_TYPES.get(Kind(kind), "unknown") if kind != UNKNOWN else "unknown", text, unit)
