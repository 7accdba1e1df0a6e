"""Recording and alerting rules of Prometheus files, judged without a clock."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.query.groupstate import RuleFailedError, RuleState, Sample, expand, number
from monitor.query.history import STALE_BITS, Answer, Labels, Matrix
from monitor.query.rulegroups import GroupRule

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


def test_templates_say_value_and_labels_and_leave_the_rest() -> None:
    text = "{{ $labels.host }} has {{$value}} of {{ $value | humanize }}"
    assert expand(text, {"host": "a"}, 2.0) == "a has 2 of {{ $value | humanize }}"
    assert [number(value) for value in (0.5, 3.0, float("inf"), float("nan"))] == ["0.5", "3", "+Inf", "NaN"]
