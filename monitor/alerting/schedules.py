"""When something holds that comes again: a rule's schedule, a maintenance window's."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from monitor.alerting.model import Schedule
from monitor.alerting.routing.times import TimeInterval, read_interval


@functools.lru_cache(maxsize=1024)
def interval_of(schedule: Schedule) -> TimeInterval:
    """As an interval that can be asked. Raises `TimeIntervalError`, which the reader of rules has ruled out."""
    said: dict[str, Any] = {key: part for key, part in msgspec.structs.asdict(schedule).items() if part}
    return read_interval(said)


def schedule_words(schedule: Schedule) -> str:
    """`02:00-04:00 saturday:sunday Europe/Berlin`."""
    dates = (
        f"{what} {' and '.join(parts)}"
        for what, parts in (("day", schedule.days_of_month), ("", schedule.months), ("", schedule.years))
        if parts
    )
    return " ".join(
        part.strip()
        for part in (" and ".join(schedule.times), " and ".join(schedule.weekdays), *dates, schedule.time_zone)
        if part
    )
