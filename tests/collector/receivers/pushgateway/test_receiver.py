"""The Pushgateway's API as its clients see it."""

from __future__ import annotations

import contextlib
import gzip
import math
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.pushgateway import PushReceiver
from collector.receivers.pushgateway.grouping import BadGroupingError, grouping_of
from collector.receivers.pushgateway.groups import PushLimits
from collector.receivers.pushgateway.receiver import REPEAT
from tests.collector.receivers.remote_write.recording import Recording, serving

BEGIN = 1_700_000_000.0
OWN = ("push_time_seconds", "push_failure_time_seconds")
LIMITS = PushLimits(groups=3, group_series=4, series=6, body_bytes=5000)


class Gateway:
    """A receiver behind its routes; every request comes a second later."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.now = BEGIN
        self.accept = Recording()
        self.session = session
        self.receiver = PushReceiver(self.accept, lambda: self.now)
        self.url = ""

    async def send(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> tuple[int, str]:
        self.now += 1.0
        data = body.encode() if isinstance(body, str) else body
        async with self.session.request(method, f"{self.url}/metrics/job{path}", data=data, headers=headers) as answer:
            return answer.status, (await answer.text()).strip()

    async def listed(self) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.url}/api/v1/metrics") as answer:
            told = await answer.json()
        assert told["status"] == "success"
        found: list[dict[str, Any]] = told["data"]
        return found

    def last(self) -> dict[str, float]:
        """What the history knows of each series last; those that ended are left out."""
        points = {name: values[-1][1] for name, values in self.accept.kept().items()}
        return {name: value for name, value in points.items() if not math.isnan(value) and not name.startswith(OWN)}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with aiohttp.ClientSession() as session:
        found = Gateway(session)
        async with serving(found.receiver.routes()) as found.url:
            yield found


async def test_put_replaces_the_group_and_post_only_metrics_of_the_same_name(gateway: Gateway) -> None:
    assert await gateway.send("PUT", "/a", "one 1\ntwo 2\n") == (200, "")
    assert await gateway.send("POST", "/a", "two 3\nthree 4\n") == (200, "")
    assert gateway.last() == {'one{job="a"}': 1, 'two{job="a"}': 3, 'three{job="a"}': 4}
    assert await gateway.send("PUT", "/a", "three 5\n") == (200, "")
    assert gateway.last() == {'three{job="a"}': 5}


async def test_metrics_of_the_same_name_go_with_all_their_labels(gateway: Gateway) -> None:
    await gateway.send("POST", "/a", 'one{x="1"} 1\none{x="2"} 2\n')
    await gateway.send("POST", "/a", 'one{x="3"} 3\n')
    assert gateway.last() == {'one{job="a",x="3"}': 3}


async def test_delete_ends_the_series_of_the_group_alone(gateway: Gateway) -> None:
    await gateway.send("PUT", "/a", "one 1\n")
    await gateway.send("PUT", "/a/instance/x", "one 2\n")
    assert await gateway.send("DELETE", "/a") == (202, "")
    assert gateway.last() == {'one{instance="x",job="a"}': 2}
    assert [group["labels"] for group in await gateway.listed()] == [{"instance": "x", "job": "a"}]
    assert await gateway.send("DELETE", "/never") == (202, "")


async def test_labels_of_the_group_win_over_those_of_the_body(gateway: Gateway) -> None:
    await gateway.send("PUT", "/a/zone/z", 'one{job="other",zone="y",code="5"} 1\n')
    assert gateway.last() == {'one{code="5",job="a",zone="z"}': 1}


async def test_each_group_tells_when_it_was_pushed_and_when_that_failed(gateway: Gateway) -> None:
    await gateway.send("PUT", "/a", "one 1\n")
    await gateway.send("PUT", "/a", "one 1 1700000000000\n")
    kept = gateway.accept.kept()
    assert kept['push_time_seconds{job="a"}'][-1][1] == BEGIN + 1
    assert kept['push_failure_time_seconds{job="a"}'][-1][1] == 0
    gateway.accept.take(gateway.receiver.repeat(gateway.now + 1))
    assert gateway.accept.kept()['push_failure_time_seconds{job="a"}'][-1][1] == BEGIN + 2
    [group] = await gateway.listed()
    assert group["last_push_successful"] is False


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("one 1 1700000000000\n", "timestamps"),
        ("one 1\none 2\n", "twice"),
        ('one{job="x"} 1\none{job="y"} 2\n', "twice"),
        ("# TYPE known counter\nknown 1\n", "is a counter here and a gauge in another group"),
        ('known{instance="x"} 1\n', "in another group already"),
        ("one\n", "one"),
        ("ÿ\n", ""),
        ("one{a=} 1\n", ""),
    ],
)
async def test_what_contradicts_itself_or_others_is_refused(gateway: Gateway, body: str, why: str) -> None:
    await gateway.send("PUT", "/other/instance/x", "# TYPE known gauge\nknown 1\n")
    path = "/other" if "instance" in body else "/a"
    body = f"# TYPE known gauge\n{body}" if "instance" in body else body
    status, text = await gateway.send("PUT", path, body)
    assert (status, why in text) == (400, True), text
    assert [name for name in gateway.last() if name.startswith("one")] == []


async def test_another_help_is_no_contradiction_and_a_group_may_change_its_own_type(gateway: Gateway) -> None:
    assert (await gateway.send("PUT", "/a", "# HELP m One.\n# TYPE m gauge\nm 1\n"))[0] == 200
    assert (await gateway.send("PUT", "/b", "# HELP m Other.\n# TYPE m gauge\nm 1\n"))[0] == 200
    assert (await gateway.send("DELETE", "/b"))[0] == 202
    assert (await gateway.send("POST", "/a", "# TYPE m counter\nm 1\n"))[0] == 200


@pytest.mark.parametrize(
    ("path", "status", "labels"),
    [
        ("/a", 200, {"job": "a"}),
        ("/a/", 200, {"job": "a"}),
        ("@base64/Yi9j", 200, {"job": "b/c"}),
        ("@base64/Yi9j/x@base64/w6Q", 200, {"job": "b/c", "x": "ä"}),
        ("/a/x@base64/=", 200, {"job": "a", "x": ""}),
        ("/a/x/1/y/2", 200, {"job": "a", "x": "1", "y": "2"}),
        ("/a%20b/x/1+1", 200, {"job": "a b", "x": "1+1"}),
        ("/a/job/b", 200, {"job": "a"}),
        ("/a/x", 400, None),
        ("/a/x/1/y", 400, None),
        ("/a/1x/1", 400, None),
        ("/a/__x/1", 400, None),
        ("/a/x-y/1", 400, None),
        ("/a/x@base64/%21%21", 400, None),
        ("/a/x@base64/_w", 400, None),
        ("@base64/=", 400, None),
        ("/", 400, None),
    ],
)
async def test_the_path_names_the_group(gateway: Gateway, path: str, status: int, labels: dict[str, str] | None) -> None:
    found = await gateway.send("PUT", path, "m 1\n")
    assert found[0] == status, found[1]
    assert [group["labels"] for group in await gateway.listed()] == ([labels] if labels is not None else [])


@given(st.text(max_size=40), st.booleans())
def test_any_path_names_a_group_or_says_why_not(path: str, is_base64: bool) -> None:
    with contextlib.suppress(BadGroupingError):
        assert dict(grouping_of(path, is_base64))["job"]


async def test_counters_are_told_as_readings_and_as_increments(gateway: Gateway) -> None:
    for value in (5, 8):
        await gateway.send("PUT", "/a", f"# TYPE c_total counter\nc_total {value}\n")
    assert gateway.accept.kept()['c_total{job="a"}'] == [(BEGIN + 1, 5), (BEGIN + 2, 8)]
    assert gateway.accept.seen()['c_total{job="a"}'] == [(BEGIN + 2, 3)]


async def test_groups_are_stated_again_every_fifteen_seconds(gateway: Gateway) -> None:
    await gateway.send("PUT", "/a", "one 1\n")
    batches = [gateway.receiver.repeat(gateway.now + 1 + n) for n in range(46)]
    assert [n for n, each in enumerate(batches) if each] == [0, 15, 30, 45]
    gateway.accept.take([batch for each in batches for batch in each])
    assert [at - BEGIN for at, _ in gateway.accept.seen()['one{job="a"}']] == [1, 2, 17, 32, 47]
    assert gateway.receiver.repeat(gateway.now - 1000), "the clock was set back"


async def test_nothing_changes_when_the_collector_does_not_accept(gateway: Gateway) -> None:
    await gateway.send("PUT", "/a", "# TYPE c_total counter\nc_total 5\n")
    gateway.accept.refusing = "the disk is full"
    for method in ("PUT", "POST", "DELETE"):
        assert await gateway.send(method, "/a", "# TYPE c_total counter\nc_total 7\n") == (503, "the disk is full")
    assert await gateway.send("PUT", "/new", "x 1\n") == (503, "the disk is full")
    [group] = await gateway.listed()
    assert group["c_total"]["metrics"][0]["value"] == "5"
    gateway.accept.refusing = ""
    await gateway.send("PUT", "/a", "# TYPE c_total counter\nc_total 8\n")
    assert [value for _, value in gateway.accept.seen()['c_total{job="a"}']] == [3]


async def test_groups_outlive_a_restart(gateway: Gateway) -> None:
    await gateway.send("PUT", "/a/x@base64/=", '# TYPE h histogram\nh_bucket{le="+Inf"} 3\nh_count 3\nh_sum NaN\n')
    after = PushReceiver(gateway.accept, lambda: gateway.now)
    after.restore(gateway.receiver.state())
    assert after.state() == gateway.receiver.state()
    gateway.accept.batches.clear()
    gateway.accept.take(after.repeat(gateway.now + 1))
    assert {name.partition("{")[0] for name in gateway.accept.kept()} == {"h_bucket", "h_count", "h_sum", *OWN}


@pytest.mark.parametrize("state", [b"", b"\x01", b"\x91\x91\x01", b"\xff" * 20])
def test_a_state_that_is_none_is_refused_with_a_sentence(state: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        PushReceiver(Recording(), lambda: BEGIN).restore(state)


async def test_a_group_ends_when_its_time_to_live_is_over() -> None:
    now = BEGIN
    accept = Recording()
    receiver = PushReceiver(accept, lambda: now, ttl=60.0)
    async with (
        serving(receiver.routes()) as url,
        aiohttp.ClientSession() as session,
        session.put(f"{url}/metrics/job/a", data=b"one 1\n") as answer,
    ):
        assert answer.status == 200
    for _ in range(8):
        now += REPEAT
        accept.take(receiver.repeat(now))
    points = accept.seen()['one{job="a"}']
    assert math.isnan(points[-1][1])
    assert points[-1][0] == BEGIN + 75
    assert receiver.figures()["pushgateway_expired_groups_total"] == 1


async def test_there_is_room_for_so_much_and_no_more() -> None:
    receiver = PushReceiver(Recording(), lambda: BEGIN, limits=LIMITS)
    async with serving(receiver.routes()) as url, aiohttp.ClientSession() as session:

        async def push(job: str, body: bytes) -> int:
            async with session.put(f"{url}/metrics/job/{job}", data=body) as answer:
                return answer.status

        assert await push("a", b"a 1\nb 1\nc 1\nd 1\n") == 200
        assert await push("a", b"a 1\nb 1\nc 1\nd 1\ne 1\n") == 413
        assert await push("b", b"a 1\nb 1\nc 1\n") == 507
        assert await push("b", b"a 1\n") == 200
        assert await push("c", b"a 1\n") == 200
        assert await push("d", b"a 1\n") == 507
        assert await push("a", b"#" * 5001) == 413
        assert await push("a", b"m" * 300 + b" 1\n") == 400
    figures = receiver.figures()
    assert (figures["pushgateway_groups"], figures["pushgateway_series"]) == (3, 6)
    assert "refused" in receiver.notes()[0]


async def test_bodies_may_be_packed_and_of_other_formats(gateway: Gateway) -> None:
    assert (await gateway.send("PUT", "/a", gzip.compress(b"one 1\n"), **{"Content-Encoding": "gzip"}))[0] == 200
    openmetrics = "# TYPE c counter\nc_total 1.0\n# EOF\n"
    assert (await gateway.send("PUT", "/b", openmetrics, **{"Content-Type": "application/openmetrics-text"}))[0] == 200
    assert gateway.last() == {'one{job="a"}': 1, 'c_total{job="b"}': 1}


async def test_groups_are_listed_as_the_pushgateway_lists_them(gateway: Gateway) -> None:
    body = '# HELP d Durations.\n# TYPE d histogram\nd_bucket{le="1"} 2\nd_bucket{le="+Inf"} 3\nd_sum 4.5\nd_count 3\n'
    body += '# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 2\ns_count 3\nplain 3.14\n'
    await gateway.send("PUT", "/a/zone/z", body)
    [group] = await gateway.listed()
    labels = {"job": "a", "zone": "z"}
    assert (group["labels"], group["last_push_successful"]) == (labels, True)
    assert group["plain"]["metrics"] == [{"labels": labels, "value": "3.14"}]
    assert (group["plain"]["type"], group["plain"]["time_stamp"]) == ("UNTYPED", "2023-11-14T22:13:21Z")
    assert (group["d"]["type"], group["d"]["help"]) == ("HISTOGRAM", "Durations.")
    assert group["d"]["metrics"] == [{"labels": labels, "buckets": {"1": "2", "+Inf": "3"}, "count": "3", "sum": "4.5"}]
    assert group["s"]["metrics"] == [{"labels": labels, "quantiles": {"0.5": "1"}, "count": "3", "sum": "2"}]
    assert group["push_time_seconds"]["type"] == "GAUGE"
