"""'Why am I (not) paged?' with routes: the decisions in order, and what flapping means to groups."""

from __future__ import annotations

from msgspec.structs import replace

from monitor.alerting.flapping import Flapping
from monitor.alerting.model import State, WhyStep
from monitor.alerting.why_routed import Routed, explain
from tests.monitor.alerting.fakes import make_rule
from tests.monitor.alerting.routing.alerts import Stage, inhibition, names, route

RULE = make_rule(more="actions = []")


def steps(stage: Stage, name: str, **waiting: str) -> tuple[WhyStep, ...]:
    routed = Routed(stage.groups, stage.quiet_times, stage.alerts, waiting)
    return explain(stage.alerts[name], RULE, {}, stage.now, routed)


def stopped(stage: Stage, name: str, **waiting: str) -> list[tuple[str, str]]:
    return [(step.title, step.detail) for step in steps(stage, name, **waiting) if step.verdict == "stopped"]


def test_the_chain_of_one_that_was_told() -> None:
    stage = Stage(route("ops", group_by=("service",)))
    name = stage.fire(service="cart")
    stage.until(60)
    assert stopped(stage, name) == []
    assert [step.title for step in steps(stage, name)] == [
        "Rule met",
        "Fired",
        "Nobody has acknowledged it",
        "No silence matches it",
        "Route ops",
        "Nothing inhibits it",
        "No time of quiet",
        "Told with its group",
        "Receiver ops",
    ]


def test_waiting_for_its_group() -> None:
    stage = Stage(route("ops", group_by=("service",)))
    name = stage.fire(service="cart")
    stage.until(10)
    assert stopped(stage, name) == [("Waiting with its group", "The group of service=cart is looked at in 20 s (group_wait).")]


def test_acknowledged_silenced_inhibited_and_in_a_time_of_quiet() -> None:
    stage = Stage(route("ops", mute=("night",)), inhibition("service=db", "service=cart"))
    name = stage.fire(service="cart")
    stage.acknowledge(name)
    assert stopped(stage, name)[0][0] == "ada has acknowledged it"
    stage.release(name)
    stage.silence(name)
    assert stopped(stage, name)[0][0] == "Silenced"
    stage.release(name)
    stage.quiet_times = ("night",)
    assert stopped(stage, name) == [("A time of quiet", "The route is mute during night, which is now.")]
    stage.fire(service="db", alertname="db_down")
    assert stopped(stage, name) == [("Inhibited", "It is quiet while db_down fires.")]


def test_outside_the_times_of_a_route_and_no_route_at_all() -> None:
    stage = Stage(route("ops", active=("office",)))
    name = stage.fire(service="cart")
    assert stopped(stage, name) == [("Outside its times", "The route tells only during office, which is not now.")]
    lost = Stage(route("ops", "team=shop"))
    assert stopped(lost, lost.fire(service="cart"))[0][0] == "No route"


def test_a_receiver_that_cannot_be_told_and_every_route_that_takes_it() -> None:
    stage = Stage(route("root", routes=(route("a", go_on=True), route("b"))))
    name = stage.fire(service="cart")
    stage.until(60)
    assert stopped(stage, name, b="it answered 500") == [
        ("Receiver b", "It could not be told yet and is tried again: it answered 500")
    ]
    assert [step.title for step in steps(stage, name) if step.title.startswith("Route")] == ["Route a", "Route b"]


def test_a_group_is_told_that_an_alert_flaps_and_that_it_has_settled_but_not_of_its_turns() -> None:
    stage = Stage(route("ops"))
    name = stage.fire(service="cart")
    other = stage.fire(service="web")
    told = stage.until(60)
    flapping = Flapping(stage.now)
    fires = stage.alerts[name]
    over = replace(fires, state=State.RESOLVED, resolved_at=stage.now)
    for _ in range(8):
        for turn in (over, fires):
            stage._put(replace(turn, flapping=flapping))
            told += stage.until(stage.now + 50)
        stage.restart()
    assert [(notice.reason, *names(notice)) for notice in told] == [
        ("first", ["cart", "web"], []),
        ("changed", ["cart", "web"], []),
    ]
    stage._put(over)
    told = stage.until(stage.now + 400)
    assert [(notice.reason, *names(notice)) for notice in told] == [("changed", ["web"], ["cart"])]
    stage.end(other)
    assert [notice.reason for notice in stage.until(stage.now + 400)] == ["resolved"]
