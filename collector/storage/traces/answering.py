"""Requests of clients answered from the store. They read the disk: not for the loop's thread."""

from __future__ import annotations

from collector.storage.traces.questions import log_search, trace_search
from collector.storage.traces.store import TraceStore
from monitor.wire.tracing import (
    FindLogs,
    FindTraces,
    GetServices,
    GetTrace,
    LogsFound,
    ServicesFound,
    TraceFound,
    TracesFound,
)

MOST_SPANS = 20_000
MOST_SERVICES = 2000
Question = FindTraces | GetTrace | FindLogs | GetServices
Answer = TracesFound | TraceFound | LogsFound | ServicesFound


def answer(store: TraceStore, request: Question) -> Answer:
    """The whole answer. Raises `ValueError` for what cannot be asked, `TraceStoreError` where the disk refuses."""
    if isinstance(request, FindTraces):
        traces, warnings = store.search_traces(trace_search(request))
        return TracesFound(request.id, tuple(traces), warnings)
    if isinstance(request, GetTrace):
        found = store.trace(request.trace, max(1, min(request.limit, MOST_SPANS)))
        return TraceFound(request.id, found.trace, tuple(found.spans), tuple(found.logs), found.total, found.warnings)
    if isinstance(request, FindLogs):
        logs = store.logs(log_search(request))
        return LogsFound(request.id, tuple(logs.logs), logs.cursor, logs.more, logs.warnings, logs.skipped)
    wanted = request.text.casefold()
    services = [one for one in store.services() if wanted in one.service.casefold()]
    limit = max(1, min(request.limit, MOST_SERVICES))
    return ServicesFound(request.id, tuple(services[:limit]), len(services) > limit)
