"""Recording and alerting rules of Prometheus files, judged without a clock."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.query.groupstate import RuleFailedError, RuleState, Sample
from monitor.query.history import STALE_BITS, Answer, Labels, Matrix
from monitor.query.rulegroups import GroupRule
from monitor.query.templates import Answers, UnansweredError

SECOND = 1000


def answer(found: dict[tuple[tuple[str, str], ...], float]) -> Answer:
    values = np.array([[value] for value in found.values()]).reshape(len(found), 1)
    return Answer("vector", Matrix(tuple(found), np.array([0]), values, np.ones(values.shape, np.bool_)))


def labels(**pairs: str) -> Labels:
    return tuple(sorted({name.replace("name__", "__name__"): value for name, value in pairs.items()}.items()))


def told(samples: list[Sample]) -> dict[Labels, float]:
    return dict(samples)


def is_stale(value: float) -> bool:
    return int(np.array([value]).view(np.uint64)[0]) == STALE_BITS


A, B = labels(host="a"), labels(host="b")


def test_a_recording_rule_names_its_series_and_adds_its_labels() -> None:
    state = RuleState(GroupRule("x", record="sum:x", labels=(("host", ""), ("team", "web"))))
    samples = state.judge(answer({labels(name__="x", host="a", job="j"): 4.0}), 1)
    assert samples == [(labels(name__="sum:x", job="j", team="web"), 4.0)]


def test_a_recorded_series_that_is_gone_ends_with_a_marker() -> None:
    state = RuleState(GroupRule("x", record="sum:x"))
    state.judge(answer({A: 1.0, B: 2.0}), 1)
    samples = told(state.judge(answer({A: 1.0}), 2))
    assert is_stale(samples[labels(name__="sum:x", host="b")])
    assert len(state.judge(answer({A: 1.0}), 3)) == 1, "and says so once"


def test_an_expression_that_fails_ends_all_its_series() -> None:
    state = RuleState(GroupRule("x", record="sum:x"))
    state.judge(answer({A: 1.0}), 1)
    assert [is_stale(value) for _, value in state.fail()] == [True]


def test_two_results_of_one_name_fail_the_rule() -> None:
    state = RuleState(GroupRule("x", record="sum:x", labels=(("host", "all"),)))
    with pytest.raises(RuleFailedError, match="same labelset"):
        state.judge(answer({A: 1.0, B: 2.0}), 1)


def test_more_series_than_the_limit_fail_the_rule() -> None:
    state = RuleState(GroupRule("x", record="sum:x"))
    with pytest.raises(RuleFailedError, match="exceeded limit of 1 with 2 series"):
        state.judge(answer({A: 1.0, B: 2.0}), 1, limit=1)


def test_an_alert_is_pending_for_its_time_and_then_fires() -> None:
    state = RuleState(GroupRule("x", alert="Bad", for_seconds=60))
    seen = []
    for second in (0, 30, 59, 60, 90):
        state.judge(answer({A: 1.0}), second * SECOND)
        seen.append(state.state)
    assert seen == ["pending", "pending", "pending", "firing", "firing"]


def test_an_alert_without_a_time_fires_at_once_and_is_written_as_prometheus_does() -> None:
    state = RuleState(GroupRule("x", alert="Bad", labels=(("severity", "page"),)))
    samples = told(state.judge(answer({A: 1.0}), 5 * SECOND))
    assert samples == {
        labels(name__="ALERTS", alertname="Bad", alertstate="firing", host="a", severity="page"): 1.0,
        labels(name__="ALERTS_FOR_STATE", alertname="Bad", host="a", severity="page"): 5.0,
    }


def test_missing_from_one_judgement_ends_it_but_for_the_time_it_is_kept() -> None:
    at_once, kept = RuleState(GroupRule("x", alert="Bad")), RuleState(GroupRule("x", alert="Bad", keep_firing_for=60))
    for state in (at_once, kept):
        state.judge(answer({A: 1.0}), 0)
        state.judge(answer({}), 30 * SECOND)
    assert (at_once.state, kept.state) == ("inactive", "firing")
    kept.judge(answer({}), 91 * SECOND)
    assert kept.state == "inactive"


def test_more_alerts_than_the_limit_clear_all_of_them() -> None:
    state = RuleState(GroupRule("x", alert="Bad"))
    state.judge(answer({A: 1.0}), 0, limit=1)
    with pytest.raises(RuleFailedError, match="exceeded limit of 1 with 2 alerts"):
        state.judge(answer({A: 1.0, B: 1.0}), 1, limit=1)
    assert not state.alerts


@pytest.mark.parametrize(
    ("down_for", "pending_since"),
    [
        (300, 3300 - 300 - 1000),  # waited 1,000 of 1,200 s: what was left is less than the grace, so the grace is waited
        (2000, 3300 - 2000 - 1000),
    ],
)
def test_after_a_restart_a_pending_alert_goes_on_from_where_it_was(down_for: int, pending_since: int) -> None:
    state = RuleState(GroupRule("x", alert="Bad", for_seconds=1200))
    now = 3300
    state.judge(answer({A: 1.0}), now * SECOND)
    alert = labels(alertname="Bad", host="a")
    state.restore({alert: (float(pending_since), (now - down_for) * SECOND)}, now * SECOND, 600 * SECOND)
    fires_at = state.alerts[alert].active_at / SECOND + 1200
    assert fires_at == now + 600


def test_what_would_have_fired_before_the_outage_fires_at_the_next_judgement() -> None:
    state = RuleState(GroupRule("x", alert="Bad", for_seconds=60))
    state.judge(answer({A: 1.0}), 1000 * SECOND)
    state.restore({labels(alertname="Bad", host="a"): (500.0, 700 * SECOND)}, 1000 * SECOND, 600 * SECOND)
    state.judge(answer({A: 1.0}), 1010 * SECOND)
    assert state.state == "firing"


# ------------------------------------------------------------ the cases of the alert generator's specification


def played(state: RuleState, seconds: dict[int, dict[Labels, float]]) -> list[str]:
    """The rule's state after each judgement."""
    states: list[str] = []
    for second, found in seconds.items():
        state.judge(answer(found), second * SECOND)
        states.append(state.state)
    return states


