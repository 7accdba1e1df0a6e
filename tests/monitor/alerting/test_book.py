"""The life of an alert from inactive to resolved."""

from __future__ import annotations

from itertools import pairwise

import pytest

from monitor.alerting.book import AlertBook
from monitor.alerting.model import State
from monitor.alerting.rules import parse_rules
from monitor.model.series import Kind
from tests.monitor.alerting.fakes import NAN, FakeEngine, Stage, event_kinds, kinds, make_rule

EXAMPLE = """
[[rule]]
id = "high_error_rate"
metric = ["foundation", "service", "error"]
condition = { type = "threshold", operator = "gt", value = 100, window = "last_5_minutes" }
severity = "critical"
actions = ["log"]
cooldown = "5m"
"""


def test_the_example_rule_judges_a_counters_sum_over_five_minutes() -> None:
    engine, book = FakeEngine(), AlertBook()
    engine.set("foundation.service.error", 101, Kind.COUNTER)
    outcome = book.judge(1000.0, parse_rules(EXAMPLE, "e.toml"), engine)
    assert engine.asked == [("sum", 300.0, 1)]
    assert kinds(outcome) == ["firing"]
    alert = outcome.notifications[0].alert
    assert alert.labels == (("__name__", "foundation.service.error"), ("alertname", "high_error_rate"), ("severity", "critical"))
    assert outcome.notifications[0].text == "high_error_rate: foundation.service.error is 101, above 100."


def test_a_counter_that_was_not_raised_counts_as_zero_and_lets_the_alert_end() -> None:
    engine, book, rules = FakeEngine(), AlertBook(), parse_rules(EXAMPLE, "e.toml")
    engine.set("foundation.service.error", 101, Kind.COUNTER)
    book.judge(1000.0, rules, engine)
    engine.set("foundation.service.error", NAN, Kind.COUNTER)
    assert kinds(book.judge(1300.0, rules, engine)) == ["resolved"]


def test_every_kind_is_judged_by_its_own_field_in_one_column_each() -> None:
    rule = parse_rules('[[rule]]\nid="r"\nmetric="m"\ncondition={type="threshold",operator="gt",value=1,window="5m"}', "f")
    engine = FakeEngine()
    for kind in Kind:
        engine.set("m", 2, kind)
        engine.set("m", 0, kind, s="quiet")
    outcome = AlertBook().judge(0.0, rule, engine)
    assert sorted(engine.asked) == [("last", 300.0, 2), ("p99", 300.0, 2), ("sum", 300.0, 2), ("unique", 300.0, 2)]
    assert len({alert.id for alert in outcome.alerts}) == 4, "the same name sent as four kinds is four series"


def test_a_rule_costs_one_column_whatever_the_number_of_series() -> None:
    stage = Stage()
    stage.at(0, **{f"s{n}": n for n in range(50)})
    assert stage.engine.asked == [("last", 60.0, 50)]


def test_without_for_an_alert_fires_in_the_tick_that_meets_the_condition() -> None:
    stage = Stage()
    assert event_kinds(stage.at(0, a=10)) == []
    outcome = stage.at(1, a=10.5, b=3)
    assert event_kinds(outcome) == ["firing"]
    alert = stage.alerts["a"]
    assert (alert.state, alert.since, alert.fired_at, alert.value) == (State.FIRING, 1001.0, 1001.0, 10.5)
    assert "b" not in stage.alerts


def test_for_is_waited_out_and_fires_when_it_is_reached_exactly() -> None:
    stage = Stage(make_rule(more='for = "10s"'))
    assert event_kinds(stage.at(0, a=11)) == ["pending"]
    assert stage.alerts["a"].state is State.PENDING
    assert not stage.at(9.9, a=11).notifications
    outcome = stage.at(10, a=11)
    assert kinds(outcome) == ["firing"]
    assert stage.alerts["a"].active_at == 1000.0


def test_a_pending_alert_that_calms_leaves_no_trace() -> None:
    stage = Stage(make_rule(more='for = "10s"'))
    stage.at(0, a=11)
    name = stage.alerts["a"].id
    outcome = stage.at(5, a=9)
    assert outcome.removed == (name,)
    assert not stage.book.alerts


