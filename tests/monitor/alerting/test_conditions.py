from __future__ import annotations

import math

from monitor.alerting.book import AlertBook
from monitor.alerting.model import State
from monitor.alerting.world import Answered, Instance
from monitor.model.series import Kind, SeriesKey
from tests.monitor.alerting.living import START, Living, rule_of, rules_of

RATE = 'type = "rate", operator = "gt", value = 50, window = "10s", against = "30s", field = "mean"'


def test_a_change_in_percent_is_judged_against_the_same_window_earlier() -> None:
    living = Living(rule_of(RATE))
    living.play(60, a=100, b=100)
    living.play(15, a=151, b=149)
    assert living.firing() == ["r s=a"]
    assert living.alert("r s=a").value == 51.0


def test_a_change_ends_when_the_earlier_value_has_caught_up() -> None:
    living = Living(rule_of(RATE))
    living.play(60, a=100)
    living.play(60, a=200)
    assert living.firing() == []
    assert living.times("resolved") != []


def test_a_fall_is_told_of_the_size_of_what_was_before() -> None:
    living = Living(rule_of('type = "rate", operator = "lt", value = -10, window = "5s", against = "20s", field = "mean"'))
    living.play(40, a=-100)
    living.play(10, a=-120)
    assert (living.firing(), living.alert("r s=a").value) == (["r s=a"], -20.0)


def test_a_change_of_a_counter_counts_silence_as_nothing() -> None:
    text = 'type = "rate", operator = "lt", value = -5, window = "10s", against = "30s", unit = "absolute"'
    living = Living(rule_of(text), kind=Kind.COUNTER)
    living.play(60, a=1)
    living.play(15)
    assert (living.firing(), living.alert("r s=a").value) == (["r s=a"], -10.0)


def test_a_series_without_an_earlier_value_is_not_judged_by_change() -> None:
    living = Living(rule_of(RATE))
    living.play(20, a=100)
    assert living.firing() == []


ABSENCE = 'type = "absence", window = "30s"'


def test_a_series_that_stops_is_missed_and_comes_back() -> None:
    living = Living(rule_of(ABSENCE))
    living.play(60, a=1, b=1)
    living.play(40, b=1)
    assert living.firing() == ["r s=a"]
    assert living.alert("r s=a").detail == "last seen 40 s ago"
    living.play(5, a=1, b=1)
    assert living.firing() == []


def test_a_series_that_left_the_table_is_still_missed() -> None:
    living = Living(rule_of(ABSENCE), idle_expiry=60)
    living.play(10, a=1)
    living.play(90, b=1)
    assert living.firing() == ["r s=a"]
    assert living.engine.counters.expired_series == 1


def test_one_that_is_gone_for_long_is_forgotten() -> None:
    living = Living(rule_of('type = "absence", window = "30s", keep = "2m"'))
    living.play(10, a=1, b=1)
    living.play(100, b=1)
    assert living.firing() == ["r s=a"]
    living.play(40, b=1)
    assert living.firing() == []


def test_what_never_came_is_missed_once_the_window_has_passed() -> None:
    living = Living(rule_of(ABSENCE, metric="metric = 'heartbeat{job=\"backup\"}'"))
    living.play(30, a=1)
    assert living.firing() == []
    living.play(5, a=1)
    assert living.firing() == ["r job=backup"]
    assert living.alert("r job=backup").detail == "never seen since the collector started"


def test_after_a_start_nobody_is_missed_before_the_whole_window_has_passed() -> None:
    before = Living(rule_of(ABSENCE))
    before.play(10, a=1)
    after = Living(rule_of(ABSENCE))
    after.engine, after.second = before.engine, 100  # nobody looked for 90 seconds
    after.play(25)
    assert after.firing() == []
    after.play(10)
    assert after.firing() == ["r s=a"]


FORECAST = 'type = "predictive", operator = "gt", value = 1000, window = "5m", horizon = "10m", field = "last"'


def test_a_disk_that_fills_is_told_before_it_is_full() -> None:
    living = Living(rule_of(FORECAST))
    living.play(300, a=lambda second: second, b=lambda second: 500 + 5 * math.sin(second))
    assert living.firing() == []
    living.play(200, a=lambda second: second, b=500)
    assert living.firing() == ["r s=a"]
    assert living.alert("r s=a").detail.startswith("reaches 1000 in about ")
    assert 380 < living.times("firing")[0] < 430, "600 seconds before, and a little for being sure"


def test_a_forecast_that_is_unsure_does_not_page() -> None:
    noisy = Living(rule_of(FORECAST), rule_of(FORECAST + ", confidence = 0.5", name="half"))
    noisy.play(450, a=lambda second: second + 300 * math.sin(second * 1.7))
    assert noisy.firing() == ["half s=a"]


def test_a_forecast_downwards_looks_at_the_upper_bound() -> None:
    text = 'type = "predictive", operator = "lt", value = 0, window = "5m", horizon = "10m", field = "last"'
    living = Living(rule_of(text))
    living.play(450, a=lambda second: 1000 - second)
    assert living.firing() == ["r s=a"]


