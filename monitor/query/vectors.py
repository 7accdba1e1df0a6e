"""An instant vector at many evaluation times at once: what every part of an expression gives and takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.query.cells import there
from monitor.query.history import Cells, Labels, Mask, Matrix, Millis, QueryError, Values
from monitor.query.labelsets import without_metadata

Rows = npt.NDArray[np.int64]
SAME_LABELS = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """S series at N times. `values` float64 [S, N], `present` bool [S, N], `cells` object [S, N] of `Histogram` or None; where a
    cell has one the float means nothing. `nameless` bool [S]: the name goes when the whole expression has its value (Prometheus'
    delayed name removal). Arrays may be shared or broadcast: nobody writes into them.
    """

    labels: tuple[Labels, ...]
    values: Values
    present: Mask
    cells: Cells | None
    nameless: Mask

    @property
    def shape(self) -> tuple[int, int]:
        return self.present.shape[0], self.present.shape[1]

    def take(self, rows: Rows | Mask | slice) -> Vector:
        """Some of the series, in that order."""
        kept = np.arange(len(self.labels))[rows].tolist()
        return Vector(
            tuple(self.labels[row] for row in kept),
            self.values[rows],
            self.present[rows],
            self.cells[rows] if self.cells is not None else None,
            self.nameless[rows],
        )

    def populated(self) -> Vector:
        """Without the series that have no sample at all."""
        kept: Mask = np.any(self.present, axis=1)
        return self if kept.all() else self.take(kept)

    def where(self, present: Mask) -> Vector:
        """The same series with samples only there."""
        return replace(self, present=present)

    def renamed(self, labels: Sequence[Labels]) -> Vector:
        return replace(self, labels=tuple(labels))

    def unnamed(self) -> Vector:
        """The same, its names to be dropped."""
        return replace(self, nameless=np.ones(len(self.labels), bool))

    def histograms(self) -> Mask:
        """Where histograms are, bool [S, N]."""
        if self.cells is None:
            return np.zeros(self.present.shape, bool)
        mask: Mask = there(self.cells) & self.present
        return mask

    def floats(self) -> Mask:
        """Where floats are, bool [S, N]."""
        return self.present if self.cells is None else self.present & ~self.histograms()


def of_floats(labels: Sequence[Labels], values: Values, present: Mask, nameless: Mask | None = None) -> Vector:
    if nameless is None:
        nameless = np.zeros(len(labels), bool)
    return Vector(tuple(labels), values, present, None, nameless)


def empty(times: int) -> Vector:
    """No series at so many times."""
    return of_floats((), np.zeros((0, times)), np.zeros((0, times), bool))


def single(values: Values, labels: Labels = ()) -> Vector:
    """One series that has a value at every time; float64 [N]."""
    return of_floats((labels,), values[np.newaxis], np.ones((1, len(values)), bool))


def stacked(parts: Sequence[Vector], times: int) -> Vector:
    """The series of several vectors, one after the other."""
    parts = [part for part in parts if part.labels]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return empty(times)
    cells: Cells | None = None
    if any(part.cells is not None for part in parts):
        cells = np.concatenate([part.cells if part.cells is not None else np.full(part.shape, None) for part in parts])
    return Vector(
        tuple(labels for part in parts for labels in part.labels),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.present for part in parts]),
        cells,
        np.concatenate([part.nameless for part in parts]),
    )


def broadcast(vector: Vector, times: int) -> Vector:
    """A vector at one time, the same at many."""
    shape = (len(vector.labels), times)
    return Vector(
        vector.labels,
        np.broadcast_to(vector.values, shape),
        np.broadcast_to(vector.present, shape),
        np.broadcast_to(vector.cells, shape) if vector.cells is not None else None,
        vector.nameless,
    )


def merged(vector: Vector) -> Vector:
    """Series of the same labels as one, those apart that are to lose their name. Raises `QueryError` where two of them have a
    sample at once.
    """
    if len(set(vector.labels)) == len(vector.labels):
        return vector
    places: dict[tuple[Labels, bool], list[int]] = {}
    for row, key in enumerate(zip(vector.labels, vector.nameless.tolist(), strict=True)):
        places.setdefault(key, []).append(row)
    first = np.array([rows[0] for rows in places.values()])
    values, present = vector.values[first], vector.present[first]
    cells = vector.cells[first] if vector.cells is not None else None
    for place, rows in enumerate(places.values()):
        for row in rows[1:]:
            more = vector.present[row]
            if (present[place] & more).any():
                raise QueryError(SAME_LABELS)
            values[place, more] = vector.values[row, more]
            if cells is not None and vector.cells is not None:
                cells[place, more] = vector.cells[row, more]
            present[place] |= more
    return Vector(tuple(labels for labels, _ in places), values, present, cells, vector.nameless[first])


def finished(vector: Vector) -> Vector:
    """The vector as it is answered: names dropped that have to go, no series twice. Raises `QueryError` as `merged`."""
    if vector.nameless.any():
        flags = vector.nameless.tolist()
        labels = [without_metadata(labels) if flag else labels for labels, flag in zip(vector.labels, flags, strict=True)]
        vector = replace(vector, labels=tuple(labels), nameless=np.zeros(len(labels), bool))
    return merged(vector)


def as_matrix(vector: Vector, times: Millis, ordered: bool) -> Matrix:
    """The vector as an answer; `ordered`: series sorted by their labels."""
    vector = vector.populated()
    if ordered:
        order = sorted(range(len(vector.labels)), key=vector.labels.__getitem__)
        if order != list(range(len(order))):
            vector = vector.take(np.array(order, np.int64))
    cells = vector.cells
    if cells is not None and not vector.histograms().any():
        cells = None
    return Matrix(vector.labels, times, vector.values, vector.present, cells)
