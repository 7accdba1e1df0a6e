"""Of each operation the slowest span of a tick is told with its trace, and the slowest that failed."""

from __future__ import annotations

from monitor.topology import span_metrics as names
from monitor.topology.span_metrics import SpanMetrics
from tests.monitor.topology.spans import BEGIN, One, spans_of


def told(metrics: SpanMetrics) -> dict[tuple[str, str, str], tuple[float, int, int]]:
    """By name, operation and status: value, trace and span."""
    metrics.tick(BEGIN + 1)
    found = metrics.exemplars
    if found is None:
        return {}
    keys = [found.space.keys[number] for number in found.ids.tolist()]
    where = [(key.name, dict(key.tags)["span_name"], dict(key.tags).get("status_code", "")[12:]) for key in keys]
    values = zip(found.values.tolist(), found.traces[:, 1].tolist(), found.spans.tolist(), strict=True)
    return dict(zip(where, values, strict=True))


def test_the_slowest_of_each_operation_and_the_slowest_that_failed_are_told() -> None:
    metrics = SpanMetrics()
    metrics.take(
        spans_of(
            [
                One("api", 1, name="a", trace=1, seconds=0.1),
                One("api", 2, name="a", trace=2, seconds=0.9),
                One("api", 3, name="a", trace=3, seconds=0.2, error=True),
                One("api", 4, name="b", trace=4, seconds=0.3),
            ]
        )
    )
    assert told(metrics) == {
        (names.LATENCY, "a", ""): (0.9, 2, 2),
        (names.LATENCY, "b", ""): (0.3, 4, 4),
        (names.CALLS, "a", "UNSET"): (1.0, 2, 2),
        (names.CALLS, "a", "ERROR"): (1.0, 3, 3),
        (names.CALLS, "b", "UNSET"): (1.0, 4, 4),
    }


def test_a_tick_without_spans_tells_none() -> None:
    metrics = SpanMetrics()
    metrics.take(spans_of([One("api", 1)]))
    assert told(metrics)
    assert told(metrics) == {}