def test_a_flat_series_is_never_forecast_to_cross() -> None:
    living = Living(rule_of(FORECAST))
    living.play(400, a=999)
    assert living.firing() == []


def test_series_are_judged_together_by_their_labels() -> None:
    more = 'group_by = ["zone"]\naggregate = "sum"'
    living = Living(rule_of('type = "threshold", operator = "gt", value = 10, window = "10s", field = "last"', more))
    living.tags = {"a": {"zone": "x"}, "b": {"zone": "x"}, "c": {"zone": "y"}, "d": {}}
    living.play(5, a=6, b=6, c=9, d=5)
    assert living.firing() == ["r zone=x"]
    assert living.alert("r zone=x").value == 12.0
    living.play(5, a=1, b=6, c=9, d=11)
    assert living.firing() == ["r"]


def test_a_group_of_all_takes_every_series_and_each_aggregate_is_what_it_says() -> None:
    wanted = {"sum": 12.0, "mean": 4.0, "min": 1.0, "max": 7.0, "count": 3.0}
    text = 'type = "threshold", operator = "gt", value = 0, window = "10s", field = "last"'
    rules = [rule_of(text, f'group_by = []\naggregate = "{how}"', name=how) for how in wanted]
    living = Living(*rules)
    living.play(3, a=1, b=4, c=7)
    assert {alert.rule_id: alert.value for alert in living.book.alerts.values()} == wanted


def _composite(expression: str, by: str = "") -> Living:
    own = [rule_of(LIMIT, metric=f"metric = 'm{{s=~\"{s}.*\"}}'", name=s) for s in "ab"]
    return Living(rule_of(f'type = "composite", rules = "{expression}"{by}', metric="", name="both"), *own)


def test_a_composite_rule_fires_as_long_as_its_expression_holds() -> None:
    living = _composite("a and not b")
    living.play(5, a=9, b=1)
    assert "both" in living.firing()
    assert living.alert("both").detail == "a fires, b does not fire"
    living.play(5, a=9, b=9)
    assert "both" not in living.firing()


def test_a_composite_rule_with_by_is_judged_for_each_value() -> None:
    living = _composite("a and b", ', by = ["zone"]')
    living.tags = {"a1": {"zone": "x"}, "a2": {"zone": "y"}, "b1": {"zone": "x"}, "b2": {"zone": "y"}}
    living.play(5, a1=9, a2=9, b1=9, b2=1)
    assert [name for name in living.firing() if name.startswith("both")] == ["both zone=x"]


def test_what_is_not_known_neither_begins_nor_ends_a_composite_alert() -> None:
    living = _composite("a and missing")
    living.play(5, a=9)
    assert "both" not in living.states()
    living = _composite("a or missing")
    living.play(5, a=9)
    assert "both" in living.firing()
    living.play(5, a=1)
    assert living.alert("both").no_data


def _answer(*values: float, error: str = "") -> Answered:
    return Answered(tuple(Instance(SeriesKey("", (("s", str(place)),)), value) for place, value in enumerate(values)), error)


PROMQL = 'type = "promql", expr = "sum by (s) (m) > 5"'


def test_each_series_of_an_answer_is_an_alert() -> None:
    living = Living(rule_of(PROMQL, 'for = "5s"', metric=""))
    living.answers["r"] = _answer(6, 7)
    living.play(4)
    assert set(living.states().values()) == {State.PENDING}
    living.play(2)
    assert living.firing() == ["r s=0", "r s=1"]
    assert living.alert("r s=1").threshold == 5.0
    living.answers["r"] = _answer(6)
    living.play(1)
    assert living.firing() == ["r s=0"]


def test_a_query_that_fails_leaves_its_alerts_as_they_are_and_says_why() -> None:
    living = Living(rule_of(PROMQL, metric=""))
    living.answers["r"] = _answer(6)
    living.play(2)
    living.answers["r"] = _answer(error="the query took too long")
    living.play(5)
    assert living.firing() == ["r s=0"]
    assert living.book.problems == {"r": "Cannot be judged: the query took too long"}


def test_before_the_first_answer_a_restored_alert_waits() -> None:
    first = Living(rule_of(PROMQL, metric=""))
    first.answers["r"] = _answer(6)
    first.play(2)
    after = Living(rule_of(PROMQL, metric=""), book=AlertBook(value_refresh=0))
    after.second = 5
    after.book.restore(first.book.alerts.values(), (), 1, START + 5)
    after.play(10)
    assert after.firing() == ["r s=0"]
    after.answers["r"] = _answer()
    after.play(700)
    assert after.firing() == []


def test_a_value_that_is_no_number_is_an_alert_all_the_same() -> None:
    living = Living(rule_of(PROMQL, metric=""))
    living.answers["r"] = _answer(math.nan)
    living.play(10)
    assert (living.firing(), living.alert("r s=0").value, living.alert("r s=0").no_data) == (["r s=0"], None, False)


