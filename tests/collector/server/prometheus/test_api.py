"""The HTTP API as a client sees it: envelopes, codes, words of errors, filters."""

from __future__ import annotations

import asyncio
import gzip
import io
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import msgspec
import numpy as np
import pytest

from collector.query import QueryLimits
from monitor.model.matchers import Matcher
from monitor.query.history import Hints, Selected
from monitor.query.memory import Bounds, MemoryHistory
from tests.collector.server.prometheus.serving import FOREVER, NOW, Served, labels, pairs, served, when

BAD_QUERY = 'invalid parameter "query"'


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served() as one:
        yield one


async def test_an_instant_query_by_get_and_by_post(api: Served) -> None:
    expected = {
        "status": "success",
        "data": {
            "resultType": "vector",
            "result": [
                {
                    "metric": {"__name__": "http_requests_total", "job": "api", "instance": "a:80", "code": "500"},
                    "value": [NOW, "60"],
                }
            ],
        },
        "code": 200,
    }
    asked = {"query": 'http_requests_total{code="500"}'}
    assert await api.ask("query", **asked) == expected
    assert await api.post("query", **asked) == expected
    assert await api.ask("query", **asked, time="2023-11-14T22:13:20Z") == expected


async def test_a_form_counts_before_the_query_string(api: Served) -> None:
    async with api.session.post(f"{api.url}/api/v1/query?query=1&time=5", data={"query": "2"}) as answer:
        assert (await answer.json())["data"]["result"] == [5, "2"]


async def test_a_range_query(api: Served) -> None:
    found = await api.post("query_range", query="sum(http_requests_total)", start=NOW - 60, end=NOW, step="30s", stats="all")
    assert found["data"]["resultType"] == "matrix"
    assert found["data"]["result"] == [{"metric": {}, "values": [[NOW - 60, "531"], [NOW - 30, "535.5"], [NOW, "540"]]}]
    assert found["data"]["stats"]["samples"]["totalQueryableSamples"] > 0
    assert found["data"]["stats"]["timings"]["evalTotalTime"] > 0


async def test_a_lookback_may_be_given(api: Served) -> None:
    assert (await api.ask("query", query="queue_depth", lookback_delta="2s"))["data"]["result"] == []
    assert len((await api.ask("query", query="queue_depth", lookback_delta="6s"))["data"]["result"]) == 1


async def test_limits_cut_and_say_so(api: Served) -> None:
    found = await api.ask("query", query="http_requests_total", limit=1)
    assert len(found["data"]["result"]) == 1
    assert found["warnings"] == ["results truncated due to limit"]
    assert "warnings" not in await api.ask("query", query="http_requests_total", limit=2)
    for path in ("series", "labels", "label/__name__/values"):
        found = await api.ask(path, match=['{job="api"}'], limit=2)
        assert len(found["data"]) == 2
        assert found["warnings"] == ["results truncated due to limit"]


@pytest.mark.parametrize(
    ("path", "asked", "code", "kind", "words"),
    [
        ("query", {}, 400, "bad_data", f"{BAD_QUERY}: 1:1: parse error: no expression found in input"),
        (
            "query",
            {"query": "foo{"},
            400,
            "bad_data",
            'invalid parameter "query": 1:5: parse error: unexpected end of input inside braces',
        ),
        (
            "query",
            {"query": "up", "time": "x"},
            400,
            "bad_data",
            'invalid parameter "time": cannot parse "x" to a valid timestamp',
        ),
        ("query_range", {"query": "up"}, 400, "bad_data", 'invalid parameter "start": cannot parse "" to a valid timestamp'),
        (
            "query_range",
            {"query": "up", "start": 2, "end": 1, "step": 1},
            400,
            "bad_data",
            'invalid parameter "end": end timestamp must not be before start time',
        ),
        (
            "query_range",
            {"query": "up", "start": 0, "end": 1, "step": 0},
            400,
            "bad_data",
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
        ),
        (
            "query_range",
            {"query": "up", "start": 0, "end": 11_001, "step": 1},
            400,
            "bad_data",
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ),
        ("query", {"query": "http_requests_total + on (job) http_requests_total"}, 422, "execution", None),
        ("series", {}, 400, "bad_data", "no match[] parameter provided"),
        ("rules", {"type": "x"}, 400, "bad_data", 'invalid parameter "type": not supported value "x"'),
        ("targets/metadata", {"match_target": '{job="none"}'}, 404, "not_found", "specified metadata not found"),
        ("format_query", {"query": "("}, 400, "bad_data", None),
        ("status/tsdb", {"limit": 0}, 400, "bad_data", 'invalid parameter "limit": limit must be a positive number'),
    ],
)
async def test_what_is_wrong_is_said_as_prometheus_says_it(
    api: Served, path: str, asked: dict[str, Any], code: int, kind: str, words: str | None
) -> None:
    found = await api.ask(path, **asked)
    assert (found["status"], found["code"], found["errorType"]) == ("error", code, kind)
    assert words is None or found["error"] == words


