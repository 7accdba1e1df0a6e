"""From parsed answers to batches: tags, increments, staleness and what is left out."""

from __future__ import annotations

import math

import pytest

from collector.receivers.prometheus.exposition_parser import ExpositionParser
from collector.receivers.prometheus.limits import LimitError, SeriesLimits
from collector.receivers.prometheus.relabel import read_rules
from collector.receivers.prometheus.series import Batches, ScrapeCounters, TargetSeries
from collector.receivers.prometheus.target import Policy
from monitor.model.batch import Batch
from monitor.model.series import Kind

REPORTS = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
}


class Target:
    """A target whose answers are given as text."""

    def __init__(self, tags: dict[str, str] | None = None, honor_labels: bool = False) -> None:
        self.counters = ScrapeCounters()
        self.parser = ExpositionParser(openmetrics=False)
        self.series = TargetSeries(tags or {}, honor_labels, self.counters)
        self.reports: dict[str, float] = {}
        self.kept: dict[str, float] = {}
        """What the history gets."""

    def answers(self, text: str, now: float = 1000.0) -> dict[str, float]:
        return self._read(self.series.taken(self.parser.parse(text.encode()), self.parser, now, 0.25))

    def fails(self, now: float = 1000.0) -> dict[str, float]:
        return self._read(self.series.failed(now, 0.5))

    def ends(self, now: float = 1000.0) -> dict[str, float]:
        return self._read(self.series.ended(now))

    def _read(self, batches: Batches) -> dict[str, float]:
        seen: dict[str, float] = {}
        self.kept = {}
        for batch in (batch for batch in batches if isinstance(batch, Batch)):
            for series, value in zip(batch.ids.tolist(), batch.values.tolist(), strict=True):
                key = batch.space.keys[series]
                if batch.raw and key.name not in REPORTS:
                    self.kept[key.label()] = value
                if not batch.windowed:
                    continue
                (self.reports if key.name in REPORTS else seen)[key.name if key.name in REPORTS else key.label()] = value
        return seen


def stale(seen: dict[str, float]) -> set[str]:
    return {label for label, value in seen.items() if math.isnan(value)}


def test_gauges_are_readings_and_counters_increments() -> None:
    target = Target()
    text = "# TYPE c counter\nc {}\n# TYPE g gauge\ng {}\n"
    assert target.answers(text.format(10, 1.5)) == {"g": 1.5}
    assert target.answers(text.format(13, 2.5)) == {"g": 2.5, "c": 3.0}
    assert target.answers(text.format(2, 2.5)) == {"g": 2.5, "c": 2.0}, "a counter that fell began anew"


def test_the_history_gets_counters_as_they_came_from_the_first_scrape_on() -> None:
    target = Target()
    text = "# TYPE c counter\nc {}\n# TYPE g gauge\ng {}\n"
    target.answers(text.format(10, 1.5))
    assert target.kept == {"g": 1.5, "c": 10.0}
    target.answers(text.format(2, 2.5))
    assert target.kept == {"g": 2.5, "c": 2.0}
    target.fails()
    assert stale(target.kept) == {"g", "c"}, "and the end of both"


def test_every_scrape_reports_on_itself() -> None:
    target = Target()
    target.answers("a 1\nb 2\n")
    went_well = {"up": 1.0, "scrape_duration_seconds": 0.25, "scrape_samples_scraped": 2.0}
    assert target.reports == went_well | {"scrape_samples_post_metric_relabeling": 2.0, "scrape_series_added": 2.0}
    target.answers("a 1\nc 2\nb 3\n")
    assert target.reports["scrape_series_added"] == 1.0
    target.fails()
    assert target.reports == dict.fromkeys(REPORTS, 0.0) | {"scrape_duration_seconds": 0.5}


def test_a_vanished_series_is_marked_once_and_counts_anew_when_it_returns() -> None:
    target = Target()
    target.answers("# TYPE c counter\nc 5\ng 1\nh 1\n")
    gone = target.answers("h 1\n")
    assert stale(gone) == {"c", "g"}
    assert stale(target.answers("h 1\n")) == set()
    assert "c" not in target.answers("# TYPE c counter\nc 50\nh 1\n")