def test_decided_states_are_followed_and_labels_taken_whole() -> None:
    living = Living(rule_of(PROMQL, 'for = "1h"', metric=""))
    labels = (("alertname", "Slow"), ("s", "x"), ("severity", "page"))
    instance = Instance(SeriesKey("", (("s", "x"),)), 6.0, "pending", labels, START - 100)
    living.answers["r"] = Answered((instance,))
    living.play(2)
    alert = next(iter(living.book.alerts.values()))
    assert (alert.labels, alert.state, alert.severity, alert.active_at) == (labels, State.PENDING, "critical", START - 100)
    living.answers["r"] = Answered((Instance(instance.series, 6.0, "firing", labels, START - 100, "it is slow"),))
    living.play(2)
    assert next(iter(living.book.alerts.values())).state is State.FIRING
    living.answers["r"] = Answered(())
    living.play(1)
    assert next(iter(living.book.alerts.values())).state is State.RESOLVED


LIMIT = 'type = "threshold", operator = "gt", value = 5, window = "5s", field = "last"'


def test_an_alert_is_kept_firing_after_its_condition_has_cleared() -> None:
    living = Living(rule_of(LIMIT, 'keep_firing_for = "20s"'))
    living.play(5, a=9)
    living.play(15, a=1)
    assert living.firing() == ["r s=a"]
    living.play(3, a=9)
    assert living.alert("r s=a").kept_since is None
    living.play(25, a=1)
    assert living.firing() == []
    assert living.times("resolved") == [44]


def test_one_that_is_kept_firing_and_whose_series_left_is_found_again() -> None:
    living = Living(rule_of(PROMQL, 'keep_firing_for = "20s"', metric=""))
    living.answers["r"] = _answer(6)
    living.play(2)
    living.answers["r"] = _answer()
    living.play(5)
    assert living.firing() == ["r s=0"]
    living.answers["r"] = _answer(6)
    living.play(60)
    assert living.firing() == ["r s=0"]
    assert living.times("firing") == [1]


def test_without_data_an_alert_goes_on_ends_or_begins_as_the_rule_says() -> None:
    text = 'type = "threshold", operator = "gt", value = 5, window = "5s", field = "mean"'
    living = Living(*(rule_of(text, f'no_data = "{policy}"', name=policy) for policy in ("keep", "ok", "alert")))
    living.play(5, a=9, b=1)
    living.play(10)
    assert living.firing() == ["alert s=a", "alert s=b", "keep s=a"]
    assert living.alert("alert s=b").no_data
    assert living.alert("alert s=b").value is None
    living.play(3, a=9, b=1)
    assert living.firing() == ["alert s=a", "keep s=a", "ok s=a"]
    assert not living.alert("alert s=a").no_data


def test_outside_its_schedule_a_rule_is_not_judged_and_its_alerts_end() -> None:
    # 2023-11-14 22:13:20 UTC is the start.
    living = Living(rule_of(LIMIT, 'schedule = { times = ["22:00-22:14"] }'))
    living.play(20, a=9)
    assert living.firing() == ["r s=a"]
    living.play(40, a=9)
    assert living.firing() == []
    assert living.told[-1][2] == "r ended: it is not judged at this time."


def test_a_rule_that_watches_something_else_now_ends_its_alerts() -> None:
    living = Living(rule_of(LIMIT))
    living.play(3, a=9)
    living.rules = (rule_of(LIMIT, "group_by = []"),)
    living.play(1, a=9)
    assert living.firing() == ["r"]


def test_a_detector_that_does_not_run_is_said_at_the_rule() -> None:
    living = Living(rule_of('type = "anomaly", detector = "magic", operator = "gt", value = 3, window = "5m"'))
    living.play(2, a=1)
    assert living.book.problems == {"r": "Cannot be judged: no detector 'magic' runs in this collector"}


def test_a_rule_may_be_told_in_every_kind_of_sentence() -> None:
    from monitor.alerting.wording import sentence

    told = [
        rule_of(RATE),
        rule_of(ABSENCE),
        rule_of(FORECAST, 'for = "5m"'),
        rule_of(PROMQL, metric=""),
        rule_of('type = "composite", rules = "a and b", by = ["zone"]', metric=""),
        rule_of(LIMIT, 'group_by = ["zone"]\nkeep_firing_for = "5m"\nno_data = "alert"'),
    ]
    assert [sentence(rule) for rule in told] == [
        "Alerts warning when the change of the mean of m over 10 s against 30 s earlier is above 50 %.",
        "Alerts warning when nothing comes from m for 30 s.",
        "Alerts warning when the last value of m rises above 1,000 within 10 min (95 % sure, from the last 5 min) for 5 min.",
        "Alerts warning when sum by (s) (m) > 5 gives a series.",
        "Alerts warning when a and b holds of the rules, for each zone.",
        "Alerts warning when the sum of the last value of m for each zone is above 5, and for 5 min after; "
        "also when there are no data.",
    ]
    assert len(rules_of("")) == 0
