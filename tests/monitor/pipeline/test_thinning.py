"""Thinning keeps what is expected of sums and counts, and never touches what cannot be stood for."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.pipeline.processors import Processors
from monitor.pipeline.steps import StepError, read_steps
from monitor.pipeline.thinning import latest, thin


def mixed(count: int) -> Batch:
    space = KeySpace()
    for kind in Kind:
        space.add(series_key(kind.name.lower()), kind)
    ids = np.arange(count, dtype=np.int32) % 4
    values = np.arange(count, dtype=np.float64) % 17
    return Batch(space, ids, values, np.zeros(count), np.where(ids == Kind.DISTRIBUTION, 2.0, 1.0))


def test_thinned_sums_and_counts_are_what_they_were_on_average() -> None:
    batch, random = mixed(400), np.random.default_rng(1)
    totals, weights, sums = [], [], []
    for _ in range(4000):
        some = thin(batch, 0.25, random)
        assert some.weights is not None
        observed = some.ids == Kind.DISTRIBUTION
        totals.append(some.values[some.ids == Kind.COUNTER].sum())
        weights.append(some.weights[observed].sum())
        sums.append((some.weights * some.values)[observed].sum())
    assert batch.weights is not None
    observed = batch.ids == Kind.DISTRIBUTION
    truths = (
        batch.values[batch.ids == Kind.COUNTER].sum(),
        batch.weights[observed].sum(),
        (batch.weights * batch.values)[observed].sum(),
    )
    for estimates, truth in zip((totals, weights, sums), truths, strict=True):
        error = np.std(estimates) / np.sqrt(len(estimates))
        assert abs(np.mean(estimates) - truth) < 4 * error


def test_readings_members_and_staleness_markers_are_never_thinned() -> None:
    space = KeySpace()
    for kind in Kind:
        space.add(series_key(kind.name.lower()), kind)
    ids = np.array([Kind.GAUGE, Kind.SET, Kind.COUNTER] * 50, np.int32)
    values = np.where(ids == Kind.COUNTER, np.nan, 3.0)
    some = thin(Batch(space, ids, values, np.zeros(150)), 0.01, np.random.default_rng(2))
    assert len(some) == 150
    np.testing.assert_array_equal(some.values, values)


def test_what_only_the_history_takes_is_left_alone() -> None:
    space = KeySpace(raw=True)
    space.add(series_key("reads_total"), Kind.COUNTER)
    readings = Batch(space, np.zeros(9, np.int32), np.arange(9.0), np.arange(9.0), raw=True, windowed=False)
    assert thin(readings, 0.1, np.random.default_rng(3)) is readings


def test_observations_go_before_counters() -> None:
    some = thin(mixed(400), 0.01, np.random.default_rng(4), (Kind.DISTRIBUTION,))
    assert np.count_nonzero(some.ids == Kind.COUNTER) == 100
    assert np.count_nonzero(some.ids == Kind.DISTRIBUTION) < 20


def test_of_a_gauge_the_last_reading_of_a_second_stays() -> None:
    space = KeySpace()
    space.add(series_key("g"), Kind.GAUGE)
    space.add(series_key("c"), Kind.COUNTER)
    ids = np.array([0, 1, 0, 0, 0, 1, 0], np.int32)
    values = np.array([1, 10, 2, 5, np.nan, 10, 3.0])
    times = np.array([0.1, 0.1, 0.2, 1.1, 1.2, 1.3, 1.4])
    left = latest(Batch(space, ids, values, times))
    np.testing.assert_array_equal(left.values, [10, 2, 5, np.nan, 10, 3])
    relative = np.array([False, False, True, False, False, False, False])
    left = latest(Batch(space, ids, values, times, relative=relative))
    np.testing.assert_array_equal(left.values, [1, 10, 2, 5, np.nan, 10, 3], "a change builds upon the reading before it")


def thinned(entries: list[dict[str, object]], batch: Batch, seed: int = 6) -> Batch | None:
    return Processors(read_steps(list(entries)), random=np.random.default_rng(seed)).batch(batch)


def hits(count: int) -> Batch:
    space = KeySpace()
    space.add(series_key("hits", (("route", "/"),)), Kind.COUNTER)
    space.add(series_key("hits", (("route", "/rare"),)), Kind.COUNTER)
    ids = (np.arange(count) % 2).astype(np.int32)
    return Batch(space, ids, np.ones(count), np.zeros(count))


def test_a_step_thins_what_it_selects_and_keeps_the_expected_sum() -> None:
    steps: list[dict[str, object]] = [{"thin": 0.1, "where": 'hits{route="/"}'}, {"set": {"env": "prod"}}]
    sums, left = [], []
    for seed in range(300):
        done = thinned(steps, hits(400), seed)
        assert done is not None
        busy = done.ids == 0
        assert np.count_nonzero(~busy) == 200, "what it does not select is whole"
        sums.append(done.values[busy].sum())
        left.append(np.count_nonzero(busy))
    assert abs(np.mean(sums) - 200) < 4 * np.std(sums) / np.sqrt(len(sums))
    assert abs(np.mean(left) - 20) < 2


def test_steps_that_thin_the_same_multiply_and_see_the_tags_of_the_steps_before() -> None:
    entries: list[dict[str, object]] = [{"set": {"a": "b"}}, {"thin": 0.5, "where": '{a="b"}'}, {"thin": 0.5}]
    done = thinned(entries, hits(4000))
    assert done is not None
    assert set(done.values.tolist()) == {4.0}
    assert abs(len(done) - 1000) < 150


def test_what_was_thinned_is_counted() -> None:
    processors = Processors(read_steps([{"thin": 0.25}]), random=np.random.default_rng(7))
    done = processors.batch(hits(400))
    assert done is not None
    assert processors.figures()["processors_thinned_samples_total"] == 400 - len(done)


@pytest.mark.parametrize("share", [0, 1.5, -0.1, "a", True])
def test_a_share_that_makes_no_sense_is_refused(share: object) -> None:
    with pytest.raises(StepError, match="thin is the share that is taken"):
        read_steps([{"thin": share}])
    with pytest.raises(ValueError, match="thinning to a share"):
        thin(hits(4), 0.0, np.random.default_rng(8))