def test_a_failed_scrape_marks_everything_once() -> None:
    target = Target()
    target.answers("# TYPE c counter\nc 5\ng 1\n")
    assert stale(target.fails()) == {"c", "g"}
    assert target.fails() == {}
    assert target.answers("# TYPE c counter\nc 9\ng 1\n") == {"g": 1.0}
    assert target.series.live == 2


def test_target_tags_are_added_and_clashing_labels_renamed() -> None:
    target = Target({"job": "web", "instance": "h:1", "env": "prod"})
    seen = target.answers('a{job="own",exported_job="x",le="1"} 1\n')
    assert list(seen) == ['a{env="prod",exported_exported_job="own",exported_job="x",instance="h:1",job="web",le="1"}'] or list(
        seen
    ) == ['a{env="prod",exported_exported_job="x",exported_job="own",instance="h:1",job="web",le="1"}']


def test_with_honor_labels_the_targets_own_win() -> None:
    target = Target({"job": "web", "instance": "h:1"}, honor_labels=True)
    assert list(target.answers('a{job="own"} 1\n')) == ['a{instance="h:1",job="own"}']


def test_a_counter_that_is_no_number_is_left_out_and_counted() -> None:
    target = Target()
    text = '# TYPE c counter\nc {}\nc{{n="1"}} {}\nd +Inf\ne NaN\n'
    target.answers(text.format(1, 1))
    seen = target.answers(text.format("NaN", "+Inf"))
    assert stale(seen) == {"e"}
    assert seen["d"] == math.inf
    assert set(seen) == {"d", "e"}
    assert target.counters.not_finite == 2
    assert target.answers(text.format(4, 5))["c"] == 3.0, "what was left out does not disturb the count"


def test_a_series_over_the_bounds_of_the_table_is_left_out_and_counted() -> None:
    target = Target()
    assert target.answers(f'a{{x="{"y" * 300}"}} 1\nb 1\n') == {"b": 1.0}
    assert target.counters.oversized == 1


def test_own_timestamps_are_kept_unless_they_lie_ahead() -> None:
    target = Target()
    samples = target.parser.parse(b"a 1 999500\nb 2\nc 3 2000000\n")
    batch = target.series.taken(samples, target.parser, 1000.0, 0.1)[0]
    assert isinstance(batch, Batch)
    times = {batch.space.keys[series].name: time for series, time in zip(batch.ids.tolist(), batch.times.tolist(), strict=True)}
    assert times == {"a": 999.5, "b": 1000.0}
    assert target.counters.ahead == 1


def test_timestamps_stay_with_their_counters() -> None:
    target = Target()
    text = '# TYPE c counter\nc{{n="1"}} {0} 1000\n{2}c{{n="3"}} {0} 3000\n'
    target.series.taken(target.parser.parse(text.format(1, 1, "").encode()), target.parser, 1000.0, 0.1)
    samples = target.parser.parse(text.format(5, 5, 'c{n="2"} 7 2000\n').encode())
    batches = target.series.taken(samples, target.parser, 1000.0, 0.1)
    rows = [
        (batch.space.keys[series].label(), value, time)
        for batch in batches
        if isinstance(batch, Batch) and not batch.raw
        for series, value, time in zip(batch.ids.tolist(), batch.values.tolist(), batch.times.tolist(), strict=True)
        if batch.space.keys[series].name == "c"
    ]
    assert rows == [('c{n="1"}', 4.0, 1.0), ('c{n="3"}', 4.0, 3.0)]


def test_a_changed_type_marks_the_old_series_and_begins_a_new_space() -> None:
    target = Target()
    target.answers("# TYPE a gauge\na 1\n")
    before = target.series.space
    target.answers("# TYPE a counter\na 1\n")
    assert target.series.space is not before
    assert target.answers("# TYPE a counter\na 4\n") == {"a": 3.0}
    assert target.series.space.kinds[-1] is Kind.COUNTER