def test_a_pending_alert_that_calms_goes_back_to_resolved_when_it_fired_before() -> None:
    stage = Stage(make_rule(more='for = "10s"'))
    stage.at(0, a=11)
    stage.at(10, a=11)
    stage.at(20, a=1)
    stage.at(30, a=11)
    assert stage.alerts["a"].state is State.PENDING
    stage.at(35, a=1)
    assert (stage.alerts["a"].state, stage.alerts["a"].since) == (State.RESOLVED, 1020.0)


def test_recovery_holds_a_firing_alert_until_its_value_is_reached_but_does_not_start_one() -> None:
    stage = Stage(make_rule(condition=", recovery = 5"))
    assert not stage.at(0, a=7).alerts
    stage.at(1, a=11)
    stage.at(2, a=7)
    assert stage.alerts["a"].state is State.FIRING
    assert kinds(stage.at(3, a=5)) == ["resolved"]


@pytest.mark.parametrize(
    ("operator", "true", "false"),
    [("gt", 11, 10), ("gte", 10, 9), ("lt", 9, 10), ("lte", 10, 11), ("eq", 10, 9), ("ne", 9, 10)],
)
def test_operators(operator: str, true: float, false: float) -> None:
    stage = Stage(make_rule(operator=operator))
    stage.at(0, a=true, b=false, c=NAN)
    assert set(stage.alerts) == {"a"}


def test_a_firing_alert_without_data_keeps_firing_and_says_so() -> None:
    stage = Stage()
    stage.at(0, a=11)
    outcome = stage.at(1, a=NAN)
    alert = stage.alerts["a"]
    assert (alert.state, alert.no_data, alert.value) == (State.FIRING, True, None)
    assert outcome.stored == (alert,)
    assert not stage.at(2, a=NAN).alerts
    stage.at(3, a=12)
    assert (stage.alerts["a"].no_data, stage.alerts["a"].value) == (False, 12)


def test_a_pending_alert_without_data_ends() -> None:
    stage = Stage(make_rule(more='for = "10s"'))
    stage.at(0, a=11)
    stage.at(1, a=NAN)
    assert not stage.alerts


def test_an_alert_ends_with_its_series_and_the_event_says_why() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.engine.vanish("m", s="a")
    outcome = stage.at(1)
    assert kinds(outcome) == ["resolved"]
    assert 'm{s="a"} is gone' in outcome.events[0].text
    assert stage.alerts["a"].state is State.RESOLVED


def test_a_row_given_to_another_series_does_not_inherit_the_alert() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.engine.vanish("m", s="a")
    stage.at(1, b=12)
    assert stage.alerts["a"].state is State.RESOLVED
    stage.at(2)
    assert stage.alerts["b"].state is State.FIRING


def test_an_alert_keeps_its_id_and_its_firings_when_it_comes_back() -> None:
    stage = Stage(make_rule(more='cooldown = "0s"'))
    stage.at(0, a=11)
    first = stage.alerts["a"].id
    stage.at(10, a=1)
    stage.at(20, a=11)
    alert = stage.alerts["a"]
    assert alert.id == first
    assert [(span.start, span.end) for span in alert.firings] == [(1000.0, 1010.0), (1020.0, None)]


def test_resolved_alerts_are_forgotten_after_a_day() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.at(10, a=1)
    stage.at(86_000)
    assert "a" in stage.alerts
    outcome = stage.at(86_411)
    assert len(outcome.removed) == 1
    assert not stage.alerts


def test_firing_spans_older_than_a_day_are_forgotten() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.at(10, a=1)
    stage.at(20, a=11)
    stage.at(86_415, a=11)
    assert [span.start for span in stage.alerts["a"].firings] == [1020.0]


def test_firing_spans_are_bounded_however_much_an_alert_flaps() -> None:
    stage = Stage()
    for n in range(400):
        stage.at(2 * n, a=11)
        stage.at(2 * n + 1, a=1)
    spans = stage.alerts["a"].firings
    assert len(spans) == 240
    assert (spans[0].start, spans[-1].end) == (1000.0, 1799.0)
    assert all(before.end is not None and before.end <= after.start for before, after in pairwise(spans))


