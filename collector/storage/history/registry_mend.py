"""Mends the registry after damage: every label and every series is written in two places, and one of them is mostly whole.

A label pair stands in its table and in the index over it, a series in its row and in the posting lists. What neither tells is
lost.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.storage.history.postings import SEGMENT, SEGMENT_BITS, DamagedListError, build, read
from collector.storage.history.registry_columns import UNKNOWN, read_kinds, write_kinds
from collector.storage.history.registry_rows import digest_of, hash_of, pair_seal, spelling
from collector.storage.history.registry_schema import ALL, schema, seal
from monitor.query.history import Labels

Ids = npt.NDArray[np.uint32]


class Mended(NamedTuple):
    """How many series are whole afterwards, and how many were lost."""

    series: int
    lost: int


class _Known(NamedTuple):
    """Labels that are sure: names by id, and pairs (name's id, value) by id."""

    names: dict[int, str]
    pairs: dict[int, tuple[int, str]]


def mend(connection: sqlite3.Connection) -> Mended:
    """Writes all tables anew from what is whole, in the caller's transaction."""
    known = _labels(connection)
    lists = {
        segment: _columns(connection, segment)
        for (segment,) in connection.execute("SELECT DISTINCT segment FROM posting_lists").fetchall()
        if isinstance(segment, int)
    }
    rows: dict[int, tuple[int, Ids]] = {}
    doubtful: set[int] = set()
    for ref, number, kind, pairs, checksum in connection.execute("SELECT ref, hash, kind, pairs, seal FROM series NOT INDEXED"):
        if seal(ref, number, kind, pairs) == checksum:
            rows[ref] = kind, np.frombuffer(pairs, np.uint32)
        else:
            doubtful.add(ref)
    for segment, columns in lists.items():
        told = np.flatnonzero(columns[ALL]) + (segment << SEGMENT_BITS) if columns else np.empty(0, np.int64)
        for ref in set(told.tolist()) - rows.keys():
            doubtful.add(ref)
            kind, ids = _by_lists(connection, ref, columns, known)
            if ids is not None:
                rows[ref] = kind, ids
    for ref in [ref for ref, (_, ids) in rows.items() if not all(number in known.pairs for number in ids.tolist())]:
        doubtful.add(ref)
        del rows[ref]
    lost = len(doubtful - rows.keys())
    following = connection.execute("SELECT ref, seal FROM series_next WHERE one = 1").fetchone()
    _clear(connection)
    _write_labels(connection, known)
    _write_series(connection, rows, known)
    if following is not None and seal(1, following[0]) == following[1]:
        connection.execute("INSERT INTO series_next VALUES (1, ?, ?)", following)
    return Mended(len(rows), lost)


def _labels(connection: sqlite3.Connection) -> _Known:
    """Names and pairs of which the table's copy or the index's has the right checksum, or on which both agree."""
    told: dict[int, set[str]] = {}
    for query in ("SELECT id, name FROM label_names NOT INDEXED", "SELECT id, name FROM label_names ORDER BY name"):
        for number, name in connection.execute(query):
            if isinstance(name, str):
                told.setdefault(number, set()).add(name)
    checksums = dict(connection.execute("SELECT id, seal FROM label_pairs NOT INDEXED"))
    rows = {row[0]: row[1:] for row in connection.execute("SELECT id, name, value FROM label_pairs NOT INDEXED")}
    query = "SELECT id, name, value FROM label_pairs WHERE name > -1 ORDER BY name, value"
    copies = {row[0]: row[1:] for row in connection.execute(query)}
    names: dict[int, str] = {}
    pairs: dict[int, tuple[int, str]] = {}
    for number in rows.keys() | copies.keys():
        for pair in {pair for pair in (rows.get(number), copies.get(number)) if pair is not None and isinstance(pair[1], str)}:
            right = [text for text in told.get(pair[0], ()) if _right(number, text, pair[1], checksums)]
            if right:
                names.setdefault(pair[0], right[0])
                pairs[number] = pair
        both = rows.get(number)
        if number not in pairs and both is not None and both == copies.get(number) and len(told.get(both[0], ())) == 1:
            pairs[number] = both  # it is the checksum that is damaged
    for number, texts in told.items():
        names.setdefault(number, min(texts))
    return _Known(names, {number: pair for number, pair in pairs.items() if pair[0] in names})


def _right(number: int, name: str, value: str, checksums: dict[int, int]) -> bool:
    return pair_seal(number, name, value, spelling(name, value)) == checksums.get(number)


def _columns(connection: sqlite3.Connection, segment: int) -> dict[int, Ids]:
    """The values at each place, by label name, of the lists that are whole; without them all if the one of all series is not."""
    columns: dict[int, Ids] = {}
    for name, data in connection.execute("SELECT name, data FROM posting_lists WHERE segment = ?", (segment,)):
        try:
            columns[name] = read(data, name, segment).column()
        except DamagedListError:
            return {}
    return columns if ALL in columns else {}


def _by_lists(connection: sqlite3.Connection, ref: int, columns: dict[int, Ids], known: _Known) -> tuple[int, Ids | None]:
    """Kind and pairs of a series as the other places tell them."""
    place, segment = ref & (SEGMENT - 1), ref >> SEGMENT_BITS
    if not columns or not columns[ALL][place]:
        return UNKNOWN, None
    ids = [int(column[place]) for name, column in columns.items() if name != ALL and column[place]]
    if any(number not in known.pairs for number in ids):
        return UNKNOWN, None
    ids.sort(key=lambda number: known.names[known.pairs[number][0]])
    kind = int(read_kinds(connection, segment)[place])
    return kind, None if kind == UNKNOWN else np.array(ids, np.uint32)


def _clear(connection: sqlite3.Connection) -> None:
    """Empties the tables as wholes: an index that does not fit its table's rows cannot be brought along row by row."""
    for table in ("series", "label_pairs", "label_names", "posting_lists", "series_columns", "series_next"):
        connection.execute(f"DROP TABLE {table}")
    schema(connection)


def _write_labels(connection: sqlite3.Connection, known: _Known) -> None:
    used = {name for name, _ in known.pairs.values()}
    connection.executemany("INSERT INTO label_names VALUES (?, ?)", [each for each in known.names.items() if each[0] in used])
    rows = []
    for number, (name, value) in known.pairs.items():
        spelled = spelling(known.names[name], value)
        rows.append((number, name, value, spelled, pair_seal(number, known.names[name], value, spelled)))
    connection.executemany("INSERT OR IGNORE INTO label_pairs VALUES (?, ?, ?, ?, ?)", rows)


def _write_series(connection: sqlite3.Connection, rows: dict[int, tuple[int, Ids]], known: _Known) -> None:
    texts = {number: (known.names[name], value) for number, (name, value) in known.pairs.items()}
    name_of = np.zeros(max(known.pairs, default=0) + 1, np.int64)
    for number, (name, _) in known.pairs.items():
        name_of[number] = name
    by_segment: dict[int, list[int]] = {}
    for ref, (kind, ids) in rows.items():
        labels: Labels = tuple(texts[number] for number in ids.tolist())
        number, pairs = hash_of(digest_of(labels)), ids.tobytes()
        row = ref, number, kind, pairs, seal(ref, number, kind, pairs)
        connection.execute("INSERT INTO series VALUES (?, ?, ?, ?, ?)", row)
        by_segment.setdefault(ref >> SEGMENT_BITS, []).append(ref)
    for segment, refs in by_segment.items():
        places = np.array(refs, np.int64) & (SEGMENT - 1)
        kinds = np.full(SEGMENT, UNKNOWN, np.uint8)
        kinds[places] = [rows[ref][0] for ref in refs]
        write_kinds(connection, segment, kinds)
        every = np.concatenate([rows[ref][1] for ref in refs])
        repeated, names = np.repeat(places, [len(rows[ref][1]) for ref in refs]), name_of[every]
        _write_list(connection, ALL, segment, np.ones(len(places), np.uint32), places)
        for name in np.unique(names).tolist():
            _write_list(connection, name, segment, every[names == name], repeated[names == name])


def _write_list(connection: sqlite3.Connection, name: int, segment: int, ids: Ids, places: npt.NDArray[np.int64]) -> None:
    data = build(ids, places).packed(name, segment)
    connection.execute("INSERT INTO posting_lists VALUES (?, ?, ?)", (name, segment, data))
