"""What spans say in numbers is what counting them one by one gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine import Engine
from monitor.model.matchers import parse_selector
from monitor.model.spans import PeerKind, SpanKind
from monitor.topology import span_metrics as names
from monitor.topology.span_metrics import OPERATIONS, SpanMetrics
from tests.monitor.topology.spans import BEGIN, One, spans_of

Told = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def told(metrics: SpanMetrics, now: float = BEGIN + 1) -> Told:
    """Sum of all values by series, of counters and of distributions their count."""
    found: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
    for batch in metrics.tick(now):
        weights = [1.0] * len(batch) if batch.weights is None else batch.weights.tolist()
        for number, value, weight in zip(batch.ids.tolist(), batch.values.tolist(), weights, strict=True):
            key = batch.space.keys[number]
            found[key.name, key.tags] += weight if key.name in (names.LATENCY, names.EDGE_SECONDS) else value
    return dict(found)


def test_a_span_is_counted_timed_and_judged() -> None:
    metrics = SpanMetrics(apdex=0.5)
    metrics.take(spans_of([One("api", 1, name="GET /cart", seconds=0.7)]))
    tags = (("service", "api"), ("span_kind", "SPAN_KIND_SERVER"), ("span_name", "GET /cart"))
    assert told(metrics) == {
        (names.LATENCY, tags): 1,
        (names.CALLS, (*tags, ("status_code", "STATUS_CODE_UNSET"))): 1,
        (names.APDEX, (("level", "tolerating"), ("service", "api"))): 1,
    }
    assert told(metrics) == {}, "nothing is told twice"


@pytest.mark.parametrize(
    ("seconds", "error", "level"), [(0.5, False, 0), (0.51, False, 1), (2.0, False, 1), (2.1, False, 2), (0.1, True, 2)]
)
def test_content_is_judged_as_apdex_says(seconds: float, error: bool, level: int) -> None:
    metrics = SpanMetrics(apdex=0.5)
    metrics.take(spans_of([One("api", 1, seconds=seconds, error=error)]))
    assert (names.APDEX, (("level", names.LEVELS[level]), ("service", "api"))) in told(metrics)


def test_an_edge_has_its_calls_failures_and_duration() -> None:
    metrics = SpanMetrics()
    metrics.take(spans_of([One("web", 2, 1, SpanKind.CLIENT), One("api", 3, 2, error=True)]))
    edge = (("client", "web"), ("connection_type", ""), ("server", "api"))
    found = told(metrics)
    assert [found[name, edge] for name in (names.EDGE_CALLS, names.EDGE_FAILED, names.EDGE_SECONDS)] == [1, 1, 1]


def test_what_the_server_is_stands_in_the_connection_type() -> None:
    metrics = SpanMetrics()
    metrics.take(spans_of([One("api", 2, 1, SpanKind.CLIENT, peer="redis", peer_kind=PeerKind.DATABASE)]))
    assert (names.EDGE_CALLS, (("client", "api"), ("connection_type", "database"), ("server", "redis"))) in told(metrics)


def test_operations_of_one_service_are_bounded() -> None:
    metrics = SpanMetrics()
    metrics.take(spans_of([One("api", number + 1, name=f"GET /{number}") for number in range(OPERATIONS + 20)]))
    found = told(metrics)
    assert metrics.overflowed == 20
    other = (("service", "api"), ("span_kind", "SPAN_KIND_SERVER"), ("span_name", "other"))
    assert found[names.LATENCY, other] == 20


def test_windows_answer_for_services_as_for_any_series() -> None:
    metrics, engine = SpanMetrics(), Engine()
    engine.tick(BEGIN)
    metrics.take(spans_of([One("api", n + 1, seconds=0.1 * (n + 1), start=0.01 * n, error=n == 9) for n in range(10)]))
    for batch in metrics.tick(BEGIN + 2):
        engine.ingest(batch)
    engine.tick(BEGIN + 2)
    rows = engine.table.select(parse_selector(names.LATENCY))
    assert engine.column("p99", 60, rows)[0] == pytest.approx(1.0, rel=0.006)
    failed = engine.table.select(parse_selector(f'{names.CALLS}{{status_code="STATUS_CODE_ERROR"}}'))
    assert engine.column("sum", 60, failed).tolist() == [1.0]


ONES = st.builds(
    One,
    service=st.sampled_from(["a", "b"]),
    span=st.integers(1, 99),
    kind=st.sampled_from([SpanKind.SERVER, SpanKind.INTERNAL, SpanKind.CLIENT]),
    name=st.sampled_from(["x", "y"]),
    start=st.sampled_from([0.0, 0.5, 1.0]),
    seconds=st.sampled_from([0.0, 0.2, 1.5]),
    error=st.booleans(),
)


@given(st.lists(st.lists(ONES, max_size=8), max_size=4))
def test_calls_are_what_counting_gives(batches: list[list[One]]) -> None:
    metrics = SpanMetrics()
    for batch in batches:
        metrics.take(spans_of(batch))
    wanted = Counter(
        (
            one.service,
            one.name,
            f"SPAN_KIND_{one.kind.name}",
            f"STATUS_CODE_{'ERROR' if one.error else 'UNSET'}",
        )
        for batch in batches
        for one in batch
    )
    found = {
        (tags["service"], tags["span_name"], tags["span_kind"], tags["status_code"]): value
        for (name, pairs), value in told(metrics).items()
        if name == names.CALLS and (tags := dict(pairs))
    }
    assert found == dict(wanted)


def test_a_span_that_stands_for_many_counts_as_many_in_all_figures() -> None:
    metrics = SpanMetrics()
    ones = [One("web", 2, 1, SpanKind.CLIENT), One("api", 3, 2, error=True), One("api", 4, 0)]
    metrics.take(replace(spans_of(ones), counts=np.array([4.0, 4.0, 1.0])))
    edge = (("client", "web"), ("connection_type", ""), ("server", "api"))
    tags = (("service", "api"), ("span_kind", "SPAN_KIND_SERVER"), ("span_name", "GET /"))
    found = told(metrics)
    assert [found[name, edge] for name in (names.EDGE_CALLS, names.EDGE_FAILED, names.EDGE_SECONDS)] == [4, 4, 4]
    assert found[names.LATENCY, tags] == 5
    assert found[names.CALLS, (*tags, ("status_code", "STATUS_CODE_ERROR"))] == 4
    assert found[names.CALLS, (*tags, ("status_code", "STATUS_CODE_UNSET"))] == 1
    assert found[names.APDEX, (("level", "frustrated"), ("service", "api"))] == 4


def test_what_senders_say_of_sampling_takes_no_room_among_the_names_of_services() -> None:
    metrics = SpanMetrics()
    spans = spans_of([One("web", 2, 1, SpanKind.CLIENT)])
    spans = replace(spans, texts=(*spans.texts, "ot=rv:00000000000001"), states=np.array([len(spans.texts)], np.int32))
    metrics.take(spans)
    metrics.tick(BEGIN + 1)
    assert set(metrics._graph._names.texts()) == {"", "web"}
