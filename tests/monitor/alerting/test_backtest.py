"""What a back-test says is what the book would have said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.backtest import BacktestError, Life, backtest
from monitor.alerting.book import AlertBook
from monitor.alerting.model import Rule, State
from monitor.model.series import Kind, SeriesInfo, series_key
from monitor.query.memory import MemoryHistory
from tests.monitor.alerting.fakes import NAN, FakeEngine, make_rule
from tests.monitor.alerting.living import rule_of

BEGIN = 1_700_000_000.0
GONE = object()


def past(**series: list[tuple[float, float]]) -> MemoryHistory:
    """Samples of `m{s="…"}` by the second since the beginning."""
    history = MemoryHistory()
    for name, samples in series.items():
        times = np.array([round((BEGIN + second) * 1000) for second, _ in samples], np.int64)
        history.append((("__name__", "m"), ("s", name)), times, np.array([value for _, value in samples]))
    return history


def every(seconds: int, *stretches: tuple[int, float]) -> list[tuple[float, float]]:
    """Samples that far apart: (up to this second, this value)."""
    found, at = [], 0
    for until, value in stretches:
        while at < until:
            found.append((float(at), value))
            at += seconds
    return found


def tried(
    rule: Rule, history: MemoryHistory, seconds: float, step: float = 10.0, **others: Rule
) -> list[tuple[str, float, float | None]]:
    """(labels but for the rule's own, start, end) of what would have fired, seconds since the beginning."""
    found = backtest(rule, history, BEGIN, BEGIN + seconds, step, others)
    own = ("__name__", "alertname", "severity")
    return [
        (
            " ".join(f"{name}={value}" for name, value in fired.labels if name not in own),
            fired.start - BEGIN,
            None if fired.end is None else fired.end - BEGIN,
        )
        for fired in found.fired
    ]


# ------------------------------------------------------------ beside the book

cells = st.sampled_from([0.0, 7.0, 9.0, 11.0, 20.0, NAN, GONE])
rules = st.builds(
    lambda for_, keep, cooldown, no_data, recovery, operator: make_rule(
        operator=operator,
        value=10,
        condition=(f", recovery = {8 if operator == 'gt' else 12}" if recovery else ""),
        more=f'for = "{for_}s"\nkeep_firing_for = "{keep}s"\ncooldown = "{cooldown}s"\nno_data = "{no_data}"',
    ),
    st.sampled_from([0, 1, 25, 60]),
    st.sampled_from([0, 15, 30]),
    st.sampled_from([0, 45]),
    st.sampled_from(["keep", "ok", "alert"]),
    st.booleans(),
    st.sampled_from(["gt", "lt"]),
)


@settings(max_examples=300, deadline=None)
@given(rules, st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=25), st.sampled_from([2, 1000]))
def test_the_life_of_many_alerts_is_that_of_the_book(rule: Rule, columns: list[list[object]], most: int) -> None:
    engine, book = FakeEngine(), AlertBook(instances_per_rule=most, value_refresh=0)
    life, spans, told, refused = Life(rule, most), [], 0, 0
    firing: dict[str, float] = {}
    for number, column in enumerate(columns):
        now = BEGIN + 10.0 * number
        engine.table.infos = [
            None if cell is GONE else SeriesInfo(row, series_key("m", {"s": "abc"[row]}.items()), Kind.GAUGE)
            for row, cell in enumerate(column)
        ]
        engine.values = {row: NAN if cell is GONE else float(str(cell)) for row, cell in enumerate(column)}
        outcome = book.judge(now, [rule], engine)
        told += len(outcome.notifications)
        for alert in book.alerts.values():
            name = dict(alert.labels)["s"]
            if alert.state is State.FIRING and firing.get(name) != alert.fired_at:
                firing[name] = alert.fired_at or 0.0
            if alert.state is State.RESOLVED and name in firing:
                spans.append(("abc".index(name), firing.pop(name), alert.resolved_at))
        values = np.array([[NAN if cell is GONE else float(str(cell))] for cell in column])
        life.steps(np.array([now]), values, np.array([[cell is GONE] for cell in column]))
        refused = book.refused_instances
        now_firing = sorted("abc".index(dict(a.labels)["s"]) for a in book.alerts.values() if a.state is State.FIRING)
        assert now_firing == np.flatnonzero(life.firing).tolist(), f"at {number}"
    assert sorted(life.firings) == sorted(spans)
    assert life.notified == told
    assert life.refused == refused


def test_it_does_not_matter_how_the_time_is_cut() -> None:
    random = np.random.default_rng(3)
    values = random.normal(8, 4, (5, 200))
    values[random.random(values.shape) < 0.1] = NAN
    times, gone = np.linspace(BEGIN, BEGIN + 1990, 200), np.zeros(values.shape, np.bool_)
    rule = make_rule(more='for = "20s"\nkeep_firing_for = "30s"\ncooldown = "60s"')
    whole, cut = Life(rule), Life(rule)
    whole.steps(times, values, gone)
    for at in (0, 1, 50, 137):
        until = {0: 1, 1: 50, 50: 137, 137: 200}[at]
        cut.steps(times[at:until], values[:, at:until], gone[:, at:until])
    assert (whole.firings, whole.notified) == (cut.firings, cut.notified)
    assert whole.firings


