"""Classic histograms as distributions: what is counted, where it is put, and when counting begins anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.prometheus.exposition_parser import ExpositionParser
from collector.receivers.prometheus.protobuf import ProtobufParser
from collector.receivers.prometheus.series import ScrapeCounters, TargetSeries
from collector.receivers.prometheus.target import Policy
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.series import Kind
from monitor.windows.bins import bins_of, middles_of
from monitor.windows.spread import PLACES
from tests.collector.receivers.prometheus.protobufs import HISTOGRAM, family, histogram, metric, native

BOUNDS = (0.1, 0.25, 1.0, 5.0)


class Target:
    """A target whose histograms are wanted."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.parser = ExpositionParser(openmetrics=False)
        self.counters = ScrapeCounters()
        self.series = TargetSeries({"job": "j"}, False, self.counters, policy or Policy(histograms=True))
        self.plain: set[str] = set()

    def answers(self, text: str, now: float = 1000.0) -> list[HistogramBatch]:
        batches = self.series.taken(self.parser.parse(text.encode()), self.parser, now, 0.1)
        for batch in batches:
            if isinstance(batch, Batch):
                self.plain |= {batch.space.keys[series].name for series in batch.ids.tolist()}
        return [batch for batch in batches if isinstance(batch, HistogramBatch)]


def text(values: list[float], labels: str = "", name: str = "h") -> str:
    """The exposition of a histogram that observed some values."""
    sep = "," if labels else ""
    lines = [f"# TYPE {name} histogram"]
    lines += [f'{name}_bucket{{{labels}{sep}le="{bound}"}} {sum(value <= bound for value in values)}' for bound in BOUNDS]
    lines.append(f'{name}_bucket{{{labels}{sep}le="+Inf"}} {len(values)}')
    lines += [f"{name}_sum{{{labels}}} {sum(values)}", f"{name}_count{{{labels}}} {len(values)}"]
    return "\n".join(lines) + "\n"


VALUES = st.lists(st.floats(0.001, 20), max_size=20)


def expected(values: list[float]) -> dict[int, float]:
    """Observation by observation: the j-th of n in a bucket stands (j - 1/2) / n into it, at the place there or just before."""
    found: dict[int, float] = {}
    for upper in (*BOUNDS, None):
        lower = max((bound for bound in BOUNDS if upper is not None and bound < upper), default=0.0)
        inside = [value for value in values if (lower < value <= upper if upper is not None else value > BOUNDS[-1])]
        for number in range(1, len(inside) + 1):
            part = (math.ceil(PLACES * (2 * number - 1) / (2 * len(inside))) - 0.5) / PLACES
            place = BOUNDS[-1] if upper is None else lower + (upper - lower) * part
            of = int(bins_of(np.array([place]))[0])
            found[of] = found.get(of, 0.0) + 1
    return found


@given(VALUES, VALUES, VALUES)
def test_each_count_is_spread_over_its_bucket(first: list[float], second: list[float], third: list[float]) -> None:
    target = Target()
    assert target.answers(text(first)) == [], "how many came before the first scrape nobody knows"
    for before, further in ((first, second), (first + second, third)):
        batches = target.answers(text(before + further))
        assert bool(batches) == bool(further)
        for batch in batches:
            assert batch.offsets.tolist() == [0, len(batch.bins)]
            assert bool((np.diff(batch.bins) > 0).all())
            found = dict(zip(batch.bins.tolist(), batch.counts.tolist(), strict=True))
            assert found == pytest.approx(expected(further))
            assert batch.sums[0] == pytest.approx(sum(before + further) - sum(before))


def test_the_distribution_stands_beside_the_series_it_is_made_of() -> None:
    target = Target()
    target.answers(text([0.2], 'p="a"') + text([0.2], 'p="b"'))
    (batch,) = target.answers(text([0.2, 0.3], 'p="a"') + text([0.2, 0.2, 7.0], 'p="b"'))
    names = [batch.space.keys[series].label() for series in batch.ids.tolist()]
    assert names == ['h{job="j",p="a"}', 'h{job="j",p="b"}']
    assert {batch.space.kinds[series] for series in batch.ids.tolist()} == {Kind.DISTRIBUTION}
    assert np.add.reduceat(batch.counts, batch.offsets[:-1]).tolist() == [1.0, 2.0]
    assert {"h_bucket", "h_sum", "h_count"} <= target.plain


