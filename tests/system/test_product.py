"""The product as its users meet it: one collector process, real clients, the command, and kill -9."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import statsd
from datadog.dogstatsd.base import DogStatsd

from tests.peers import need
from tests.running import Collector, collector, until

RULE = """
# Errors of the shop.
[[rule]]
id = "high_error_rate"
metric = ["foundation", "service", "error"]
condition = { type = "threshold", operator = "gt", value = 100, window = "last_5_minutes" }  # a burst
severity = "critical"
actions = ["log"]
cooldown = "5m"
"""


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Collector]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "shop.toml").write_text(RULE)
    with collector(tmp_path) as running:
        yield running


def alerts(one: Collector) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(one.run("alerts", "--json").stdout)
    return found


def firing(one: Collector) -> list[dict[str, object]]:
    return [alert for alert in alerts(one) if alert["state"] == "firing"]


def test_counters_gauges_and_timers_of_the_statsd_client_arrive_exactly(one: Collector) -> None:
    client = statsd.StatsClient("127.0.0.1", one.statsd_port)
    for _ in range(60):
        client.incr("shop.orders", 2)
    client.gauge("shop.queue", 12)
    client.gauge("shop.queue", -5, delta=True)
    for milliseconds in range(1, 101):
        client.timing("shop.latency", milliseconds)
    client.set("shop.users", "mira")
    client.set("shop.users", "jonas")
    client.set("shop.users", "mira")
    client.close()
    until(lambda: one.get("shop.orders", "sum") == {"shop.orders": 120.0}, "all increments are counted")
    assert one.get("shop.orders", "rate") == {"shop.orders": 2.0}
    assert one.get("shop.queue") == {"shop.queue": 7.0}
    assert one.get("shop.latency", "count") == {"shop.latency": 100.0}
    assert one.get("shop.latency", "p99")["shop.latency"] == pytest.approx(99, rel=0.01)
    assert one.get("shop.users", "unique") == {"shop.users": 2.0}


def test_tags_and_sample_rates_of_the_datadog_client_arrive(one: Collector) -> None:
    client = DogStatsd(host="127.0.0.1", port=one.statsd_port, disable_telemetry=True, disable_buffering=True)
    for _ in range(10):
        client.increment("api.hits", tags=["env:prod", "service:cart"])
        client.distribution("api.size", 5.0, tags=["env:prod"])
    client.close_socket()
    until(lambda: one.get('api.hits{env="prod"}', "sum") == {"api.hits,env=prod,service=cart": 10.0}, "the counter arrived")
    assert one.get("api.size", "count") == {"api.size,env=prod": 10.0}


def test_this_host_is_watched_from_the_first_second(one: Collector) -> None:
    busy = until(lambda: one.get("host.cpu.busy"), "the host's CPU is known")["host.cpu.busy"]
    assert busy is not None
    assert 0 <= busy <= 100
    assert one.get("host.memory.total")["host.memory.total"]
    assert "lightship_statsd_lines_total" in one.metrics()


def test_a_derived_metric_of_the_configuration_is_computed(tmp_path: Path) -> None:
    config = '[[derived]]\nname = "cache.hit_rate"\nformula = "cache.hits / (cache.hits + cache.misses)"\nunit = "ratio"\n'
    with collector(tmp_path, config) as one:
        one.send("cache.hits:30|c|#tier:l1", "cache.misses:10|c|#tier:l1")
        until(lambda: one.get("cache.hit_rate") == {"cache.hit_rate,tier=l1": 0.75}, "the hit rate is there")


@pytest.mark.peer
def test_promtool_has_nothing_to_say_about_the_collectors_own_figures(one: Collector) -> None:
    promtool = need("promtool", "prometheus")
    checked = subprocess.run([promtool, "check", "metrics"], input=one.metrics(), capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_an_alert_its_owner_and_its_silence_survive_kill_9(one: Collector) -> None:
    one.send("foundation.service.error:150|c|#env:prod")
    (alert,) = until(lambda: firing(one), "the rule fires")
    assert alert["value"] == 150.0
    one.run("ack", "high_error_rate", "--note", "rolling back")
    one.run("silence", 'env="prod"', "--for", "2h", "--because", "rollback in progress")
    silenced = until(lambda: [a for a in firing(one) if a["silenced_by"] and a["ack"]], "it is silenced and acknowledged")
    points = one.get("foundation.service.error", "sum", "1h")
    time.sleep(1.2)  # what was sent in the second of the kill may be lost; this lies before it

    one.kill()
    one.start()

    (after,) = until(lambda: firing(one), "it fires again after the restart")
    for kept in ("id", "since", "fired_at", "ack", "silenced_by", "value"):
        assert after[kept] == silenced[0][kept], kept
    assert one.get("foundation.service.error", "sum", "1h") == points
    (silence,) = json.loads(one.run("alerts", "--silences", "--json").stdout)
    assert (silence["comment"], silence["created_by"]) == ("rollback in progress", "mira")
    shown = one.run("alerts", "--silences").stdout.splitlines()[1].split()[0]
    assert shown in silence["id"]
    one.run("unsilence", shown)
    until(lambda: not firing(one)[0]["silenced_by"], "the silence named as it is shown is ended")


def test_the_last_hour_is_there_after_kill_9_but_for_a_second_at_most(one: Collector) -> None:
    for value in range(5):
        one.send(f"a.gauge:{value}|g", "a.counter:10|c", f"a.timer:{value + 1}|ms")
        time.sleep(0.5)
    until(lambda: one.get("a.counter", "sum") == {"a.counter": 50.0}, "all five are in")
    before = {field: one.get("{}", field, "1h") for field in ("sum", "count", "max", "p50")}
    one.kill()
    one.start()
    until(lambda: one.get("a.counter", "sum") == {"a.counter": 50.0}, "the counter is back")
    for field in before:
        after = one.get("{}", field, "1h")
        for name in ("a.gauge", "a.counter", "a.timer"):
            assert after[name] == before[field][name], (name, field)


def test_a_rule_file_changed_on_disk_is_taken_up_and_a_broken_one_refused(one: Collector) -> None:
    path = one.rules / "shop.toml"
    path.write_text(RULE.replace("value = 100", "value = 7"))
    until(lambda: json.loads(one.run("rules", "list", "--json").stdout)["rules"][0]["condition"]["value"] == 7, "it is read")
    path.write_text(RULE.replace('"gt"', '"above"'))
    listed = until(
        lambda: (r := json.loads(one.run("rules", "list", "--json").stdout))["problems"] and r, "the broken file is refused"
    )
    assert listed["rules"][0]["condition"]["value"] == 7
    assert (listed["problems"][0]["file"], listed["problems"][0]["line"]) == ("shop.toml", 6)


def test_a_malformed_line_is_counted_and_shown_and_its_neighbours_count(one: Collector) -> None:
    one.send("good.one:1|c", "bad line", "good.two:1|c", "worse:\x1b[31m|c")
    until(lambda: one.get("good.two", "sum") == {"good.two": 1.0}, "the neighbour arrived")
    shown = until(lambda: (s := one.run("status").stdout) and "bad line" in s and s, "status names the line")
    assert "2 malformed" in shown
    assert "\x1b" not in shown


def test_a_taken_port_is_named_with_what_to_do(one: Collector, tmp_path: Path) -> None:
    second = Collector(tmp_path / "second")
    (tmp_path / "second").mkdir(exist_ok=True)
    second.http_port = one.http_port
    with pytest.raises(AssertionError, match=f"TCP 127.0.0.1:{one.http_port} is taken by another program"):
        second.start()


def test_a_second_collector_on_the_same_data_is_refused(one: Collector, tmp_path: Path) -> None:
    second = Collector(tmp_path)
    with pytest.raises(AssertionError, match="Another collector"):
        second.start()


def test_a_prometheus_target_is_scraped_and_its_death_is_seen(tmp_path: Path) -> None:
    from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

    registry = CollectorRegistry()
    orders = Counter("orders", "Orders taken.", ["shop"], registry=registry)
    level = Gauge("level", "Water level.", registry=registry)
    orders.labels("a").inc(3)
    level.set(4.5)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    port = server.server_port
    config = f'[[scrape]]\nurl = "http://127.0.0.1:{port}/metrics"\njob = "shop"\ninterval = "250ms"\n'
    with collector(tmp_path, config) as one:
        until(lambda: list(one.get("level").values()) == [4.5], "the gauge is scraped")
        orders.labels("a").inc(7)
        until(lambda: list(one.get("orders_total", "sum").values()) == [7.0], "the increment is counted")
        assert list(one.get('up{job="shop"}').values()) == [1.0]
        server.shutdown()
        server.server_close()
        thread.join()
        until(lambda: list(one.get('up{job="shop"}').values()) == [0.0], "its death is seen")
        assert list(one.get("level").values()) == [None]
        assert "does not answer" in one.run("status").stdout
