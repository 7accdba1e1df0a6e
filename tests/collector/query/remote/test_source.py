"""The recent part from here, the older from the store: what comes out is what one history with everything would say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.query import QueryLimits, QueryService
from collector.query.remote import RemoteSource
from collector.query.remote.client import RemoteUnavailableError
from collector.server.prometheus.answer_json import answer_json
from collector.storage.remote.target import RemoteTarget
from monitor.model.matchers import Matcher
from monitor.query.evaluator import Evaluator
from monitor.query.history import Answer, QueryError
from monitor.query.memory import MemoryHistory
from tests.collector.server.prometheus.serving import FOREVER, Served, served
from tests.differential.compare import difference
from tests.differential.data import LENGTH, START, Series, history_of, labels, make
from tests.differential.queries import questions
from tests.running import free_port

SINCE = (START + LENGTH * 2 // 3) * 1000
"""From here on everything is at hand too."""
END = START + LENGTH


def recent(series: Series, since: int = SINCE) -> Series:
    return {name: (times[times >= since], values[times >= since]) for name, (times, values) in series.items()}


@asynccontextmanager
async def split(series: Series, since: int = SINCE, **names: Any) -> AsyncIterator[tuple[QueryService, Served]]:
    """A store with all samples, and a service that has the recent ones at hand."""
    async with served(history_of(series), clock=END) as store:
        target = RemoteTarget(f"{store.url}/api/v1/write", store.url)
        source = RemoteSource(target, history_of(recent(series, since)), lambda: since, **names)
        service = QueryService(None, source=source)
        try:
            yield service, store
        finally:
            service.close()
            await source.close_client()


def data(answer: Answer, time: int = 0) -> dict[str, Any]:
    timed = Answer(answer.kind, answer.matrix, answer.raw, answer.text, meta={"time": time})
    return dict(msgspec.json.decode(b"".join(answer_json(timed))))


def failed(error: QueryError) -> dict[str, Any]:
    return {"status": "error", "errorType": error.kind, "error": str(error)}


def told(ask: Callable[[], Answer], time: int) -> dict[str, Any]:
    try:
        return data(ask(), time)
    except QueryError as error:
        return failed(error)


async def told_later(asked: Awaitable[Answer], time: int) -> dict[str, Any]:
    try:
        return data(await asked, time)
    except QueryError as error:
        return failed(error)


async def test_any_query_is_answered_as_by_one_history() -> None:
    series = make()
    whole = Evaluator(history_of(series))
    wrong = []
    async with split(series) as (service, store):
        for question in questions(150):
            text, start, end, step = question.text, question.start * 1000, question.end * 1000, question.step * 1000
            expected = told(partial(whole.range, text, start, end, step) if step else partial(whole.instant, text, start), start)
            asked = service.range(text, start, end, step) if step else service.instant(text, start)
            found = await told_later(asked, start)
            if differs := difference(found, expected):
                wrong.append(f"{question}: {differs}")
        assert not wrong, "\n".join(wrong)
        assert store.service.counters.queries > 50


async def test_what_is_at_hand_is_not_asked_of_the_store() -> None:
    async with split(make()) as (service, store):
        await service.instant("sum(rate(http_requests_total[5m]))", END * 1000)
        await service.range("node_load1", (END - 600) * 1000, END * 1000, 15_000)
        assert store.service.counters.queries == 0
        await service.instant("sum(rate(http_requests_total[1h]))", END * 1000)
        await service.instant(f"node_load1 @ {START + 100}", END * 1000)
        assert store.service.counters.queries == 2


async def test_every_time_of_a_split_range_has_one_answer() -> None:
    series = make()
    async with split(series) as (service, store):
        answer = await service.range("count(up)", START * 1000, END * 1000, 30_000)
        assert store.service.counters.queries == 1
    assert answer.matrix is not None
    np.testing.assert_array_equal(answer.matrix.times, np.arange(START, END + 1, 30) * 1000)
    expected = Evaluator(history_of(series)).range("count(up)", START * 1000, END * 1000, 30_000)
    assert expected.matrix is not None
    np.testing.assert_array_equal(answer.matrix.values, expected.matrix.values)
    np.testing.assert_array_equal(answer.matrix.present, expected.matrix.present)


async def test_a_series_that_only_the_store_knows_is_its_to_answer() -> None:
    series = make()
    series[labels("elsewhere", job="other")] = np.arange(START, END, 15, dtype=np.int64) * 1000 + 1, np.ones(LENGTH // 15)
    async with served(history_of(series), clock=END) as store:
        own = {name: kept for name, kept in recent(series).items() if dict(name)["__name__"] != "elsewhere"}
        source = RemoteSource(RemoteTarget(store.url, store.url), history_of(own), lambda: SINCE)
        service = QueryService(None, source=source)
        answer = await service.instant("elsewhere", END * 1000)
        assert answer.matrix is not None
        assert len(answer.matrix.labels) == 1
        service.close()
        await source.close_client()


async def test_names_with_dots_are_found_on_both_sides_under_one_spelling() -> None:
    """The store has what the writer sends, underscores; at hand the names are as they came."""
    times = np.arange(START, END, 15, dtype=np.int64) * 1000 + 1
    sent = {labels("queue_depth", http_route="/a"): (times, np.arange(len(times), dtype=np.float64))}
    own: Series = {(("__name__", "queue.depth"), ("http.route", "/a")): (times, np.arange(len(times), dtype=np.float64))}
    async with served(history_of(sent), clock=END) as store:
        source = RemoteSource(RemoteTarget(store.url, store.url), history_of(recent(own)), lambda: SINCE)
        service = QueryService(None, source=source)
        spelled = ("queue_depth", '{"queue.depth"}', 'queue_depth{http_route=~"/.*"}', '{__name__=~"queue_.*", http_route="/a"}')
        for query in spelled:
            answer = await service.range(query, START * 1000 + 60_000, END * 1000, 60_000)
            assert answer.matrix is not None
            assert answer.matrix.labels == (labels("queue_depth", http_route="/a"),), query
            assert answer.matrix.present.all(), query
        summed = await service.range("sum by (http_route) (queue_depth)", START * 1000 + 60_000, END * 1000, 60_000)
        assert summed.matrix is not None
        assert summed.matrix.labels == ((("http_route", "/a"),),)
        chosen = [(Matcher("__name__", "=", "queue_depth"),)]
        assert await service.series(chosen, 0, END * 1000) == [labels("queue_depth", http_route="/a")]
        assert await service.label_names([], 0, END * 1000) == ["__name__", "http_route"]
        assert await service.label_values("http_route", [], 0, END * 1000) == ["/a"]
        assert await service.label_values("__name__", [], 0, END * 1000) == ["queue_depth"]
        assert store.service.counters.queries > 0
        service.close()
        await source.close_client()


async def test_raw_samples_come_from_both_and_each_once() -> None:
    series = make()
    name = next(name for name in series if dict(name).get("le") == "0.5")  # without markers, which PromQL never shows
    async with split(series) as (service, _):
        found = await service.select([Matcher(label, "=", value) for label, value in name], START * 1000, END * 1000)
    assert [block.labels for block in found.blocks] == [(name,)]
    np.testing.assert_array_equal(found.blocks[0].times, series[name][0])
    np.testing.assert_array_equal(found.blocks[0].values[0], series[name][1])


async def test_a_store_that_is_away_leaves_what_is_at_hand() -> None:
    target = RemoteTarget("http://127.0.0.1:1/w", f"http://mira:secret@127.0.0.1:{free_port()}")
    source = RemoteSource(target, history_of(recent(make())), lambda: SINCE)
    service = QueryService(None, source=source)
    answer = await service.range("count(up)", START * 1000, END * 1000, 60_000)
    assert answer.matrix is not None
    known = answer.matrix.times[answer.matrix.present[0]]
    assert known[0] >= SINCE
    assert known[-1] == END * 1000
    assert "only what this collector has at hand" in answer.warnings[0]
    with pytest.raises(RemoteUnavailableError) as told:
        await service.instant("sum(rate(up[2h]))", END * 1000)
    assert told.value.kind == "unavailable"
    assert "secret" not in str(told.value)
    assert "up" in await service.label_values("__name__", [], SINCE, END * 1000)
    with pytest.raises(RemoteUnavailableError):
        await service.label_values("__name__", [], 0, END * 1000)
    service.close()
    await source.close_client()


async def test_errors_of_the_store_are_told_as_its_own() -> None:
    async with served(history_of(make()), QueryLimits(max_samples=1), clock=END) as store:
        source = RemoteSource(RemoteTarget(store.url, store.url), MemoryHistory(), lambda: FOREVER)
        service = QueryService(None, source=source)
        with pytest.raises(QueryError, match="the remote store says: ") as told:
            await service.instant("sum_over_time(up[1h])", END * 1000)
        assert told.value.kind == "execution"
        service.close()
        await source.close_client()


async def test_a_slow_store_is_left_at_the_timeout() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = RemoteSource(RemoteTarget(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}"), MemoryHistory(), lambda: FOREVER)
    service = QueryService(None, source=source)
    with pytest.raises(QueryError, match="timed out") as told:
        await service.instant("up", END * 1000, within=0.1)
    assert told.value.kind == "timeout"
    service.close()
    await source.close_client()
    server.close()


async def test_a_store_that_does_not_answer_in_time_leaves_what_is_at_hand_too() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    source = RemoteSource(RemoteTarget(url, url), history_of(recent(make())), lambda: SINCE)
    service = QueryService(None, source=source)
    answer = await service.range("count(up)", START * 1000, END * 1000, 60_000, within=2.0)
    assert answer.matrix is not None
    assert answer.matrix.times[answer.matrix.present[0]][0] >= SINCE
    assert "only what this collector has at hand is shown, from " in answer.warnings[0]
    service.close()
    await source.close_client()
    server.close()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (503, '{"status":"error","errorType":"503","error":"too many requests at once"}', "status 503: too many requests"),
        (502, "<html>bad gateway</html>", "status 502"),
        (401, '{"status":"error","error":"no org id"}', "check its password, token or tenant"),
        (404, "not here", "has no /api/v1 below that address"),
        (302, "", "status 302"),
    ],
)
async def test_a_store_that_cannot_answer_leaves_what_is_at_hand_and_is_quoted(status: int, body: str, words: str) -> None:
    async def refuse(request: web.Request) -> web.Response:
        kind = "application/json" if body.startswith("{") else "text/html"
        return web.Response(status=status, text=body, content_type=kind, headers={"Location": "http://elsewhere.invalid/"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        source = RemoteSource(RemoteTarget(url, url), history_of(recent(make())), lambda: SINCE)
        service = QueryService(None, source=source)
        answer = await service.range("count(up)", START * 1000, END * 1000, 60_000)
        assert words in answer.warnings[0]
        with pytest.raises(RemoteUnavailableError, match=re.escape(words)):
            await service.instant("sum(rate(up[2h]))", END * 1000)
        service.close()
        await source.close_client()


@pytest.mark.parametrize("names", ["underscores", "as_sent"])
async def test_a_label_that_is_asked_for_leads_nowhere_else(names: str) -> None:
    asked: list[str] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.json_response({"status": "success", "data": []})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", note)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        source = RemoteSource(RemoteTarget(url, url), MemoryHistory(), lambda: FOREVER, names=names)  # type: ignore[arg-type]
        service = QueryService(None, source=source)
        for name in ("../../admin/tsdb/delete_series?match[]=up#", "http.route"):
            await service.label_values(name, [()], START * 1000, END * 1000)
        assert [path.split("?")[0].count("/") for path in asked] == [5, 5], asked
        assert all(path.startswith("/api/v1/label/") and path.split("?")[0].endswith("/values") for path in asked), asked
        service.close()
        await source.close_client()