async def test_the_longest_range_that_prometheus_takes_is_taken(api: Served) -> None:
    assert (await api.ask("query_range", query="vector(1)", start=0, end=11_000, step=1))["code"] == 200


async def test_too_many_samples_is_an_error_of_execution() -> None:
    async with served(limits=QueryLimits(max_samples=10)) as api:
        found = await api.ask("query", query="sum_over_time(http_requests_total[1h])")
        assert (found["code"], found["errorType"]) == (422, "execution")


class HeldHistory(MemoryHistory):
    def __init__(self) -> None:
        super().__init__()
        self.go, self.asked = threading.Event(), threading.Event()

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        self.asked.set()
        assert self.go.wait(30)
        return Selected(())


async def test_timeouts_overload_and_clients_that_leave() -> None:
    history = HeldHistory()
    async with served(history, QueryLimits(workers=1, waiting=0)) as api:
        late = await api.ask("query", query="up", timeout="50ms")
        assert (late["code"], late["errorType"]) == (503, "timeout")
        refused = await api.ask("query", query="up")
        assert (refused["code"], refused["errorType"]) == (503, "unavailable")
        history.go.set()
        await when(lambda: api.service.counters.running == 0)
        history.go.clear()
        history.asked.clear()
        leaving = asyncio.ensure_future(api.ask("query", query="up"))
        await asyncio.to_thread(history.asked.wait, 20)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        await when(lambda: api.service.counters.canceled == 1)
        history.go.set()


async def test_unknown_paths_and_methods(api: Served) -> None:
    async with api.session.get(f"{api.url}/api/v1/nothing") as answer:
        assert answer.status == 404
    async with api.session.put(f"{api.url}/api/v1/query") as answer:
        assert answer.status == 405


async def test_bodies_are_bounded_and_checked(api: Served) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{api.url}/api/v1/query"
    async with api.session.post(url, data=io.BytesIO(b"query=" + b"1" * (1 << 20)), headers=form) as answer:
        assert answer.status == 413
    for body in (b"query=%ff", b"a=1&" * 2000):
        async with api.session.post(url, data=body, headers=form) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"].startswith("error parsing form values: ")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Host": "rebound.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
async def test_pages_of_others_may_not_ask(api: Served, headers: dict[str, str], code: int) -> None:
    async with api.session.get(f"{api.url}/api/v1/labels", headers=headers) as answer:
        assert answer.status == code
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "time", ["9.1e15", "-9.1e15", "9007199254740", "-292273086-05-16T16:47:06Z", "292277025-08-18T07:12:54.999999999Z"]
)
@pytest.mark.parametrize(
    "query", ["up", "rate(up[1y] offset -1y)", "up @ 9e15", "max_over_time(up[1y:1d] offset 10y)", "time()", "year()"]
)
async def test_times_far_off_are_answered_or_refused(api: Served, time: str, query: str) -> None:
    assert (await api.ask("query", query=query, time=time))["code"] in (200, 400, 422)
    assert (await api.ask("query_range", query=query, start=time, end=time, step=1))["code"] in (200, 400, 422)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_long_answer_is_streamed_and_whole(encoding: str) -> None:
    history = MemoryHistory(Bounds(age=FOREVER, late=FOREVER))
    times = np.arange(NOW - 6000, NOW, 10, dtype=np.int64) * 1000
    values = np.random.default_rng(5).normal(size=(60, len(times)))
    for row in range(len(values)):
        history.append(labels("noise", row=str(row)), times, values[row])
    async with served(history) as api, aiohttp.ClientSession(auto_decompress=False) as session:
        asked = {"query": "noise", "start": times[0] / 1000, "end": times[-1] / 1000, "step": 10}
        async with session.get(
            f"{api.url}/api/v1/query_range", params=pairs(asked), headers={"Accept-Encoding": encoding}
        ) as answer:
            body = await answer.read()
            assert answer.headers.get("Content-Encoding", "identity") == encoding
            assert "Content-Length" not in answer.headers
        found = msgspec.json.decode(gzip.decompress(body) if encoding == "gzip" else body)["data"]["result"]
        got = {int(series["metric"]["row"]): [float(value) for _, value in series["values"]] for series in found}
        np.testing.assert_array_equal([got[row] for row in range(len(values))], values)


async def test_labels_series_and_values(api: Served) -> None:
    assert (await api.ask("labels"))["data"] == ["__name__", "code", "instance", "job"]
    assert (await api.post("labels", match=["latency_seconds"]))["data"] == ["__name__", "job"]
    assert (await api.ask("label/U__code/values", match=["http_requests_total"]))["data"] == ["200", "500"]
    found = await api.post("series", match=["queue_depth", "latency_seconds"], start=NOW - 60, end=NOW)
    assert found["data"] == [
        {"__name__": "latency_seconds", "job": "api"},
        {"__name__": "queue.depth", "instance": "a:80", "job": "api"},
    ]
    assert (await api.ask("series", match=["queue_depth"], start=0, end=10))["data"] == []