# ------------------------------------------------------------ what each type of rule would have said


def test_a_threshold_fires_from_when_it_was_crossed_for_its_time_until_it_recovers() -> None:
    rule = rule_of('type = "threshold", operator = "gt", value = 10, recovery = 5, window = "1m"', 'for = "1m"')
    history = past(a=every(10, (600, 1.0), (1200, 20.0), (1500, 8.0), (2000, 1.0)), b=every(10, (2000, 2.0)))
    assert tried(rule, history, 1990) == [("s=a", 660.0, 1500.0)]


def test_what_fires_at_the_end_has_none_yet() -> None:
    rule = rule_of('type = "threshold", operator = "gt", value = 10, window = "1m"')
    assert tried(rule, past(a=every(10, (600, 1.0), (1200, 20.0))), 1190) == [("s=a", 600.0, None)]


def test_an_alert_that_comes_back_soon_flaps_and_is_told_of_after_its_cooldown_only() -> None:
    rule = rule_of('type = "threshold", operator = "gt", value = 10, window = "1m"', 'cooldown = "30m"')
    found = backtest(rule, past(a=every(10, *((60 * n, 20.0 if n % 2 else 1.0) for n in range(1, 21)))), BEGIN, BEGIN + 1190, 10)
    assert (found.firings, found.alerts, found.flaps) == (10, 1, 9)
    assert found.notified == 2, "the first firing and its end"
    assert found.seconds == found.covered == 600


def test_a_change_is_judged_against_what_was_before() -> None:
    rule = rule_of('type = "rate", operator = "gt", value = 50, window = "1m", against = "5m", field = "mean"')
    found = tried(rule, past(a=every(10, (1200, 10.0), (3000, 20.0))), 2990)
    assert len(found) == 1
    assert 1200 < found[0][1] <= 1260
    assert found[0][2] is not None
    assert 1500 <= found[0][2] <= 1560


def test_absence_is_seen_for_each_series_and_for_one_that_never_came() -> None:
    rule = rule_of('type = "absence", window = "5m"')
    history = past(a=[*every(10, (600, 1.0)), *((second, 1.0) for second in range(1200, 1800, 10))], b=every(10, (1800, 1.0)))
    assert tried(rule, history, 1790) == [("s=a", 900.0, 1200.0)]
    assert tried(rule, MemoryHistory(), 1790) == [("", 310.0, None)]


def test_a_promql_rule_fires_for_every_series_that_its_expression_gives() -> None:
    rule = rule_of('type = "promql", expr = "m > 10", every = "10s"', 'for = "1m"', metric="")
    history = past(a=every(10, (600, 1.0), (1200, 20.0), (2000, 1.0)), b=every(10, (2000, 2.0)))
    assert tried(rule, history, 1990) == [("s=a", 660.0, 1200.0)]


def test_a_composite_rule_is_judged_on_what_the_others_would_have_said() -> None:
    high = rule_of('type = "threshold", operator = "gt", value = 10, window = "1m"', name="high")
    gone = rule_of('type = "absence", window = "5m"', name="gone")
    both = rule_of('type = "composite", rules = "high and not gone", by = ["s"]', name="both", metric="")
    history = past(a=every(10, (600, 1.0), (1200, 20.0)), b=every(10, (2400, 2.0)))
    assert tried(both, history, 2390, high=high, gone=gone) == [("s=a", 600.0, 1500.0)]
    with pytest.raises(BacktestError, match="not there"):
        tried(both, history, 2390, high=high)


def test_a_forecast_is_made_at_each_judgement_from_what_was_known_then() -> None:
    rule = rule_of('type = "predictive", operator = "gt", value = 100, window = "10m", horizon = "10m", field = "last"')
    rising = [(float(second), second / 40) for second in range(0, 4000, 10)]
    found = tried(rule, past(a=rising), 3990, 60)
    assert len(found) == 1
    assert 3300 <= found[0][1] <= 3600, "ten minutes before the line reaches 100"


def test_groups_are_judged_together() -> None:
    rule = rule_of('type = "threshold", operator = "gt", value = 30, window = "1m"', "group_by = []")
    history = past(a=every(10, (600, 10.0), (1200, 20.0)), b=every(10, (1200, 15.0)))
    assert tried(rule, history, 1190) == [("", 600.0, None)]


def test_a_rule_on_a_detector_is_refused_and_says_why() -> None:
    rule = make_rule()
    with pytest.raises(BacktestError, match="end must be after"):
        backtest(rule, MemoryHistory(), BEGIN, BEGIN)


def test_two_weeks_are_judged_every_minute_and_the_answer_says_so() -> None:
    rule = rule_of('type = "threshold", operator = "gt", value = 10, window = "1m"')
    found = backtest(rule, past(a=every(60, (600, 20.0))), BEGIN - 14 * 86_400, BEGIN)
    assert found.step == 60
    assert "every 60 s" in found.notes[0]
