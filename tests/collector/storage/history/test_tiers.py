"""A tier answers what the samples would have answered, or says how coarse it is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.storage.history.settings import DAY, HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.matchers import Matcher
from monitor.query.history import STALE, Hints, Labels, Selected
from tests.collector.storage.history.samples import Samples, growth, instant, over_time, samples_of

HOUR, MINUTE = 3_600_000, 60_000
START = 1_764_000_000_000 // (30 * DAY) * (30 * DAY)
ALL = [Matcher("__name__", "=", "m")]
FUNCTIONS = ("min_over_time", "max_over_time", "sum_over_time", "last_over_time", "present_over_time")
GAUGE, COUNTER = 0, 1


def label(number: int) -> Labels:
    return (("__name__", "m"), ("n", str(number)))


class Story:
    """A store, what went into it, and its clock."""

    def __init__(self, folder: Path, keep: tuple[float, float, float, float] = (1e9, 1e9, 1e9, 1e9)) -> None:
        self.now = START / 1000
        self.store = HistoryStore(folder, HistorySettings(keep=keep, quiet=0.0, future=1e9), clock=lambda: self.now)
        self.samples: dict[str, Samples] = {}

    def add(self, number: int, kind: int, times: np.ndarray, values: np.ndarray) -> None:
        ref = self.store.intern([label(number)], [kind])
        self.store.append(np.repeat(ref, len(times)), times, values)
        kept = self.samples.setdefault(str(number), {})
        kept.update(zip(times.tolist(), values, strict=True))

    def pass_to(self, time: int) -> None:
        """Fold, and let the background work see that time."""
        self.store.fold()
        self.now = time / 1000
        for _ in range(3):
            self.store.step()

    def select(self, start: int, end: int, hints: Hints) -> Selected:
        return self.store.select(ALL, start, end, hints)


def gauge_values(chance: np.random.Generator, size: int) -> np.ndarray:
    values = np.round(chance.normal(50, 20, size), 2)
    values[chance.random(size) < 0.01] = np.nan
    stale = chance.random(size) < 0.02
    values.view(np.uint64)[stale] = np.array([STALE]).view(np.uint64)
    return values


def counter_values(chance: np.random.Generator, size: int) -> np.ndarray:
    values = np.cumsum(chance.poisson(3, size)).astype(float)
    for place in np.flatnonzero(chance.random(size) < 0.004):
        values[place:] -= values[place] - chance.integers(0, 3)
    return values


def close(left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return left is right
    return bool(np.isclose(left, right, rtol=1e-12, atol=1e-9, equal_nan=True))


@given(
    st.integers(0, 10_000),
    st.sampled_from([1000, 2000, 15_000]),
    st.sampled_from([7000, 10_000, 40_000, MINUTE, HOUR]),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_what_a_tier_answers_without_a_word_is_exact(seed: int, every: int, step: int, late: bool) -> None:
    chance = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        story = Story(Path(name))
        size = 5 * HOUR // every if every > 2000 else HOUR // every
        times = START + 3 * HOUR + chance.integers(0, 1000) + np.arange(size) * every
        for number in range(3):
            gaps = chance.random(size) > (0.1 if number == 2 else 0)
            story.add(number, GAUGE, times[gaps], gauge_values(chance, size)[gaps])
        story.add(3, COUNTER, times, counter_values(chance, size))
        story.add(4, GAUGE, times, np.round(chance.normal(50, 20, size), 1))
        story.pass_to(START + 40 * HOUR)
        if late:  # within the window of lateness, after the tiers were made
            some = times[-100:] + 7
            story.add(0, GAUGE, some, gauge_values(chance, 100))
            story.store.fold()
            compare(story, step, chance)
            story.pass_to(START + 41 * HOUR)
        compare(story, step, chance)
        story.store.close()


def compare(story: Story, step: int, chance: np.random.Generator) -> None:
    first = START + 3 * HOUR
    moments = [first + int(n) * step for n in chance.integers(0, 6 * HOUR // step, 12)]
    lookback = max(300_000, step)
    selected = story.select(START, START + 10 * HOUR, Hints(step=step, first=first, lookback=lookback))
    assert not selected.resolution
    seen = samples_of(selected)
    for number, samples in story.samples.items():
        for moment in moments:
            assert close(instant(seen[number], moment, lookback), instant(samples, moment, lookback)), (number, moment)
    for func in FUNCTIONS:
        length = step * int(chance.integers(1, 4))
        hints = Hints(step=step, first=first, range=length, func=func)
        selected = story.select(START, START + 10 * HOUR, hints)
        seen = samples_of(selected)
        for number, samples in story.samples.items():
            for moment in moments:
                was = over_time(samples, moment, length, func)
                assert close(over_time(seen[number], moment, length, func), was), (number, moment, func)


def test_fast_series_have_every_tier_and_slow_ones_the_hourly_only(tmp_path: Path) -> None:
    story = Story(tmp_path)
    for number, every in enumerate((1000, 15_000)):
        times = START + np.arange(1, 4 * HOUR // every + 1) * every
        story.add(number, GAUGE, times, np.arange(len(times)) % 7.0)
    story.pass_to(START + 24 * HOUR)

    def count(step: int) -> dict[str, int]:
        hints = Hints(step=step, first=START, range=step, func="last_over_time")
        found = samples_of(story.select(START, START + 5 * HOUR, hints))
        return {number: len(samples) for number, samples in found.items()}

    assert count(10_000) == {"0": 1440, "1": 960}
    assert count(MINUTE) == {"0": 240, "1": 960}
    assert count(HOUR) == {"0": 4, "1": 4}
    assert count(15_000) == {"0": 14_400, "1": 960}
    story.store.close()


@pytest.mark.parametrize("every", [1000, 15_000, 300_000])
def test_counters_keep_their_growth_when_only_tiers_are_left(tmp_path: Path, every: int) -> None:
    """Raw samples, 10 s and 1 m expire one after the other; increase over whole hours stays what it was."""
    story = Story(tmp_path, keep=(DAY / 1000, 3 * DAY / 1000, 10 * DAY / 1000, 1e9))
    chance = np.random.default_rng(3)
    times = START + np.arange(1, 6 * HOUR // every + 1) * every
    story.add(0, COUNTER, times, counter_values(chance, len(times)))
    story.add(1, GAUGE, times, np.round(chance.normal(50, 20, len(times)), 2))
    whole = growth(story.samples["0"], START + HOUR, START + 5 * HOUR)
    hints = Hints(step=7000, first=START + 7000, range=HOUR, func="increase")
    for day, resolution, words in (
        (0.5, 0, ""),
        (2.5, 10_000, "10 s"),
        (6, MINUTE, "1 m"),
        (14, HOUR, "1 h"),
    ):
        story.pass_to(START + int(day * DAY))
        selected = story.select(START, START + 6 * HOUR, hints)
        seen = samples_of(selected)
        assert selected.resolution == resolution
        if words:
            assert words in selected.infos[0]
            assert "only one value every" in selected.infos[0]
        assert growth(seen["0"], START + HOUR, START + 5 * HOUR) == whole
        for func in FUNCTIONS:
            for hours in (1, 2):
                aligned = Hints(step=HOUR, first=START + HOUR, range=hours * HOUR, func=func)
                answer = story.select(START, START + 6 * HOUR, aligned)
                moment = START + 5 * HOUR
                assert answer.resolution == 0 or func in ("min_over_time", "max_over_time", "sum_over_time")
                was = over_time(story.samples["1"], moment, hours * HOUR, func)
                assert close(over_time(samples_of(answer)["1"], moment, hours * HOUR, func), was)
    story.store.close()
