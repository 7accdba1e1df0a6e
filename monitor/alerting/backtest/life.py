"""The life of all alerts of one rule at once, column by column: what `AlertBook` makes of each series, told of many together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.alerting.judge import COMPARE
from monitor.alerting.judging import MAX_INSTANCES
from monitor.alerting.model import Rule
from monitor.alerting.schedules import interval_of
from monitor.model.batch import Floats

Mask = npt.NDArray[np.bool_]
_NONE, _PENDING, _FIRING = 0, 1, 2


class Life:
    """Alerts of series by their place. `step` is called with rising times; places may be added between.

    `firings`: (place, start, end) of those that ended, seconds. `notified` counts what would have been told: firings after their
    cooldown, and ends of those told. `refused` counts alerts that the book would have had no room for, over all steps.
    """

    def __init__(self, rule: Rule, instances: int = MAX_INSTANCES) -> None:
        self.rule = rule
        self.firings: list[tuple[int, float, float]] = []
        self.pendings = 0
        self.notified = 0
        self.refused = 0
        self._limit = instances
        self._state = np.zeros(0, np.int8)
        self._active_at = np.empty(0)
        self._fired_at = np.empty(0)
        self._kept = np.empty(0)
        self._told_at = np.empty(0)
        self._owed = np.zeros(0, np.bool_)
        self._active = 0

    def grow(self, count: int) -> None:
        """There are so many places now."""
        more = count - len(self._state)
        if more > 0:
            self._state = np.concatenate((self._state, np.zeros(more, np.int8)))
            self._owed = np.concatenate((self._owed, np.zeros(more, np.bool_)))
            for name in ("_active_at", "_fired_at", "_kept", "_told_at"):
                setattr(self, name, np.concatenate((getattr(self, name), np.full(more, np.nan))))

    @property
    def firing(self) -> Mask:
        firing: Mask = self._state == _FIRING
        return firing

    def steps(self, times: Floats, values: npt.NDArray[np.float64], gone: Mask) -> None:
        """float64[n, t] values at float64[t] times; `gone`: there is no such series then. NaN otherwise: no data."""
        self.grow(len(values))
        by_time, gone_by_time = np.ascontiguousarray(values.T), np.ascontiguousarray(gone.T)
        holding, holding_on, unknown = self._holding(by_time, gone_by_time)
        busy: Mask = np.logical_or.reduce(holding, axis=1)
        for at, now in enumerate(times.tolist()):
            if self._active or busy[at]:
                self._step(now, holding[at], holding_on[at], unknown[at])

    def _holding(self, values: npt.NDArray[np.float64], gone: Mask) -> tuple[Mask, Mask, Mask]:
        """Where an alert would begin, where one that fires goes on, and where there are no data of a series that is there."""
        condition = self.rule.condition
        compare = COMPARE[condition.operator]
        with np.errstate(invalid="ignore"):
            unknown: Mask = np.isnan(values)
            holding: Mask = compare(values, condition.value) & ~unknown
            on: Mask = holding if condition.recovery is None else compare(values, condition.recovery) & ~unknown
        if self.rule.no_data == "alert":
            holding, on = holding | unknown, on | unknown
        return holding & ~gone, on & ~gone, unknown & ~gone

    def _step(self, now: float, holding: Mask, holding_on: Mask, unknown: Mask) -> None:
        rule, state = self.rule, self._state
        if rule.schedule is not None and not interval_of(rule.schedule).holds(now):
            self._drop(state == _PENDING)
            self._end(now, state == _FIRING)
            self._active = 0
            return
        firing = state == _FIRING
        up = np.where(firing, holding_on, holding)
        clear = (state != _NONE) & ~up
        if rule.no_data == "keep":
            clear &= ~(unknown & firing)
        room = self._limit - self._active
        fresh = np.flatnonzero(up & (state == _NONE))
        self._drop(clear & ~firing)
        over = clear & firing
        if rule.keep_firing_for > 0:
            self._kept[up] = np.nan
            since = np.where(np.isnan(self._kept), now, self._kept)
            kept = over & (now - since < rule.keep_firing_for)
            self._kept[kept] = since[kept]
            over &= ~kept
        self._end(now, over)
        if len(fresh) > room:
            self.refused += len(fresh) - max(0, room)
            fresh = fresh[: max(0, room)]
        state[fresh], self._active_at[fresh] = _PENDING, now
        self.pendings += len(fresh)
        pending = np.flatnonzero(up & (state == _PENDING))
        if len(pending):
            due = pending[~(now - self._active_at[pending] < rule.for_seconds)]
            state[due], self._fired_at[due], self._owed[due] = _FIRING, now, bool(rule.actions)
        self._tell(now)
        self._active = int(np.count_nonzero(state))

    def _drop(self, which: Mask) -> None:
        self._state[which] = _NONE

    def _end(self, now: float, which: Mask) -> None:
        ended = np.flatnonzero(which).tolist()
        if not ended:
            return
        for place in ended:
            start = float(self._fired_at[place])
            self.firings.append((place, start, now))
            if self.rule.actions and self._told_at[place] >= start:
                self.notified += 1
        self._state[which], self._owed[which], self._kept[which] = _NONE, False, np.nan

    def _tell(self, now: float) -> None:
        if not self._owed.any():
            return
        told = self._owed & ~(now - self._told_at < self.rule.cooldown)
        self._told_at[told], self._owed[told] = now, False
        self.notified += int(np.count_nonzero(told))

    def still(self) -> list[tuple[int, float]]:
        """Places that fire yet, and since when."""
        return [(place, float(self._fired_at[place])) for place in np.flatnonzero(self.firing).tolist()]
