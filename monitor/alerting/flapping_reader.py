"""The key `flapping` of a rule: from when on its turns are not told one by one."""

from __future__ import annotations

from monitor.alerting.checked_table import CheckedTable, kind_of
from monitor.alerting.flapping import FlapLimits

MAX_WINDOW = 86_400.0
"""Seconds: an alert keeps its firings for as long."""
MAX_TURNS = 200.0
_EXAMPLE = '{ window = "30m", high = 6, low = 2 }'


def read_flapping(reader: CheckedTable) -> FlapLimits | None:
    """None where the key is missing, false or "off"; true or "on" takes the usual limits."""
    said = reader.table.get("flapping", False)
    if said in (False, "off"):
        return None
    if said in (True, "on"):
        return FlapLimits()
    if not isinstance(said, dict):
        reader.refuse("flapping", f"flapping is {kind_of(said)}; write true, false or {_EXAMPLE}")
        return None
    path = (*reader.path, "flapping")
    reader.report.unknown_keys(path, said, ("window", "high", "low"))
    table = CheckedTable(said, path, reader.report)
    usual = FlapLimits()
    window = table.duration("window", usual.window, 10.0, MAX_WINDOW)
    high, low = table.number("high"), table.number("low")
    high = usual.high if high is None else high
    low = min(usual.low, high) if low is None else low
    if not 2 <= high <= MAX_TURNS:
        table.refuse("high", f"high is 2 to {MAX_TURNS:g} turns (a firing that begins and ends is two)")
    elif not 0 < low <= high:
        table.refuse("low", "low is above 0 and at most high")
    return FlapLimits(window, high, low)
