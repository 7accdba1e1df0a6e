"""Which series of two vectors belong together, and the operator over each pair, for all times at once.

Source: Prometheus, promql/engine.go (VectorBinop, resultMetric).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import NAME_TAG
from monitor.query.ast import Binary, Matching
from monitor.query.context import Run
from monitor.query.history import Cells, Labels, Mask, QueryError, Values
from monitor.query.labelsets import METADATA, dropping, keeping, show, value_of, with_labels
from monitor.query.operators import COMPARISONS, TRIMS, Side, combined
from monitor.query.vectors import Vector, empty

Rows = npt.NDArray[np.int64]
_NOBODY = -1


def signature_of(matching: Matching) -> Callable[[Labels], Labels]:
    """What two series must have in common to match."""
    if matching.on:
        names = frozenset(matching.labels)
        return lambda labels: keeping(labels, names)
    ignored = frozenset((*matching.labels, NAME_TAG))
    return lambda labels: dropping(labels, ignored)


def signatures(matching: Matching, left: Vector, right: Vector) -> tuple[Rows, Rows, int]:
    """A number for each signature: of the series left and right, int64 each, and how many there are."""
    signature = signature_of(matching)
    numbers: dict[Labels, int] = {}
    found = [[numbers.setdefault(signature(labels), len(numbers)) for labels in side.labels] for side in (left, right)]
    return np.array(found[0], np.int64), np.array(found[1], np.int64), len(numbers)


def by_signature(present: Mask, numbers: Rows, count: int) -> Mask:
    """Where any series of a signature has a sample: bool [count, N]."""
    found = np.zeros((count, present.shape[1]), bool)
    if len(np.unique(numbers)) == len(numbers):
        found[numbers] = present
        return found
    np.logical_or.at(found, numbers, present)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Rows of the many side and the one side that meet, -1 for one that is filled in, and where they do, bool [P, N]."""

    many: Rows
    one: Rows
    numbers: Rows
    present: Mask


def matched(run: Run, expr: Binary, left: Vector, right: Vector) -> Vector:
    """The operator over matching series. Raises `QueryError` where the matching is not unique."""
    matching = expr.matching or Matching()
    swapped = matching.card == "one-to-many"
    many, one = (right, left) if swapped else (left, right)
    # As in Prometheus: with group_right too it is fill_left that stands in for a missing series of the many side.
    fill_many, fill_one = matching.fill_left, matching.fill_right
    times = left.shape[1]
    numbers_many, numbers_one, count = signatures(matching, many, one)
    if fill_many is None and fill_one is None:
        if not many.labels or not one.labels:
            return empty(times)
        relevant: Mask = np.any(many.present, axis=0) & np.any(one.present, axis=0)
    else:
        relevant = np.ones(times, bool)
    _check_one_side(matching, one, numbers_one, relevant, swapped)
    meetings = np.bincount(numbers_one, minlength=count)[numbers_many].sum()
    run.bound((int(meetings) + len(many.labels) + len(one.labels)) * times)
    pairs = _pairs(many, one, numbers_many, numbers_one, count, fill_many, fill_one)
    many_side = _side(many, pairs.many, fill_many)
    one_side = _side(one, pairs.one, fill_one)
    sides = (one_side, many_side) if swapped else (many_side, one_side)
    outcome = combined(expr, *sides, pairs.present, run.notes)
    present = pairs.present & outcome.possible
    labels = _result_labels(expr, matching, many, one, pairs)
    _check_unique(matching, pairs.numbers, labels, present)
    values, cells = outcome.values, outcome.cells
    if expr.bool_modifier:
        values, cells = outcome.keep.astype(np.float64), None
    else:
        present = present & outcome.keep
        if expr.op in COMPARISONS:
            cells = sides[0].cells
    nameless = np.full(len(labels), expr.bool_modifier)
    return Vector(labels, values, present, cells, nameless).populated()


