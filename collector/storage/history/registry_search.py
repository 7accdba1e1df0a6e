"""Finds series by matchers: posting lists of the labels asked for, 65,536 series at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.history.postings import EMPTY, SEGMENT, SEGMENT_BITS, DamagedListError, Ids, Mask, Postings, distinct, read
from collector.storage.history.registry_cache import ByteCache
from collector.storage.history.registry_patterns import literals, matching, prefix
from collector.storage.history.registry_schema import ALL
from monitor.model.matchers import NAME_TAG, Matcher

Refs = npt.NDArray[np.int64]
Rebuild = Callable[[sqlite3.Connection, int, int], Postings]
_FEW = 500
_values = msgspec.json.Decoder(list[str])


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A matcher over ids: of one label name, those with a value in `ids` (rising), or with any (`every`), or without the label
    where `absent`; the others where `negated`.
    """

    name: int
    ids: Ids
    every: bool
    absent: bool
    negated: bool


class Caches:
    """What finding keeps: posting lists, and the values that patterns matched."""

    def __init__(self, max_bytes: int) -> None:
        self.lists: ByteCache[Postings] = ByteCache(max_bytes)
        self.patterns: ByteCache[Ids] = ByteCache(max_bytes // 4)

    def generations(self) -> tuple[int, int]:
        """To be taken before the snapshot that is read."""
        return self.lists.generation, self.patterns.generation


class Search:
    """On one snapshot of the database. `rebuild` makes a posting list anew that turns out damaged."""

    def __init__(self, connection: sqlite3.Connection, caches: Caches, generations: tuple[int, int], rebuild: Rebuild) -> None:
        self._connection, self._lists, self._found, self._rebuild = connection, caches.lists, caches.patterns, rebuild
        self._generation, self._found_generation = generations

    def refs(self, matchers: Sequence[Matcher]) -> Refs:
        """Refs of the series that meet all matchers, rising."""
        wanted = sorted((self._wanted(matcher) for matcher in matchers), key=_cost)
        parts: list[Refs] = []
        for segment in self.segments():
            places = self._segment(segment, wanted)
            if len(places):
                parts.append(places + (segment << SEGMENT_BITS))
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def names_of(self, chosen: dict[int, Mask]) -> list[str]:
        """Label names that series at the chosen places of those segments have."""
        return [
            name
            for number, name in self._connection.execute("SELECT id, name FROM label_names").fetchall()
            if any(mask[self.postings(number, segment).places].any() for segment, mask in chosen.items())
        ]

    def values_of(self, name: str, chosen: dict[int, Mask]) -> list[str]:
        """Values of a label that series at the chosen places have."""
        number = self.name_id(name)
        if number is None:
            return []
        parts = [self.postings(number, segment).ids_among(mask) for segment, mask in chosen.items()]
        ids = distinct(np.concatenate(parts)) if parts else np.empty(0, np.uint32)
        if len(ids) > 2000:
            (held,) = self._connection.execute("SELECT count(*) FROM label_pairs WHERE name = ?", (number,)).fetchone()
            if held == len(ids):
                return self._all_values_of(number)
            wanted = set(ids.tolist())
            rows = self._connection.execute("SELECT id, value FROM label_pairs WHERE name = ?", (number,))
            return [value for pair, value in rows if pair in wanted]
        found: list[str] = []
        for begin in range(0, len(ids), _FEW):
            inner = ", ".join(map(str, ids[begin : begin + _FEW].tolist()))
            found += [row[0] for row in self._connection.execute(f"SELECT value FROM label_pairs WHERE id IN ({inner})")]
        return found

    def _all_values_of(self, number: int) -> list[str]:
        # As one row: each row that is fetched gives the interpreter's lock away and waits to have it back.
        values = "SELECT value FROM label_pairs WHERE name = ? ORDER BY value"
        (told,) = self._connection.execute(f"SELECT json_group_array(value) FROM ({values})", (number,)).fetchone()
        try:
            return _values.decode(told)
        except msgspec.MsgspecError:  # bytes that are no text, after damage
            return [row[0] for row in self._connection.execute(values, (number,))]

    def segments(self) -> list[int]:
        """Those that hold series."""
        return [row[0] for row in self._connection.execute("SELECT segment FROM posting_lists WHERE name = ?", (ALL,))]

    def name_id(self, name: str) -> int | None:
        row = self._connection.execute("SELECT id FROM label_names WHERE name = ?", (name,)).fetchone()
        return None if row is None else int(row[0])

    def postings(self, name: int, segment: int) -> Postings:
        """The list of a label name in a segment."""
        known = self._lists.get((name, segment))
        if known is not None:
            return known
        query = "SELECT data FROM posting_lists WHERE name = ? AND segment = ?"
        row = self._connection.execute(query, (name, segment)).fetchone()
        try:
            found = read(row[0], name, segment) if row else EMPTY
        except DamagedListError:
            found = self._rebuild(self._connection, name, segment)
        self._lists.put((name, segment), found, found.nbytes, self._generation)
        return found

    def _segment(self, segment: int, wanted: Sequence[Wanted]) -> Refs:
        """Places in a segment that meet all, rising."""
        mask: Mask | None = None
        for one in wanted:
            postings = self.postings(one.name, segment) if one.name >= 0 else EMPTY
            if mask is None and not one.negated and not one.absent:
                places = postings.places if one.every else postings.of(one.ids)
                if not len(places):
                    return np.empty(0, np.int64)
                mask = np.zeros(SEGMENT, np.bool_)
                mask[places] = True
                continue
            met = np.zeros(SEGMENT, np.bool_)
            met[postings.places if one.every else postings.of(one.ids)] = True
            if one.absent:
                without = np.ones(SEGMENT, np.bool_)
                without[postings.places] = False
                met |= without
            if one.negated:
                np.logical_not(met, out=met)
            mask = met if mask is None else mask & met
        held = np.zeros(SEGMENT, np.bool_)
        held[self.postings(ALL, segment).places] = True
        return np.flatnonzero(held if mask is None else mask & held)

    def _wanted(self, matcher: Matcher) -> Wanted:
        negated = matcher.op in ("!=", "!~")
        pattern = matcher.op in ("=~", "!~")
        absent = Matcher(matcher.name, "=~" if pattern else "=", matcher.value).test("")
        number = self.name_id(matcher.name)
        if number is None:
            return Wanted(-1, EMPTY.ids, False, absent, negated)
        if pattern and matcher.value in (".*", ".+"):
            return Wanted(number, EMPTY.ids, True, absent, negated)
        find = self._pattern_ids if pattern else self._value_ids
        ids = find(matcher.name, number, matcher.value)
        return Wanted(number, ids, False, absent, negated)

    def _value_ids(self, label: str, name: int, value: str) -> Ids:
        return self._ids(label, name, (value,))

    def _ids(self, label: str, name: int, values: Sequence[str]) -> Ids:
        found: list[tuple[int]] = []
        for value in values:
            try:
                found += self._connection.execute("SELECT id FROM label_pairs WHERE name = ? AND value = ?", (name, value))
                if label == NAME_TAG:
                    found += self._connection.execute("SELECT id FROM label_pairs WHERE spelled = ?", (value,))
            except UnicodeEncodeError:  # half a character, which no series has
                continue
        return np.unique(np.array([row[0] for row in found], np.uint32))

    def _pattern_ids(self, label: str, name: int, pattern: str) -> Ids:
        named = literals(pattern)
        if named is not None:
            return self._ids(label, name, named)
        known = self._found.get((name, pattern))
        if known is None:
            known = self._scanned(label, name, pattern)
            self._found.put((name, pattern), known, known.nbytes + 500, self._found_generation)
        return known

    def _scanned(self, label: str, name: int, pattern: str) -> Ids:
        """Ids of the values that a pattern matches, of all values that begin as it does."""
        begins, rest = prefix(pattern)
        query = "SELECT id, value, spelled FROM label_pairs WHERE name = ?"
        rows: list[tuple[int, str, str | None]]
        if begins and label != NAME_TAG:
            rows = _while_begins(begins, self._connection.execute(query + " AND value >= ? ORDER BY value", (name, begins)))
            if rest == ".*" and not any("\n" in row[1] for row in rows):
                return np.unique(np.array([row[0] for row in rows], np.uint32))
        else:
            rows = self._connection.execute(query, (name,)).fetchall()
        found = [rows[at][0] for at in matching(pattern, [row[1] for row in rows])]
        if label == NAME_TAG:
            spelled = [(row[0], row[2]) for row in rows if row[2] is not None]
            found += [spelled[at][0] for at in matching(pattern, [text for _, text in spelled])]
        return np.unique(np.array(found, np.uint32))


def _cost(wanted: Wanted) -> tuple[bool, int]:
    """Few first: what they leave out need not be looked at again."""
    return wanted.negated or wanted.absent or wanted.every, len(wanted.ids)


def _while_begins(begins: str, rows: Iterable[tuple[int, str, str | None]]) -> list[tuple[int, str, str | None]]:
    found: list[tuple[int, str, str | None]] = []
    for row in rows:
        if not row[1].startswith(begins):
            break
        found.append(row)
    return found


def masks_of(refs: Refs) -> dict[int, Mask]:
    """Refs (rising) as places chosen, by segment."""
    chosen: dict[int, Mask] = {}
    segments = refs >> SEGMENT_BITS
    for segment in segments[np.flatnonzero(np.diff(segments, prepend=-1))].tolist():
        mask: Mask = np.zeros(SEGMENT, np.bool_)
        begin, behind = np.searchsorted(segments, (segment, segment + 1)).tolist()
        mask[refs[begin:behind] & (SEGMENT - 1)] = True
        chosen[segment] = mask
    return chosen
