"""Looks through the registry's tables for damage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.storage.history.postings import SEGMENT, SEGMENT_BITS, DamagedListError, read
from collector.storage.history.registry_mend import mend
from collector.storage.history.registry_rows import pair_seal, spelling
from collector.storage.history.registry_schema import ALL, NAMES, readable, seal
from collector.storage.state_schema import transaction


class Damage(NamedTuple):
    """What is wrong: damaged rows of series and of label pairs, and whether the lists do not fit the rows."""

    series: list[int]
    pairs: list[int]
    lists: bool

    def __bool__(self) -> bool:
        return bool(self.series or self.pairs or self.lists)

    def sentences(self) -> list[str]:
        """For people; none when all is well."""
        said = []
        if self.series:
            said.append(f"{len(self.series)} series in the registry are damaged")
        if self.pairs:
            said.append(f"{len(self.pairs)} labels in the registry are damaged")
        if self.lists:
            said.append("the registry's lists and indexes are damaged")
        return said


def look_over(connection: sqlite3.Connection) -> list[str]:
    """Reads every page of the tables and their indexes, mends what is readable but wrong, and tells it: 1 s for a million series.

    Raises `sqlite3.DatabaseError` where that cannot be done in its place, but only in a new file.
    """
    connection.text_factory = readable
    for table in NAMES:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        connection.execute(f"SELECT {', '.join(f'sum(length({name}))' for name in columns)} FROM {table} NOT INDEXED").fetchone()
    damage = looked_over(connection)
    if not damage:
        return []
    with transaction(connection):
        done = mend(connection)
    lost = f", {done.lost} were lost" if done.lost else ""
    return [f"{', '.join(damage.sentences())}: mended, {done.series} series are whole{lost}"]


def looked_over(connection: sqlite3.Connection) -> Damage:
    """What can be seen without reading every series: labels and posting lists. 0.4 s for a million series, most of it labels."""
    return Damage([], damaged_pairs(connection), not (lists_are_whole(connection) and indexes_fit(connection)))


def looked_through(connection: sqlite3.Connection) -> Damage:
    """Everything, every series against the lists: some seconds for a million."""
    damaged = [row[0] for row in _rows(connection) if seal(*row[:4]) != row[4]]
    whole = lists_are_whole(connection) and indexes_fit(connection) and _lists_fit(connection)
    return Damage(damaged, damaged_pairs(connection), not whole)


def damaged_pairs(connection: sqlite3.Connection) -> list[int]:
    """Ids of label pairs that are not what was written."""
    names: dict[int, str] = dict(connection.execute("SELECT id, name FROM label_names NOT INDEXED"))
    rows = connection.execute("SELECT id, name, value, spelled, seal FROM label_pairs NOT INDEXED")
    return [
        number
        for number, name, value, spelled, checksum in rows
        if name not in names or pair_seal(number, names[name], value, spelled) != checksum
    ]


def indexes_fit(connection: sqlite3.Connection) -> bool:
    """Whether the database's own indexes say what its tables say: by them labels and series are found."""
    names = dict(connection.execute("SELECT id, name FROM label_names NOT INDEXED"))
    if names != dict(connection.execute("SELECT id, name FROM label_names ORDER BY name")):
        return False
    summed = connection.execute("SELECT coalesce(sum(seal), 0) FROM label_pairs NOT INDEXED").fetchone()[0]
    for number, name, value in connection.execute("SELECT id, name, value FROM label_pairs WHERE name > -1 ORDER BY name, value"):
        label = names.get(name, "")
        summed -= pair_seal(number, label, value, spelling(label, value))
    if summed:
        return False
    for table, key, column, index in (
        ("series", "ref", "hash", "series_by_hash"),
        ("label_pairs", "id", "length(spelled)", "label_pairs_by_spelling"),
    ):
        query = f"SELECT count(*), sum({key}), sum({column} & 4294967295), sum({column} >> 32) FROM {table}"
        some = "WHERE spelled IS NOT NULL" if table == "label_pairs" else "WHERE hash IS NOT NULL"
        first = connection.execute(f"{query} NOT INDEXED {some}").fetchone()
        if first != connection.execute(f"{query} INDEXED BY {index} {some}").fetchone():
            return False
    return True


def lists_are_whole(connection: sqlite3.Connection) -> bool:
    """Whether every posting list is what was written under its key, and none of any segment is missing or too many."""
    names = {number for (number,) in connection.execute("SELECT id FROM label_names")}
    known = _pairs_by_name(connection)
    placed: dict[int, int] = {}
    for name, segment, data in connection.execute("SELECT name, segment, data FROM posting_lists"):
        try:
            postings = read(data, name, segment)
        except DamagedListError:
            return False
        if name != ALL and (name not in names or not np.isin(postings.ids, known.get(name, [])).all()):
            return False  # a label is lost that series carry, and its number must not go to another
        places = len(postings.places)
        placed[segment] = placed.get(segment, 0) + (places << 32 if name == ALL else places)
    for segment, counted in placed.items():
        first = segment << SEGMENT_BITS
        row = connection.execute(
            "SELECT count(*), total(length(pairs)) FROM series WHERE ref BETWEEN ? AND ?", (first, first + SEGMENT - 1)
        ).fetchone()
        if counted != (row[0] << 32) + int(row[1]) // 4:
            return False
    held = connection.execute("SELECT count(*) FROM series").fetchone()[0]
    return bool(held == sum(counted >> 32 for counted in placed.values()))


def _pairs_by_name(connection: sqlite3.Connection) -> dict[int, npt.NDArray[np.int64]]:
    """Ids of the label pairs there are, rising, by their label name's id."""
    found: dict[int, list[int]] = {}
    for number, name in connection.execute("SELECT id, name FROM label_pairs NOT INDEXED"):
        if isinstance(number, int):
            found.setdefault(name, []).append(number)
    return {name: np.array(numbers, np.int64) for name, numbers in found.items()}


def _lists_fit(connection: sqlite3.Connection) -> bool:
    """Whether the lists say of every whole series exactly the labels that its row has."""
    names = dict(connection.execute("SELECT id, name FROM label_pairs"))
    for (segment,) in connection.execute("SELECT segment FROM posting_lists WHERE name = ?", (ALL,)).fetchall():
        first = segment << SEGMENT_BITS
        columns = {
            name: read(data, name, segment).column()
            for name, data in connection.execute("SELECT name, data FROM posting_lists WHERE segment = ?", (segment,))
        }
        for ref, number, kind, pairs, checksum in connection.execute(
            "SELECT ref, hash, kind, pairs, seal FROM series WHERE ref BETWEEN ? AND ?", (first, first + SEGMENT - 1)
        ):
            ids = np.frombuffer(pairs, np.uint32).tolist()
            if seal(ref, number, kind, pairs) != checksum:
                continue
            if any(names.get(pair) not in columns or columns[names[pair]][ref - first] != pair for pair in ids):
                return False
            if not columns[ALL][ref - first]:
                return False
    return True


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[int, int, int, bytes, int]]:
    yield from connection.execute("SELECT ref, hash, kind, pairs, seal FROM series")
