"""Distributions are stored as what came between two samples and read as running sums, the same at every tier."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from collector.storage.history.histograms import HistogramLayout
from collector.storage.history.settings import DAY, HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.histogram import Hint, Histogram
from monitor.query.history import STALE, Hints, Labels
from monitor.windows.bins import ZERO_INDEX, bins_of

HOUR = 3_600_000
START = 1_764_000_000_000 // (30 * DAY) * (30 * DAY)
LATENCY: Labels = (("__name__", "latency"),)
ALL = [Matcher("__name__", "=", "latency")]
RAW = Hints(range=1)


class Story:
    def __init__(self, folder: Path, keep: tuple[float, float, float, float] = (1e9, 1e9, 1e9, 1e9)) -> None:
        self.now = START / 1000
        self._folder, self._settings = folder, HistorySettings(keep=keep, quiet=0.0, future=1e9)
        self.open()

    def open(self) -> None:
        self.store = HistoryStore(self._folder, self._settings, clock=lambda: self.now)

    def observe(self, times: np.ndarray, observations: list[np.ndarray]) -> None:
        """What was observed up to each of the times."""
        ref = self.store.intern([LATENCY], [Kind.DISTRIBUTION])
        found = [np.unique(bins_of(one), return_counts=True) for one in observations]
        offsets = np.concatenate(([0], np.cumsum([len(bins) for bins, _ in found])))
        self.store.append_histograms(
            np.repeat(ref, len(times)),
            times,
            offsets,
            np.concatenate([bins for bins, _ in found]),
            np.concatenate([counts for _, counts in found]),
            np.array([one.sum() for one in observations]),
        )

    def pass_to(self, time: int) -> None:
        self.store.fold()
        self.now = time / 1000
        for _ in range(3):
            self.store.step()

    def read(self, hints: Hints = RAW, start: int = START, end: int = START + DAY) -> dict[int, Histogram]:
        selected = self.store.select(ALL, start, end, hints)
        assert len(selected.blocks) <= 1
        return {
            int(time): cell
            for block in selected.blocks
            if block.histograms is not None
            for time, cell in zip(block.times, block.histograms[0], strict=True)
            if cell is not None
        }


def running(observations: list[np.ndarray]) -> list[dict[int, float]]:
    """Count by Prometheus index (bins above zero) after each."""
    found, total = [], dict[int, float]()
    for one in observations:
        for number in bins_of(one).tolist():
            total[number] = total.get(number, 0.0) + 1
        found.append(dict(total))
    return found


def buckets(histogram: Histogram) -> dict[int, float]:
    """By the product's own bins."""
    positive, negative = histogram.positive, histogram.negative
    found = {int(index) - 1 + ZERO_INDEX: float(count) for index, count in zip(*positive, strict=True)}
    found |= {-(int(index) - 1 + ZERO_INDEX): float(count) for index, count in zip(*negative, strict=True)}
    return found | ({0: histogram.zero_count} if histogram.zero_count else {})