@pytest.mark.parametrize("count", [1, 1000])
def test_batches_hold_one_sample_a_series(count: int) -> None:
    target = Target()
    text = "# TYPE c counter\n" + "".join(f'c{{n="{number}"}} {{0}}\ng{{n="{number}"}} {{0}}\n' for number in range(count))
    text = text.replace("{n=", "{{n=").replace('"}', '"}}')
    target.answers(text.format(1))
    seen = target.answers(text.format(3))
    assert len(seen) == 2 * count
    assert sum(seen.values()) == count * (2 + 3)


def relabelled(*rules: dict[str, object], **limits: int) -> Target:
    target = Target({"job": "web"})
    policy = Policy(metric_relabel=read_rules(rules), limits=SeriesLimits(**limits))
    target.series = TargetSeries({"job": "web"}, False, target.counters, policy)
    return target


def test_metrics_are_relabelled_with_the_targets_tags_on_them() -> None:
    target = relabelled(
        {"source_labels": ["__name__", "job"], "regex": "noise_.*;web", "action": "drop"},
        {"source_labels": ["__name__"], "regex": "old_(.*)", "target_label": "__name__", "replacement": "new_$1"},
        {"regex": "pod", "action": "labeldrop"},
    )
    assert target.answers('noise_a 1\nold_b{pod="x",zone="y"} 2\n') == {'new_b{job="web",zone="y"}': 2.0}
    assert target.reports["scrape_samples_scraped"] == 2.0
    assert target.reports["scrape_samples_post_metric_relabeling"] == 1.0
    assert target.counters.dropped == 1
    target.answers('noise_a 1\nold_b{pod="x",zone="y"} 3\n')
    assert target.counters.dropped == 1, "once for a series, not for every sample"


def test_of_series_that_relabelling_made_one_the_first_counts() -> None:
    target = relabelled({"regex": "pod", "action": "labeldrop"})
    text = '# TYPE c counter\nc{{pod="x"}} {}\nc{{pod="y"}} {}\n'
    target.answers(text.format(1, 100))
    assert target.answers(text.format(3, 200)) == {'c{job="web"}': 2.0}
    assert target.counters.duplicates == 2


def test_a_scrape_over_the_sample_limit_fails_and_counts_after_relabelling() -> None:
    target = relabelled({"source_labels": ["__name__"], "regex": "a", "action": "drop"}, samples=2)
    assert target.answers("a 1\nb 1\nc 1\n") != {}
    with pytest.raises(LimitError, match="3 samples after relabelling; sample_limit is 2"):
        target.answers("b 1\nc 1\nd 1\n")
    assert stale(target.fails()) == {'b{job="web"}', 'c{job="web"}'}
    assert target.answers("b 1\n") == {'b{job="web"}': 1.0}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"labels": 2}, "label_limit"),
        ({"name_length": 3}, "label_name_length_limit"),
        ({"value_length": 3}, "value_length_limit"),
    ],
)
def test_a_label_over_a_limit_of_the_job_fails_the_scrape_as_long_as_it_is_there(limits: dict[str, int], reason: str) -> None:
    target = relabelled(**limits)
    for _ in range(2):
        with pytest.raises(LimitError, match=reason):
            target.answers('a 1\nb{label="value"} 1\n')
    if "name_length" not in limits:
        assert target.answers("a 1\n") == {'a{job="web"}': 1.0}


def test_timestamps_may_be_left_aside() -> None:
    target = Target()
    target.series = TargetSeries({}, False, target.counters, Policy(honor_timestamps=False))
    batch = target.series.taken(target.parser.parse(b"a 1 999500\nb 2\n"), target.parser, 1000.0, 0.1)[0]
    assert batch.times.tolist() == [1000.0, 1000.0]


def test_a_target_that_is_none_any_more_ends_with_its_reports() -> None:
    target = Target()
    target.answers("a 1\n")
    target.ends()
    assert math.isnan(target.kept["a"])
    assert math.isnan(target.reports["up"])