def test_the_number_of_alerts_of_a_rule_is_bounded_and_what_was_left_out_is_said() -> None:
    stage = Stage(book=AlertBook(instances_per_rule=3))
    stage.at(0, **{f"s{n}": 11 for n in range(5)})
    assert len(stage.book.alerts) == 3
    assert stage.book.refused_instances == 2
    assert "2 more series" in stage.book.problems["r"]
    stage.at(1, **{f"s{n}": 1 for n in range(5)})
    assert "r" not in stage.book.problems


def test_a_rule_that_cannot_be_judged_leaves_its_alerts_as_they_are_and_the_others_judged() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.engine.broken = ValueError("windows go up to an hour")
    assert not stage.at(1, a=1).alerts
    assert stage.book.problems == {"r": "Cannot be judged: windows go up to an hour"}
    stage.engine.broken = None
    assert kinds(stage.at(2, a=1)) == ["resolved"]
    assert not stage.book.problems


def test_an_edited_threshold_is_judged_anew_and_the_alert_keeps_its_id() -> None:
    stage = Stage()
    stage.at(0, a=11)
    before = stage.alerts["a"].id
    stage.rules = (make_rule(value=5),)
    stage.at(1, a=11)
    assert (stage.alerts["a"].id, stage.alerts["a"].threshold, stage.alerts["a"].state) == (before, 5, State.FIRING)
    stage.rules = (make_rule(value=50),)
    assert kinds(stage.at(2, a=11)) == ["resolved"]


def test_edited_labels_and_severity_reach_the_alert_without_a_new_id() -> None:
    stage = Stage(make_rule(more='labels = {team = "shop"}'))
    stage.at(0, a=11)
    before = stage.alerts["a"].id
    stage.rules = (make_rule(more='severity = "info"\nlabels = {team = "web"}'),)
    stage.at(1, a=11)
    alert = stage.alerts["a"]
    assert alert.id == before
    assert {"team": "web", "severity": "info"}.items() <= dict(alert.labels).items()
    assert [(span.severity, span.end) for span in alert.firings] == [("warning", 1001.0), ("info", None)]


@pytest.mark.parametrize("how", ["deleted", "switched off"])
def test_alerts_of_a_rule_that_is_gone_end_without_a_notice(how: str) -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.rules = () if how == "deleted" else (make_rule(more="enabled = false"),)
    outcome = stage.at(1, a=11)
    assert not outcome.notifications
    assert how in outcome.events[0].text
    assert stage.alerts["a"].state is State.RESOLVED


def test_a_value_alone_is_streamed_now_and_then_and_never_stored() -> None:
    stage = Stage(book=AlertBook(value_refresh=5))
    stage.at(0, a=11)
    first = stage.at(1, a=12)
    assert [alert.value for alert in first.alerts] == [12]
    assert first.stored == ()
    assert not first.lasting
    assert not stage.at(2, a=13).alerts
    assert [alert.value for alert in stage.at(6, a=14).alerts] == [14]


def test_revisions_tell_a_client_exactly_what_it_lacks() -> None:
    stage = Stage(make_rule(more='for = "10s"'))
    stage.at(0, a=11)
    seen = stage.book.revision
    stage.at(1, b=11)
    changes = stage.book.changes_since(seen)
    assert [dict(alert.labels)["s"] for alert in changes.alerts] == ["b"]
    gone = stage.alerts["a"].id
    stage.at(2, a=1)
    assert stage.book.changes_since(changes.revision).removed == (gone,)
    stage.at(3, a=11)
    assert stage.book.changes_since(changes.revision).removed == (), "it is back: a client must not remove it"
    assert stage.book.changes_since(99).since == 0
    assert len(stage.book.changes_since(0).alerts) == 2


def test_nothing_changed_is_an_empty_outcome_with_the_same_revision() -> None:
    stage = Stage()
    before = stage.at(0, a=1).revision
    outcome = stage.at(1, a=2)
    assert outcome.revision == before
    assert not outcome.lasting


def test_a_clock_set_back_neither_fires_early_nor_blocks() -> None:
    stage = Stage(make_rule(more='for = "10s"'))
    stage.at(1000, a=11)
    stage.at(0, a=11)
    assert stage.alerts["a"].state is State.PENDING
    assert kinds(stage.at(10, a=11)) == ["firing"]
