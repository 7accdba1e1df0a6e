"""Who is told, when, and what keeps a notification back."""

from __future__ import annotations

import pytest

from monitor.alerting.model import State
from monitor.alerting.outcome import CommandError
from monitor.model.matchers import Matcher, parse_matchers
from tests.monitor.alerting.fakes import Stage, event_kinds, kinds, make_rule

A = parse_matchers('s="a"')


def test_a_firing_is_told_once_and_its_end_is_told() -> None:
    stage = Stage()
    assert kinds(stage.at(0, a=11)) == ["firing"]
    assert kinds(stage.at(1, a=12)) == []
    assert kinds(stage.at(7200, a=12)) == []
    outcome = stage.at(7260, a=1)
    assert kinds(outcome) == ["resolved"]
    assert outcome.notifications[0].text == 'r ended: m{s="a"} is 1. It fired for 2 h 1 min.'
    assert stage.alerts["a"].notified_count == 2


def test_a_second_firing_within_the_cooldown_waits_and_is_told_when_it_is_over() -> None:
    stage = Stage(make_rule(more='cooldown = "60s"'))
    stage.at(0, a=11)
    stage.at(10, a=1)
    assert kinds(stage.at(20, a=11)) == []
    assert stage.alerts["a"].suppressed_count == 1
    assert kinds(stage.at(59, a=11)) == []
    outcome = stage.at(60, a=11)
    assert kinds(outcome) == ["firing"]
    assert outcome.notifications[0].alert.suppressed_count == 1
    assert stage.alerts["a"].suppressed_count == 0


def test_a_firing_nobody_was_told_of_ends_without_a_notice() -> None:
    stage = Stage(make_rule(more='cooldown = "60s"'))
    stage.at(0, a=11)
    assert kinds(stage.at(10, a=1)) == ["resolved"]
    stage.at(20, a=11)
    assert kinds(stage.at(30, a=1)) == []


def test_a_rule_without_actions_tells_nobody() -> None:
    stage = Stage(make_rule(more="actions = []"))
    assert kinds(stage.at(0, a=11)) == []
    assert kinds(stage.at(1, a=1)) == []


def test_an_acknowledged_alert_stays_quiet_until_it_resolves_and_the_end_is_told() -> None:
    stage = Stage()
    stage.at(0, a=11)
    name = stage.alerts["a"].id
    outcome = stage.book.acknowledge([name], "Ana", 1005.0, "on it")
    assert outcome.accepted == (name,)
    assert outcome.stored == outcome.alerts
    assert event_kinds(outcome) == ["acknowledged"]
    assert stage.alerts["a"].ack is not None
    assert kinds(stage.at(60, a=1)) == ["resolved"]
    assert stage.alerts["a"].ack is None


def test_a_pending_alert_acknowledged_fires_unheard() -> None:
    stage = Stage(make_rule(more='for = "10s"'))
    stage.at(0, a=11)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", 1005.0)
    assert kinds(stage.at(10, a=11)) == []
    assert stage.alerts["a"].suppressed_count == 1
    stage.book.release([stage.alerts["a"].id], "Ana", 1015.0)
    assert kinds(stage.at(16, a=11)) == ["firing"], "nobody has it and nobody was told"


def test_releasing_an_alert_that_was_told_of_does_not_tell_it_again() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", 1005.0)
    assert event_kinds(stage.book.release([stage.alerts["a"].id], "Ana", 1006.0)) == ["released"]
    assert kinds(stage.at(7, a=11)) == []


def test_an_acknowledgement_that_runs_out_is_said_and_the_alert_told_again() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", 1005.0, expires=1060.0)
    assert not stage.at(59, a=11).events
    outcome = stage.at(60, a=11)
    assert event_kinds(outcome) == ["released"]
    assert kinds(outcome) == ["firing"]


def test_escalation_clears_the_acknowledgement_and_tells_at_once() -> None:
    stage = Stage(make_rule(more='cooldown = "1h"'))
    stage.at(0, a=11)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", 1005.0)
    stage.rules = (make_rule(more='cooldown = "1h"\nseverity = "critical"'),)
    outcome = stage.at(10, a=11)
    assert kinds(outcome) == ["firing"]
    assert event_kinds(outcome) == ["released"]
    assert stage.alerts["a"].ack is None


