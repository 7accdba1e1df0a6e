"""Whether an answer is what a test expects; floats as Prometheus' tests compare them (util/almost, a relative error of 1e-6)."""

from __future__ import annotations

import math

import numpy as np

from monitor.query.histogram import Histogram
from monitor.query.histogram_stacks import spread_to, union
from monitor.query.history import STALE_BITS, Answer, Block, Labels, Matrix
from tests.promqltest.commands import Eval
from tests.promqltest.series import Point

_EPSILON = 1e-6
_SMALLEST_NORMAL = 2.2250738585072014e-308

Cell = float | Histogram
Row = dict[int, Cell]


class MismatchError(Exception):
    """The answer is another one. `cause` names what differs in a word or two."""

    def __init__(self, cause: str, expected: object, got: object) -> None:
        self.cause, self.expected, self.got = cause, expected, got
        super().__init__(f"{cause}: expected {expected}, got {got}")


def compare(command: Eval, answer: Answer) -> None:
    """Raises `MismatchError` where the answer to an evaluation is not the one expected."""
    if answer.kind == "string":
        if answer.text != command.string:
            raise MismatchError("string", command.string, answer.text)
        return
    if answer.kind == "scalar" and command.instant:
        if command.scalar is None:
            raise MismatchError("kind", "no scalar", "scalar")
        assert answer.matrix is not None
        _same_cell(command.scalar, float(answer.matrix.values[0, 0]), "scalar")
        return
    if command.scalar is not None:
        raise MismatchError("kind", "scalar", answer.kind)
    if answer.kind == "vector":
        assert answer.matrix is not None
        _compare_vector(command, rows_of(answer.matrix))
        return
    series = [row for block in answer.raw for row in rows_of(block)] if answer.raw else []
    if answer.matrix is not None and not answer.raw:
        series = rows_of(answer.matrix)
        in_order = [labels for labels, _ in series]
        if in_order != sorted(in_order):
            raise MismatchError("order", "series sorted by labels", in_order)
    _compare_matrix(command, series)


def rows_of(matrix: Matrix | Block) -> list[tuple[Labels, Row]]:
    """Series with their cells by time."""
    rows: list[tuple[Labels, Row]] = []
    for index, labels in enumerate(matrix.labels):
        row: Row = {}
        for column, time in enumerate(matrix.times.tolist()):
            if matrix.present is not None and not matrix.present[index, column]:
                continue
            histogram = None if matrix.histograms is None else matrix.histograms[index, column]
            row[time] = float(matrix.values[index, column]) if histogram is None else histogram
        rows.append((labels, row))
    return rows


def _compare_vector(command: Eval, rows: list[tuple[Labels, Row]]) -> None:
    ordered = bool(command.expects("ordered"))
    places = {labels: place for place, labels in enumerate(command.expected)}
    seen: set[Labels] = set()
    for place, (labels, row) in enumerate(rows):
        if labels not in command.expected:
            raise MismatchError("series", f"no {text_of(labels)}", f"{[str(c) for c in row.values()]}")
        if labels in seen:
            raise MismatchError("series", f"{text_of(labels)} once", "twice")
        if ordered and places[labels] != place:
            raise MismatchError("order", f"{text_of(labels)} at {places[labels] + 1}", place + 1)
        _same_cell(command.expected[labels][0], next(iter(row.values())), text_of(labels))
        seen.add(labels)
    _nothing_missing(command, seen)


def _compare_matrix(command: Eval, rows: list[tuple[Labels, Row]]) -> None:
    if command.expects("ordered"):
        raise MismatchError("kind", "an ordered vector", "matrix")
    seen: set[Labels] = set()
    for labels, row in rows:
        if labels not in command.expected:
            raise MismatchError("series", f"no {text_of(labels)}", f"{[str(c) for c in row.values()]}")
        points = command.expected[labels]
        wanted = {command.start + n * command.step: point for n, point in enumerate(points) if not point.omitted}
        if wanted.keys() != row.keys():
            shown = {time: str(cell) for time, cell in row.items()}
            raise MismatchError("points", f"{text_of(labels)} at {sorted(wanted)}", shown)
        for time, point in wanted.items():
            _same_cell(point, row[time], f"{text_of(labels)} at {time}")
        seen.add(labels)
    _nothing_missing(command, seen)


def _nothing_missing(command: Eval, seen: set[Labels]) -> None:
    missing = [text_of(labels) for labels in command.expected if labels not in seen]
    if missing:
        raise MismatchError("series", ", ".join(missing), "none")


def _same_cell(point: Point, got: Cell, where: str) -> None:
    wanted: Cell = point.value if point.histogram is None else point.histogram
    if isinstance(wanted, Histogram) != isinstance(got, Histogram):
        raise MismatchError("kind of sample", f"{wanted} ({where})", got)
    if isinstance(wanted, Histogram) and isinstance(got, Histogram):
        if not same_histogram(wanted, got, point.hint_given):
            hint = f" {wanted.hint.name}" if point.hint_given else ""
            raise MismatchError("histogram", f"{full(wanted)}{hint} ({where})", f"{full(got)} {got.hint.name}")
    elif not almost_equal(float(wanted), float(got)):  # type: ignore[arg-type]  # both are floats here
        raise MismatchError("value", f"{wanted} ({where})", got)


def full(histogram: Histogram) -> str:
    """A histogram with its layout."""
    custom = f" custom:{histogram.custom_values.tolist()}" if histogram.layout.custom else ""
    return f"schema:{histogram.schema} zero:{histogram.zero_threshold:g}{custom} {histogram}"


def same_histogram(wanted: Histogram, got: Histogram, with_hint: bool) -> bool:
    """Prometheus' compareNativeHistogram: empty buckets count for nothing, the hint only where the test gives it."""
    if not wanted.layout.comparable(got.layout) or (with_hint and wanted.hint != got.hint):
        return False
    layout = union((wanted.layout, got.layout))
    left, right = spread_to(wanted.alone(), layout).counts[0], spread_to(got.alone(), layout).counts[0]
    if not np.array_equal(left != 0, right != 0):
        return False
    pairs = [(wanted.count, got.count), (wanted.sum, got.sum), *zip(left.tolist(), right.tolist(), strict=True)]
    return all(almost_equal(a, b) for a, b in pairs)


def almost_equal(a: float, b: float) -> bool:
    """Equal but for a relative error of 1e-6; the staleness marker equals itself only."""
    if _stale(a) or _stale(b):
        return _stale(a) and _stale(b)
    if (math.isnan(a) and math.isnan(b)) or a == b:
        return True
    size, difference = abs(a) + abs(b), abs(a - b)
    if a == 0 or b == 0 or size < _SMALLEST_NORMAL:
        return difference < _EPSILON * _SMALLEST_NORMAL
    return difference / min(size, 1.7976931348623157e308) < _EPSILON


def _stale(value: float) -> bool:
    return math.isnan(value) and bool(np.array(value).view(np.uint64) == STALE_BITS)


def text_of(labels: Labels) -> str:
    """Labels as in a test."""
    name = "".join(value for label, value in labels if label == "__name__")
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in labels if label != "__name__") + "}"
