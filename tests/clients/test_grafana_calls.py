"""What Grafana's Prometheus data source asks, call by call, in the form it asks it.

Source: grafana.com, docs, data sources, Prometheus; the plugin's resource and query calls: the health check is the query 1+1, the
build is asked once, pickers ask labels and series by POST, panels ask query_range and query by POST with exemplars beside.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.collector.server.prometheus.serving import NOW, Served, served

START, END = NOW - 900, NOW
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served() as one:
        yield one


async def get(api: Served, path: str) -> Any:
    async with api.session.get(f"{api.url}{path}", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        envelope = await answer.json()
        assert envelope["status"] == "success"
        return envelope["data"]


async def post(api: Served, path: str, body: str) -> Any:
    async with api.session.post(f"{api.url}{path}", data=body.encode(), headers=FORM) as answer:
        assert answer.status == 200
        envelope = await answer.json()
        assert envelope["status"] == "success"
        return envelope["data"]


async def test_saving_the_data_source(api: Served) -> None:
    """Save & test: the query 1+1 now, then the build and the runtime to know what it speaks to."""
    found = await post(api, "/api/v1/query", f"query=1%2B1&time={NOW}")
    assert found == {"resultType": "scalar", "result": [NOW, "2"]}
    build = await get(api, "/api/v1/status/buildinfo")
    assert [int(part) for part in build["version"].split(".")] >= [3, 0, 0]
    assert set(build) >= {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}
    async with api.session.get(f"{api.url}/-/healthy") as answer:
        assert answer.status == 200


async def test_the_metric_picker_and_code_completion(api: Served) -> None:
    """Opening Explore: all metrics, their metadata, the labels of the range; choosing a metric: its labels and their values."""
    span = f"start={START}&end={END}"
    metrics = await get(api, f"/api/v1/label/__name__/values?{span}&limit=40000")
    assert metrics == ["http_requests_total", "latency_seconds", "queue.depth"]
    metadata = await get(api, "/api/v1/metadata?limit=40000")
    assert metadata["http_requests_total"][0]["type"] == "counter"
    assert await post(api, "/api/v1/labels", f"{span}&limit=40000") == ["__name__", "code", "instance", "job"]
    one = "match%5B%5D=http_requests_total"
    assert await post(api, "/api/v1/labels", f"{span}&{one}") == ["__name__", "code", "instance", "job"]
    assert await get(api, f"/api/v1/label/code/values?{span}&match%5B%5D=http_requests_total%7Bjob%3D%22api%22%7D") == [
        "200",
        "500",
    ]
    series = await post(api, "/api/v1/series", f"{span}&{one}&limit=40000")
    assert {each["code"] for each in series} == {"200", "500"}
    # A name with dots is picked in quotes, a label in its escaped form.
    quoted = "match%5B%5D=%7B%22queue.depth%22%7D"
    assert await get(api, f"/api/v1/label/U__job/values?{span}&{quoted}") == ["api"]


async def test_a_panel(api: Served) -> None:
    """A graph panel: the range, an instant beside it for the legend's table, exemplars for the dots."""
    expr = "sum%20by%20%28code%29%20%28rate%28http_requests_total%5B1m0s%5D%29%29"
    graph = await post(api, "/api/v1/query_range", f"end={END}&query={expr}&start={START}&step=15")
    assert graph["resultType"] == "matrix"
    assert [series["metric"] for series in graph["result"]] == [{"code": "200"}, {"code": "500"}]
    assert all(len(series["values"]) == 61 for series in graph["result"])
    table = await post(api, "/api/v1/query", f"query={expr}&time={END}")
    assert [series["value"] for series in table["result"]] == [[END, "0.13333333333333333"], [END, "0.016666666666666666"]]
    assert await post(api, "/api/v1/query_exemplars", f"end={END}&query={expr}&start={START}") == []


async def test_a_heatmap_of_a_native_histogram(api: Served) -> None:
    found = await post(api, "/api/v1/query_range", f"end={END}&query=latency_seconds&start={END - 30}&step=15")
    points = found["result"][0]["histograms"]
    assert [at for at, _ in points] == [END - 30, END - 15, END]
    assert set(points[0][1]) == {"count", "sum", "buckets"}


async def test_a_variable_and_an_annotation(api: Served) -> None:
    """`label_values(http_requests_total, code)` asks series or label values; `query_result(…)` asks an instant query."""
    values = await get(api, f"/api/v1/label/code/values?match%5B%5D=http_requests_total&start={START}&end={END}")
    assert values == ["200", "500"]
    found = await get(api, f"/api/v1/query?query=topk(1%2C%20http_requests_total)&time={END}")
    assert len(found["result"]) == 1


async def test_the_alerting_page(api: Served) -> None:
    """Rules of the data source, of one kind and of one group, and the alerts that are active."""
    groups = (await get(api, "/api/v1/rules?type=alert"))["groups"]
    rule = groups[0]["rules"][0]
    assert (rule["type"], rule["state"], rule["health"]) == ("alerting", "firing", "ok")
    assert {"name", "query", "duration", "labels", "annotations", "alerts", "evaluationTime", "lastEvaluation"} <= set(rule)
    recorded = (await get(api, "/api/v1/rules?type=record&rule_group%5B%5D=more"))["groups"]
    assert [each["type"] for group in recorded for each in group["rules"]] == ["recording"]
    assert (await get(api, "/api/v1/rules?group_limit=1"))["groupNextToken"]
    assert (await get(api, "/api/v1/alerts"))["alerts"][0]["labels"]["alertname"] == "Errors"


async def test_a_wrong_query_is_shown_with_its_place(api: Served) -> None:
    async with api.session.post(f"{api.url}/api/v1/query", data=b"query=rate(up)", headers=FORM) as answer:
        assert answer.status == 400
        told = await answer.json()
    assert told["errorType"] == "bad_data"
    assert "1:6: parse error" in told["error"]