def test_a_lower_severity_keeps_the_acknowledgement() -> None:
    stage = Stage(make_rule(more='severity = "critical"'))
    stage.at(0, a=11)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", 1005.0)
    stage.rules = (make_rule(more='severity = "info"'),)
    assert kinds(stage.at(10, a=11)) == []
    assert stage.alerts["a"].ack is not None


def test_acknowledging_what_is_not_active_is_refused() -> None:
    stage = Stage()
    stage.at(0, a=11)
    name = stage.alerts["a"].id
    with pytest.raises(CommandError, match="active"):
        stage.book.acknowledge(["nothing"], "Ana", 1.0)
    with pytest.raises(CommandError, match="who"):
        stage.book.acknowledge([name], " ", 1.0)
    with pytest.raises(CommandError, match="past"):
        stage.book.acknowledge([name], "Ana", 1001.0, expires=1000.0)
    with pytest.raises(CommandError, match="2,000"):
        stage.book.acknowledge([name], "Ana", 1001.0, "x" * 2001)
    assert stage.book.acknowledge([name, "nothing"], "Ana", 1001.0).accepted == (name,)


def test_a_note_becomes_an_event_of_the_alert() -> None:
    stage = Stage()
    stage.at(0, a=11)
    outcome = stage.book.add_note(stage.alerts["a"].id, "disk ordered", "Ana", 1005.0)
    assert [(e.kind, e.text, e.who, e.alert) for e in outcome.events] == [("note", "disk ordered", "Ana", stage.alerts["a"].id)]
    assert outcome.lasting


# ---------------------------------------------------------------- silences


def test_a_silence_keeps_an_alert_quiet_and_its_end_tells_at_once() -> None:
    stage = Stage(make_rule(more='cooldown = "1h"'))
    outcome = stage.book.add_silence(A, 1000.0, 1060.0, "planned", "Ana", 1000.0)
    assert event_kinds(outcome) == ["silenced"]
    silence = outcome.accepted[0]
    assert kinds(stage.at(1, a=11, b=11)) == ["firing"]
    assert stage.alerts["a"].silenced_by == (silence,)
    assert stage.alerts["a"].suppressed_count == 1
    outcome = stage.at(60, a=11)
    assert kinds(outcome) == ["firing"]
    assert event_kinds(outcome) == ["unsilenced"]
    assert not stage.alerts["a"].silenced_by


def test_a_silence_over_an_alert_already_told_tells_it_again_when_it_ends_whatever_the_cooldown() -> None:
    stage = Stage(make_rule(more='cooldown = "1h"'))
    stage.at(0, a=11)
    outcome = stage.book.add_silence(A, 1001.0, 1030.0, "planned", "Ana", 1001.0)
    assert outcome.accepted[1:] == (stage.alerts["a"].id,)
    assert kinds(stage.at(29, a=11)) == []
    assert kinds(stage.at(30, a=11)) == ["firing"]


def test_the_end_of_what_was_told_is_told_even_under_a_silence() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.book.add_silence(A, 1001.0, 2000.0, "planned", "Ana", 1001.0)
    assert kinds(stage.at(5, a=1)) == ["resolved"]


def test_an_alert_that_ends_under_its_silence_is_never_heard_of() -> None:
    stage = Stage()
    stage.book.add_silence(A, 1000.0, 2000.0, "planned", "Ana", 1000.0)
    stage.at(1, a=11)
    assert kinds(stage.at(5, a=1)) == []


def test_a_silence_ended_by_hand_tells_at_the_next_judgement_and_says_who_ended_it() -> None:
    stage = Stage()
    silence = stage.book.add_silence(A, 1000.0, 2000.0, "planned", "Ana", 1000.0).accepted[0]
    stage.at(1, a=11)
    outcome = stage.book.expire_silence(silence, "Bo", 1010.0)
    assert (outcome.silences[0].ends, outcome.silences[0].expired_by) == (1010.0, "Bo")
    assert kinds(stage.at(11, a=11)) == ["firing"]
    with pytest.raises(CommandError, match="ended already"):
        stage.book.expire_silence(silence, "Bo", 1020.0)
    with pytest.raises(CommandError, match="no silence"):
        stage.book.expire_silence("x", "Bo", 1020.0)


def test_a_silence_holds_from_its_command_on_even_when_the_tick_lags_behind() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.book.add_silence(A, 1001.7, 2000.0, "planned", "Ana", 1001.7)
    outcome = stage.at(1, a=11)
    assert not outcome.lasting
    assert stage.alerts["a"].silenced_by