def test_a_series_that_is_missing_once_begins_to_wait_anew() -> None:
    state = RuleState(GroupRule("x", alert="Bad", for_seconds=60))
    present, missing = {A: 1.0}, dict[Labels, float]()
    told = played(state, {0: present, 30: present, 60: missing, 90: present, 120: present, 150: present})
    assert told == ["pending", "pending", "inactive", "pending", "pending", "firing"]


def test_a_series_that_comes_back_while_it_is_kept_fires_on_as_the_same_alert() -> None:
    state = RuleState(GroupRule("x", alert="Bad", keep_firing_for=60))
    told = played(state, {0: {A: 1.0}, 30: {}, 60: {A: 1.0}, 90: {}, 120: {}, 150: {}})
    assert told == ["firing", "firing", "firing", "firing", "firing", "inactive"], "the time it is kept begins anew"
    assert [(alert.active_at, alert.fired_at) for alert in state.alerts.values()] == [(0, 0)]


def test_a_resolved_alert_is_told_of_for_fifteen_minutes_and_then_forgotten() -> None:
    state = RuleState(GroupRule("x", alert="Bad"))
    played(state, {0: {A: 1.0}, 60: {}, 60 + 900: {}})
    assert [alert.resolved_at for alert in state.alerts.values()] == [60 * SECOND]
    played(state, {60 + 901: {}})
    assert not state.alerts


def test_a_resolved_alert_that_fires_again_is_a_new_one() -> None:
    state = RuleState(GroupRule("x", alert="Bad"))
    played(state, {0: {A: 1.0}, 60: {}, 120: {A: 1.0}})
    (alert,) = state.alerts.values()
    assert (alert.active_at, alert.fired_at, alert.resolved_at) == (120 * SECOND, 120 * SECOND, None)


def test_alerts_that_labels_make_alike_fail_the_rule_and_those_before_stay() -> None:
    state = RuleState(GroupRule("x", alert="Bad", labels=(("host", "all"),)))
    state.judge(answer({A: 1.0}), 0)
    with pytest.raises(RuleFailedError, match="same labelset"):
        state.judge(answer({A: 1.0, B: 1.0}), 60 * SECOND)
    assert state.state == "firing"


def test_alerts_that_are_kept_count_towards_the_limit() -> None:
    state = RuleState(GroupRule("x", alert="Bad", keep_firing_for=600))
    state.judge(answer({A: 1.0}), 0, limit=1)
    with pytest.raises(RuleFailedError, match="exceeded limit of 1 with 2 alerts"):
        state.judge(answer({B: 1.0}), 60 * SECOND, limit=1)


def test_templates_see_the_name_and_the_value_and_labels_are_templates_too() -> None:
    rule = GroupRule(
        "x", alert="Bad", labels=(("level", "{{ if gt $value 5.0 }}high{{ end }}"),), annotations=(("is", "{{ $labels }}"),)
    )
    state = RuleState(rule)
    state.judge(answer({labels(name__="x", host="a"): 7.0, labels(name__="x", host="b"): 1.0}), 0)
    told = {alert.labels: dict(alert.annotations)["is"] for alert in state.alerts.values()}
    assert told == {
        labels(alertname="Bad", host="a", level="high"): "map[__name__:x host:a]",
        labels(alertname="Bad", host="b"): "map[__name__:x host:b]",
    }, "an empty label is none"


def test_a_template_that_asks_is_judged_once_it_is_answered_and_nothing_before() -> None:
    asks = "{{ query (printf `y{host=%q}` $labels.host) | first | value }}"
    state, answers = RuleState(GroupRule("x", alert="Bad", annotations=(("says", asks),))), Answers()
    with pytest.raises(UnansweredError):
        state.judge(answer({A: 1.0, B: 1.0}), 0, answers=answers)
    assert not state.alerts
    wanted = answers.taken()
    assert wanted == ['y{host="a"}', 'y{host="b"}'], "both at once"
    answers.known = dict.fromkeys(wanted, answer({A: 3.0}))
    state.judge(answer({A: 1.0, B: 1.0}), 0, answers=answers)
    assert [dict(alert.annotations)["says"] for alert in state.alerts.values()] == ["3", "3"]


def test_an_error_in_a_template_stands_in_its_place_and_the_alert_fires() -> None:
    state = RuleState(GroupRule("x", alert="Bad", annotations=(("says", "{{ $labels.host | nothing }}"),)))
    state.judge(answer({A: 1.0}), 0)
    (alert,) = state.alerts.values()
    assert alert.state == "firing"
    assert dict(alert.annotations)["says"].startswith("<error expanding template: error parsing template __alert_Bad: ")
