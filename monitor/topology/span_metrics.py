"""Rate, errors and duration of every service, operation and edge, as series: what spans say in numbers.

Named as the span metrics and service graph connectors of the OpenTelemetry collector (and Tempo) name them, so that dashboards
made for those show them.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Batch, Floats
from monitor.model.exemplars import Exemplars
from monitor.model.series import MAX_TAG_VALUE, KeySpace, Kind, Tags, TooLongError, series_key
from monitor.model.spans import PeerKind, SpanKind, Spans, Status, joined_spans
from monitor.topology.service_graph import CONNECTION_TYPES, OTHER, Edges, ServiceGraph
from monitor.topology.span_exemplars import slowest

CALLS, LATENCY = "traces_spanmetrics_calls_total", "traces_spanmetrics_latency"
EDGE_CALLS, EDGE_FAILED = "traces_service_graph_request_total", "traces_service_graph_request_failed_total"
EDGE_SECONDS = "traces_service_graph_request_server_seconds"
APDEX = "traces_spanmetrics_apdex_total"
"""Requests a service answered, by how content who asked can be: `LEVELS`."""
LEVELS = ("satisfied", "tolerating", "frustrated")
"""Within T, within 4 T, and longer or failed (the Apdex specification's zones)."""
OPERATIONS = 500
"""Operations that a service may have; further ones are counted as `other`."""
MOST_SERIES = 100_000
WAITING = 500_000
"""Spans that are kept between two ticks."""


class SpanMetrics:
    """Spans in, batches out once a tick; one that stands for many counts as many. `apdex`: T in seconds.

    Bounded: `shed` spans and `overflowed` operations are counted.
    """

    def __init__(self, apdex: float = 0.5) -> None:
        self._apdex = apdex
        self._graph = ServiceGraph()
        self._waiting: list[Spans] = []
        self._count = 0
        self._operations: dict[str, set[str]] = {}
        self.spans = self.shed = self.overflowed = 0
        self.exemplars: Exemplars | None = None
        """Of what the last tick gave."""
        self._begin()

    def _begin(self) -> None:
        self._space = KeySpace()
        self._ids: dict[Hashable, int] = {}

    def take(self, spans: Spans) -> None:
        """For the next tick."""
        if self._count + len(spans) > WAITING:
            self.shed += len(spans)
            return
        self._waiting.append(spans)
        self._count += len(spans)

    def tick(self, now: float) -> list[Batch]:
        """What came since the last one, in numbers."""
        spans, self._waiting, self._count = joined_spans(self._waiting), [], 0
        self.spans += len(spans)
        self.exemplars = None
        if len(self._ids) >= MOST_SERIES:
            self._begin()
        batches = [*self._of_operations(spans), *self._of_edges(self._graph.take(spans, now))]
        return [batch for batch in batches if len(batch)]

    def figures(self) -> dict[str, float]:
        """For health."""
        return {
            "spans_total": self.spans,
            "spans_shed_total": self.shed,
            "span_operations_overflowed_total": self.overflowed,
            "span_halves_waiting": self._graph.waiting,
            "span_halves_lost_total": self._graph.lost,
        }

    # ------------------------------------------------------------ operations

    def _of_operations(self, spans: Spans) -> list[Batch]:
        if not len(spans):
            return []
        seconds, times = spans.durations / 1e9, (spans.starts + spans.durations) / 1e9
        found, places = _distinct(spans.services, spans.names, spans.kinds, spans.statuses)
        ids = np.array([self._operation(spans, *row) for row in found], np.int32)[places]
        self.exemplars = slowest(self._space, ids[:, 0], ids[:, 1], spans, seconds, times)
        levels = np.digitize(seconds, (self._apdex, 4 * self._apdex), right=True)
        levels[spans.statuses == Status.ERROR] = 2
        served = (spans.kinds == SpanKind.SERVER) | (spans.kinds == SpanKind.CONSUMER)
        content = np.take_along_axis(ids[served, 2:], levels[served, None], axis=1)[:, 0]
        return [
            self._batch(ids[:, 0], seconds, times, spans.counts),
            self._batch(*_counted(ids[:, 1], times, spans.counts)),
            self._batch(*_counted(content, times[served], spans.counts[served])),
        ]

    def _operation(self, spans: Spans, service: int, name: int, kind: int, status: int) -> tuple[int, ...]:
        """Ids of an operation's latency, of its calls with that status, and of its service's three levels of content."""
        owner = spans.texts[service][:MAX_TAG_VALUE]
        operation = self._known_operation(owner, spans.texts[name][:MAX_TAG_VALUE])
        tags = (("service", owner), ("span_name", operation), ("span_kind", f"SPAN_KIND_{_name(SpanKind, kind)}"))
        return (
            self._id(LATENCY, tags, Kind.DISTRIBUTION, "s"),
            self._id(CALLS, (*tags, ("status_code", f"STATUS_CODE_{_name(Status, status)}")), Kind.COUNTER),
            *(self._id(APDEX, (("service", owner), ("level", level)), Kind.COUNTER) for level in LEVELS),
        )

    def _known_operation(self, service: str, operation: str) -> str:
        known = self._operations.setdefault(service, set())
        if operation not in known:
            if len(known) >= OPERATIONS:
                self.overflowed += 1
                return OTHER
            known.add(operation)
        return operation

    # ------------------------------------------------------------ edges

    def _of_edges(self, edges: Edges) -> list[Batch]:
        if not len(edges):
            return []
        found, places = _distinct(edges.clients, edges.servers, edges.types)
        ids = np.array([self._edge(edges, *row) for row in found], np.int32)[places]
        return [
            self._batch(*_counted(ids[:, 0], edges.times, edges.counts)),
            self._batch(*_counted(ids[edges.failed, 1], edges.times[edges.failed], edges.counts[edges.failed])),
            self._batch(ids[:, 2], edges.seconds, edges.times, edges.counts),
        ]

    def _edge(self, edges: Edges, client: int, server: int, kind: int) -> tuple[int, ...]:
        ends = (("client", edges.names[client][:MAX_TAG_VALUE]), ("server", edges.names[server][:MAX_TAG_VALUE]))
        tags = (*ends, ("connection_type", CONNECTION_TYPES[PeerKind(kind)]))
        return (
            self._id(EDGE_CALLS, tags, Kind.COUNTER),
            self._id(EDGE_FAILED, tags, Kind.COUNTER),
            self._id(EDGE_SECONDS, tags, Kind.DISTRIBUTION, "s"),
        )

    def _id(self, name: str, tags: Tags, kind: Kind, unit: str = "") -> int:
        known = self._ids.get((name, tags))
        if known is None:
            try:
                known = self._space.add(series_key(name, tags), kind, unit)
            except TooLongError:
                known = -1
            self._ids[name, tags] = known
        return known

    def _batch(
        self, ids: npt.NDArray[np.int32], values: npt.NDArray[Any], times: npt.NDArray[Any], counts: Floats | None = None
    ) -> Batch:
        some = ids >= 0
        weights = None if counts is None or (counts == 1.0).all() else counts[some]
        return Batch(self._space, ids[some], values[some].astype(np.float64), times[some], weights)


def _distinct(*columns: npt.NDArray[Any]) -> tuple[list[list[int]], npt.NDArray[np.intp]]:
    """The different rows, and for each row its place among them."""
    found, places = np.unique(np.stack(columns, axis=1).astype(np.int64), axis=0, return_inverse=True)
    return found.tolist(), places.reshape(-1)


def _counted(ids: npt.NDArray[np.int32], times: Floats, counts: Floats) -> tuple[Any, Any, Any]:
    """One increment a series and second instead of one a span; `counts`: how many calls each stands for."""
    both = np.stack((ids.astype(np.int64), np.floor(times).astype(np.int64)))
    pairs, where = np.unique(both, axis=1, return_inverse=True)
    return pairs[0].astype(np.int32), np.bincount(where.reshape(-1), counts, pairs.shape[1]), pairs[1] + 0.5


def _name(names: type[SpanKind] | type[Status], number: int) -> str:
    try:
        return names(number).name
    except ValueError:
        return "UNSPECIFIED" if names is SpanKind else "UNSET"