def test_two_silences_must_both_end() -> None:
    stage = Stage()
    stage.book.add_silence(A, 1000.0, 1020.0, "one", "Ana", 1000.0)
    stage.book.add_silence(parse_matchers("alertname=r"), 1000.0, 1040.0, "two", "Ana", 1000.0)
    stage.at(1, a=11)
    assert len(stage.alerts["a"].silenced_by) == 2
    assert kinds(stage.at(20, a=11)) == []
    assert kinds(stage.at(40, a=11)) == ["firing"]


def test_a_silence_can_begin_later() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.book.add_silence(A, 1010.0, 1020.0, "later", "Ana", 1001.0)
    assert stage.alerts["a"].silenced_by == ()
    stage.at(10, a=11)
    assert len(stage.alerts["a"].silenced_by) == 1


def test_an_acknowledged_alert_freed_from_a_silence_stays_quiet_until_released() -> None:
    stage = Stage()
    stage.book.add_silence(A, 1000.0, 1020.0, "one", "Ana", 1000.0)
    stage.at(1, a=11)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", 1005.0)
    assert kinds(stage.at(20, a=11)) == []
    stage.book.release([stage.alerts["a"].id], "Ana", 1025.0)
    assert kinds(stage.at(26, a=11)) == ["firing"]


def test_a_silence_that_ends_when_resolved_ends_with_the_last_of_its_alerts() -> None:
    stage = Stage()
    both = parse_matchers('s=~"a|b"')
    silence = stage.book.add_silence(both, 1000.0, 9000.0, "planned", "Ana", 1000.0, end_when_resolved=True).accepted[0]
    stage.at(1, a=11, b=11)
    assert not stage.at(2, a=1).silences
    outcome = stage.at(3, b=1)
    assert [(s.id, s.ends, s.expired_by) for s in outcome.silences] == [(silence, 1003.0, "resolved")]
    assert "unsilenced" in event_kinds(outcome)
    assert kinds(stage.at(4, a=11)) == ["firing"]


def test_the_preview_names_the_alerts_a_silence_would_keep_quiet() -> None:
    stage = Stage()
    stage.at(0, a=11, b=11, c=1)
    assert [dict(alert.labels)["s"] for alert in stage.book.preview(parse_matchers('s=~"a|c"'))] == ["a"]
    assert len(stage.book.preview(parse_matchers('alertname="r", s!="a"'))) == 1


@pytest.mark.parametrize(
    "matchers",
    ["", 's=~".*"', 's=~".+"', 's!="x"', 's!~"x"', 's=""', 'severity=~"|x"', 's!="x",t!="y"'],
)
def test_matchers_that_match_everything_are_refused(matchers: str) -> None:
    with pytest.raises(CommandError, match=r"everything|at least one"):
        Stage().book.add_silence(parse_matchers(matchers), 0.0, 10.0, "c", "Ana", 0.0)


def test_other_silences_that_cannot_be_are_refused() -> None:
    book = Stage().book
    with pytest.raises(CommandError, match="comment"):
        book.add_silence(A, 0.0, 10.0, " ", "Ana", 0.0)
    with pytest.raises(CommandError, match="before it starts"):
        book.add_silence(A, 10.0, 10.0, "c", "Ana", 0.0)
    with pytest.raises(CommandError, match="past"):
        book.add_silence(A, 0.0, 10.0, "c", "Ana", 20.0)
    with pytest.raises(CommandError, match="year"):
        book.add_silence(A, 0.0, 4e7, "c", "Ana", 0.0)
    with pytest.raises(CommandError, match="cannot be used"):
        book.add_silence((Matcher("s", "=~", "("),), 0.0, 10.0, "c", "Ana", 0.0)
    with pytest.raises(CommandError, match="at most 32"):
        book.add_silence(A * 33, 0.0, 10.0, "c", "Ana", 0.0)
    assert not book.silences


def test_expired_silences_are_kept_for_five_days() -> None:
    stage = Stage()
    silence = stage.book.add_silence(A, 1000.0, 1010.0, "c", "Ana", 1000.0).accepted[0]
    stage.at(11)
    stage.at(5 * 86_400)
    assert silence in stage.book.silences
    assert stage.at(5 * 86_400 + 80).removed == (silence,)
    assert not stage.book.silences


