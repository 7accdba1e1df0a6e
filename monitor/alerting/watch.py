"""What the book remembers of one rule between ticks: which row each of its active alerts stands on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from monitor.alerting.fingerprint import alert_id, fingerprint
from monitor.alerting.judge import met
from monitor.alerting.model import Rule
from monitor.alerting.sources import source_of
from monitor.alerting.world import Instance, NotYetError, World
from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind, SeriesInfo, SeriesKey

_Identity = tuple[SeriesKey, Kind]

_NO_ROW = -1


class Seen(NamedTuple):
    """One alert at one tick. `value` NaN: no data, unless an `instance` says otherwise. `gone`: its series is there no more.

    `awaited`: restored, and its series has not been met since. `series` is given for new alerts. `detail`: words to the value.
    """

    alert: str
    value: float
    series: SeriesInfo | None = None
    gone: bool = False
    awaited: bool = False
    instance: Instance | None = None
    detail: str = ""


class RuleWatch:
    """Active alerts of one rule by id, with their rows. Python objects are touched only for these and for new hits."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.refused = 0
        self._source = source_of(rule)
        self._rows: dict[str, int] = {}
        self._series: dict[str, _Identity] = {}
        self._awaited: dict[_Identity, str] = {}
        self._searched: Ids = np.empty(0, np.int32)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def alerts(self) -> tuple[str, ...]:
        """Ids of the active alerts, oldest first."""
        return tuple(self._rows)

    def expect(self, alert: str, series: SeriesKey, kind: Kind) -> None:
        """An alert restored: its row is found when its series appears."""
        self._rows[alert] = _NO_ROW
        self._series[alert] = (series, kind)
        self._awaited[series, kind] = alert
        self._searched = self._searched[:0]

    def forget(self, alert: str) -> None:
        """The alert is not active any more."""
        self._rows.pop(alert, None)
        series = self._series.pop(alert, None)
        if series is not None:
            self._awaited.pop(series, None)

    def look(self, world: World, room: int) -> list[Seen]:
        """Every active alert, then new ones: at most `room` of them, the rest is counted in `refused`.

        New alerts are taken up as active; the caller calls `forget` for those that end. Raises `ValueError` where the rule
        cannot be judged; where it cannot be yet, nothing is seen.
        """
        try:
            rows, values = self._source.read(self.rule, world)
        except NotYetError:
            return []
        if self._awaited:
            self._find_awaited(rows, world)
        seen = self._look_at_active(rows, values, world)
        hits = self._hits(rows, values)
        self.refused = 0
        if len(hits):
            known = set(self._rows.values())
            seen += self._take_up(
                [(row, at) for row, at in zip(rows[hits].tolist(), hits.tolist(), strict=True) if row not in known],
                values,
                world,
                room,
            )
        return seen

    def _hits(self, rows: Ids, values: Floats) -> Ids:
        """Places of the rows for which there is, or should be, an alert."""
        if len(rows) and self._source.instance(int(rows[0])) is not None:
            return np.arange(len(rows), dtype=np.int32)
        holding = met(self.rule.condition, values)
        if self.rule.no_data == "alert":
            holding |= np.isnan(values)
        return np.flatnonzero(holding).astype(np.int32)

    def _look_at_active(self, rows: Ids, values: Floats, world: World) -> list[Seen]:
        if not self._rows:
            return []
        wanted = np.fromiter(self._rows.values(), np.int64, len(self._rows))
        places = np.searchsorted(rows, wanted)  # rows ascend
        seen = []
        for (alert, row), place in zip(list(self._rows.items()), places.tolist(), strict=True):
            if row == _NO_ROW:
                seen.append(Seen(alert, np.nan, awaited=True))
            elif place < len(rows) and rows[place] == row and self._identity(row, world) == self._series[alert]:
                detail = self._source.detail(row, self.rule, world)
                seen.append(Seen(alert, float(values[place]), instance=self._source.instance(row), detail=detail))
            else:
                seen.append(Seen(alert, np.nan, gone=True))
                self._rows[alert] = _NO_ROW
                self._awaited[self._series[alert]] = alert  # it may be kept firing, and come back
                self._searched = self._searched[:0]
        return seen

    def _take_up(self, hits: list[tuple[int, int]], values: Floats, world: World, room: int) -> list[Seen]:
        taken: list[Seen] = []
        for row, place in hits:
            if len(taken) >= room:
                self.refused = len(hits) - len(taken)
                break
            series = self._source.info(row, world)
            if series is None:
                continue
            instance = self._source.instance(row)
            alert = self._id_of(series, instance)
            if alert in self._rows:
                continue
            self._rows[alert] = row
            self._series[alert] = (series.key, series.kind)
            detail = self._source.detail(row, self.rule, world)
            taken.append(Seen(alert, float(values[place]), series, instance=instance, detail=detail))
        return taken

    def _id_of(self, series: SeriesInfo, instance: Instance | None) -> str:
        if instance is not None and instance.labels:
            return fingerprint((*instance.labels, ("__rule__", self.rule.id)))
        return alert_id(self.rule.id, series.key, series.kind)

    def _find_awaited(self, rows: Ids, world: World) -> None:
        fresh = rows[~np.isin(rows, self._searched)]
        self._searched = rows
        for row in fresh.tolist():
            identity = self._identity(row, world)
            alert = self._awaited.pop(identity, None) if identity else None
            if alert is not None:
                self._rows[alert] = row
                if not self._awaited:
                    return

    def _identity(self, row: int, world: World) -> _Identity | None:
        info = self._source.info(row, world)
        return None if info is None else (info.key, info.kind)
