"""Answers of another's `/api/v1/query` and `query_range` back into columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from monitor.query.histogram import CUSTOM_SCHEMA, MAX_SCHEMA, MIN_SCHEMA, Buckets, Histogram
from monitor.query.history import Answer, Block, Cells, Labels, Matrix, Millis, QueryError, Values

_Bucket = tuple[int, str, str, str]
"""Which ends are in (0 the upper, 1 the lower, 2 none, 3 both), lower and upper bound, count."""


class HistogramJson(msgspec.Struct):
    count: str
    sum: str
    buckets: list[_Bucket] = []


class SeriesJson(msgspec.Struct):
    metric: dict[str, str] = {}
    value: tuple[float, str] | None = None
    values: list[tuple[float, str]] = []
    histogram: tuple[float, HistogramJson] | None = None
    histograms: list[tuple[float, HistogramJson]] = []


class DataJson(msgspec.Struct, rename="camel"):
    result_type: str
    result: msgspec.Raw


class QueryJson(msgspec.Struct, rename="camel"):
    """The envelope of a query or of an error."""

    status: str
    data: DataJson | None = None
    error_type: str = ""
    error: str = ""
    warnings: list[str] = []
    infos: list[str] = []


class ListJson(msgspec.Struct, rename="camel"):
    """The envelope of series, labels or metadata."""

    status: str
    data: msgspec.Raw = msgspec.Raw(b"[]")
    error_type: str = ""
    error: str = ""
    warnings: list[str] = []


_series = msgspec.json.Decoder(list[SeriesJson])
_point = msgspec.json.Decoder(tuple[float, str])


def answer_of(body: bytes, times: Millis) -> Answer:
    """An answer at these times of evaluation (int64 [N], one for an instant query). Raises `QueryError` for what is none."""
    try:
        envelope = msgspec.json.decode(body, type=QueryJson)
        if envelope.status != "success" or envelope.data is None:
            raise refusal(envelope.error_type, envelope.error)
        return _answer(envelope.data, times, tuple(envelope.warnings[:20]), tuple(envelope.infos[:20]))
    except (msgspec.DecodeError, ValueError) as error:
        raise QueryError(f"the remote store's answer cannot be read: {error}") from None


def refusal(kind: str, words: str) -> QueryError:
    """An error of the remote store as one of ours."""
    error = QueryError(f"the remote store says: {words[:500] or 'an error without words'}")
    error.kind = kind if kind in ("bad_data", "execution", "timeout", "canceled", "unavailable") else "execution"
    return error


def _answer(data: DataJson, times: Millis, warnings: tuple[str, ...], infos: tuple[str, ...]) -> Answer:
    kind = data.result_type
    if kind in ("scalar", "string"):
        _, text = _point.decode(data.result)
        if kind == "string":
            return Answer("string", text=text, warnings=warnings, infos=infos)
        values = np.full((1, len(times)), float(text))
        return Answer("scalar", Matrix(((),), times, values, np.ones(values.shape, np.bool_)), warnings=warnings, infos=infos)
    if kind not in ("vector", "matrix"):
        raise ValueError(f"results of type {kind[:40]!r} are not known")
    found = _series.decode(data.result)
    samples = sum(len(each.values) + len(each.histograms) + 1 for each in found)
    if kind == "matrix" and len(times) == 1 and not any(each.value or each.histogram for each in found):
        return Answer("matrix", None, tuple(map(_raw, found)), warnings=warnings, infos=infos, samples=samples)
    return Answer(kind, _matrix(found, times), warnings=warnings, infos=infos, samples=samples)


def matrix_of(body: bytes, times: Millis) -> Answer:
    """As `answer_of`, of a range query: a matrix even where there is one time only."""
    answer = answer_of(body, times)
    if answer.raw or (answer.kind == "matrix" and answer.matrix is None):
        matrix = _placed([(block.labels[0], block.times, block.values[0], block.histograms) for block in answer.raw], times)
        return Answer("matrix", matrix, warnings=answer.warnings, infos=answer.infos, samples=answer.samples)
    return answer


def _labels(metric: dict[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in metric.items() if value))


def _millis(seconds: Sequence[float]) -> Millis:
    times: Millis = np.rint(np.array(seconds, np.float64) * 1000).astype(np.int64)
    return times


def _floats(texts: Sequence[str]) -> Values:
    values: Values = np.array(texts, np.float64)
    return values


def _points(each: SeriesJson) -> tuple[Millis, Values, Cells | None]:
    """All its points by rising time; cells where it has histograms."""
    values = [each.value] if each.value is not None else each.values
    drawn = [each.histogram] if each.histogram is not None else each.histograms
    times = _millis([point[0] for point in (*values, *drawn)])
    floats = np.concatenate((_floats([text for _, text in values]), np.zeros(len(drawn))))
    if not drawn:
        return times, floats, None
    cells: Cells = np.full(len(times), None, object)
    for place, (_, histogram) in enumerate(drawn):
        cells[len(values) + place] = histogram_of(histogram)
    order = np.argsort(times, kind="stable")
    return times[order], floats[order], cells[order]


def _raw(each: SeriesJson) -> Block:
    times, values, cells = _points(each)
    return Block((_labels(each.metric),), times, values[np.newaxis], None, None if cells is None else cells[np.newaxis])


def _matrix(found: Sequence[SeriesJson], times: Millis) -> Matrix:
    rows = []
    for each in found:
        at, values, cells = _points(each)
        rows.append((_labels(each.metric), at, values, None if cells is None else cells[np.newaxis]))
    return _placed(rows, times)


def _placed(rows: Sequence[tuple[Labels, Millis, Values, Cells | None]], times: Millis) -> Matrix:
    """Points at the times of evaluation; one that is at none of them is left out."""
    shape = (len(rows), len(times))
    values, present = np.zeros(shape), np.zeros(shape, np.bool_)
    cells: Cells | None = np.full(shape, None, object) if any(row[3] is not None for row in rows) else None
    for row, (_, at, floats, drawn) in enumerate(rows):
        places = np.searchsorted(times, at)
        inside = places < len(times)
        inside[inside] = times[places[inside]] == at[inside]
        values[row, places[inside]] = floats[inside]
        present[row, places[inside]] = True
        if cells is not None and drawn is not None:
            cells[row, places[inside]] = drawn[0, inside]
    return Matrix(tuple(row[0] for row in rows), times, values, present, cells)


# ---------------------------------------------------------------- histograms


def histogram_of(told: HistogramJson) -> Histogram:
    """A histogram of its buckets' bounds. The schema is that in which all bounds are powers of its base; where there is none, the
    bounds are custom ones.
    """
    count, total = float(told.count), float(told.sum)
    buckets = [(kind, float(lower), float(upper), float(number)) for kind, lower, upper, number in told.buckets]
    zero = [bucket for bucket in buckets if bucket[0] == 3 and bucket[1] == -bucket[2]]
    above = [(upper, number) for kind, lower, upper, number in buckets if kind == 0 and lower >= 0]
    below = [(-lower, number) for kind, lower, upper, number in buckets if kind == 1 and upper <= 0]
    ratios = [upper / lower for kind, lower, upper, _ in buckets if kind == 0 and lower > 0 and math.isfinite(upper)]
    ratios += [lower / upper for kind, lower, upper, _ in buckets if kind == 1 and upper < 0 and math.isfinite(lower)]
    powers = len(zero) + len(above) + len(below) == len(buckets)
    schema = _schema(ratios, [bound for bound, _ in (*above, *below)]) if powers else None
    if schema is None:
        return _custom(count, total, [bucket[1:] for bucket in buckets])
    return Histogram.of(
        schema,
        count,
        total,
        zero_threshold=zero[0][2] if zero else 0.0,
        zero_count=zero[0][3] if zero else 0.0,
        positive=_powers(above, schema),
        negative=_powers(below, schema),
    )


def _schema(ratios: Sequence[float], bounds: Sequence[float]) -> int | None:
    if not bounds:
        return MAX_SCHEMA
    widest = max(ratios, default=0.0)
    if not widest > 1:
        return None
    schema = round(-math.log2(math.log2(widest)))
    if not MIN_SCHEMA <= schema <= MAX_SCHEMA:
        return None
    steps = [math.log2(bound) * 2.0**schema for bound in bounds if math.isfinite(bound)]
    return schema if all(abs(step - round(step)) < 1e-6 * max(1.0, abs(step)) for step in steps) else None


def _powers(buckets: Sequence[tuple[float, float]], schema: int) -> Buckets:
    placed = sorted((round(math.log2(bound) * 2.0**schema), number) for bound, number in buckets if math.isfinite(bound))
    return Buckets(np.array([index for index, _ in placed], np.int32), np.array([number for _, number in placed], np.float64))


def _custom(count: float, total: float, buckets: Sequence[tuple[float, float, float]]) -> Histogram:
    bounds = sorted({edge for lower, upper, _ in buckets for edge in (lower, upper) if math.isfinite(edge)})
    placed = sorted((bounds.index(upper) if math.isfinite(upper) else len(bounds), number) for _, upper, number in buckets)
    filled = Buckets(np.array([index for index, _ in placed], np.int32), np.array([number for _, number in placed], np.float64))
    return Histogram.of(CUSTOM_SCHEMA, count, total, positive=filled, custom_values=np.array(bounds, np.float64))