def test_the_number_of_silences_is_bounded() -> None:
    book = Stage().book
    for _ in range(1000):
        book.add_silence(A, 0.0, 10.0, "c", "Ana", 0.0)
    with pytest.raises(CommandError, match="1000 silences"):
        book.add_silence(A, 0.0, 10.0, "c", "Ana", 0.0)
    assert len(book.silences) == 1000, "equal ones have ids of their own"


# ---------------------------------------------------------------- after a restart


def restarted(stage: Stage, down_for: float = 0.0) -> Stage:
    after = Stage(*stage.rules)
    after.engine = stage.engine
    book = stage.book
    kept = book.incidents.by_id.values()
    after.book.restore(book.alerts.values(), book.silences.values(), book.revision, stage.now + down_for, down_for, kept)
    return after


def test_a_restart_changes_nothing_anybody_can_see() -> None:
    stage = Stage(make_rule(), make_rule("slow", more='for = "1m"'))
    stage.book.add_silence(parse_matchers('s="b"'), 1000.0, 2000.0, "planned", "Ana", 1000.0)
    stage.at(0, a=11, b=11, c=11)
    stage.at(1, c=1)
    stage.book.acknowledge([stage.book.preview(parse_matchers('s="a"'))[0].id], "Ana", 1002.0)
    after = restarted(stage)
    assert after.book.alerts == stage.book.alerts
    assert after.book.silences == stage.book.silences
    outcome = after.at(3)
    assert not outcome.lasting, "nobody is told twice, nothing begins anew"
    assert kinds(after.at(60)) == ["firing"], "the slow rule goes on where it was: on a and b, of which b is silenced"


def test_a_notification_owed_at_the_kill_is_told_after_the_restart() -> None:
    stage = Stage()
    silence = stage.book.add_silence(A, 1000.0, 2000.0, "planned", "Ana", 1000.0).accepted[0]
    stage.at(1, a=11)
    stage.book.expire_silence(silence, "Ana", 1002.0)
    assert kinds(restarted(stage).at(3, a=11)) == ["firing"]


def test_a_silence_that_ran_out_while_nobody_judged_tells_at_the_first_judgement() -> None:
    stage = Stage(make_rule(more='cooldown = "1h"'))
    stage.at(0, a=11)
    stage.book.add_silence(A, 1001.0, 1060.0, "planned", "Ana", 1001.0)
    stage.at(2, a=11)
    after = restarted(stage, down_for=100)
    outcome = after.at(102, a=11)
    assert kinds(outcome) == ["firing"]
    assert event_kinds(outcome) == ["unsilenced"]


def test_an_alert_whose_series_is_not_back_yet_is_waited_for() -> None:
    stage = Stage()
    stage.at(0, a=11)
    after = restarted(stage)
    after.engine = Stage().engine
    after.at(1)
    assert (after.alerts["a"].state, after.alerts["a"].no_data) == (State.FIRING, True)
    after.engine.set("m", 3, s="other")
    after.at(300, a=12)
    assert (after.alerts["a"].state, after.alerts["a"].no_data) == (State.FIRING, False)


def test_an_alert_whose_series_never_comes_back_ends_after_ten_minutes() -> None:
    stage = Stage()
    stage.at(0, a=11)
    after = restarted(stage)
    after.engine = Stage().engine
    after.at(599)
    assert after.alerts["a"].state is State.FIRING
    assert kinds(after.at(600)) == ["resolved"]


def test_an_alert_of_a_rule_deleted_while_nobody_judged_ends_quietly() -> None:
    stage = Stage()
    stage.at(0, a=11)
    after = restarted(stage)
    after.rules = ()
    assert kinds(after.at(1)) == []
    assert after.alerts["a"].state is State.RESOLVED


def test_a_rule_edited_while_nobody_judged_is_followed() -> None:
    stage = Stage()
    stage.at(0, a=11)
    after = restarted(stage)
    after.rules = (make_rule(more='severity = "critical"'),)
    assert kinds(after.at(1, a=11)) == ["firing"], "it escalated"
    assert after.alerts["a"].severity == "critical"


def test_after_a_long_outage_a_pending_alert_waits_anew() -> None:
    stage = Stage(make_rule(more='for = "10m"'))
    stage.at(0, a=11)
    assert kinds(restarted(stage, down_for=900).at(901, a=11)) == ["firing"]
    assert kinds(restarted(stage, down_for=7200).at(7201, a=11)) == []
