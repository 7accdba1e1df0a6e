"""What the collector says of its own pace and size, and the warning about addresses that others can reach."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from collector.storage.journal import Journal
from monitor.engine import Engine
from monitor.settings.load import Settings

log = logging.getLogger("lightship")

LISTENING = ("http", "stream", "statsd", "statsd_tcp", "otlp_grpc", "otlp_http", "datadog")
"""Settings that are addresses at which the collector listens."""


@dataclass(slots=True)
class Pace:
    """How the ticks go. Seconds the last one took and began late; how many were missed since the start."""

    seconds: float = 0.0
    late: float = 0.0
    missed: int = 0


def engine_figures(engine: Engine, limit: int, pace: Pace, shed: int, journal: Journal | None) -> dict[str, float]:
    """For health. `limit`: most series; `shed`: samples lost before a tick could take them."""
    counters = engine.counters
    return {
        "series": len(engine.table),
        "series_limit": limit,
        "points_total": counters.points,
        "points_late_total": counters.late,
        "points_dropped_late_total": counters.dropped_late,
        "points_dropped_future_total": counters.dropped_future,
        "points_dropped_invalid_total": counters.dropped_invalid,
        "points_dropped_backlog_total": counters.dropped_backlog + shed,
        "points_overflowed_total": counters.overflowed,
        "series_expired_total": counters.expired_series,
        "ticks_total": counters.ticks,
        "tick_seconds": pace.seconds,
        "tick_late_seconds": pace.late,
        "ticks_missed_total": pace.missed,
        "journal_bytes_total": journal.bytes_written if journal else 0,
        "journal_failing": 1.0 if journal and journal.failed else 0.0,
    }


def warn_of_strangers(settings: Settings) -> None:
    """Says in the log which addresses can be reached from other machines, while there is no access control."""
    told = []
    for name in LISTENING:
        said = settings[name]
        told += [(name, address) for address in (said if isinstance(said, tuple | list) else [said])]
    exposed = ", ".join(f"{name} {address}" for name, address in told if not address.is_loopback)
    if exposed:
        log.warning(
            "%s can be reached from other machines, and there is no access control yet: whoever reaches it may read, send, "
            "acknowledge and change rules. Use 127.0.0.1 and an SSH tunnel unless a firewall stands in front.",
            exposed,
        )
