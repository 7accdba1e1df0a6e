"""What was appended is what is read, wherever it lies: in memory, in the journal, in chunks of any age."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.matchers import Matcher
from monitor.query.history import STALE, Hints, Labels, Selected, TooManySamplesError

HOUR = 3_600_000
START = 1_764_000_000_000 // (24 * HOUR) * (24 * HOUR)
NOW = (START + 400 * HOUR) / 1000
ALL = [Matcher("__name__", "=", "m")]
Reference = dict[int, dict[int, int]]


def open_store(folder: Path, **changes: object) -> HistoryStore:
    chosen = HistorySettings(**{"keep": (1e9, 1e9, 1e9, 1e9), "quiet": 0.0, **changes})  # type: ignore[arg-type]
    return HistoryStore(folder, chosen, clock=lambda: NOW)


def label(number: int) -> Labels:
    return (("__name__", "m"), ("n", f"{number:03d}"))


def bits(value: float) -> int:
    return int(np.array([value]).view(np.uint64)[0])


def read(selected: Selected) -> Reference:
    """Bits of the values by series number and time."""
    found: Reference = {}
    for block in selected.blocks:
        for row, labels in enumerate(block.labels):
            number = int(dict(labels)["n"])
            present = block.present[row] if block.present is not None else np.ones(len(block.times), bool)
            assert number not in found, "a series is in one block"
            raw = np.ascontiguousarray(block.values[row]).view(np.uint64)
            found[number] = {t: v for t, v, p in zip(block.times.tolist(), raw.tolist(), present, strict=True) if p}
    return {number: samples for number, samples in found.items() if samples}


VALUES = st.one_of(
    st.integers(-5, 5).map(float), st.floats(allow_nan=True), st.just(STALE), st.floats(0, 100).map(lambda v: round(v, 2))
)
BATCH = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 80), VALUES), min_size=1, max_size=30)
STEPS = st.lists(st.one_of(BATCH, st.sampled_from(["fold", "restart", "commit", "upkeep", "check"])), min_size=1, max_size=20)


class Model:
    """A dictionary that takes what the store takes: too old is what is more than the window before the newest."""

    def __init__(self, window: int) -> None:
        self.samples: Reference = {}
        self.newest: dict[int, int] = {}
        self._window = window

    def append(self, batch: list[tuple[int, int, float]]) -> None:
        before = dict(self.newest)
        for number, time, value in batch:
            if time >= before.get(number, time) - self._window:
                self.samples.setdefault(number, {})[time] = bits(value)
                self.newest[number] = max(time, self.newest.get(number, time))

    def between(self, start: int, end: int) -> Reference:
        cut = {n: {t: v for t, v in samples.items() if start <= t <= end} for n, samples in self.samples.items()}
        return {number: samples for number, samples in cut.items() if samples}


@given(STEPS, st.sampled_from([1, 60_000, 2_000_000]), st.sampled_from([0, 10 * HOUR]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_history_is_a_dictionary(steps: list[object], unit: int, window: int) -> None:
    """Late, duplicate and out-of-order samples; folds, merges and restarts at any moment."""
    model = Model(window)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(folder, out_of_order=window / 1000)
        refs = store.intern([label(number) for number in range(6)], [0] * 6)
        for step in [*steps, "check", "upkeep", "check"]:
            if isinstance(step, list):
                batch = [(number, START + offset * unit, value) for number, offset, value in step]
                model.append(batch)
                values = np.array([bits(value) for _, _, value in batch], np.uint64).view(np.float64)
                store.append(refs[[n for n, _, _ in batch]], np.array([t for _, t, _ in batch]), values)
            elif step == "fold":
                store.fold()
            elif step == "upkeep":
                store.fold()
                store.step(NOW)
                store.step(NOW)
            elif step == "commit":
                assert store.commit()
            elif step == "restart":
                store.close()
                store = open_store(folder, out_of_order=window / 1000)
            else:
                for start, end in ((0, 1 << 50), (START + 7 * unit, START + 40 * unit)):
                    assert read(store.select(ALL, start, end, Hints(range=1))) == model.between(start, end)
        assert not store.problems
        store.close()


def test_more_samples_than_allowed_are_not_read(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    refs = store.intern([label(number) for number in range(10)], [0] * 10)
    for minute in range(200):
        store.append(refs, np.full(10, START + minute * 60_000), np.arange(10.0))
    store.fold()
    with pytest.raises(TooManySamplesError, match=r"^This would read 2 k samples \(limit 500\)\. Shorten the range"):
        store.select(ALL, START, START + 10 * HOUR, Hints(max_samples=500))
    store.close()


def test_labels_are_those_of_series_with_samples_in_the_span(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    old, new = store.intern([label(1), (*label(2), ("zone", "a"))], [0, 0])
    store.append(np.array([old, new]), np.array([START, START + HOUR]), np.zeros(2))
    span = (START + HOUR, START + 2 * HOUR)
    for _ in range(2):
        assert store.series(ALL, *span) == [(*label(2), ("zone", "a"))]
        assert store.label_names(ALL, *span) == ["__name__", "n", "zone"]
        assert store.label_names(ALL, *span, limit=2) == ["__name__", "n"]
        assert store.label_values("n", ALL, *span) == ["002"]
        assert store.label_values("n", ALL, START, START + HOUR) == ["001", "002"]
        store.fold()
    store.close()
    store = open_store(tmp_path)
    assert store.label_values("n", ALL, *span) == ["002"]
    assert store.metadata()["m"].type == "gauge"
    store.close()
