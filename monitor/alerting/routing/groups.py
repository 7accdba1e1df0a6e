"""Groups of alerts that are told together, and the decision when: a pure state machine.

Source: Alertmanager, dispatch/dispatch.go and notify/notify.go (DedupStage). It differs where people have asked for it for years:
what was silenced or acknowledged and still fires when that ends is told at once; the end of what was told is told whatever keeps
quiet meanwhile; and nobody hears of an end who has not heard of the beginning.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.alerting.fingerprint import fingerprint
from monitor.alerting.life import escalated, stands
from monitor.alerting.model import Alert, Severity
from monitor.alerting.notice import Notice, Pairs, Reason
from monitor.alerting.routing.inhibition import Inhibition, Inhibitor
from monitor.alerting.routing.state import GroupKey, GroupState, Step, Words
from monitor.alerting.routing.tree import Route

MAX_GROUPS = 10_000
MAX_ALERTS = 1_000
"""Alerts in one notice; how many more there are is said in it."""


class _Member(NamedTuple):
    """How an alert stood when it was last looked at."""

    groups: tuple[GroupKey, ...]
    labels: Pairs
    severity: Severity
    quiet: bool
    fires: bool = True
    flaps: bool = False


@dataclass(slots=True)
class _Group:
    route: Route
    due: float
    members: dict[str, None] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    told_at: float | None = None


class Groups:
    """Tell it every change of alerts with `take`, then ask with `step` who is to be told. Time and alerts are arguments."""

    def __init__(
        self, root: Route, inhibitions: Iterable[Inhibition] = (), tells_end: Callable[[str], bool] = lambda _: True
    ) -> None:
        """`tells_end`: whether a receiver (by name) is to hear of ends. Raises `ValueError` for two routes of one name."""
        self.root = root
        self._routes = {route.name: route for route in root.walk()}
        if len(self._routes) != sum(1 for _ in root.walk()):
            raise ValueError("two routes have the same name; a route's name is unique")
        self.inhibitor = Inhibitor(inhibitions)
        self._tells_end = tells_end
        self._groups: dict[GroupKey, _Group] = {}
        self._members: dict[str, _Member] = {}
        self._due: list[tuple[float, GroupKey]] = []
        self._changed: set[GroupKey] = set()
        self._removed: set[GroupKey] = set()
        self.crowded = 0
        """Alerts that share their route's common group because there are too many groups."""

    def __len__(self) -> int:
        return len(self._groups)

    def restore(self, states: Iterable[GroupState], alerts: Mapping[str, Alert], now: float) -> None:
        """Take up the run before, once. Where the routes have changed since, alerts take along what was told of them."""
        firing = [alert for alert in alerts.values() if stands(alert)]
        told: dict[str, bool] = {}
        for state in states:
            route, key = self._routes.get(state.route), GroupKey(state.route, state.labels)
            known = {name for name in state.told if name in alerts}
            told |= {name: name in state.again for name in known}
            if route is None:
                self._removed.add(key)
                continue
            over = {name for name in known if not stands(alerts[name])}
            group = self._groups[key] = _Group(route, state.due, dict.fromkeys(sorted(over)), over, set(), state.told_at)
            self._schedule(key, group, min(state.due, now + route.timing.group_interval))
        for alert in firing:
            self._take_in(alert, now, alert.id in told, told.get(alert.id, False))
        for key in [key for key, group in self._groups.items() if not group.members]:
            self._forget(key)

    def take(self, alerts: Iterable[Alert], removed: Iterable[str], now: float) -> None:
        """These alerts changed, or were forgotten."""
        for alert in alerts:
            if stands(alert):
                self._enter(alert, now)
            else:
                self.inhibitor.drop(alert.id)
                if (member := self._members.get(alert.id)) is not None:
                    self._members[alert.id] = member._replace(fires=False)
        for name in removed:
            self._leave(name)

    def step(self, now: float, alerts: Mapping[str, Alert], words: Words, quiet_times: Collection[str] = ()) -> Step:
        """The notices that are due. `quiet_times`: names of the time intervals that hold now."""
        notices = []
        while self._due and self._due[0][0] <= now:
            due, key = heapq.heappop(self._due)
            group = self._groups.get(key)
            if group is None or group.due != due:
                continue  # it was put forward, or is gone
            notice = self._look(now, key, group, alerts, words, quiet_times)
            if notice is not None:
                notices.append(notice)
        states = tuple(self._state(key) for key in sorted(self._changed) if key in self._groups)
        gone = tuple(sorted(key for key in self._removed if key not in self._groups))
        self._changed.clear()
        self._removed.clear()
        return Step(tuple(notices), states, gone)

    def groups_of(self, alert: str) -> tuple[GroupKey, ...]:
        """The groups an alert is in."""
        member = self._members.get(alert)
        return member.groups if member else ()

    def keys_of(self, labels: Mapping[str, str]) -> tuple[GroupKey, ...]:
        """The groups that an alert with these labels belongs to, whether they exist yet or not."""
        return tuple(dict.fromkeys(GroupKey(route.name, route.group_of(labels)) for route in self.root.find(labels)))

    def state_of(self, key: GroupKey) -> GroupState | None:
        """A group as it stands."""
        return self._state(key) if key in self._groups else None

    def states(self) -> tuple[GroupState, ...]:
        """All groups, by route and labels."""
        return tuple(self._state(key) for key in sorted(self._groups))

    def members_of(self, key: GroupKey) -> tuple[str, ...]:
        """Ids of a group's alerts, in the order in which they came."""
        group = self._groups.get(key)
        return tuple(group.members) if group else ()

    # ------------------------------------------------------------ coming and going

    def _enter(self, alert: Alert, now: float) -> None:
        before, flaps = self._members.get(alert.id), alert.flapping is not None
        if before is None or before.labels != alert.labels:
            told, again = self._told_of(alert.id)
            self._leave(alert.id)
            self._take_in(alert, now, told, again)
        elif not before.fires:
            self._take_in(alert, now, False, False)  # it may have left some of its groups already
        else:
            self._members[alert.id] = before._replace(severity=alert.severity, quiet=_is_quiet(alert), flaps=flaps)
        freed = before is not None and before.quiet and not _is_quiet(alert)
        if before is not None and (freed or escalated(before.severity, alert.severity) or before.flaps != flaps):
            self._tell_again(alert, now)

    def _take_in(self, alert: Alert, now: float, told: bool, again: bool) -> None:
        labels = dict(alert.labels)
        self.inhibitor.put(alert.id, labels)
        groups = tuple(dict.fromkeys(self._join(route, alert, labels, now, told, again) for route in self.root.find(labels)))
        flaps = alert.flapping is not None
        self._members[alert.id] = _Member(groups, alert.labels, alert.severity, _is_quiet(alert), flaps=flaps)

    def _told_of(self, alert: str) -> tuple[bool, bool]:
        """Whether its beginning was told, and whether it is to be told again: it takes that along into another group."""
        groups = [group for key in self.groups_of(alert) if (group := self._groups.get(key)) is not None]
        return any(alert in group.told for group in groups), any(alert in group.again for group in groups)

    def _join(self, route: Route, alert: Alert, labels: Mapping[str, str], now: float, told: bool, again: bool) -> GroupKey:
        key = GroupKey(route.name, route.group_of(labels))
        if key not in self._groups and len(self._groups) >= MAX_GROUPS:
            key = GroupKey(route.name, ())
            self.crowded += 1
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(route, now)
            self._schedule(key, group, max(now, _waited(alert, route, now)))
            self._changed.add(key)
        group.members[alert.id] = None
        if told and alert.id not in group.told:
            group.told.add(alert.id)
            group.told_at = group.told_at if group.told_at is not None else alert.last_notified or now
            self._changed.add(key)
        if again:
            group.again.add(alert.id)
        return key

    def _leave(self, alert: str) -> None:
        self.inhibitor.drop(alert)
        member = self._members.pop(alert, None)
        for key in member.groups if member else ():
            group = self._groups.get(key)
            if group is not None:
                group.members.pop(alert, None)
                if alert in group.told:
                    group.told.discard(alert)
                    self._changed.add(key)
                group.again.discard(alert)
                if not group.members:
                    self._forget(key)

    def _tell_again(self, alert: Alert, now: float) -> None:
        """What kept it quiet has ended, or it got worse: its groups are looked at without waiting for their interval."""
        for key in self.groups_of(alert.id):
            group = self._groups[key]
            if alert.id in group.told:
                group.again.add(alert.id)
                self._changed.add(key)
            due = max(now, _waited(alert, group.route, now))
            if due < group.due:
                self._schedule(key, group, due)

    def _schedule(self, key: GroupKey, group: _Group, due: float) -> None:
        """When it is looked at next. Not stored by itself: one whose time has passed is looked at after a restart, and knows
        what was told.
        """
        group.due = due
        heapq.heappush(self._due, (due, key))

    def _forget(self, key: GroupKey) -> None:
        del self._groups[key]
        self._removed.add(key)

    def _state(self, key: GroupKey) -> GroupState:
        group = self._groups[key]
        return GroupState(key.route, key.labels, group.due, tuple(sorted(group.told)), tuple(sorted(group.again)), group.told_at)

    # ------------------------------------------------------------ telling

    def _look(
        self, now: float, key: GroupKey, group: _Group, alerts: Mapping[str, Alert], words: Words, quiet_times: Collection[str]
    ) -> Notice | None:
        """What there is to tell of a group, if anything; afterwards it is looked at again in an interval, or forgotten."""
        firing, ended = self._standing(group, alerts, quiet_times)
        over = [name for name in ended if name in group.told and name in alerts]
        tells_end = self._tells_end(group.route.receiver)
        reason = _reason(group, firing, over if tells_end else [], now)
        notice = None
        if reason is not None:
            ends = [alerts[name] for name in over] if tells_end else []
            notice = self._notice(now, key, group, reason, [alerts[name] for name in firing], ends, words)
            group.told.update(firing)
            group.again.difference_update(firing)
            group.told_at = now
        if reason is not None or not group.told.isdisjoint(ended):
            self._changed.add(key)
        for name in ended:
            group.told.discard(name)
            group.again.discard(name)
            group.members.pop(name, None)
            self._left(name, key)
        if group.members:
            self._schedule(key, group, now + group.route.timing.group_interval)
        else:
            self._forget(key)
        return notice

    def _left(self, alert: str, key: GroupKey) -> None:
        """An ended alert is out of one group; out of all of them, it is forgotten."""
        member = self._members.get(alert)
        if member is not None:
            groups = tuple(each for each in member.groups if each != key)
            if groups:
                self._members[alert] = member._replace(groups=groups)
            else:
                del self._members[alert]

    def _standing(self, group: _Group, alerts: Mapping[str, Alert], quiet_times: Collection[str]) -> tuple[list[str], list[str]]:
        """Ids of the group's alerts that fire with nothing keeping them quiet, and of those that fire no more."""
        route = group.route
        hushed = any(name in quiet_times for name in route.mute) or (
            bool(route.active) and not any(name in quiet_times for name in route.active)
        )
        firing, ended = [], []
        for name in group.members:
            alert = alerts.get(name)
            if alert is None or not stands(alert):
                ended.append(name)
            elif not (hushed or _is_quiet(alert) or self.inhibitor.holds_back(dict(alert.labels))):
                firing.append(name)
        return firing, ended

    def _notice(
        self, now: float, key: GroupKey, group: _Group, reason: Reason, firing: list[Alert], ended: list[Alert], words: Words
    ) -> Notice:
        told = [words(alert, None) for alert in firing[:MAX_ALERTS]]
        told += [words(alert, alert.resolved_at or now) for alert in ended[: MAX_ALERTS - len(told)]]
        # The time is part of the key: a group has at most one notice at a time, and may be forgotten and come again.
        name = f"{key.route}:{fingerprint(key.labels)}:{round(now * 1000)}"
        left = len(firing) + len(ended) - len(told)
        return Notice(name, group.route.receiver, key.labels, tuple(told), now, reason, left)


def _reason(group: _Group, firing: list[str], over: list[str], now: float) -> Reason | None:
    """Why a group is to be told of now; None when it is not."""
    if group.told_at is None:
        return "first" if firing else None
    if any(name not in group.told for name in firing):
        return "grown"
    if any(name in group.again for name in firing):
        return "changed"
    if over:
        return "changed" if len(group.told) > len(over) else "resolved"
    return "repeat" if _repeat_due(group, firing, now) else None


def _repeat_due(group: _Group, firing: list[str], now: float) -> bool:
    return bool(firing) and group.told_at is not None and now - group.told_at >= group.route.timing.repeat_interval


def _is_quiet(alert: Alert) -> bool:
    """Whether a person keeps it quiet."""
    return alert.ack is not None or bool(alert.silenced_by)


def _waited(alert: Alert, route: Route, now: float) -> float:
    """When a group that begins with this alert is first told of."""
    return (alert.fired_at if alert.fired_at is not None else now) + route.timing.group_wait
