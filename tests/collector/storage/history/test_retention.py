"""What is too old, too much or deleted goes, is counted, and takes nothing else along."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from collector.storage.history.settings import DAY, HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.matchers import Matcher
from monitor.query.history import Hints, Labels
from tests.collector.storage.history.samples import over_time, samples_of

MINUTE, HOUR = 60_000, 3_600_000
START = 1_764_000_000_000 // (30 * DAY) * (30 * DAY)
ALL = [Matcher("__name__", "=", "m")]
RAW = Hints(range=1)
EVER = (0, 1 << 50)


def label(number: int) -> Labels:
    return (("__name__", "m"), ("n", str(number)))


def only(number: int) -> list[Matcher]:
    return [Matcher("n", "=", str(number))]


class Story:
    def __init__(self, folder: Path, **changes: object) -> None:
        self.now = START / 1000
        chosen = HistorySettings(**{"keep": (1e9, 1e9, 1e9, 1e9), "quiet": 0.0, "future": 1e9, **changes})  # type: ignore[arg-type]
        self.store = HistoryStore(folder, chosen, clock=lambda: self.now)

    def add(self, number: int, times: np.ndarray, values: np.ndarray | None = None) -> int:
        ref = self.store.intern([label(number)], [0])
        return self.store.append(np.repeat(ref, len(times)), times, times / 1000.0 if values is None else values)

    def pass_to(self, time: int) -> None:
        self.store.fold()
        self.now = time / 1000
        for _ in range(3):
            self.store.step()

    def times(self, hints: Hints = RAW) -> dict[str, list[int]]:
        return {n: sorted(samples) for n, samples in samples_of(self.store.select(ALL, *EVER, hints)).items()}


def test_samples_go_by_age_and_series_with_their_last(tmp_path: Path) -> None:
    story = Story(tmp_path, keep=(DAY / 1000, 2 * DAY / 1000, 4 * DAY / 1000, 40 * DAY / 1000))
    story.add(0, START + np.arange(1, 100) * MINUTE)
    story.add(1, START + 50 * DAY + np.arange(1, 100) * MINUTE)
    assert set(story.times()) == {"0", "1"}
    story.pass_to(START + 51 * DAY)
    assert set(story.times()) == {"0", "1"}
    assert len(story.times()["0"]) == 2, "an hour a sample is left"
    story.pass_to(START + 75 * DAY)
    assert set(story.times()) == {"1"}
    assert [dict(labels)["n"] for labels in story.store.series(ALL, *EVER)] == ["1"]
    stats = story.store.stats()
    assert stats["ended_series"] == 1
    assert stats["expired_samples"] > 99
    assert story.store.generation == 1
    ref_again = story.store.intern([label(0)], [0])
    assert ref_again[0] > 1, "a ref is never used again"
    story.store.close()


def test_the_oldest_goes_when_there_is_no_room(tmp_path: Path) -> None:
    story = Story(tmp_path, max_bytes=700_000)
    chance = np.random.default_rng(1)
    for day in range(6):
        times = START + day * DAY + np.arange(1, 24 * 60) * MINUTE
        for number in range(10):
            story.add(number, times, chance.random(len(times)))
        story.pass_to(START + (day + 1) * DAY + 2 * HOUR)
    stats = story.store.stats()
    assert stats["crowded_out_samples"] > 0
    assert stats["bytes"] <= 700_000
    left = story.times()["3"]
    assert left[-1] == START + 5 * DAY + (24 * 60 - 1) * MINUTE
    assert "is kept" in story.store.select(ALL, *EVER, RAW).infos[0]
    story.store.close()


def test_deleted_samples_are_gone_at_once_and_for_good(tmp_path: Path) -> None:
    story = Story(tmp_path)
    early, late = START + np.arange(1, 400) * 15_000, START + 30 * HOUR + np.arange(1, 400) * 15_000
    for number in (0, 1):
        story.add(number, early)
    story.pass_to(START + 20 * HOUR)
    for number in (0, 1):
        story.add(number, late)
    first, last = int(early[100]), int(late[50])
    assert story.store.delete(only(0), first, last) == 1
    expected = [t for t in (*early.tolist(), *late.tolist()) if not first <= t <= last]
    hourly = Hints(step=HOUR, first=START, range=HOUR, func="last_over_time")
    for _ in range(2):
        assert story.times() == {"0": expected, "1": [*early.tolist(), *late.tolist()]}
        hours = samples_of(story.store.select(ALL, *EVER, hourly))
        assert over_time(hours["1"], START + HOUR, HOUR, "last_over_time") == early[239] / 1000
        assert over_time(hours["0"], START + HOUR, HOUR, "last_over_time") == early[99] / 1000
        assert over_time(hours["0"], START + 2 * HOUR, HOUR, "last_over_time") is None
        story.pass_to(START + 60 * HOUR)
    assert START + HOUR in hours["1"], "it was the tier that answered"
    again = int(early[200])
    story.add(0, np.array([again]))
    assert story.store.stats()["too_old_samples"] == 1
    for _ in range(2):
        story.pass_to(START + 61 * HOUR)
        assert story.times()["0"] == expected
    story.store.close()


def test_what_is_written_after_a_deletion_lives(tmp_path: Path) -> None:
    story = Story(tmp_path, out_of_order=1e9)
    times = START + np.arange(1, 100) * 15_000
    story.add(0, times)
    story.store.delete(ALL, *EVER)
    assert story.times() == {}
    story.add(0, times[10:20])
    for _ in range(3):
        assert story.times() == {"0": times[10:20].tolist()}
        story.pass_to(START + 30 * HOUR)
    story.store.close()


def test_a_deleted_series_leaves_the_registry(tmp_path: Path) -> None:
    story = Story(tmp_path)
    for number in (0, 1):
        story.add(number, START + np.arange(1, 100) * 15_000)
    story.pass_to(START + 20 * HOUR)
    story.store.delete(only(0), *EVER)
    assert set(story.times()) == {"1"}
    story.pass_to(START + 20 * HOUR)
    assert [dict(labels)["n"] for labels in story.store.series(ALL, *EVER)] == ["1"]
    story.store.close()


def test_late_and_early_samples_are_counted(tmp_path: Path) -> None:
    story = Story(tmp_path, out_of_order=60.0, future=60.0)
    assert story.add(0, START + np.array([0, 10_000, 20_000])) == 3
    assert story.add(0, START + np.array([15_000, -40_001, 61_000, 20_000])) == 2
    stats = story.store.stats()
    assert (stats["samples"], stats["late_samples"], stats["too_old_samples"], stats["too_new_samples"]) == (5, 1, 1, 1)
    story.store.fold()
    assert story.store.stats()["duplicate_samples"] == 1
    story.store.close()


def test_queries_see_one_moment_while_everything_moves(tmp_path: Path) -> None:
    """Samples are appended, folded, merged and made tiers of; every answer is a whole prefix of what was appended."""
    story = Story(tmp_path)
    store = story.store
    refs = store.intern([label(number) for number in range(50)], [0] * 50)
    told = [0]
    failures: list[str] = []
    ended = threading.Event()

    def write() -> None:
        for tick in range(1, 1500):
            time = START + tick * 30_000
            store.append(refs, np.full(50, time), np.arange(50.0) + tick)
            told[0] = tick
            story.now = time / 1000
        ended.set()

    def work() -> None:
        while not ended.is_set():
            store.fold()
            store.step()

    def ask() -> None:
        while not ended.is_set():
            before = told[0]
            for block in store.select(ALL, *EVER, RAW).blocks:
                ticks = (block.times - START) // 30_000
                if len(ticks) < before or (ticks != np.arange(1, len(ticks) + 1)).any():
                    failures.append(f"{len(ticks)} of {before} ticks")
                for row, labels in enumerate(block.labels):
                    if (block.values[row] != int(dict(labels)["n"]) + ticks).any():
                        failures.append(f"wrong values of {labels}")

    threads = [threading.Thread(target=target) for target in (write, work, ask, ask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures[:5]
    assert store.stats()["merged_chunks"] > 0
    assert not store.failing
    store.close()


def test_of_a_day_that_is_too_much_the_first_hours_go(tmp_path: Path) -> None:
    story = Story(tmp_path, max_bytes=500_000)
    chance = np.random.default_rng(1)
    for hour in range(22):
        times = START + hour * HOUR + np.arange(1, 241) * 15_000
        for number in range(20):
            story.add(number, times, chance.random(len(times)))
        story.pass_to(START + (hour + 1) * HOUR)
    stats = story.store.stats()
    assert stats["crowded_out_samples"] > 0
    assert stats["bytes"] <= 600_000, stats
    left = story.times()["3"]
    assert left[-1] == START + 22 * HOUR
    hourly = Hints(step=HOUR, first=START, range=HOUR, func="last_over_time")
    assert len(samples_of(story.store.select(ALL, *EVER, hourly))["3"]) > 22, "an hour a sample is left of all"
    story.store.close()


@pytest.mark.parametrize("stepped", [HOUR, -HOUR])
def test_a_stepped_clock_changes_no_time_of_a_sample(tmp_path: Path, stepped: int) -> None:
    story = Story(tmp_path)
    expected: list[int] = []
    for step in (0, stepped, 0):
        story.now = (START + 20 * HOUR + step) / 1000
        times = np.arange(1, 50) * 1000 + int(story.now * 1000) + len(expected) * 1000
        assert story.add(0, times) == 49
        expected += times.tolist()
        story.store.fold()
        story.store.step()
    for _ in range(2):
        assert story.times()["0"] == sorted(expected)
        story.pass_to(START + 60 * HOUR)
    story.store.close()
