"""A restart: the journalled deltas give back windows, history and last values."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.engine import Derived, Engine, EngineSettings
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.windows.condense import condensed
from monitor.windows.frame import FIELDS, Delta
from monitor.windows.rings import FINE, TEN, floor_to
from tests.monitor.streams import BEGIN, Step, batch_of, new_space, steps

WINDOWS = (1, 10, 60, 300, 900, 3600)


def with_settings() -> Engine:
    ratio = Derived("ratio", "requests / (requests + latency)")
    return Engine(EngineSettings(idle_expiry=400, series_limit=6, derived=(ratio,)))


def run_through(engine: Engine, run: list[Step]) -> list[Delta]:
    space, now, deltas = new_space(), float(BEGIN), []
    for step in run:
        engine.ingest(batch_of(space, step.samples, now))
        now += step.ahead
        deltas.append(engine.tick(now).delta)
        engine.column("p50", 60)
        engine.column("sum", 300)
    return deltas


def assert_same(first: Engine, second: Engine) -> None:
    """Every field of every series, whatever rows they have."""
    assert first.now == second.now
    infos = first.table.added_since(0)[0]
    assert {(info.key, info.kind, info.unit) for info in infos} == {
        (info.key, info.kind, info.unit) for info in second.table.added_since(0)[0]
    }
    rows = np.array([info.row for info in infos], np.int32)
    others = np.array([second.table.find(info.key, info.kind) for info in infos], np.int32)
    for field in (*FIELDS, "p99.9"):
        for window in WINDOWS:
            got, wanted = second.column(field, window, others), first.column(field, window, rows)
            np.testing.assert_allclose(got, wanted, rtol=1e-12, err_msg=f"{field} over {window}")
        for span, step in ((100, 1), (3000, 10)):
            ago = first.now - span
            got_history = second.history(others, field, 60, ago, first.now, step)
            history = first.history(rows, field, 60, ago, first.now, step)
            np.testing.assert_array_equal(got_history.times, history.times)
            np.testing.assert_allclose(got_history.values, history.values, rtol=1e-12, err_msg=f"history of {field}")


@settings(max_examples=60, deadline=None)
@given(steps())
def test_an_engine_that_replays_all_deltas_is_the_one_that_never_stopped(run: list[Step]) -> None:
    lasting, restarted = with_settings(), with_settings()
    for delta in run_through(lasting, run):
        restarted.replay(delta)
    assert lasting.table.added_since(0) == restarted.table.added_since(0)
    assert_same(lasting, restarted)


@settings(max_examples=40, deadline=None)
@given(steps(), steps(relative=False))
def test_both_go_on_alike_after_the_restart(before: list[Step], after: list[Step]) -> None:
    lasting, restarted = with_settings(), with_settings()
    # Points of seconds still open are lost with the process, so the last tick comes when all are closed. Changes to a gauge
    # are left out afterwards: they are added to what arrived last, and the journal knows what was said last.
    for delta in run_through(lasting, [*before, Step((), 15.0)]):
        restarted.replay(delta)
    spaces, now = (new_space(), new_space()), lasting.now
    for step in after:
        for engine, space in zip((lasting, restarted), spaces, strict=True):
            engine.ingest(batch_of(space, step.samples, now))
        now += step.ahead
        assert lasting.tick(now).delta.rows.tolist() == restarted.tick(now).delta.rows.tolist()
    assert_same(lasting, restarted)


def test_rows_may_be_others_than_in_the_journal() -> None:
    space, engine = KeySpace(), Engine(EngineSettings(idle_expiry=20))
    for name in "abc":
        space.add(series_key(name), Kind.GAUGE)
    deltas = []
    for second in range(60):
        which = [0, 1] if second < 5 else [2, 1]
        engine.ingest(Batch(space, np.array(which, np.int32), np.array([1.0, 2.0]), np.full(2, BEGIN + second + 0.5)))
        deltas.append(engine.tick(BEGIN + second + 1).delta)
    restarted = Engine(EngineSettings(idle_expiry=20))
    ballast = KeySpace()
    ballast.add(series_key("was here first"), Kind.COUNTER)
    restarted.ingest(Batch(ballast, np.zeros(1, np.int32), np.ones(1), np.full(1, BEGIN - 0.5)))
    restarted.tick(BEGIN)
    for delta in deltas:
        restarted.replay(delta)
    for name in "bc":
        rows = [e.table.find(series_key(name)) for e in (engine, restarted)]
        assert None not in rows
        assert rows[0] != rows[1]
        values = [
            float(e.column("count", 60, np.array([r], np.int32))[0]) for e, r in zip((engine, restarted), rows, strict=True)
        ]
        assert values[0] == values[1] > 0


def test_entries_of_rows_nobody_introduced_are_left_out_and_counted() -> None:
    space, engine = KeySpace(), Engine()
    space.add(series_key("a"), Kind.DISTRIBUTION)
    deltas = []
    for second in range(3):
        engine.ingest(Batch(space, np.zeros(1, np.int32), np.ones(1), np.full(1, BEGIN + second + 0.5)))
        deltas.append(engine.tick(BEGIN + second + 1).delta)
    restarted = Engine()
    restarted.replay(deltas[1])
    assert len(restarted.table) == 0
    assert restarted.counters.dropped_invalid == 2


def test_a_relative_gauge_goes_on_from_its_last_value_after_a_restart() -> None:
    space, engine = KeySpace(), Engine()
    space.add(series_key("level"), Kind.GAUGE)
    engine.ingest(Batch(space, np.zeros(1, np.int32), np.array([40.0]), np.full(1, BEGIN + 0.5)))
    delta = engine.tick(BEGIN + 1).delta
    restarted, fresh = Engine(), KeySpace()
    restarted.replay(delta)
    fresh.add(series_key("level"), Kind.GAUGE)
    change = Batch(fresh, np.zeros(1, np.int32), np.array([2.0]), np.full(1, BEGIN + 1.5), None, np.array([True]))
    restarted.ingest(change)
    restarted.tick(BEGIN + 2)
    assert restarted.column("last", 60).tolist() == [42.0]


def test_many_series_that_ended_before_the_restart_are_replayed_too() -> None:
    engine, space = Engine(EngineSettings(idle_expiry=60)), KeySpace()
    for number in range(600):
        space.add(series_key(f"g{number}"), Kind.GAUGE)
    ids = np.arange(600, dtype=np.int32)
    engine.ingest(Batch(space, ids, np.ones(600), np.full(600, BEGIN + 0.5)))
    deltas = [engine.tick(BEGIN + 1.0).delta, engine.tick(BEGIN + 100.0).delta]
    assert len(deltas[1].gone) == 600
    again = Engine(EngineSettings(idle_expiry=60))
    for delta in deltas:
        again.replay(delta)
    assert len(again.table) == 0


@settings(max_examples=150, deadline=None)
@given(steps(), st.integers(0, 14))
def test_what_is_condensed_replays_to_the_same_windows_and_history(run: list[Step], cut: int) -> None:
    lasting, restarted = with_settings(), with_settings()
    deltas = run_through(lasting, run)
    # All that lies more than the finely kept minutes before what is asked may have been condensed.
    end = floor_to(int(lasting.now) - FINE, TEN)
    old = [delta for delta in deltas[:cut] if delta.time <= end]
    for delta in [*condensed(old), *deltas[len(old) :]]:
        restarted.replay(delta)
    assert_same(lasting, restarted)
