"""The script of the demonstration: a small shop on one host, seventeen minutes into an incident."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from monitor.alerting.fields import judged_field
from monitor.alerting.model import Acknowledgement, Firing, Severity, State
from monitor.model.batch import Floats
from monitor.model.matchers import parse_matchers
from monitor.model.series import Kind, SeriesKey, series_key
from monitor.wire import messages as m
from ui.client import demo_map
from ui.client.demo_rules import SHOP, SYSTEM
from ui.client.fake import FakeCollector
from ui.client.fake_alerts import alert_for, past_firings
from ui.client.fake_engine import Curve, bell, noise

NOW = datetime(2026, 10, 14, 14, 21, 36, tzinfo=UTC).timestamp()
INCIDENT = datetime(2026, 10, 14, 14, 3, 40, tzinfo=UTC).timestamp()
GIB = float(1 << 30)

SERVICES: dict[str, tuple[float, float, float, float]] = {
    "edge": (1284, 96, 0.11, 0.9),
    "catalog": (612, 14, 0.01, 0.55),
    "search": (342, 32, 0.03, 0.6),
    "cart": (208, 11, 0.02, 0.5),
    "orders": (131, 44, 0.05, 0.5),
    "checkout": (122, 78, 0.08, 0.5),
    "payments": (96, 188, 0.12, 0.6),
    "orders-db": (487, 4.2, 0.0, 0.4),
    "mailer": (14, 240, 2.1, 0.65),
}
"""Requests a second, median latency in ms, errors in percent, spread of the latency's logarithm."""
HURT: dict[str, tuple[float, float]] = {
    "orders-db": (190.0, 0.0),
    "orders": (9.0, 11.2),
    "checkout": (5.0, 18.4),
    "edge": (1.9, 1.75),
    "payments": (2.2, 1.31),
}
"""During the incident: factor on the latency, errors in percent."""


def demo() -> FakeCollector:
    """The collector at 14:21:36; `start` and `pump` it."""
    fake = FakeCollector(NOW, name="harbour-1", who="Mira Okafor")
    _host(fake)
    _shop(fake)
    _beam(fake)
    demo_map.shop(fake, _onset)
    _alerts(fake)
    _silences(fake)
    _events(fake)
    fake.keep(NOW - 3 * 86_400.0)
    fake.traced = True
    fake.figures = {
        "points_total": 61_204_332.0,
        "points_late_total": 3.0,
        "statsd_lines_total": 8_412_907.0,
        "statsd_malformed_total": 2.0,
        "scrape_targets": 3.0,
        "scrape_targets_down": 1.0,
    }
    fake.notes = ("StatsD: 2 lines could not be read, the first was 'shop.cart:|c' (no value)", "pick-07:9100 does not answer")
    return fake


# ------------------------------------------------------------ curves


def _onset(times: Floats) -> Floats:
    """0 before the incident, 1 some two minutes later."""
    onset: Floats = 1.0 / (1.0 + np.exp(np.minimum(-(times - INCIDENT - 75.0) / 18.0, 700.0)))
    return onset


def _wave(times: Floats, period: float, seed: int) -> Floats:
    wave: Floats = np.sin(2 * np.pi * times / period + seed)
    return wave


def _steady(level: float, swing: float, jitter: float, seed: int, low: float = 0.0, high: float = np.inf) -> Curve:
    """Round `level`, with a slow wave and noise, within [low, high]."""

    def curve(times: Floats) -> Floats:
        slow = 0.6 * _wave(times, 1900, seed) + 0.4 * _wave(times, 430, seed * 3)
        return np.clip(level + swing * slow + jitter * bell(times, seed), low, high)

    return curve


def _requests(service: str, seed: int) -> Curve:
    level = SERVICES[service][0]
    drop = 0.18 if service in ("checkout", "orders") else 0.0

    def curve(times: Floats) -> Floats:
        steady = level * (1 + 0.05 * _wave(times, 1500, seed) + 0.03 * bell(times, seed))
        return np.maximum(np.round(steady * (1 - drop * _onset(times))), 0.0)

    return curve


