from __future__ import annotations

import pytest

from monitor.model.series import Kind, SeriesInfo, SeriesKey
from ui.views.format import value
from ui.views.units import unit_of


def series(name: str, kind: Kind = Kind.GAUGE, unit: str = "") -> SeriesInfo:
    return SeriesInfo(1, SeriesKey(name, ()), kind, unit)


@pytest.mark.parametrize(
    ("info", "field", "raw", "shown"),
    [
        (series("host.net.received_bytes", Kind.COUNTER, "bytes"), "value", 2.4e6, "19.2 Mbit/s"),
        (series("host.disk.read_bytes", Kind.COUNTER, "bytes"), "rate", 2**20, "1 MiB/s"),
        (series("process_resident_memory_bytes"), "last", 61e6, "58.2 MiB"),
        (series("http_request_duration_seconds", Kind.DISTRIBUTION), "p99", 0.0084, "8.4 ms"),
        (series("http_request_duration_seconds", Kind.DISTRIBUTION), "rate", 120.0, "120 /s"),
        (series("http_request_duration_seconds", Kind.DISTRIBUTION), "count", 120.0, "120"),
        (series("shop.latency", Kind.DISTRIBUTION, "ms"), "value", 1860.0, "1.86 s"),
        (series("node_cpu_seconds_total", Kind.COUNTER), "rate", 0.5, "0.5 s/s"),
        (series("jobs", Kind.COUNTER), "per_minute", 30.0, "30 /min"),
        (series("jobs", Kind.COUNTER), "sum", 30.0, "30"),
        (series("host.cpu.busy", unit="percent"), "value", 31.44, "31.4 %"),
        (series("cache_hit_ratio"), "value", 0.914, "91.4 %"),
        (series("visitors", Kind.SET), "value", 912.0, "912"),
        (series("beam.processes"), "age", 90.0, "1 min 30 s"),
        (series("room.temperature", unit="°C"), "value", 21.55, "21.6 °C"),
        (series("queue.depth"), "value", 140.0, "140"),
    ],
)
def test_the_unit_follows_from_sender_name_and_field(info: SeriesInfo, field: str, raw: float, shown: str) -> None:
    assert str(value(raw, unit_of(info, field))).replace("0.50", "0.5") == shown
