from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerting.routing.times import TimeIntervalError, read_interval


def _holds(moment: str, **table: Any) -> bool:
    return read_interval(table).holds(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("moment", "table", "expected"),
    [
        ("2026-11-24 16:59", {"times": ["09:00-17:00"]}, True),
        ("2026-11-24 17:00", {"times": ["09:00-17:00"]}, False),
        ("2026-11-24 23:59", {"times": ["22:00-24:00", "00:00-06:00"]}, True),
        ("2026-11-24 05:00", {"times": "22:00-24:00"}, False),
        ("2026-11-24 12:00", {"weekdays": ["monday:friday"]}, True),
        ("2026-11-28 12:00", {"weekdays": ["Monday:Friday"]}, False),
        ("2026-11-29 12:00", {"weekdays": ["sunday"]}, True),
        ("2026-11-30 12:00", {"days_of_month": ["-1"]}, True),
        ("2026-11-29 12:00", {"days_of_month": ["-1"]}, False),
        ("2026-02-28 12:00", {"days_of_month": ["25:31"]}, True),
        ("2026-02-27 12:00", {"days_of_month": ["29:31"]}, False),
        ("2026-02-05 12:00", {"days_of_month": ["2:-5"]}, True),
        ("2026-07-01 00:00", {"months": ["july:august"]}, True),
        ("2026-09-01 00:00", {"months": ["7:8"]}, False),
        ("2026-09-01 00:00", {"years": ["2026:2027"]}, True),
        ("2028-09-01 00:00", {"years": ["2026:2027"]}, False),
        ("2026-07-01 22:30", {"times": ["00:00-01:00"], "time_zone": "Europe/Berlin"}, True),
        ("2026-11-24 12:00", {}, True),
        ("2026-11-28 12:00", {"weekdays": ["saturday"], "times": ["13:00-14:00"]}, False),
    ],
)
def test_a_moment_lies_within_an_interval_or_not(moment: str, table: dict[str, Any], expected: bool) -> None:
    assert _holds(moment, **table) is expected


def test_the_hour_that_the_clock_skips_and_the_one_it_says_twice_go_by_the_clock_on_the_wall() -> None:
    interval = read_interval({"times": ["02:00-03:00"], "time_zone": "Europe/Berlin"})
    berlin = ZoneInfo("Europe/Berlin")
    skipped = datetime(2026, 3, 29, 1, 59, 59, tzinfo=berlin).timestamp()
    assert [interval.holds(skipped + second) for second in (0, 1, 3600)] == [False, False, False]
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=berlin).timestamp()
    assert interval.holds(twice)
    assert interval.holds(twice + 3600)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"times": ["9-17"]}, "09:00-17:30"),
        ({"times": ["22:00-06:00"]}, "over midnight"),
        ({"times": 5}, "list of texts"),
        ({"weekdays": ["someday"]}, "someday"),
        ({"weekdays": ["friday:monday"]}, "ends before"),
        ({"days_of_month": ["0"]}, "1 to 31"),
        ({"days_of_month": ["-1:5"]}, "ends before"),
        ({"months": ["13"]}, "months"),
        ({"time_zone": "Mars/Base"}, "Europe/Berlin"),
        ({"time_zone": "../../etc/passwd"}, "not known"),
        ({"hours": ["1"]}, "no part"),
    ],
)
def test_an_interval_that_makes_no_sense_says_what_to_write(table: dict[str, Any], words: str) -> None:
    with pytest.raises(TimeIntervalError, match=words):
        read_interval(table)
