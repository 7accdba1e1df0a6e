"""Queries are bounded in number and time, and nobody's query outlives its asker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from collector.query import OverloadedError, QueryLimits, QueryService
from monitor.model.matchers import Matcher
from monitor.query.history import Hints, ParseError, QueryError, Selected, TimeoutQueryError
from monitor.query.memory import MemoryHistory
from tests.collector.server.prometheus.serving import NOW, labels, sample_history, when

MILLIS = NOW * 1000


class HeldHistory(MemoryHistory):
    """Its answers wait until `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.asked = 0

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        self.asked += 1
        assert self.go.wait(30)
        return Selected(())


@pytest.fixture
async def held() -> AsyncIterator[tuple[HeldHistory, QueryService]]:
    history = HeldHistory()
    service = QueryService(history, QueryLimits(workers=1, waiting=1, timeout=20.0))
    yield history, service
    history.go.set()
    service.close()


async def test_an_answer_comes_with_its_figures() -> None:
    service = QueryService(sample_history())
    answer = await service.instant('http_requests_total{code="200"}', MILLIS)
    assert answer.matrix is not None
    assert answer.matrix.values.tolist() == [[480.0]]
    assert service.counters.queries == 1
    assert service.counters.running == 0
    assert service.counters.samples == answer.samples > 0
    service.close()


async def test_a_range_query_gives_a_matrix_over_its_times() -> None:
    service = QueryService(sample_history())
    answer = await service.range("sum(http_requests_total)", MILLIS - 60_000, MILLIS, 30_000)
    assert answer.matrix is not None
    np.testing.assert_array_equal(answer.matrix.times, [MILLIS - 60_000, MILLIS - 30_000, MILLIS])
    service.close()


async def test_one_query_too_many_is_refused_at_once(held: tuple[HeldHistory, QueryService]) -> None:
    history, service = held
    waiting = [asyncio.ensure_future(service.instant("up", MILLIS)) for _ in range(2)]
    await when(lambda: history.asked == 1)
    with pytest.raises(OverloadedError, match="try again"):
        await service.instant("up", MILLIS)
    assert service.counters.refused == 1
    history.go.set()
    await asyncio.gather(*waiting)
    assert service.counters.running == 0


async def test_a_query_that_takes_too_long_is_answered_with_a_timeout(held: tuple[HeldHistory, QueryService]) -> None:
    history, service = held
    with pytest.raises(TimeoutQueryError, match=r"timed out .* 0\.05 s"):
        await service.instant("up", MILLIS, within=0.05)
    assert service.counters.timed_out == 1
    assert service.counters.running == 1, "its thread still has its place"
    history.go.set()
    await when(lambda: service.counters.running == 0)


async def test_a_request_cannot_lengthen_the_timeout() -> None:
    history = HeldHistory()
    service = QueryService(history, QueryLimits(timeout=0.05))
    with pytest.raises(TimeoutQueryError, match=r"0\.05 s"):
        await service.instant("up", MILLIS, within=100.0)
    history.go.set()
    service.close()


async def test_an_abandoned_query_never_begins(held: tuple[HeldHistory, QueryService]) -> None:
    history, service = held
    first = asyncio.ensure_future(service.instant("up", MILLIS))
    await when(lambda: history.asked == 1)
    second = asyncio.ensure_future(service.instant("up", MILLIS))
    await when(lambda: service.counters.running == 2)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    history.go.set()
    await first
    await when(lambda: service.counters.running == 0)
    assert history.asked == 1
    assert service.counters.canceled == 1


async def test_wrong_text_is_told_with_its_place() -> None:
    service = QueryService(sample_history())
    with pytest.raises(ParseError) as told:
        await service.instant("sum(", MILLIS)
    assert told.value.kind == "bad_data"
    assert service.counters.failed == 1
    service.close()


async def test_reading_more_than_allowed_fails() -> None:
    service = QueryService(sample_history(), QueryLimits(max_samples=100))
    with pytest.raises(QueryError, match="100"):
        await service.range("rate(http_requests_total[5m])", MILLIS - 3_600_000, MILLIS, 15_000)
    service.close()


async def test_series_of_several_selectors_come_once() -> None:
    service = QueryService(sample_history())
    sets = [(Matcher("job", "=", "api"),), (Matcher("code", "=", "200"),)]
    found = await service.series(sets, 0, MILLIS)
    assert found == sorted(set(found))
    assert labels("queue.depth", job="api", instance="a:80") in found
    assert len(found) == 4
    assert await service.label_names(sets, 0, MILLIS) == ["__name__", "code", "instance", "job"]
    assert await service.label_values("code", [], 0, MILLIS) == ["200", "500"]
    service.close()


async def test_a_limit_is_passed_by_one_so_that_more_is_noticed() -> None:
    service = QueryService(sample_history())
    assert len(await service.series([(Matcher("job", "=", "api"),)], 0, MILLIS, limit=2)) == 3
    service.close()


async def test_where_no_exemplars_are_kept_queries_for_them_are_still_checked() -> None:
    service = QueryService(sample_history())
    assert await service.exemplars("http_requests_total", 0, MILLIS) == []
    with pytest.raises(ParseError):
        await service.exemplars("(", 0, MILLIS)
    assert service.format("sum(x)by(y)") == "sum by (y) (x)"
    service.close()