def _pairs(
    many: Vector, one: Vector, numbers_many: Rows, numbers_one: Rows, count: int, fill_many: float | None, fill_one: float | None
) -> _Pairs:
    """All pairs of one signature; then those with a filled-in partner where there is no real one."""
    ones: list[list[int]] = [[] for _ in range(count)]
    for row, number in enumerate(numbers_one.tolist()):
        ones[number].append(row)
    met_by = [ones[number] for number in numbers_many.tolist()]
    left = np.repeat(np.arange(len(met_by)), [len(partners) for partners in met_by])
    right = np.array([row for partners in met_by for row in partners], np.int64)
    parts = [(left, right, numbers_many[left], many.present[left] & one.present[right])]
    if fill_one is not None:
        there = by_signature(one.present, numbers_one, count)
        rows = np.arange(len(many.labels))
        parts.append((rows, np.full(len(rows), _NOBODY), numbers_many, many.present & ~there[numbers_many]))
    if fill_many is not None:
        there = by_signature(many.present, numbers_many, count)
        rows = np.arange(len(one.labels))
        parts.append((np.full(len(rows), _NOBODY), rows, numbers_one, one.present & ~there[numbers_one]))
    whole = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    met = whole[3].any(axis=1)
    return _Pairs(*(column if met.all() else column[met] for column in whole))


def _side(vector: Vector, rows: Rows, fill: float | None) -> Side:
    if not len(vector.labels):
        return Side(np.full((len(rows), vector.shape[1]), fill if fill is not None else 0.0))
    values: Values = vector.values if np.array_equal(rows, np.arange(len(vector.labels))) else vector.values[rows]
    cells: Cells | None = vector.cells[rows] if vector.cells is not None else None
    filled = rows == _NOBODY
    if fill is not None and filled.any():
        values = values.copy()
        values[filled] = fill
        if cells is not None:
            cells[filled] = None
    return Side(values, cells)


def _check_one_side(matching: Matching, one: Vector, numbers: Rows, relevant: Mask, swapped: bool) -> None:
    """Two series of one signature at once are too many on the side that must be unique."""
    if len(np.unique(numbers)) == len(numbers):
        return
    taken: dict[int, Mask] = {}
    for row, number in enumerate(numbers.tolist()):
        there = one.present[row] & relevant
        before = taken.get(number)
        if before is None:
            taken[number] = there
        elif (before & there).any():
            _refuse_duplicate(matching, one, np.flatnonzero(numbers[:row] == number), row, relevant, swapped)
        else:
            taken[number] = before | there


def _refuse_duplicate(matching: Matching, one: Vector, others: Rows, row: int, relevant: Mask, swapped: bool) -> NoReturn:
    at_once = (one.present[others] & one.present[row] & relevant).any(axis=1)
    other = int(others[at_once.argmax()])
    group = show(_group_labels(matching, one.labels[row]))
    raise QueryError(
        f"found duplicate series for the match group {group} on the {'left' if swapped else 'right'} hand-side of the operation: "
        f"[{show(one.labels[row])}, {show(one.labels[other])}]"
        ";many-to-many matching not allowed: matching labels must be unique on one side"
    )


def _group_labels(matching: Matching, labels: Labels) -> Labels:
    """labels.MatchLabels: those matched on."""
    return signature_of(matching)(labels)


def _result_labels(expr: Binary, matching: Matching, many: Vector, one: Vector, pairs: _Pairs) -> tuple[Labels, ...]:
    changes_meaning = expr.op not in COMPARISONS and expr.op not in TRIMS
    names = frozenset(matching.labels)
    found: list[Labels] = []
    for left, right in zip(pairs.many.tolist(), pairs.one.tolist(), strict=True):
        labels = _group_labels(matching, one.labels[right]) if left == _NOBODY else many.labels[left]
        other = _group_labels(matching, many.labels[left]) if right == _NOBODY else one.labels[right]
        if changes_meaning:
            labels = dropping(labels, METADATA)
        if matching.card == "one-to-one":
            labels = keeping(labels, names) if matching.on else dropping(labels, names)
        if matching.include:
            labels = with_labels(labels, {name: value_of(other, name) for name in matching.include})
        found.append(labels)
    return tuple(found)


def _check_unique(matching: Matching, numbers: Rows, labels: tuple[Labels, ...], present: Mask) -> None:
    simple = matching.card == "one-to-one"
    keys = numbers.tolist() if simple else list(zip(numbers.tolist(), labels, strict=True))
    if len(set(keys)) == len(keys):
        return
    seen: dict[object, Mask] = {}
    for key, row in zip(keys, present, strict=True):
        before = seen.get(key)
        if before is None:
            seen[key] = row
        elif (before & row).any():
            if simple:
                raise QueryError("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
            raise QueryError("multiple matches for labels: grouping labels must ensure unique matches")
        else:
            seen[key] = before | row
