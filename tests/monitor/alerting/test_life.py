"""The finer points of an alert's life: acknowledgements that end by themselves, silences that are changed, flapping."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.book import AlertBook
from monitor.alerting.flapping import FlapLimits, weighted_turns
from monitor.alerting.model import Schedule, State
from monitor.alerting.outcome import CommandError
from monitor.alerting.rules import RulesError
from monitor.alerting.silences import silence_state
from monitor.model.matchers import parse_matchers
from tests.monitor.alerting.fakes import Stage, event_kinds, kinds, make_rule

A = parse_matchers('s="a"')
FLAPPY = 'cooldown = "0s"\nflapping = { window = "100s", high = 5, low = 2 }'


def reborn(stage: Stage) -> None:
    """The collector is started again from what was stored."""
    book = AlertBook(value_refresh=0)
    book.restore(stage.book.alerts.values(), stage.book.silences.values(), stage.book.revision, stage.now)
    stage.book = book


# ---------------------------------------------------------------- acknowledgements


def test_a_sticky_acknowledgement_outlasts_a_worse_value_and_other_alerts_of_the_rule() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", stage.now)
    stage.at(1, a=1000, b=11)
    assert stage.alerts["a"].ack is not None


def test_one_until_a_change_ends_when_the_value_gets_worse_and_somebody_is_told_at_once() -> None:
    stage = Stage(make_rule(more='cooldown = "1h"'))
    stage.at(0, a=20)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", stage.now, until="change")
    assert kinds(stage.at(1, a=24.9)) == [], "not half as far again beyond the threshold"
    outcome = stage.at(2, a=26)
    assert (event_kinds(outcome), kinds(outcome)) == (["released"], ["firing"])
    assert outcome.events[0].text == "Ana's acknowledgement of r ended: it got worse: 26, from 20."
    assert stage.alerts["a"].ack is None


def test_a_value_below_a_lower_threshold_gets_worse_downwards() -> None:
    stage = Stage(make_rule(operator="lt"))
    stage.at(0, a=6)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", stage.now, until="change")
    stage.at(1, a=9)
    assert stage.alerts["a"].ack is not None
    assert kinds(stage.at(2, a=1)) == ["firing"]


def test_one_until_a_change_ends_when_its_group_grows() -> None:
    stage = Stage()
    stage.at(0, a=11, b=1)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", stage.now, until="change")
    outcome = stage.at(1, a=11, b=11)
    assert event_kinds(outcome) == ["firing", "released"]
    assert kinds(outcome) == ["firing", "firing"]


def test_groups_are_those_in_which_people_are_told() -> None:
    stage = Stage()
    stage.book.groups_of = lambda alert: [dict(alert.labels)["s"]]
    stage.at(0, a=11, b=1)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", stage.now, until="change")
    stage.at(1, a=11, b=11)
    assert stage.alerts["a"].ack is not None, "b is in a group of its own"


def test_an_acknowledgement_until_a_change_goes_on_after_a_restart() -> None:
    stage = Stage()
    stage.at(0, a=20)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", stage.now, until="change")
    reborn(stage)
    stage.at(1, a=20)
    assert stage.alerts["a"].ack is not None
    assert kinds(stage.at(2, a=40)) == ["firing"]


def test_an_alert_is_assigned_to_a_person_until_it_resolves() -> None:
    stage = Stage()
    stage.at(0, a=11)
    name = stage.alerts["a"].id
    outcome = stage.book.assign([name], "Bo", "Ana", stage.now)
    assert outcome.events[0].text == 'Ana assigned r on m{s="a"} to Bo.'
    assert stage.alerts["a"].assigned == "Bo"
    assert stage.book.assign([name], "", "Ana", stage.now).events[0].text == 'Ana took r on m{s="a"} from Bo.'
    stage.book.assign([name], "Bo", "Ana", stage.now)
    stage.at(1, a=1)
    assert stage.alerts["a"].assigned == ""
    with pytest.raises(CommandError, match="is active"):
        stage.book.assign([name], "Bo", "Ana", stage.now)


# ---------------------------------------------------------------- silences


def test_times_and_comment_are_changed_in_place() -> None:
    stage = Stage()
    silence = stage.book.add_silence(A, 1000.0, 1060.0, "c", "Ana", 1000.0).accepted[0]
    assert stage.book.edit_silence(silence, "Bo", 1010.0, ends=1100.0, comment="longer").accepted == (silence,)
    stage.at(70, a=11)
    assert stage.alerts["a"].silenced_by == (silence,)
    assert kinds(stage.at(100, a=11)) == ["firing"]


def test_other_matchers_make_a_new_one_and_the_old_one_ends_in_one_outcome() -> None:
    stage = Stage()
    stage.at(0, a=1, b=1)
    old = stage.book.add_silence(A, 1000.0, 2000.0, "c", "Ana", 1000.0).accepted[0]
    stage.at(1, a=11, b=11)
    outcome = stage.book.edit_silence(old, "Ana", 1002.0, parse_matchers('s="b"'))
    new = outcome.accepted[0]
    assert new != old
    assert {silence.id: silence.ends for silence in outcome.silences} == {new: 2000.0, old: 1002.0}
    assert (stage.alerts["a"].silenced_by, stage.alerts["b"].silenced_by) == ((), (new,))
    assert {alert.id for alert in outcome.stored} == {stage.alerts["a"].id, stage.alerts["b"].id}
    assert kinds(stage.at(3, a=11, b=11)) == ["firing"]


def test_one_that_is_over_is_renewed_for_as_long_as_it_was() -> None:
    stage = Stage()
    old = stage.book.add_silence(A, 1000.0, 1300.0, "disk", "Ana", 1000.0).accepted[0]
    stage.at(301, a=1)
    new = stage.book.edit_silence(old, "Bo", 1301.0).accepted[0]
    silence = stage.book.silences[new]
    assert (silence.starts, silence.ends, silence.comment, silence.created_by) == (1301.0, 1601.0, "disk", "Bo")


def test_a_guarded_silence_that_would_keep_too_many_quiet_is_refused_with_the_number() -> None:
    stage = Stage()
    stage.at(0, **{f"s{n}": 11 for n in range(30)})
    wide = parse_matchers('s=~"s[0-9]|s1."')
    with pytest.raises(CommandError, match="would silence 20 of 30 firing alerts"):
        stage.book.add_silence(wide, 1000.0, 2000.0, "c", "Ana", 1000.0, guard=True)
    assert len(stage.book.add_silence(wide, 1000.0, 2000.0, "c", "Ana", 1000.0).accepted) == 21
    stage.book.add_silence(parse_matchers("s=s29"), 1000.0, 2000.0, "c", "Ana", 1000.0, guard=True)


def test_one_that_has_long_matched_nothing_ends_by_itself() -> None:
    stage = Stage()
    silence = stage.book.add_silence(A, 1000.0, 9000.0, "c", "Ana", 1000.0, end_when_idle=60.0).accepted[0]
    stage.at(10, a=11)
    stage.at(500, a=11)
    stage.at(510, a=1)
    stage.at(520, a=1)
    reborn(stage)
    assert not stage.at(560, a=1).silences, "50 s"
    outcome = stage.at(581, a=1)
    assert event_kinds(outcome) == ["unsilenced"]
    assert stage.book.silences[silence].expired_by == "idle"
    assert kinds(stage.at(590, a=11)) == ["firing"]


def test_an_event_warns_once_of_a_silence_that_ends_while_alerts_fire_under_it() -> None:
    stage = Stage()
    stage.book.add_silence(A, 1000.0, 5000.0, "new disk", "Ana", 1000.0)
    stage.at(0, a=11)
    assert event_kinds(stage.at(3390, a=11)) == []
    outcome = stage.at(3400, a=11)
    assert [event.text for event in outcome.events] == [
        "The silence of Ana ends in 10 min and still keeps 1 firing alert quiet: new disk"
    ]
    reborn(stage)
    assert event_kinds(stage.at(3420, a=11)) == []


def test_no_warning_of_one_under_which_nothing_fires() -> None:
    stage = Stage()
    stage.book.add_silence(A, 1000.0, 5000.0, "new disk", "Ana", 1000.0)
    assert event_kinds(stage.at(3500, a=1)) == []


# ---------------------------------------------------------------- maintenance

TWO_TO_FOUR = Schedule(times=("02:00-04:00",), time_zone="Europe/Berlin")
MIDNIGHT = 1_704_063_600.0
"""2024-01-01 00:00 in Berlin."""


def night(hours: float) -> float:
    """Seconds as `Stage.at` takes them."""
    return MIDNIGHT - 1000.0 + hours * 3600.0


def test_a_maintenance_window_comes_again_each_day_and_never_swallows_the_end_of_what_was_told() -> None:
    stage = Stage()
    stage.book.add_silence(A, MIDNIGHT, MIDNIGHT + 90 * 86_400, "backup", "Ana", MIDNIGHT, schedule=TWO_TO_FOUR)
    told = []
    for day in (0, 24):
        told += kinds(stage.at(night(day + 1), a=11))
        begun = stage.at(night(day + 2), a=11)
        assert [event.text for event in begun.events] == ["The maintenance of Ana has begun: backup"]
        told += kinds(stage.at(night(day + 2.5), a=1))
        assert kinds(stage.at(night(day + 3), a=11)) == [], "within the window"
        stage.at(night(day + 3.5), a=1)
        over = stage.at(night(day + 4), a=1)
        assert [event.text for event in over.events] == ["The maintenance of Ana is over for now: backup"]
    assert told == ["firing", "resolved", "firing", "resolved"]


def test_what_still_fires_when_the_window_closes_is_told_then_and_a_restart_within_it_changes_nothing() -> None:
    stage = Stage()
    silence = stage.book.add_silence(A, MIDNIGHT, MIDNIGHT + 9e6, "backup", "Ana", MIDNIGHT, schedule=TWO_TO_FOUR).accepted[0]
    stage.at(night(1.9), a=1)
    stage.at(night(2), a=11)
    reborn(stage)
    assert kinds(stage.at(night(3.9), a=11)) == []
    assert kinds(stage.at(night(4), a=11)) == ["firing"]
    assert silence_state(stage.book.silences[silence], stage.now) == "pending"


@pytest.mark.parametrize(
    ("schedule", "idle", "says"),
    [
        (Schedule(), 0.0, "needs times or days"),
        (Schedule(times=("25:00",)), 0.0, "times: '25:00'"),
        (Schedule(times=("01:00-02:00",), time_zone="Nowhere/At_all"), 0.0, "time_zone"),
        (TWO_TO_FOUR, 60.0, "cannot end by itself"),
    ],
)
def test_windows_that_make_no_sense_are_refused(schedule: Schedule, idle: float, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        AlertBook().add_silence(A, 0.0, 100.0, "c", "Ana", 0.0, schedule=schedule, end_when_idle=idle)


# ---------------------------------------------------------------- flapping


def test_turns_weigh_less_the_longer_ago_they_are() -> None:
    assert weighted_turns([(0.0, 100.0)], 100.0, 100.0) == pytest.approx(1.2), "the beginning is just out of the window"
    assert weighted_turns([(50.0, None)], 100.0, 100.0) == pytest.approx(1.0)
    assert weighted_turns([(200.0, None)], 100.0, 100.0) == 0.0, "the clock was set back"


def test_while_an_alert_flaps_its_turns_are_not_told_but_that_it_flaps_and_has_settled() -> None:
    stage = Stage(make_rule(more=FLAPPY))
    told, happened = [], []
    for second in range(0, 200, 5):
        outcome = stage.at(second, a=11 if second < 60 and second % 10 == 0 else 1)
        told += [(second, kind) for kind in kinds(outcome)]
        happened += [(second, kind) for kind in event_kinds(outcome) if kind in ("flapping", "settled")]
    assert told == [(0, "firing"), (5, "resolved"), (10, "firing"), (15, "resolved"), (20, "flapping"), (145, "settled")]
    assert happened == [(20, "flapping"), (145, "settled")]
    assert kinds(stage.at(300, a=11)) == ["firing"], "and then as ever"


def test_one_that_settles_while_it_fires_is_told_as_firing_and_its_end_later() -> None:
    stage = Stage(make_rule(more=FLAPPY))
    told = []
    for second in range(0, 300, 5):
        value = 1 if second >= 250 or (second < 40 and second % 10 == 5) else 11
        told += [(second, notice.kind, notice.text) for notice in stage.at(second, a=value).notifications]
    assert [kind for _, kind, _ in told[-3:]] == ["flapping", "settled", "resolved"]
    assert told[-2][2] == 'r has settled and fires: m{s="a"} is 11, above 10.'


def test_nobody_hears_that_it_flaps_while_it_is_silenced_and_nothing_is_owed_for_it() -> None:
    stage = Stage(make_rule(more=FLAPPY))
    told = []
    for second in range(0, 200, 5):
        if second == 15:
            stage.book.add_silence(A, 1015.0, 9000.0, "c", "Ana", 1015.0)
        told += kinds(stage.at(second, a=11 if second in (0, 10, 20, 30) else 1))
    assert told == ["firing", "resolved", "firing", "resolved"]


def test_an_acknowledgement_of_one_that_flaps_holds_over_its_turns_until_it_has_settled() -> None:
    stage = Stage(make_rule(more=FLAPPY))
    told = []
    for second in range(0, 200, 5):
        if second == 25:
            stage.book.acknowledge([stage.alerts["a"].id], "Ana", stage.now)
        told += kinds(stage.at(second, a=11 if second <= 60 and second % 10 == 0 else 1))
        if 25 <= second < 140:
            assert stage.alerts["a"].ack is not None
    assert told == ["firing", "resolved", "firing", "resolved", "flapping", "settled"]
    assert stage.alerts["a"].ack is None


def test_nothing_more_is_said_of_one_that_flaps_when_its_rule_is_taken_away() -> None:
    stage = Stage(make_rule(more=FLAPPY))
    for second in range(0, 25, 5):
        stage.at(second, a=11 if second % 10 == 0 else 1)
    stage.rules = (make_rule("other", value=1e6),)
    assert kinds(stage.at(30, a=11)) == []
    assert stage.alerts["a"].flapping is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 11.0]), min_size=5, max_size=60),
    st.sets(st.integers(0, 59), max_size=4),
    st.integers(2, 8),
)
def test_a_restart_at_any_moment_tells_the_same(values: list[float], restarts: set[int], high: int) -> None:
    rule = make_rule(more=f'cooldown = "0s"\nflapping = {{ window = "60s", high = {high}, low = 2 }}')
    straight, broken = Stage(rule), Stage(rule)
    for step, value in enumerate([*values, *([1.0] * 15)]):
        if step in restarts:
            reborn(broken)
        first, second = straight.at(step * 5, a=value), broken.at(step * 5, a=value)
        assert [(n.kind, n.text) for n in first.notifications] == [(n.kind, n.text) for n in second.notifications]
        assert event_kinds(first) == event_kinds(second)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([1.0, 11.0]), min_size=5, max_size=80), st.lists(st.booleans(), min_size=80, max_size=80))
def test_whoever_was_told_of_a_beginning_is_told_of_an_end(values: list[float], silenced: list[bool]) -> None:
    """Told of something bad (firing, flapping, settled while it fires), one hears in the end that it is over."""
    stage = Stage(make_rule(more=FLAPPY))
    bad = False
    told: list[str] = []
    for step, value in enumerate([*values, *([1.0] * 40)]):
        if step < len(silenced) and silenced[step] and step < len(values):
            stage.book.add_silence(A, stage.now, 1000.0 + step * 5 + 12.0, "c", "Ana", stage.now)
        for notice in stage.at(step * 5, a=value).notifications:
            told.append(notice.kind)
            bad = notice.kind in ("firing", "flapping") or (notice.kind == "settled" and notice.alert.state is State.FIRING)
    assert not bad
    assert all(not (a == "flapping" and b in ("flapping", "firing", "resolved")) for a, b in pairwise(told)), (
        "after flapping comes that it has settled"
    )


def test_limits_are_read_from_the_rule() -> None:
    assert make_rule().flapping is None
    assert make_rule(more="flapping = true").flapping == FlapLimits()
    assert make_rule(more='flapping = "off"').flapping is None
    assert make_rule(more='flapping = { window = "1h", high = 10 }').flapping == FlapLimits(3600.0, 10.0, 2.0)
    for wrong in ("flapping = 3", "flapping = { high = 1 }", "flapping = { low = 9, high = 3 }", "flapping = { hihg = 3 }"):
        with pytest.raises(RulesError):
            make_rule(more=wrong)
