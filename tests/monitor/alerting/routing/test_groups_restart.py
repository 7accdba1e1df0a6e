"""Whenever it is killed, a restarted one tells what the other would have told: nothing is lost and nothing doubled."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.model import State
from monitor.alerting.routing import Timing
from tests.monitor.alerting.routing.alerts import Stage, inhibition, route

ACTS = ("fire", "worse", "end", "acknowledge", "silence", "release", "night", "day", "wait", "forget")
Step = tuple[str, int, int]
HISTORIES = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 4), st.integers(0, 40)), max_size=40)


def _stage() -> Stage:
    timing = Timing(group_wait=30, group_interval=60, repeat_interval=200)
    leaf = route("shop", 'team="1"', group_by=("team",), timing=timing, go_on=True, mute=("night",))
    return Stage(
        route(routes=(leaf, route("each", group_by=("service",), timing=timing, mute=("night",)))),
        inhibition('service="0"', 'service="3"', "team"),
    )


def _act(stage: Stage, what: str, which: int) -> None:
    labels = {"service": str(which), "team": str(which % 2)}
    name = next((alert.id for alert in stage.alerts.values() if dict(alert.labels)["service"] == str(which)), "")
    fires = bool(name) and stage.alerts[name].state is State.FIRING
    if what == "fire" and not fires:
        stage.fire("warning", **labels)
    elif what == "worse":
        stage.fire(severity="critical", service=labels["service"], team=labels["team"])
    elif what in ("night", "day"):
        stage.quiet_times = ("night",) if what == "night" else ()
    elif what == "forget" and name:
        stage.forget(name)
    elif fires and what in ("end", "acknowledge", "silence", "release"):
        getattr(stage, what)(name)


def _play(history: list[Step], kills: set[int]) -> list[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]]:
    stage, told = _stage(), []
    for number, (what, which, seconds) in enumerate([*history, ("wait", 0, 40)]):
        _act(stage, what, which)
        told += stage.until(stage.now + seconds * 10)
        if number in kills:
            stage.restart()
    return [
        (
            notice.receiver,
            notice.reason,
            str(notice.group),
            tuple(sorted(each.alert.id for each in notice.firing)),
            tuple(sorted(each.alert.id for each in notice.resolved)),
        )
        for notice in told
    ]


@given(HISTORIES, st.sets(st.integers(0, 40), max_size=5))
@settings(max_examples=150, deadline=None)
def test_beginnings_and_ends_alternate_for_everybody_whatever_happens(history: list[Step], kills: set[int]) -> None:
    open_for: dict[str, set[str]] = {}
    for receiver, reason, _, firing, resolved in _play(history, kills):
        told = open_for.setdefault(receiver, set())
        assert firing or resolved
        assert set(resolved) <= told, "nobody hears of an end who has not heard of the beginning"
        if reason == "first":
            assert firing
        if reason == "resolved":
            assert not firing
        told |= set(firing)
        told -= set(resolved)


@given(HISTORIES, st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_a_restart_changes_no_set_of_what_everybody_knows(history: list[Step], kill: int) -> None:
    def known(kills: set[int]) -> dict[str, set[str]]:
        stage_told: dict[str, set[str]] = {}
        for receiver, _, _, firing, resolved in _play(history, kills):
            told = stage_told.setdefault(receiver, set())
            told |= set(firing)
            told -= set(resolved)
        return stage_told

    assert known({kill}) == known(set())