def test_without_the_setting_there_is_none() -> None:
    target = Target(Policy())
    target.answers(text([0.2]))
    assert target.answers(text([0.2, 0.2])) == []


def test_a_histogram_that_fell_began_anew() -> None:
    target = Target()
    target.answers(text([0.2, 0.2, 0.2]))
    (batch,) = target.answers(text([0.3, 3.0]))
    assert (batch.counts.sum(), batch.sums.tolist()) == (2.0, [3.3])


def test_a_new_series_beside_it_disturbs_nothing_and_a_gap_does() -> None:
    target = Target()
    target.answers(text([0.2]))
    (batch,) = target.answers("a 1\n" + text([0.2, 0.2]))
    assert batch.counts.sum() == 1.0
    target.answers("a 1\n")
    assert target.answers("a 1\n" + text([0.2] * 5)) == []
    target.series.failed(1000.0, 0.1)
    assert target.answers("a 1\n" + text([0.2] * 9)) == []
    (batch,) = target.answers("a 1\n" + text([0.2] * 10))
    assert batch.counts.sum() == 1.0


@pytest.mark.parametrize(
    "body",
    [
        'h_bucket{le="+Inf"} 3\n',
        'h_bucket{le="x"} 3\nh_bucket{le="+Inf"} 3\n',
        'h_bucket{le="1"} 3\nh_bucket{le="2"} 3\n',
        'h_bucket{le="1"} 3\nh_bucket{le="1.0"} 3\nh_bucket{le="+Inf"} 3\n',
        'h_bucket{le="NaN"} 3\nh_bucket{le="-Inf"} 3\nh_bucket{le="+Inf"} 3\n',
        'h_bucket{le="1"} NaN\nh_bucket{le="+Inf"} 3\n',
    ],
)
def test_what_is_no_whole_histogram_is_no_distribution(body: str) -> None:
    target = Target()
    for _ in range(3):
        assert target.answers("# TYPE h histogram\n" + body) == []


def test_buckets_that_are_no_running_totals_never_count_below_zero() -> None:
    target = Target()
    shape = '# TYPE h histogram\nh_bucket{{le="1"}} {}\nh_bucket{{le="2"}} {}\nh_bucket{{le="+Inf"}} {}\n'
    target.answers(shape.format(1, 1, 1))
    (batch,) = target.answers(shape.format(9, 4, 9))
    assert bool((batch.counts > 0).all())


def test_negative_bounds_and_a_missing_sum_are_borne() -> None:
    target = Target()
    shape = (
        '# TYPE h histogram\nh_bucket{{le="-2"}} {0}\nh_bucket{{le="0"}} {0}\nh_bucket{{le="2"}} {1}\nh_bucket{{le="+Inf"}} {1}\n'
    )
    target.answers(shape.format(0, 0))
    (batch,) = target.answers(shape.format(1, 2))
    assert middles_of(batch.bins[:1])[0] == pytest.approx(-2.0, rel=0.01)
    assert batch.counts.sum() == 2.0
    assert batch.sums[0] == pytest.approx(-2.0 + 1.0, rel=0.07)


def test_a_histogram_that_comes_native_too_is_counted_once() -> None:
    parser = ProtobufParser()
    series = TargetSeries({}, False, ScrapeCounters(), Policy(histograms=True))
    found: list[HistogramBatch] = []
    for count in (1, 3):
        whole = histogram(count, 1.5 * count, {2.0: count}, native(3, 0, [(5, 1)], [count]))
        samples = parser.parse(family("h", HISTOGRAM, metric(HISTOGRAM, whole)))
        batches = series.taken(samples, parser, 1000.0, 0.1)
        found += [batch for batch in batches if isinstance(batch, HistogramBatch)]
    (batch,) = found
    assert batch.counts.sum() == pytest.approx(2.0)
    assert batch.counts.tolist() == [1.0, 1.0]
    assert bool((batch.bins >= bins_of(np.array([2**0.51]))).all()), "the bucket of index 5 of schema 3"
    assert bool((batch.bins <= bins_of(np.array([2**0.62]))).all())
