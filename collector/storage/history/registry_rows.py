"""Rows of the registry: read and checked, by ref, by labels, by label pair."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.history.registry_schema import seal
from monitor.model.matchers import NAME_TAG, promql_name
from monitor.query.history import Labels

_FEW = 500
_MOST_PAIRS = 100_000
_encode = msgspec.msgpack.Encoder().encode

Pair = tuple[str, str]


class SeriesRow(NamedTuple):
    """One series as it stands in the database; `pairs`: uint32 ids."""

    ref: int
    kind: int
    pairs: bytes


def digest_of(labels: Labels) -> bytes:
    """What tells label sets apart: 128 bits, so that nobody finds two of the same."""
    try:
        return hashlib.blake2b(_encode(labels), digest_size=16).digest()
    except UnicodeEncodeError:
        raise ValueError("a label holds half a character (a lone surrogate)") from None


def hash_of(digest: bytes) -> int:
    """The part of a digest that the database searches by."""
    return int.from_bytes(digest[:8], "little", signed=True)


def clean(labels: Labels) -> Labels:
    """The same without what no UTF-8 can say."""
    return tuple((n.encode("utf-8", "replace").decode(), v.encode("utf-8", "replace").decode()) for n, v in labels)


def rows_of(connection: sqlite3.Connection, refs: npt.NDArray[np.int64]) -> Iterator[SeriesRow]:
    """Whole rows of these refs (rising), in that order; those that are missing or damaged are left out.

    One scan where they lie close together, as those of one target do; seeks where they do not.
    """
    select = "SELECT ref, hash, kind, pairs, seal FROM series WHERE ref "
    if len(refs) and int(refs[-1]) - int(refs[0]) < 4 * len(refs):
        wanted = set(refs.tolist()) if int(refs[-1]) - int(refs[0]) >= len(refs) else None
        scan = connection.execute(select + "BETWEEN ? AND ? ORDER BY ref", (int(refs[0]), int(refs[-1])))
        yield from _whole(row for row in scan if wanted is None or row[0] in wanted)
        return
    for begin in range(0, len(refs), _FEW):
        inner = ", ".join(map(str, refs[begin : begin + _FEW].tolist()))
        yield from _whole(connection.execute(f"{select} IN ({inner}) ORDER BY ref"))


def _whole(rows: Iterator[tuple[int, int, int, bytes, int]] | sqlite3.Cursor) -> Iterator[SeriesRow]:
    for ref, number, kind, pairs, checksum in rows:
        if seal(ref, number, kind, pairs) == checksum:
            yield SeriesRow(ref, kind, pairs)


class PairBook:
    """Label pairs by id and back. Bounded; not for several threads at once."""

    def __init__(self) -> None:
        self._pairs: dict[int, Pair] = {}
        self._names: dict[int, str] = {}

    def name(self, connection: sqlite3.Connection, number: int) -> str | None:
        """The label name of an id."""
        if number not in self._names:
            self._names = dict(connection.execute("SELECT id, name FROM label_names"))
        return self._names.get(number)

    def labels(self, connection: sqlite3.Connection, rows: Sequence[SeriesRow]) -> list[Labels]:
        """Of each row; () where one of its pairs is damaged. Equal pairs are one object."""
        ids = np.frombuffer(b"".join(row.pairs for row in rows), np.uint32)
        self._learn(connection, np.unique(ids))
        known = self._pairs
        found: list[Labels] = []
        flat = [known.get(number) for number in ids.tolist()]
        begin = 0
        for row in rows:
            end = begin + len(row.pairs) // 4
            pairs = tuple(pair for pair in flat[begin:end] if pair is not None)
            found.append(pairs if len(pairs) == end - begin else ())
            begin = end
        return found

    def forget(self) -> None:
        self._pairs, self._names = {}, {}

    def _learn(self, connection: sqlite3.Connection, ids: npt.NDArray[np.uint32]) -> None:
        lacking = [number for number in ids.tolist() if number not in self._pairs]
        if len(self._pairs) + len(lacking) > _MOST_PAIRS:
            self._pairs = {number: self._pairs[number] for number in ids.tolist() if number in self._pairs}
        for begin in range(0, len(lacking), _FEW):
            inner = ", ".join(map(str, lacking[begin : begin + _FEW]))
            for number, name, value, spelled, checksum in connection.execute(
                f"SELECT id, name, value, spelled, seal FROM label_pairs WHERE id IN ({inner})"
            ):
                label = self.name(connection, name)
                if label is not None and pair_seal(number, label, value, spelled) == checksum:
                    self._pairs[number] = label, value


def spelling(name: str, value: str) -> str | None:
    """How PromQL writes a metric's name, None where that is how it is (and for other labels)."""
    spelled = promql_name(value) if name == NAME_TAG else value
    return spelled if spelled != value else None


def pair_seal(number: int, name: str, value: str, spelled: str | None) -> int:
    """The checksum of a pair: over its name's text too, so that this needs none of its own."""
    return seal(number, name, value, spelled or "")


def refs_by_labels(connection: sqlite3.Connection, book: PairBook, wanted: dict[bytes, Labels]) -> Iterator[tuple[bytes, int]]:
    """Of each of those label sets, by digest, the refs it is registered under: one, or none."""
    by_hash = {hash_of(digest): digest for digest in wanted}
    hashes = list(by_hash)
    for begin in range(0, len(hashes), _FEW):
        inner = ", ".join(map(str, hashes[begin : begin + _FEW]))
        cursor = connection.execute(f"SELECT ref, hash, kind, pairs, seal FROM series WHERE hash IN ({inner})")
        rows = list(_whole(cursor))
        for row, labels in zip(rows, book.labels(connection, rows), strict=True):
            digest = digest_of(labels)
            if digest in wanted:
                yield digest, row.ref
