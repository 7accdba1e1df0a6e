"""A query's answer as the stream tells it, and an error as a reply does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from monitor.query import cells as histogram_cells
from monitor.query.history import Answer, Block, Labels, Mask, Matrix, ParseError, QueryError, Values
from monitor.wire import messages as m
from monitor.wire.messages import F64

MAX_CELLS = 2_000_000
MAX_HISTOGRAMS = 50


def query_result(request: m.Query, answer: Answer) -> m.QueryResult:
    """The message; of more series than asked for, those that end highest; where a histogram stands there is no number.

    Raises `QueryError` when it would be too large.
    """
    matrix = _matrix(answer)
    total = len(matrix.labels)
    matrix = _largest(matrix, request.limit)
    cells = matrix.values.size
    if cells > MAX_CELLS:
        raise QueryError(f"The answer would have {cells:,} values (limit {MAX_CELLS:,}). Shorten the range or raise the step.")
    numbers = matrix.present if matrix.histograms is None else matrix.present & ~histogram_cells.there(matrix.histograms)
    values = np.where(numbers, matrix.values, np.nan)
    return m.QueryResult(
        id=request.id,
        kind=answer.kind,
        labels=matrix.labels,
        times=(matrix.times / 1000.0).view(F64),
        values=np.ascontiguousarray(values).reshape(-1).view(F64),
        step=request.step,
        resolution=answer.resolution / 1000.0,
        total=total,
        text=answer.text,
        warnings=answer.warnings,
        infos=answer.infos,
        histograms=_histograms(matrix),
    )


def refusal(error: QueryError) -> tuple[str, dict[str, Any]]:
    """Text and result of the reply that tells of the error."""
    if isinstance(error, ParseError):
        end = error.column + max(1, error.end - error.start)
        return error.message, {"kind": error.kind, "line": error.line, "column": error.column, "end": end, "fix": error.fix}
    return str(error), {"kind": error.kind, "line": 0, "column": 0, "end": 0, "fix": ""}


def _matrix(answer: Answer) -> Matrix:
    if answer.matrix is not None:
        return answer.matrix
    if not answer.raw:
        return Matrix((), np.empty(0, np.int64), np.empty((0, 0)), np.empty((0, 0), np.bool_))
    return _joined(answer.raw)


def _joined(blocks: tuple[Block, ...]) -> Matrix:
    """Blocks with times of their own, on all their times."""
    times = np.unique(np.concatenate([block.times for block in blocks]))
    labels: list[Labels] = []
    values: list[Values] = []
    present: list[Mask] = []
    for block in blocks:
        places = np.searchsorted(times, block.times)
        shape = (len(block.labels), len(times))
        there, filled = np.zeros(shape, np.bool_), np.full(shape, np.nan)
        there[:, places] = True if block.present is None else block.present
        filled[:, places] = block.values
        labels.extend(block.labels)
        values.append(filled)
        present.append(there)
    return Matrix(tuple(labels), times, np.concatenate(values), np.concatenate(present))


def _largest(matrix: Matrix, limit: int) -> Matrix:
    if not 0 < limit < len(matrix.labels):
        return matrix
    there = matrix.present
    last = there.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    ends = np.where(there.any(axis=1), matrix.values[np.arange(len(last)), last], -np.inf)
    kept = np.sort(np.argsort(-np.nan_to_num(ends, nan=-np.inf), kind="stable")[:limit])
    return replace(
        matrix,
        labels=tuple(matrix.labels[place] for place in kept.tolist()),
        values=matrix.values[kept],
        present=there[kept],
        histograms=None if matrix.histograms is None else matrix.histograms[kept],
    )


def _histograms(matrix: Matrix) -> tuple[m.HistogramCell, ...]:
    """The buckets of an instant answer's native histograms, at most `MAX_HISTOGRAMS`."""
    if matrix.histograms is None or len(matrix.times) != 1:
        return ()
    cells: list[m.HistogramCell] = []
    for place, histogram in enumerate(matrix.histograms[:, 0].tolist()):
        if histogram is None or len(cells) >= MAX_HISTOGRAMS:
            continue
        buckets = [(bucket.lower, bucket.upper, bucket.count) for bucket in histogram.buckets()]
        lower, upper, counts = (np.array([bucket[i] for bucket in buckets], np.float64).view(F64) for i in range(3))
        cells.append(m.HistogramCell(place, histogram.count, histogram.sum, lower, upper, counts))
    return tuple(cells)
