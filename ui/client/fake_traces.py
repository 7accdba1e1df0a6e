"""Traces and logs of a collector in memory: what the requests of the demonstration's shop answer."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.model.matchers import Matcher
from monitor.wire import messages as m
from ui.client.fake_traces_shop import INCIDENT, PACE, Attributes, Request, made, number_of

KEPT = 3600.0
Question = m.FindTraces | m.GetTrace | m.FindLogs | m.GetServices


def summary(request: Request) -> m.TraceSummary:
    """A request as the list of traces tells it."""
    root = next(span for span in request.spans if not span.parent)
    begin = min(span.start for span in request.spans)
    end = max(span.start + span.duration for span in request.spans)
    errors = sum(span.status == "error" for span in request.spans)
    services = tuple(dict.fromkeys(span.service for span in request.spans))
    return m.TraceSummary(
        request.trace, root.service, root.operation, root.start, end - begin, len(request.spans), errors, services
    )


def _numbers(now: float, start: float, end: float) -> Iterator[int]:
    """Numbers of requests that have ended, the newest first."""
    first = int(max(start, now - KEPT) / PACE)
    last = int(min(end or now, now - 4.0) / PACE)
    return iter(range(last, first, -1))


def _tags_hold(tags: tuple[Matcher, ...], attributes: Attributes, resource: Attributes) -> bool:
    return all(tag.test(attributes.get(tag.name, resource.get(tag.name, ""))) for tag in tags)


def _span_meets(span: m.SpanInfo, asked: m.FindTraces) -> bool:
    return (
        asked.service in ("", span.service)
        and asked.operation in ("", span.operation)
        and span.duration >= asked.shortest
        and (not asked.longest or span.duration <= asked.longest)
        and (not asked.error or span.status == "error")
        and _tags_hold(asked.tags, span.attributes, span.resource)
        and asked.text.lower() in f"{span.operation} {span.message} {' '.join(span.attributes.values())}".lower()
    )


def find_traces(now: float, asked: m.FindTraces) -> m.TracesFound:
    """Those with a span that meets everything asked, the newest or the longest first."""
    found: list[m.TraceSummary] = []
    for number in _numbers(now, asked.start, asked.end):
        request = made(number)
        if any(_span_meets(span, asked) for span in request.spans):
            found.append(summary(request))
            if len(found) >= min(asked.limit, 1000) and asked.order == "newest":
                break
    if asked.order == "longest":
        found.sort(key=lambda trace: (-trace.duration, trace.trace))
    return m.TracesFound(asked.id, tuple(found[: min(asked.limit, 1000)]))


def get_trace(now: float, asked: m.GetTrace) -> m.TraceFound:
    """One request, while it is kept."""
    number = number_of(asked.trace)
    if number < 0 or not now - KEPT - 60 <= number * PACE <= now:
        return m.TraceFound(asked.id, asked.trace, ())
    request = made(number)
    logs = tuple(sorted(request.logs, key=lambda log: log.time))
    return m.TraceFound(asked.id, request.trace, tuple(request.spans[: asked.limit]), logs, len(request.spans))


def _background(start: float, end: float) -> Iterator[m.LogInfo]:
    """What services say by themselves, belonging to no trace."""
    for beat in range(int(end // 23), int(start // 23) - 1, -1):
        at = beat * 23.0 + 7.0
        if start < at <= end:
            locks = at > INCIDENT
            body = "187 sessions wait for a lock on order_lines" if locks else "checkpoint complete: wrote 214 buffers"
            yield m.LogInfo(at, 13 if locks else 9, "WARNING" if locks else "LOG", "orders-db", body, attributes={"pid": "812"})


def _logs(now: float, start: float, end: float, trace: str) -> list[m.LogInfo]:
    """Records in a stretch of time, the newest first."""
    if trace:
        number = number_of(trace)
        found = list(made(number).logs) if number >= 0 else []
    else:
        numbers = range(int((start - 10) / PACE), int(end / PACE) + 1)
        found = [log for number in numbers for log in made(number).logs if start < log.time <= end]
        found += _background(start, end)
    return sorted((log for log in found if log.time <= now), key=lambda log: -log.time)


def find_logs(now: float, asked: m.FindLogs) -> m.LogsFound:
    """Records that meet everything asked; the cursor is the moment in milliseconds."""
    start = asked.after / 1000.0 if asked.after else max(asked.start or now - KEPT, now - KEPT)
    end = min(asked.end or now, now)
    found: list[m.LogInfo] = []
    more, skipped = False, 0
    for log in _stretches(now, start, end, asked):
        if (
            asked.service in ("", log.service)
            and log.severity >= asked.severity
            and asked.text.lower() in f"{log.body} {' '.join(log.attributes.values())}".lower()
            and _tags_hold(asked.tags, log.attributes, log.resource)
        ):
            if len(found) >= min(asked.limit, 1000):
                more = not asked.skip
                skipped += 1
                if more:
                    break
                continue
            found.append(log)
    told = tuple(reversed(found)) if asked.after else tuple(found)
    return m.LogsFound(asked.id, told, int(now * 1000.0), more, skipped=skipped if asked.skip else 0)


def _stretches(now: float, start: float, end: float, asked: m.FindLogs) -> Iterator[m.LogInfo]:
    """Minute by minute backwards, so that a few new ones are found at once."""
    if asked.trace:
        yield from (log for log in _logs(now, start, end, asked.trace) if start < log.time <= end)
        return
    while end > start:
        begin = max(start, end - 60.0)
        yield from _logs(now, begin, end, "")
        end = begin


def get_services(now: float, asked: m.GetServices) -> m.ServicesFound:
    """Services of the shop with their operations, from a few minutes of requests."""
    operations: dict[str, set[str]] = {}
    spans: dict[str, int] = {}
    logs: dict[str, int] = {"orders-db": 156}
    for number in list(_numbers(now, now - 300.0, 0.0)):
        request = made(number)
        for span in request.spans:
            operations.setdefault(span.service, set()).add(span.operation)
            spans[span.service] = spans.get(span.service, 0) + 12
        for log in request.logs:
            logs[log.service] = logs.get(log.service, 0) + 12
    names = sorted(name for name in operations.keys() | logs.keys() if asked.text.lower() in name)
    told = tuple(
        m.ServiceOperations(name, tuple(sorted(operations.get(name, ()))), spans.get(name, 0), logs.get(name, 0))
        for name in names
    )
    return m.ServicesFound(asked.id, told[: asked.limit], len(told) > asked.limit)


def answer_tracing(now: float, asked: Question, told: bool = True) -> m.Found:
    """What the shop's requests answer; `told` False: nobody ever sent a trace or a log."""
    if isinstance(asked, m.FindTraces):
        return find_traces(now, asked) if told else m.TracesFound(asked.id, ())
    if isinstance(asked, m.GetTrace):
        return get_trace(now, asked) if told else m.TraceFound(asked.id, asked.trace, ())
    if isinstance(asked, m.FindLogs):
        return find_logs(now, asked) if told else m.LogsFound(asked.id, ())
    return get_services(now, asked) if told else m.ServicesFound(asked.id, ())