def _errors(service: str, seed: int) -> Curve:
    usual = SERVICES[service][2]
    hurt = HURT.get(service, (1.0, usual))[1]
    requests = _requests(service, seed)

    def curve(times: Floats) -> Floats:
        share = (usual + (hurt - usual) * _onset(times)) / 100.0
        expected = requests(times) * share * (1 + 0.12 * bell(times, seed + 500))
        return np.floor(np.maximum(expected, 0.0) + noise(times, seed + 900))

    return curve


def _latency(service: str, seed: int) -> Curve:
    median = SERVICES[service][1]
    factor = HURT.get(service, (1.0, 0.0))[0]

    def curve(times: Floats) -> Floats:
        calm = median * np.exp(0.06 * bell(times, seed + 100) + 0.05 * _wave(times, 800, seed))
        hurt: Floats = calm * np.exp(np.log(factor) * _onset(times))
        return hurt

    return curve


def _network(level: float, seed: int) -> Curve:
    bursts = _steady(level, level * 0.3, level * 0.12, seed, low=level * 0.05)

    def curve(times: Floats) -> Floats:
        return bursts(times) * (1 + 1.4 * (noise(np.floor(times / 40), seed) > 0.93))

    return curve


# ------------------------------------------------------------ series


def _host(fake: FakeCollector) -> None:
    busy = _steady(31, 7, 3.5, 1, 1, 100)

    def with_incident(times: Floats) -> Floats:
        return np.clip(busy(times) + 22 * _onset(times), 0, 100)

    fake.gauge("host.cpu.busy", with_incident, unit="percent")
    for mode, level in (("user", 22), ("system", 7), ("iowait", 2), ("steal", 0.2)):
        fake.gauge("host.cpu.percent", _steady(level, level / 4, level / 9, int(level) + 3, 0, 100), {"mode": mode}, "percent")
    for core in range(4):
        fake.gauge("host.cpu.core.busy", _steady(32 + 4 * core, 9, 8, 20 + core, 0, 100), {"core": str(core)}, "percent")
    memory = _steady(61, 2.2, 0.15, 5, 0, 100)
    fake.gauge("host.memory.percent", memory, unit="percent")
    fake.gauge("host.memory.used", lambda times: np.round(memory(times) / 100 * 16 * GIB), unit="bytes")
    fake.gauge("host.memory.total", lambda times: np.full(len(times), 16 * GIB), unit="bytes")
    fake.gauge("host.swap.percent", _steady(3, 0.2, 0.02, 6, 0, 100), unit="percent")
    for name, level in (("1m", 1.9), ("5m", 1.7), ("15m", 1.4)):
        fake.gauge(f"host.load.{name}", _steady(level, 0.4, 0.05, int(level * 10), 0))
    for interface, level in (("eth0", 2.4e6), ("lo", 3.1e5)):
        fake.counter("host.net.received_bytes", _network(level, 31), {"interface": interface}, "bytes")
        fake.counter("host.net.sent_bytes", _network(level * 0.7, 37), {"interface": interface}, "bytes")
    fake.counter("host.disk.read_bytes", _network(8.2e5, 41), {"device": "nvme0n1"}, "bytes")
    fake.counter("host.disk.write_bytes", _network(3.9e6, 43), {"device": "nvme0n1"}, "bytes")
    fake.gauge("host.disk.busy", _steady(14, 6, 3, 47, 0, 100), {"device": "nvme0n1"}, "percent")
    for mount, level, total in (("/", 71.0, 240.0), ("/var/lib/db", 91.3, 900.0)):
        tags = {"mount": mount}
        fake.gauge("host.fs.percent", _steady(level, 0.1, 0.01, 51, 0, 100), tags, "percent")
        fake.gauge("host.fs.total", lambda times, t=total: np.full(len(times), t * GIB), tags, "bytes")  # type: ignore[misc]
    fake.gauge("host.processes.total", lambda times: np.round(_steady(312, 6, 2, 53)(times)))
    fake.gauge("host.fds.used", lambda times: np.round(_steady(9_120, 260, 40, 59)(times)))
    fake.gauge("host.uptime", lambda times: times - (NOW - 41 * 86400.0), unit="s")
    for process, pid, share, size in (
        ("postgres", 812, 46.0, 4.1),
        ("beam.smp", 1190, 31.0, 1.6),
        ("nginx", 640, 12.0, 0.2),
        ("lightship", 4021, 0.7, 0.06),
        ("redis-server", 701, 4.0, 0.9),
    ):
        tags = {"process": process, "pid": str(pid)}
        fake.gauge("host.process.cpu", _steady(share, share / 5, share / 8, pid, 0, 400), tags, "percent")
        fake.gauge("host.process.memory", _steady(size * GIB, size * GIB / 40, 1e6, pid + 1, 0), tags, "bytes")


