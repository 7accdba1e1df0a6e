"""Messages of queries: PromQL asked and answered, and what could be written in it."""

from __future__ import annotations

import msgspec

from monitor.wire.base import F64, Message, Request, tag


class HistogramCell(msgspec.Struct, frozen=True):
    """A native histogram in an instant answer: the series' place in `labels`, and its buckets in rising order."""

    series: int
    count: float
    sum: float
    lower: F64
    upper: F64
    counts: F64


class QueryResult(Message, frozen=True, tag=tag):
    """Answer to a `query`, S series at T times. `kind`: vector, matrix, scalar or string (`text`).

    `labels[i]` are the labels of series i, the name as `__name__`. `times` float64[T] seconds; `values` row-major [S, T], NaN
    where there is none. `total`: series there are when more than asked for. `resolution`: seconds between what was kept where
    that is coarser than what came in, 0 where nothing was lost. `step`: that of the evaluation, 0 for an instant.
    """

    id: int
    kind: str
    labels: tuple[tuple[tuple[str, str], ...], ...]
    times: F64
    values: F64
    step: float = 0.0
    resolution: float = 0.0
    total: int = 0
    text: str = ""
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    histograms: tuple[HistogramCell, ...] = ()


class Query(Request, frozen=True, tag=tag):
    """PromQL over all that is kept. `step` 0: at the instant `end`; otherwise at start, start + step … to end.

    Answered by a `query_result`, or a `reply` with an error whose result is {"kind", "line", "column", "end", "fix"} (columns
    from 1, 0 where no place in the text is meant). `limit`: at most so many series.
    """

    expr: str
    start: float
    end: float
    step: float = 0.0
    limit: int = 1000


class Find(Request, frozen=True, tag=tag):
    """What could be written in a query: `what` is "metrics", "labels" (names) or "values" (of `label`), of the series selected.

    Only those that contain `text`, those that begin with it first. Result: {"found": [{"name", "detail"}], "more": bool}.
    """

    what: str
    label: str = ""
    selector: str = "{}"
    text: str = ""
    limit: int = 50
