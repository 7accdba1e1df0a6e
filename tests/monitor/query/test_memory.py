"""A history in memory holds what a plain dictionary holds: late, duplicate and unordered samples included."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.matchers import Matcher
from monitor.query.histogram import Buckets, Histogram
from monitor.query.history import STALE, Hints, Labels, Metadata, TooManySamplesError, stale_at
from monitor.query.memory import Bounds, MemoryHistory

EVERYTHING = (Matcher("__name__", "=~", ".*"),)
ALWAYS = (-(1 << 62), 1 << 62)


def labels(name: str, **more: str) -> Labels:
    return tuple(sorted({"__name__": name, **more}.items()))


def held(history: MemoryHistory, start: int = ALWAYS[0], end: int = ALWAYS[1]) -> dict[Labels, dict[int, float]]:
    found: dict[Labels, dict[int, float]] = {}
    for block in history.select(EVERYTHING, start, end, Hints()).blocks:
        assert (np.diff(block.times) > 0).all()
        for series, values in zip(block.labels, block.values, strict=True):
            assert series not in found
            found[series] = dict(zip(block.times.tolist(), values.tolist(), strict=True))
    return found


writes = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=6)), max_size=12
)


@given(writes, st.integers(0, 40), st.integers(0, 40))
def test_it_holds_what_a_dictionary_holds(batches: list[tuple[int, list[tuple[int, int]]]], start: int, end: int) -> None:
    history, naive = MemoryHistory(), dict[Labels, dict[int, float]]()
    for number, samples in batches:
        series = labels("m", n=str(number))
        history.append(series, np.array([t for t, _ in samples], np.int64), np.array([v for _, v in samples], np.float64))
        for time, value in samples:
            naive.setdefault(series, {})[time] = float(value)
    assert held(history) == naive
    inside = {s: {t: v for t, v in points.items() if start <= t <= end} for s, points in naive.items()}
    assert held(history, start, end) == {s: points for s, points in inside.items() if points}
    assert history.size == sum(len(points) for points in naive.values())
    assert history.series(EVERYTHING, start, end) == sorted(s for s, points in inside.items() if points)


@given(writes, st.integers(0, 15))
def test_samples_later_than_the_bound_are_refused_and_counted(
    batches: list[tuple[int, list[tuple[int, int]]]], late: int
) -> None:
    history, naive, refused = MemoryHistory(Bounds(late=late)), dict[Labels, dict[int, float]](), 0
    for number, samples in batches:
        series = labels("m", n=str(number))
        history.append(series, np.array([t for t, _ in samples], np.int64), np.array([v for _, v in samples], np.float64))
        if not samples:
            continue
        newest = max([t for t, _ in samples] + list(naive.get(series, {})))
        for time, value in samples:
            if time >= newest - late:
                naive.setdefault(series, {})[time] = float(value)
            else:
                refused += 1
    assert held(history) == naive
    assert history.counters.too_late == refused


@given(writes, st.integers(3, 12))
def test_when_it_is_full_the_oldest_go_first(batches: list[tuple[int, list[tuple[int, int]]]], room: int) -> None:
    history, naive = MemoryHistory(Bounds(samples=room)), dict[Labels, dict[int, float]]()
    for number, samples in batches:
        series = labels("m", n=str(number))
        history.append(series, np.array([t for t, _ in samples], np.int64), np.array([v for _, v in samples], np.float64))
        naive = {s: dict(points) for s, points in held(history).items()}
        assert history.size == sum(len(points) for points in naive.values()) <= room


def test_age_takes_samples_away_as_time_goes_on() -> None:
    history = MemoryHistory(Bounds(age=1600))
    for time in range(0, 10_000, 10):
        history.append(labels("m", n=str(time % 3)), np.array([time]), np.ones(1))
        assert history.size <= 171
    assert history.counters.given_up == 1000 - history.size
    assert min(t for points in held(history).values() for t in points) >= 10_000 - 1600 - 110


def test_room_is_made_by_what_is_oldest_of_all_series() -> None:
    history = MemoryHistory(Bounds(samples=10))
    history.append(labels("early"), np.arange(8), np.ones(8))
    history.append(labels("late"), np.arange(8) + 100, np.ones(8))
    found = held(history)
    assert set(found[labels("late")]) == set(range(100, 108))
    assert labels("early") not in found or min(found[labels("early")]) > 5
    assert history.counters.given_up == 16 - history.size


def test_what_is_older_than_the_age_bound_goes_and_is_counted() -> None:
    history = MemoryHistory(Bounds(age=100))
    history.append(labels("a"), np.array([0, 50, 150]), np.arange(3.0))
    history.append(labels("b"), np.array([160]), np.ones(1))
    history.expire()
    assert held(history) == {labels("a"): {150: 2.0}, labels("b"): {160: 1.0}}
    assert history.counters.given_up + history.counters.too_late == 2


def test_a_histogram_counts_as_its_buckets_and_those_that_came_alone_share_their_room() -> None:
    history = MemoryHistory(Bounds(samples=1000))
    for time in range(100):
        counts = Buckets(np.arange(20, dtype=np.int32), np.full(20, float(time)))
        history.append_histograms(labels("h"), np.array([time]), [Histogram.of(0, time, positive=counts)])
        assert history.size <= 1000
    (block,) = history.select(EVERYTHING, *ALWAYS, Hints()).blocks
    assert block.histograms is not None
    assert history.size == len(block.times) * 22
    assert len({id(cell.stack) for cell in block.histograms[0]}) < len(block.times) // 2
    assert [cell.count for cell in block.histograms[0]] == block.times.tolist()


def test_a_series_too_many_is_refused_and_counted() -> None:
    history = MemoryHistory(Bounds(series=1))
    history.append(labels("a"), np.array([1]), np.ones(1))
    history.append(labels("b"), np.array([1, 2]), np.ones(2))
    assert list(held(history)) == [labels("a")]
    assert history.counters.too_many_series == 2


def test_a_name_is_found_as_sent_and_in_its_promql_spelling() -> None:
    history = MemoryHistory()
    sent = labels("foundation.service.error", host="a")
    history.append(sent, np.array([1]), np.ones(1))
    for matcher in (
        Matcher("__name__", "=", "foundation.service.error"),
        Matcher("__name__", "=", "foundation_service_error"),
        Matcher("__name__", "=~", "foundation_.*"),
    ):
        assert history.series((matcher,), *ALWAYS) == [sent]
    assert history.series((Matcher("__name__", "!=", "foundation_service_error"),), *ALWAYS) == []


@pytest.mark.parametrize(
    ("matcher", "hosts"),
    [
        (Matcher("host", "=", "a"), ["a"]),
        (Matcher("host", "!=", "a"), ["", "b"]),
        (Matcher("host", "=", ""), [""]),
        (Matcher("host", "!=", ""), ["a", "b"]),
        (Matcher("host", "=~", "a|b"), ["a", "b"]),
        (Matcher("host", "=~", "a|"), ["", "a"]),
        (Matcher("host", "!~", "a.*"), ["", "b"]),
        (Matcher("nothing", "=", ""), ["", "a", "b"]),
        (Matcher("nothing", "=~", ".+"), []),
    ],
)
def test_an_absent_label_counts_as_empty(matcher: Matcher, hosts: list[str]) -> None:
    history = MemoryHistory()
    for host in ("", "a", "b"):
        history.append(labels("up", **({"host": host} if host else {})), np.array([1]), np.ones(1))
    assert [dict(series).get("host", "") for series in history.series((matcher,), *ALWAYS)] == hosts


def test_series_of_one_clock_are_one_block() -> None:
    history = MemoryHistory()
    for number in range(5):
        history.append(labels("m", n=str(number)), np.arange(10) * 1000, np.full(10, float(number)))
    history.append(labels("other"), np.array([1]), np.ones(1))
    blocks = history.select(EVERYTHING, *ALWAYS, Hints()).blocks
    assert sorted(block.values.shape for block in blocks) == [(1, 1), (5, 10)]


def test_staleness_markers_and_histograms_are_kept() -> None:
    history = MemoryHistory()
    history.append(labels("m"), np.array([1, 2]), np.array([5.0, STALE]))
    history.append_histograms(labels("m"), np.array([3]), [Histogram.of(0, 7.0)])
    (block,) = history.select(EVERYTHING, *ALWAYS, Hints()).blocks
    assert stale_at(block.values)[0].tolist() == [False, True, False]
    assert block.histograms is not None
    assert [None if h is None else h.count for h in block.histograms[0]] == [None, None, 7.0]
    history.append(labels("m"), np.array([3]), np.array([1.0]))
    assert history.select(EVERYTHING, *ALWAYS, Hints()).blocks[0].histograms is None


def test_deleted_samples_are_gone_with_the_labels_that_nothing_carries() -> None:
    history = MemoryHistory()
    history.append(labels("a", host="x"), np.array([1, 2, 3]), np.ones(3))
    history.append(labels("b"), np.array([1, 2, 3]), np.ones(3))
    assert history.delete((Matcher("__name__", "=", "b"),), 2, 2) == 1
    assert history.delete((Matcher("__name__", "=", "a"),), *ALWAYS) == 3
    assert held(history) == {labels("b"): {1: 1.0, 3: 1.0}}
    assert history.label_names((), *ALWAYS) == ["__name__"]
    assert history.size == 2


def test_labels_their_values_and_metadata() -> None:
    history = MemoryHistory()
    history.append(labels("a", host="x"), np.array([1]), np.ones(1))
    history.append(labels("b", host="y", zone="z"), np.array([5]), np.ones(1))
    history.describe("a", Metadata("counter", "what a counts"))
    history.describe("never sent", Metadata("gauge"))
    assert history.label_names((), 0, 9) == ["__name__", "host", "zone"]
    assert history.label_values("host", (), 0, 9) == ["x", "y"]
    assert history.label_values("host", (), 0, 9, limit=1) == ["x"]
    assert history.label_values("host", (), 4, 9) == ["y"]
    assert history.metadata() == {"a": Metadata("counter", "what a counts")}


def test_a_query_that_would_read_too_much_is_refused_with_what_to_do() -> None:
    history = MemoryHistory()
    history.append(labels("a"), np.arange(100), np.ones(100))
    with pytest.raises(TooManySamplesError, match="100 samples, more than the 99 allowed; ask for"):
        history.select(EVERYTHING, *ALWAYS, Hints(max_samples=99))


def test_readers_see_whole_samples_while_one_writes() -> None:
    history, failures = MemoryHistory(Bounds(samples=3000)), list[str]()
    written = threading.Event()

    def read() -> None:
        while not written.is_set():
            for block in history.select(EVERYTHING, *ALWAYS, Hints()).blocks:
                if not (block.values == block.times).all():
                    failures.append(f"{block.times} {block.values}")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for step in range(2000):
        times = np.array([step * 2, step * 2 - 3], np.int64)
        history.append(labels("m", n=str(step % 7)), times, times.astype(np.float64))
    written.set()
    for reader in readers:
        reader.join()
    assert failures == []


@pytest.mark.parametrize("bounds", [Bounds(samples=500), Bounds(age=20_000), Bounds(series=3)])
def test_a_history_knows_since_when_nothing_is_missing(bounds: Bounds) -> None:
    history, whole = MemoryHistory(bounds), MemoryHistory()
    for second in range(100):
        for number in range(10):
            labels = (("__name__", "load"), ("host", str(number)))
            for each in (history, whole):
                each.append(labels, np.array([second * 1000]), np.array([float(number)]))
        since = history.complete_since
        kept, expected = (
            sum(len(block.times) * len(block.labels) for block in each.select((), since, second * 1000, Hints()).blocks)
            for each in (history, whole)
        )
        assert kept == expected
    assert history.complete_since > 0