async def test_metadata_is_filtered_and_limited(api: Served) -> None:
    counter = {"type": "counter", "help": "Requests answered.", "unit": ""}
    assert (await api.ask("metadata", metric="http_requests_total"))["data"] == {"http_requests_total": [counter]}
    assert (await api.ask("metadata", metric="none"))["data"] == {}
    assert list((await api.ask("metadata", metric="queue_depth"))["data"]) == ["queue.depth"]
    assert list((await api.ask("metadata", limit=1))["data"]) == ["http_requests_total"]


async def test_rules_are_filtered_and_paged(api: Served) -> None:
    def names(found: dict[str, Any]) -> list[list[str]]:
        return [[rule["name"] for rule in group["rules"]] for group in found["data"]["groups"]]

    assert names(await api.ask("rules")) == [["Errors", "job:requests:rate5m"], ["job:requests:rate5m"]]
    assert names(await api.ask("rules", type="alert")) == [["Errors"]]
    assert names(await api.ask("rules", type="record", rule_group=["more"])) == [["job:requests:rate5m"]]
    assert names(await api.ask("rules", rule_name=["Errors"], file=["api.yml"])) == [["Errors"]]
    assert names(await api.ask("rules", match=['{severity="page"}'])) == [["Errors"]]
    with_alerts = (await api.ask("rules"))["data"]["groups"][0]["rules"][0]
    assert (with_alerts["state"], len(with_alerts["alerts"])) == ("firing", 1)
    assert (await api.ask("rules", exclude_alerts="true"))["data"]["groups"][0]["rules"][0]["alerts"] == []
    first = await api.ask("rules", group_limit=1)
    assert len(first["data"]["groups"]) == 1
    second = await api.ask("rules", group_limit=1, group_next_token=first["data"]["groupNextToken"])
    assert [group["name"] for group in second["data"]["groups"]] == ["more"]
    assert "groupNextToken" not in second["data"]


async def test_what_the_collector_tells_of_itself(api: Served) -> None:
    assert (await api.ask("status/buildinfo"))["data"]["application"] == "Lightship"
    assert (await api.ask("status/runtimeinfo"))["data"]["storageRetention"] == "7d"
    assert (await api.ask("status/flags"))["data"] == {"interval": "1s"}
    assert (await api.ask("status/config"))["data"] == {"yaml": "interval: 1s\n"}
    tsdb = (await api.ask("status/tsdb", limit=1))["data"]
    assert tsdb["headStats"]["numSeries"] == 4
    assert tsdb["seriesCountByMetricName"] == [{"name": "http_requests_total", "value": 2}]
    alerts = (await api.ask("alerts"))["data"]["alerts"]
    assert [(alert["state"], alert["value"], alert["activeAt"]) for alert in alerts] == [
        ("firing", "2.5e-01", "2023-11-14T22:12:20.000Z")
    ]
    assert (await api.ask("alertmanagers"))["data"]["activeAlertmanagers"] == [{"url": "http://am:9093/api/v2/alerts"}]


async def test_targets(api: Served) -> None:
    found = (await api.ask("targets"))["data"]
    assert [(target["scrapeUrl"], target["health"]) for target in found["activeTargets"]] == [("http://a:80/metrics", "up")]
    assert found["droppedTargetCounts"] == {"api": 1}
    assert (await api.ask("targets", state="dropped"))["data"]["activeTargets"] == []
    assert (await api.ask("targets", scrapePool="other"))["data"]["activeTargets"] == []
    told = (await api.ask("targets/metadata", metric="http_requests_total"))["data"]
    assert told == [{"target": {"job": "api", "instance": "a:80"}, "type": "counter", "help": "Requests answered.", "unit": ""}]


async def test_a_query_is_laid_out_and_shown_as_a_tree(api: Served) -> None:
    assert (await api.post("format_query", query="sum(x)by(y)"))["data"] == "sum by (y) (x)"
    tree = (await api.ask("parse_query", query='-sum by (a) (rate(x{b="c"}[5m] offset 1m)) / on (a) (y @ start())'))["data"]
    assert tree["type"] == "binaryExpr"
    assert tree["matching"] == {"card": "one-to-one", "labels": ["a"], "on": True, "include": []}
    assert tree["lhs"]["op"] == "-"
    call = tree["lhs"]["expr"]["expr"]
    assert call["func"] == {"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"}
    assert call["args"][0]["range"] == 300_000
    assert call["args"][0]["offset"] == 60_000
    assert tree["rhs"]["expr"]["startOrEnd"] == "start"
    assert (await api.ask("query_exemplars", query="up", start=0, end=1))["data"] == []