def _shop(fake: FakeCollector) -> None:
    for seed, (service, (_, _, _, spread)) in enumerate(SERVICES.items(), start=100):
        tags = {"service": service, "env": "prod"}
        fake.counter("shop.requests", _requests(service, seed), tags)
        fake.counter("shop.errors", _errors(service, seed), tags)
        fake.distribution("shop.latency", _latency(service, seed), _requests(service, seed), tags, "ms", spread)
        fake.counter("foundation.service.error", _errors(service, seed), {"service": service})
    fake.gauge(
        "shop.queue.depth", lambda times: np.round(_steady(140, 30, 12, 71)(times) + 420 * _onset(times)), {"queue": "events"}
    )
    fake.counter("shop.cache.hits", _steady(480, 30, 12, 72, 0), {"cache": "catalog"})
    fake.counter("shop.cache.misses", _steady(34, 9, 4, 73, 0), {"cache": "catalog"})
    silent = fake.gauge("host.cpu.busy", _steady(18, 4, 2, 74, 0, 100), {"host": "pick-07"}, "percent")
    silent.silent_from = NOW - 255.0
    fake.gauge("up", lambda times: np.where(times < NOW - 255, 1.0, 0.0), {"job": "node", "instance": "pick-07:9100"})
    fake.gauge("up", lambda times: np.ones(len(times)), {"job": "node", "instance": "harbour-1:9100"})


def _beam(fake: FakeCollector) -> None:
    for kind, level in (("processes", 0.42), ("binary", 0.21), ("ets", 0.09), ("code", 0.03)):
        fake.gauge("beam.memory", _steady(level * GIB, level * GIB / 12, 1e6, int(level * 100), 0), {"kind": kind}, "bytes")
    fake.gauge("beam.run_queue", lambda times: np.round(_steady(1, 1, 1, 81, 0)(times)))
    fake.gauge("beam.process_count", lambda times: np.round(_steady(2_310, 60, 12, 82)(times)))
    for table, level in (("sessions", 48_200.0), ("carts", 9_120.0)):
        fake.gauge("beam.ets.size", _steady(level, level / 30, level / 400, int(level), 0), {"table": table})


# ------------------------------------------------------------ alerts and people


def _service(name: str, service: str) -> SeriesKey:
    return series_key(name, {"service": service, "env": "prod"}.items())


def _alerts(fake: FakeCollector) -> None:
    fake.book.load("shop.toml", SHOP)
    fake.book.load("system.toml", SYSTEM)
    mira = Acknowledgement("Mira", NOW - 12 * 60, "Mine. Telling support.", NOW + 48 * 60)
    slow, errors, depth = "slow_latency", "checkout_fails", "queue_grows"
    _alert(fake, slow, _service("shop.latency", "orders-db"), "firing", 17 * 60, (5, 6), ack=mira, notified_count=2)
    _alert(fake, errors, _service("shop.errors", "checkout"), "firing", 15 * 60, (19, 4), notified_count=1)
    _alert(fake, errors, _service("shop.errors", "orders"), "firing", 15 * 60 - 20, notified_count=1)
    _alert(fake, "error_volume", _service("shop.errors", "edge"), "firing", 15 * 60 - 8, (13, 6), notified_count=1)
    _alert(fake, slow, _service("shop.latency", "payments"), "firing", 11 * 60, (18, 5), (4.7, 14))
    key = series_key("foundation.service.error", [("service", "checkout")])
    _alert(fake, "high_error_rate", key, "firing", 14 * 60 + 12, (10, 9), notified_count=1)
    _alert(fake, depth, series_key("shop.queue.depth", [("queue", "events")]), "pending", 3 * 60, (11, 22))
    silent = series_key("host.cpu.busy", [("host", "pick-07")])
    _alert(fake, "host_silent", silent, "firing", 4 * 60, value=None, no_data=True)
    _alert(fake, "disk_full", series_key("host.fs.percent", [("mount", "/var/lib/db")]), "firing", 9 * 3600)
    _alert(fake, "bounces", _service("shop.errors", "mailer"), "firing", 2 * 86400)
    _alert(fake, "error_volume", _service("shop.errors", "search"), "resolved", 2.4 * 3600, (2.5, 6))
    _alert(fake, slow, _service("shop.latency", "checkout"), "resolved", 9.1 * 3600, (9.2, 4))
    _alert(fake, slow, _service("shop.latency", "edge"), "inactive", 86400)


