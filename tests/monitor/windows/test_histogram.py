"""Quantiles from the running histograms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine import Engine
from monitor.model.batch import Batch, Floats
from monitor.model.series import KeySpace, Kind, series_key
from monitor.windows.bins import ZERO_INDEX, bins_of, middles_of

BEGIN = 1_700_000_000
FRACTIONS = (0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999)

finite = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)


def engine_of(*rows: Floats, seconds: int = 1) -> Engine:
    """An engine whose row i has had the values rows[i], spread over so many seconds."""
    space, engine = KeySpace(), Engine()
    for number in range(len(rows)):
        space.add(series_key("d", [("n", str(number))]), Kind.DISTRIBUTION)
    for second in range(seconds):
        for number, values in enumerate(rows):
            some = values[second::seconds]
            ids = np.full(len(some), number, np.int32)
            engine.ingest(Batch(space, ids, some, np.full(len(some), BEGIN + second + 0.5)))
        engine.tick(BEGIN + second + 1)
    return engine


def worst_error(engine: Engine, row: int, values: Floats, window: float) -> float:
    """The greatest relative error of the quantiles against numpy's nearest rank."""
    exact = np.quantile(values, FRACTIONS, method="inverted_cdf")
    got = [float(engine.column(f"p{fraction * 100:.10g}", window, np.array([row], np.int32))[0]) for fraction in FRACTIONS]
    return float(np.max(np.abs(np.array(got) - exact) / np.abs(exact)))


def test_quantiles_of_a_million_values_are_within_a_percent_of_exact() -> None:
    random = np.random.default_rng(5)
    size = 1_000_000
    lognormal = np.exp(random.normal(3, 1.5, size))
    low, high = random.normal(10, 1, size // 2), random.normal(900, 50, size // 2)
    bimodal = np.abs(np.concatenate((low, high)))
    pareto = 1 + random.pareto(1.1, size)
    engine = engine_of(lognormal, random.permutation(bimodal), pareto, seconds=4)
    for row, values in enumerate((lognormal, bimodal, pareto)):
        assert worst_error(engine, row, values, 60) < 0.0056
        assert worst_error(engine, row, values, 900) < 0.0056


def test_values_below_zero_and_zero_have_quantiles_too() -> None:
    random = np.random.default_rng(6)
    values = np.concatenate((-np.exp(random.normal(0, 2, 5000)), np.zeros(500), np.exp(random.normal(0, 2, 4000))))
    engine = engine_of(values)
    exact = np.quantile(values, FRACTIONS, method="inverted_cdf")
    for fraction, wanted in zip(FRACTIONS, exact, strict=True):
        got = float(engine.column(f"p{fraction * 100:.10g}", 60)[0])
        assert got == pytest.approx(wanted, rel=0.0056, abs=0.0)


@given(finite)
def test_the_middle_of_a_bin_is_close_to_every_value_in_it(value: float) -> None:
    got = float(middles_of(bins_of(np.array([value])))[0])
    if abs(value) >= 2.3e-308:
        assert got == pytest.approx(value, rel=0.00545, abs=0.0)
    else:
        assert abs(got) < 2.4e-308


@given(st.lists(finite, min_size=2, max_size=20))
def test_bins_keep_the_order_of_values(values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    assert np.all(np.diff(bins_of(ordered)) >= 0)


@pytest.mark.parametrize(
    ("value", "index"), [(1.0, -1), (1.0000001, 0), (2.0, 63), (2.0000001, 64), (0.5, -65), (2.0 ** (1 / 64) * 1.0000001, 1)]
)
def test_indices_are_those_of_opentelemetry_at_scale_six(value: float, index: int) -> None:
    assert int(bins_of(np.array([value]))[0]) - ZERO_INDEX == index
    assert int(bins_of(np.array([-value]))[0]) == -(index + ZERO_INDEX)


def test_a_window_forgets_what_has_left_it() -> None:
    space, engine = KeySpace(), Engine()
    space.add(series_key("d"), Kind.DISTRIBUTION)
    for second in range(700):
        value = 1000.0 if second < 100 else 5.0
        engine.ingest(Batch(space, np.zeros(1, np.int32), np.array([value]), np.full(1, BEGIN + second + 0.5)))
        engine.tick(BEGIN + second + 1)
        got = [float(engine.column("p99.9", window)[0]) for window in (60, 300, 400)]
        wanted = [1000.0 if second - window < 99 else 5.0 for window in (60, 300)]
        assert got[:2] == pytest.approx(wanted, rel=0.0055)
    assert got[2] == pytest.approx(5.0, rel=0.0055)


def test_weights_of_any_fraction_leave_nothing_behind() -> None:
    random = np.random.default_rng(9)
    space, engine = KeySpace(), Engine()
    space.add(series_key("d"), Kind.DISTRIBUTION)
    for second in range(200):
        if second < 100:
            weights, values = 1 / random.random(50), np.exp(random.normal(0, 1, 50))
            engine.ingest(Batch(space, np.zeros(50, np.int32), values, np.full(50, BEGIN + second + 0.5), weights))
        engine.tick(BEGIN + second + 1)
        engine.column("p50", 60)
    assert np.isnan(engine.column("p50", 60)).all()
    assert np.isnan(engine.column("p99", 30)).all()


def test_blocks_that_nothing_speaks_of_are_taken_back() -> None:
    space, engine = KeySpace(), Engine()
    space.add(series_key("d"), Kind.DISTRIBUTION)
    random = np.random.default_rng(10)
    sizes = []
    for second in range(0, 40_000, 100):
        values = np.exp(random.normal(0, 1, 20) + second / 200)
        values = values[np.isfinite(values)]
        engine.ingest(Batch(space, np.zeros(len(values), np.int32), values, np.full(len(values), BEGIN + second + 0.5)))
        engine.tick(BEGIN + second + 1)
        sizes.append(len(engine._store.histograms._owners))
    assert max(sizes[200:]) == sizes[199]
