"""`/metrics`: the collector's own figures, and on request everything it collects, newest values only.

`/metrics?match[]={host=~"web.*"}` adds the series that any of the selectors finds, as `/federate` of Prometheus would; the
setting `expose` does the same for every reader. Its cost is bounded: so many series, put together in a thread, sent in pieces.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from aiohttp import web

from collector.exporters.exemplars import newest_of
from collector.exporters.exposition import Metric, own_families
from collector.exporters.families import Family, Gathered, families_of
from collector.exporters.formats import Format, format_of
from collector.exporters.protobuf import protobuf_pieces
from collector.exporters.text import text_pieces
from monitor.model.exemplar_table import Snapshot
from monitor.query.ast import Selector
from monitor.query.histogram import Histogram
from monitor.query.history import Answer, Labels, Matrix, Metadata, ParseError, QueryError
from monitor.query.parse import parse

MOST_SERIES = 200_000
MOST_SELECTORS = 20
_AT_ONCE = 2
"""Expositions that are put together at the same time; others wait."""


class Queries(Protocol):
    """What is asked for the newest values: `collector.query.QueryService`."""

    async def instant(self, query: str, time: int) -> Answer: ...

    async def metadata(self) -> dict[str, Metadata]: ...


@dataclass(slots=True)
class PageCounters:
    """`refused`: readers that asked for something that cannot be read or is too much."""

    expositions: int = 0
    series: int = 0
    duplicates: int = 0
    refused: int = 0


class TooManySeriesError(QueryError):
    """More series than one exposition may have."""


class MetricsPage:
    """`own` gives the collector's figures; `always` are selectors of what every reader gets besides. Raises `ParseError` when
    one of them is no selector.
    """

    def __init__(
        self,
        own: Callable[[], Sequence[Metric]],
        queries: Queries,
        always: Sequence[str] = (),
        *,
        most: int = MOST_SERIES,
        clock: Callable[[], float] = time.time,
        exemplars: Callable[[], Snapshot] | None = None,
    ) -> None:
        """`exemplars` gives those that are kept."""
        self._exemplars = exemplars
        self._own, self._queries, self._most, self._clock = own, queries, most, clock
        self._always = [checked_selector(text) for text in always]
        self._places = asyncio.Semaphore(_AT_ONCE)
        self.counters = PageCounters()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The exposition in the form that the request asks for; 400 with a sentence for a selector that cannot be read."""
        wanted = format_of(request.headers.get("Accept", ""))
        asked = request.query.getall("match[]", [])
        try:
            if len(asked) > MOST_SELECTORS:
                raise TooManySeriesError(f"{len(asked)} selectors are more than the {MOST_SELECTORS} allowed")
            selectors = [*self._always, *(checked_selector(text) for text in asked)]
            async with self._places:
                families = await self.families(selectors, wanted)
        except QueryError as error:
            self.counters.refused += 1
            status = 400 if isinstance(error, ParseError | TooManySeriesError) else 503
            return web.Response(status=status, text=f"{error}\n")
        pieces = pieces_of(families, wanted)
        response = web.StreamResponse(headers={"Content-Type": wanted.content_type})
        if selectors:
            response.enable_compression()
        await response.prepare(request)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            await response.write(piece)
        await response.write_eof()
        return response

    async def families(self, selectors: Sequence[str], wanted: Format) -> list[Family]:
        """Own figures and what the selectors find now. Raises `QueryError`."""
        own = own_families(self._own())
        exemplars = self._exemplars() if self._exemplars is not None and wanted.form == "openmetrics" else None
        gathered = await collected(self._queries, selectors, wanted, round(self._clock() * 1000), self._most, exemplars)
        known = {family.name for family in own}
        self.counters.expositions += 1
        self.counters.duplicates += gathered.duplicates
        self.counters.series += sum(len(family.samples) for family in gathered.families)
        return [*own, *(family for family in gathered.families if family.name not in known)]

    def figures(self) -> dict[str, float]:
        """For health."""
        counters = self.counters
        return {
            "exposition_requests_total": counters.expositions,
            "exposition_series_total": counters.series,
            "exposition_duplicates_total": counters.duplicates,
            "exposition_refused_total": counters.refused,
        }


async def collected(
    queries: Queries,
    selectors: Sequence[str],
    wanted: Format,
    at: int,
    most: int = MOST_SERIES,
    exemplars: Snapshot | None = None,
) -> Gathered:
    """The newest values at a time (ms) of the series that any of the selectors finds, each once. Raises `QueryError`."""
    values: dict[Labels, float | Histogram] = {}
    for selector in selectors:  # one by one: `or` would take series for the same that differ in their names
        matrix = (await queries.instant(selector, at)).matrix
        if matrix is None:
            continue
        if len(matrix.labels) > most or len(values) > most:
            raise TooManySeriesError(f"more than {most} series are selected, the most of one exposition; select fewer")
        await asyncio.to_thread(_add, values, matrix)
    if not values:
        return Gathered((), 0)
    metadata = await queries.metadata()

    def put_together() -> Gathered:
        newest = newest_of(exemplars, values.keys()) if exemplars is not None else None
        return families_of(values, metadata, wanted.escaping, newest)

    return await asyncio.to_thread(put_together)


def _add(values: dict[Labels, float | Histogram], matrix: Matrix) -> None:
    cells, numbers = matrix.histograms, matrix.values[:, -1].tolist()
    for place in np.flatnonzero(matrix.present[:, -1]).tolist():
        cell = None if cells is None else cells[place, -1]
        values[matrix.labels[place]] = numbers[place] if cell is None else cell


def checked_selector(text: str) -> str:
    """The selector as it was given. Raises `ParseError` for anything else."""
    expr = parse(text)
    if not isinstance(expr, Selector) or expr.is_range or expr.offset or expr.offset_expr or expr.at:
        raise ParseError('a selector of series is expected, as in up{job="node"}', text, 0, len(text))
    return text


def pieces_of(families: Sequence[Family], wanted: Format) -> Iterator[bytes]:
    """The exposition of families in that form."""
    return protobuf_pieces(families) if wanted.form == "protobuf" else text_pieces(families, wanted)