def _alert(
    fake: FakeCollector, rule_id: str, series: SeriesKey, state: str, age: float, *firings: tuple[float, float], **more: object
) -> None:
    rule = fake.book.rules[rule_id]
    since, severity = NOW - age, rule.severity
    past = past_firings(NOW, severity, *firings)
    row = fake.engine.table.row_of(series)
    value = more.pop("value", None)
    if row is not None and "no_data" not in more:
        field = _judged(rule.condition.field, fake.engine.table.info(row).kind)
        read = fake.engine.column(field, rule.condition.window, np.array([row], np.int32))[0]
        value = float(read) if np.isfinite(read) else None
    more |= _times(state, since, past, severity)
    alert = fake.book.put(alert_for(rule, series, State(state), since, value, **more))  # type: ignore[arg-type]
    if row is not None and "no_data" not in more:
        fake.follow(alert.id, field, rule.condition.window)


def _times(state: str, since: float, past: tuple[Firing, ...], severity: Severity) -> dict[str, object]:
    if state == "firing":
        now = (*past, Firing(since, None, severity))
        return {"active_at": since - 60, "fired_at": since, "last_notified": since + 4, "firings": now}
    if state == "pending":
        return {"active_at": since, "firings": past}
    if state == "resolved":
        return {"fired_at": past[-1].start, "resolved_at": since, "last_notified": past[-1].start + 4, "firings": past}
    return {"firings": past}


def _judged(field: str, kind: Kind) -> str:
    return judged_field(field, kind)


def _silences(fake: FakeCollector) -> None:
    for text, hours, until, comment, who, early in (
        ('service="mailer"', 46.0, 19.0, "Bounce list is being cleaned", "Ana", False),
        ('alertname="disk_full", mount="/var/lib/db"', 8.5, 15.0, "New disk arrives tonight", "Jonas", True),
        ('alertname="backup_old"', 1.9, 1.1, "Backup host is being moved", "Jonas", False),
    ):
        matchers = parse_matchers(text)
        fake.book.silence(m.AddSilence(0, matchers, NOW - hours * 3600, NOW + until * 3600, comment, who, early))


def _events(fake: FakeCollector) -> None:
    by_rule = {alert.rule_id + dict(alert.labels).get("service", ""): alert for alert in fake.book.alerts.values()}
    for ago, kind, text, who, alert in (
        (41 * 3600, "collector_started", "Lightship 0.1.0 started on harbour-1", "", ""),
        (6 * 3600, "silenced", "Ana silenced service=mailer: Bounce list is being cleaned", "Ana", "bouncesmailer"),
        (29 * 60, "change", "Autovacuum order_lines", "", ""),
        (23 * 60, "deploy", "Deploy catalog 5.0.3", "", ""),
        (18 * 60 + 18, "deploy", "Deploy orders 2.31.0", "", ""),
        (17 * 60, "firing", "slow_latency is firing for orders-db", "", "slow_latencyorders-db"),
        (15 * 60, "firing", "checkout_fails is firing for checkout", "", "checkout_failscheckout"),
        (14 * 60 + 36, "notified", "Paged shop-primary", "", "slow_latencyorders-db"),
        (12 * 60, "acknowledged", "Mira acknowledged slow_latency", "Mira", "slow_latencyorders-db"),
        (9 * 60, "note", "Rolling back. Migration locks order_lines.", "Jonas", "slow_latencyorders-db"),
        (4 * 60, "firing", "host_silent: pick-07 stopped sending", "", "host_silent"),
    ):
        fake.book.log(kind, text, who, by_rule.get(alert), at=NOW - ago)
