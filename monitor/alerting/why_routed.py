"""Why somebody was, or was not, told: the rule's own decisions, and then those of each route, group and receiver."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from monitor.alerting.durations import rough_duration
from monitor.alerting.life import stands
from monitor.alerting.model import Alert, Rule, Silence, WhyStep
from monitor.alerting.routing.groups import Groups
from monitor.alerting.routing.state import GroupKey
from monitor.alerting.routing.tree import Route
from monitor.alerting.why import why

_Verdict = Literal["passed", "stopped", "not_reached"]
_OWN = 2
"""Steps of `why` that hold for routes too however many there are: the rule, and the time it must hold."""


class Routed(NamedTuple):
    """How routes stand: the groups, the names of the time intervals that hold, all alerts, and why a receiver's oldest notice
    waits ("" where it was not tried; a receiver for which nothing waits is not in it).
    """

    groups: Groups
    quiet_times: Collection[str]
    alerts: Mapping[str, Alert]
    waiting: Mapping[str, str]


def explain(
    alert: Alert, rule: Rule | None, silences: Mapping[str, Silence], now: float, routed: Routed | None = None
) -> tuple[WhyStep, ...]:
    """The decisions in the order in which they are made; a step "stopped" says why, and `action` what would change it.

    With routes, the steps of the rule's own actions (cooldown, actions) come last, since they decide nothing for the routes.
    """
    own = why(alert, rule, silences, now)
    if routed is None:
        return own
    # A firing that was told of through a rule's own action may still be kept from its groups: people's quiet counts anew.
    quiet = own[_OWN:-2]
    steps = [*own[:_OWN]]
    if all(step.verdict == "passed" for step in steps):
        steps += [_people(step, alert) for step in quiet]
    told_by_rule = list(own[-2:]) if rule is not None and rule.actions else []
    stopped = any(step.verdict == "stopped" for step in steps)
    found = routed.groups.root.find(dict(alert.labels))
    if not found:
        return (*steps, WhyStep("No route", "No route takes an alert with these labels.", "stopped", "edit_route"), *told_by_rule)
    for route in found:
        steps += _route(alert, route, routed, now, stopped)
    return (*steps, *told_by_rule)


def _people(step: WhyStep, alert: Alert) -> WhyStep:
    """An acknowledgement or a silence keeps groups quiet whether or not the rule's own action has told; flapping does not."""
    if step.action == "release" or step.action.startswith("expire_silence:"):
        return WhyStep(step.title, step.detail, "stopped", step.action)
    if step.title == "Flapping":
        return WhyStep(step.title, step.detail, "passed")
    if alert.ack is not None and step.title.endswith("has acknowledged it"):
        return WhyStep(step.title, step.detail, "stopped", "release")
    if alert.silenced_by and step.title.startswith(("Silenced", "In the maintenance")):
        return WhyStep(step.title, step.detail, "stopped", f"expire_silence:{alert.silenced_by[0]}")
    return WhyStep(step.title, step.detail, "passed")


def _route(alert: Alert, route: Route, routed: Routed, now: float, stopped: bool) -> list[WhyStep]:
    labels = dict(alert.labels)
    key = GroupKey(route.name, route.group_of(labels))
    state = routed.groups.state_of(key)
    told = state is not None and alert.id in state.told
    by = ", ".join(map(str, route.matchers)) or "no matchers: it takes what no other route takes"
    steps = [WhyStep(f"Route {route.name}", f"It goes to {route.receiver} ({by}).", "passed")]
    checks = (_inhibited(alert, routed), _times(route, routed.quiet_times), _group(alert, key, route, routed, now))
    for number, (title, detail, action) in enumerate(checks):
        stops = bool(action) and not (told and number == len(checks) - 1)
        verdict: _Verdict = "not_reached" if stopped else "stopped" if stops else "passed"
        steps.append(WhyStep(title, "" if stopped else detail, verdict, action if verdict == "stopped" else ""))
        stopped = stopped or stops
    error = routed.waiting.get(route.receiver)
    if stopped:
        steps.append(WhyStep(f"Receiver {route.receiver}", "", "not_reached"))
    elif error is None:
        steps.append(WhyStep(f"Receiver {route.receiver}", "Nothing waits for it.", "passed"))
    else:
        detail = f"It could not be told yet and is tried again: {error}" if error else "Its notices are on their way."
        steps.append(
            WhyStep(f"Receiver {route.receiver}", detail, "stopped" if error else "passed", "edit_receiver" if error else "")
        )
    return steps


def _inhibited(alert: Alert, routed: Routed) -> tuple[str, str, str]:
    sources = routed.groups.inhibitor.holds_back(dict(alert.labels))
    if not sources:
        return "Nothing inhibits it", "", ""
    names = sorted({routed.alerts[name].rule_id for name in sources if name in routed.alerts})
    return "Inhibited", f"It is quiet while {' and '.join(names) or 'another alert'} fires.", f"show_alert:{sources[0]}"


def _times(route: Route, quiet_times: Collection[str]) -> tuple[str, str, str]:
    muted = [name for name in route.mute if name in quiet_times]
    if muted:
        return "A time of quiet", f"The route is mute during {muted[0]}, which is now.", "edit_route"
    if route.active and not any(name in quiet_times for name in route.active):
        return "Outside its times", f"The route tells only during {' and '.join(route.active)}, which is not now.", "edit_route"
    return "No time of quiet", "", ""


def _group(alert: Alert, key: GroupKey, route: Route, routed: Routed, now: float) -> tuple[str, str, str]:
    name = ", ".join(f"{label}={value}" for label, value in key.labels) or "all alerts of the route"
    state = routed.groups.state_of(key)
    if state is None or alert.id not in routed.groups.members_of(key):
        if stands(alert):
            return "Group", f"It comes into the group of {name} at the next judgement.", "wait"
        return "Group", f"It is over, and the group of {name} has nothing to tell of it any more.", ""
    ago = f"; the group was told of {rough_duration(now - state.told_at)} ago" if state.told_at is not None else ""
    if alert.id in state.told:
        again = f" again in {rough_duration(state.due - now)}" if alert.id in state.again else ""
        return "Told with its group", f"Group of {name}: it was told{again}{ago}.", ""
    wait = "group_wait" if state.told_at is None else "group_interval"
    left = rough_duration(max(0.0, state.due - now))
    return "Waiting with its group", f"The group of {name} is looked at in {left} ({wait}){ago}.", "wait"