def test_a_distribution_is_read_as_running_sums_wherever_it_lies(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    times = START + np.arange(1, 301) * 1000
    observations = [chance.lognormal(0, 2, chance.integers(0, 6)) * chance.choice([1, 1, -1, 0]) for _ in times]
    story = Story(tmp_path)
    truth = running(observations)
    for begin in range(0, 300, 50):
        story.observe(times[begin : begin + 50], observations[begin : begin + 50])
        if begin == 100:
            story.store.fold()
        if begin == 200:
            story.store.close()
            story.open()
    for _ in range(3):
        found = story.read()
        assert list(found) == times.tolist()
        sums = np.cumsum([one.sum() for one in observations])
        for place, histogram in enumerate(found.values()):
            assert buckets(histogram) == truth[place]
            assert histogram.count == sum(truth[place].values())
            assert histogram.sum == pytest.approx(sums[place])
            assert histogram.schema == 6
        story.pass_to(START + 2 * DAY)
    part = list(story.read(start=int(times[100]), end=int(times[110])).values())
    grown = {b: c for b, c in ((b, truth[110][b] - truth[100].get(b, 0)) for b in truth[110]) if c}
    last, first = buckets(part[-1]), buckets(part[0])
    assert {b: c - first.get(b, 0) for b, c in last.items() if c != first.get(b, 0)} == grown, "the growth is the same"
    story.store.close()


def test_an_hour_of_a_distribution_is_merged_exactly_at_every_tier(tmp_path: Path) -> None:
    chance = np.random.default_rng(2)
    times = START + np.arange(1, 3 * 3600 + 1) * 1000
    observations = [chance.lognormal(0, 1, 2) for _ in times]
    story = Story(tmp_path, keep=(DAY / 1000, 3 * DAY / 1000, 10 * DAY / 1000, 1e9))
    story.observe(times, observations)
    truth = running(observations)
    whole = {b: truth[-1][b] - truth[3599].get(b, 0) for b in truth[-1] if truth[-1][b] != truth[3599].get(b, 0)}
    for days, resolution in ((0.5, 0), (2.5, 10_000), (6, 60_000), (14, HOUR)):
        story.pass_to(START + int(days * DAY))
        hints = Hints(step=15_000, first=START + 15_000, range=HOUR, func="rate")
        selected = story.store.select(ALL, START, START + 4 * HOUR, hints)
        assert selected.resolution == resolution
        found = story.read(hints)
        last, first = buckets(found[START + 3 * HOUR]), buckets(found[START + HOUR])
        assert {b: c - first.get(b, 0) for b, c in last.items() if c != first.get(b, 0)} == whole
        assert found[START + 3 * HOUR].sum - found[START + HOUR].sum == pytest.approx(sum(o.sum() for o in observations[3600:]))
    story.store.close()


def test_other_native_histograms_keep_schema_bounds_and_kind(tmp_path: Path) -> None:
    story = Story(tmp_path)
    refs = story.store.intern([LATENCY], [Kind.DISTRIBUTION])
    layout = HistogramLayout(schema=-53, bounds=(0.1, 1.0, 10.0), delta=False, gauge=True)
    bins = np.array([0, 2, 3, 1], np.int32) - 1 + ZERO_INDEX
    arguments = (np.repeat(refs, 2), np.array([START + 1000, START + 2000]), np.array([0, 2, 4]), bins)
    story.store.append_histograms(*arguments, np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 6.0]), layout)
    for _ in range(2):
        first, second = story.read().values()
        assert (first.schema, first.custom_values.tolist(), first.hint) == (-53, [0.1, 1.0, 10.0], Hint.GAUGE)
        assert (first.positive.indices.tolist(), first.positive.counts.tolist()) == ([0, 2], [1.0, 2.0])
        assert (second.positive.indices.tolist(), second.positive.counts.tolist()) == ([1, 3], [4.0, 3.0])
        assert (second.count, second.sum) == (7.0, 6.0)
        story.pass_to(START + DAY)
    story.store.close()


def test_a_marker_ends_a_distribution_and_a_later_write_replaces_one(tmp_path: Path) -> None:
    story = Story(tmp_path)
    times = START + np.arange(1, 4) * 1000
    story.observe(times, [np.array([1.0]), np.array([2.0]), np.array([3.0])])
    story.store.fold()
    story.observe(times[1:2], [np.array([50.0, 50.0])])
    ref = story.store.intern([LATENCY], [Kind.DISTRIBUTION])
    story.store.append(ref, np.array([START + 4000]), np.array([STALE]))
    for _ in range(2):
        (block,) = story.store.select(ALL, START, START + DAY, RAW).blocks
        assert block.times.tolist() == [START + 1000, START + 2000, START + 3000, START + 4000]
        assert block.histograms is not None
        assert [cell.count if cell else None for cell in block.histograms[0]] == [1.0, 3.0, 4.0, None]
        assert np.isnan(block.values[0, 3])
        story.pass_to(START + DAY)
    story.store.close()
