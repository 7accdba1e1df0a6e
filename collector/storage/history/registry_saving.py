"""Writes new series into the registry's tables and takes ended ones out, in a transaction of the caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.storage.history.postings import EMPTY, SEGMENT, SEGMENT_BITS, DamagedListError, Ids, Postings, changed, read
from collector.storage.history.registry_columns import read_kinds, write_kinds
from collector.storage.history.registry_rows import Pair, hash_of, pair_seal, spelling
from collector.storage.history.registry_schema import ALL, seal
from monitor.model.matchers import NAME_TAG
from monitor.query.history import Labels

Refs = npt.NDArray[np.int64]
Rebuild = Callable[[sqlite3.Connection, int, int], Postings]


class NewSeries(NamedTuple):
    """A series that is not in the database yet."""

    labels: Labels
    kind: int
    unit: str
    digest: bytes


@dataclass
class Saving:
    """One pass: `series` by ref, `gone` refs. What it touched is known when `run` is through."""

    connection: sqlite3.Connection
    series: dict[int, NewSeries]
    gone: Refs
    rebuild: Rebuild
    touched: set[tuple[int, int]] = field(default_factory=set)
    """Posting lists that changed, by label name and segment."""
    _names: dict[str, int] = field(default_factory=dict)
    _pairs: dict[Pair, int] = field(default_factory=dict)

    def run(self) -> None:
        """Writes it all."""
        self._names = {name: number for number, name in self.connection.execute("SELECT id, name FROM label_names")}
        self._learn_pairs(dict.fromkeys(pair for new in self.series.values() for pair in new.labels))
        rows = []
        for ref, new in self.series.items():
            pairs = np.array([self._pairs[pair] for pair in new.labels], np.uint32).tobytes()
            number = hash_of(new.digest)
            rows.append((ref, number, new.kind, pairs, seal(ref, number, new.kind, pairs)))
        self.connection.executemany("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?)", rows)
        self._lists()
        self._metrics()
        self.connection.executemany("DELETE FROM series WHERE ref = ?", [(ref,) for ref in self.gone.tolist()])

    def _learn_pairs(self, pairs: Iterable[Pair]) -> None:
        highest = int(self.connection.execute("SELECT coalesce(max(id), 0) FROM label_pairs").fetchone()[0])
        rows = []
        for name, value in pairs:
            number = self._names.get(name)
            if number is None:
                cursor = self.connection.execute("INSERT INTO label_names (name) VALUES (?)", (name,))
                number = self._names[name] = int(cursor.lastrowid or 0)
            found = self.connection.execute("SELECT id FROM label_pairs WHERE name = ? AND value = ?", (number, value)).fetchone()
            if found is None:
                highest += 1
                spelled = spelling(name, value)
                rows.append((highest, number, value, spelled, pair_seal(highest, name, value, spelled)))
                self._pairs[name, value] = highest
            else:
                self._pairs[name, value] = found[0]
        self.connection.executemany("INSERT INTO label_pairs VALUES (?, ?, ?, ?, ?)", rows)

    def _lists(self) -> None:
        by_name: dict[int, tuple[list[int], list[int]]] = {ALL: ([], [])}
        for ref, new in self.series.items():
            by_name[ALL][0].append(ref)
            by_name[ALL][1].append(1)
            for pair in new.labels:
                refs, ids = by_name.setdefault(self._names[pair[0]], ([], []))
                refs.append(ref)
                ids.append(self._pairs[pair])
        segments = np.unique(self.gone >> SEGMENT_BITS).tolist()
        for segment in segments:
            for (name,) in self.connection.execute("SELECT name FROM posting_lists WHERE segment = ?", (segment,)).fetchall():
                by_name.setdefault(name, ([], []))
        emptied: list[int] = []
        for name, (refs, ids) in by_name.items():
            emptied += self._name_lists(name, np.array(refs, np.int64), np.array(ids, np.uint32), segments)
        self._kinds()
        self._drop_values(np.unique(np.array(emptied, np.uint32)))

    def _name_lists(self, name: int, refs: Refs, ids: Ids, with_gone: Sequence[int]) -> list[int]:
        """Rewrites a label name's lists; values that left one of them."""
        left: list[int] = []
        for segment in sorted({*np.unique(refs >> SEGMENT_BITS).tolist(), *with_gone}):
            here = refs >> SEGMENT_BITS == segment
            gone = self.gone[self.gone >> SEGMENT_BITS == segment] & (SEGMENT - 1)
            old = self._list(name, segment)
            new = changed(old, ids[here], refs[here] & (SEGMENT - 1), gone)
            self.touched.add((name, segment))
            left += np.setdiff1d(old.ids, new.ids, assume_unique=True).tolist() if name != ALL else []
            if len(new.places):
                data = new.packed(name, segment)
                self.connection.execute("INSERT OR REPLACE INTO posting_lists VALUES (?, ?, ?)", (name, segment, data))
            else:
                self.connection.execute("DELETE FROM posting_lists WHERE name = ? AND segment = ?", (name, segment))
        return left

    def _list(self, name: int, segment: int) -> Postings:
        row = self.connection.execute("SELECT data FROM posting_lists WHERE name = ? AND segment = ?", (name, segment)).fetchone()
        try:
            return read(row[0], name, segment) if row else EMPTY
        except DamagedListError:
            return self.rebuild(self.connection, name, segment)

    def _kinds(self) -> None:
        refs = np.array(list(self.series), np.int64)
        kinds = np.array([new.kind for new in self.series.values()], np.uint8)
        for segment in np.unique(refs >> SEGMENT_BITS).tolist():
            here = refs >> SEGMENT_BITS == segment
            column = read_kinds(self.connection, segment).copy()
            column[refs[here] & (SEGMENT - 1)] = kinds[here]
            write_kinds(self.connection, segment, column)

    def _drop_values(self, ids: Ids) -> None:
        """Takes values out that no series has any more, and label names without values."""
        names: dict[int, list[int]] = {}
        for number in ids.tolist():
            row = self.connection.execute("SELECT name FROM label_pairs WHERE id = ?", (number,)).fetchone()
            if row is not None:
                names.setdefault(row[0], []).append(number)
        for name, numbers in names.items():
            held = [
                self._list(name, segment).ids
                for (segment,) in self.connection.execute("SELECT segment FROM posting_lists WHERE name = ?", (name,)).fetchall()
            ]
            unused = np.setdiff1d(np.array(numbers, np.uint32), np.concatenate(held) if held else EMPTY.ids)
            self.connection.executemany("DELETE FROM label_pairs WHERE id = ?", [(number,) for number in unused.tolist()])
            if not held:
                self.connection.execute("DELETE FROM label_names WHERE id = ?", (name,))

    def _metrics(self) -> None:
        names = {dict(new.labels).get(NAME_TAG, ""): (new.kind, new.unit) for new in self.series.values()}
        for name, (kind, unit) in names.items():
            row = self.connection.execute("SELECT kind, unit, help FROM series_metrics WHERE name = ?", (name,)).fetchone()
            if name and (row is None or (row[0], row[1]) != (kind, unit or row[1])):
                write_metric(self.connection, name, kind, unit or (row[1] if row else ""), row[2] if row else "")


def write_metric(connection: sqlite3.Connection, name: str, kind: int, unit: str, text: str) -> None:
    """What is known of a metric."""
    values = name, kind, unit, text, seal(name, kind, unit, text)
    connection.execute("INSERT OR REPLACE INTO series_metrics VALUES (?, ?, ?, ?, ?)", values)
