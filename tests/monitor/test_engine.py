"""The engine against a slow reference, for all fields and windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from monitor.engine import Engine, EngineSettings
from monitor.model.batch import Batch
from monitor.model.matchers import parse_selector
from monitor.model.series import KeySpace, Kind, series_key
from monitor.windows.columns import FieldError
from monitor.windows.frame import FIELDS
from tests.monitor.reference import Reference
from tests.monitor.streams import BEGIN, SERIES, Step, batch_of, new_space, steps

WINDOWS = (1, 7, 10, 60, 299, 300, 310, 900, 3600)
NAMES = (*FIELDS, "p99.9", "p1")


def play(run: list[Step], idle_expiry: float = 3600.0) -> tuple[Engine, Reference]:
    """Both engines after the same batches and ticks."""
    engine, reference = Engine(EngineSettings(idle_expiry=idle_expiry)), Reference(idle_expiry=idle_expiry)
    space, now = new_space(), float(BEGIN)
    for step in run:
        batch = batch_of(space, step.samples, now)
        now += step.ahead
        for one in (engine, reference):
            one.ingest(batch)
            one.tick(now)
        # Asking in between makes the windows run on instead of being summed anew.
        engine.column("p50", 60)
        engine.column("p50", 900)
        for window in WINDOWS:
            engine.column("sum", window)
    return engine, reference


def close(got: float, wanted: float, name: str) -> bool:
    relative = 0.0056 if name.startswith("p") and name != "per_minute" else 1e-9
    return bool(np.isclose(got, wanted, rtol=relative, atol=1e-12, equal_nan=True))


def assert_same(engine: Engine, reference: Reference) -> None:
    assert {(info.key, info.kind) for info in engine.table.added_since(0)[0]} == set(reference.series)
    for identity in reference.series:
        row = engine.table.find(*identity)
        assert row is not None
        for name in NAMES:
            for window in WINDOWS:
                got = float(engine.column(name, window, np.array([row], np.int32))[0])
                wanted = reference.answer(identity, name, window)
                quantile = name == "value" and identity[1] is Kind.DISTRIBUTION
                assert close(got, wanted, "p99" if quantile else name), (identity, name, window, got, wanted)


@settings(max_examples=80, deadline=None)
@given(steps())
def test_every_field_over_every_window_is_what_the_points_say(run: list[Step]) -> None:
    engine, reference = play(run)
    assert_same(engine, reference)
    counters = engine.counters
    assert (counters.late, counters.dropped_late) == (reference.late, reference.dropped_late)
    assert (counters.dropped_future, counters.dropped_invalid) == (reference.dropped_future, reference.dropped_invalid)


@settings(max_examples=50, deadline=None)
@given(steps())
def test_series_expire_and_their_rows_are_used_again_clean(run: list[Step]) -> None:
    engine, reference = play(run, idle_expiry=45.0)
    assert_same(engine, reference)
    assert engine.counters.expired_series == reference.expired


@settings(max_examples=40, deadline=None)
@given(steps())
def test_the_same_batches_and_ticks_give_the_same_frames(run: list[Step]) -> None:
    first, second = frames_of(run), frames_of(run)
    assert first == second


def frames_of(run: list[Step]) -> list[tuple[object, ...]]:
    engine, space, now = Engine(EngineSettings(idle_expiry=200)), new_space(), float(BEGIN)
    frames: list[tuple[object, ...]] = []
    for step in run:
        engine.ingest(batch_of(space, step.samples, now))
        now += step.ahead
        frame = engine.tick(now)
        delta = frame.delta
        columns = (delta.rows, delta.seconds, delta.sums, delta.lasts, delta.hist_bins, delta.hist_counts, delta.set_hashes)
        frames.append((frame.time, frame.number, frame.rows.tobytes(), delta.added, *(c.tobytes() for c in columns)))
    return frames


@settings(max_examples=30, deadline=None)
@given(steps())
def test_history_is_what_the_columns_were_with_all_points_known(run: list[Step]) -> None:
    engine, reference = play(run)
    now = int(engine.now)
    rows = {engine.table.find(*identity): identity for identity in reference.series}
    order = np.array([row for row in rows if row is not None], np.int32)
    spans = ((now - 40, 1, 60), (now - 200, 7, 10), (now - 900, 10, 60), (now - 2000, 60, 900), (now - 300, 20, 0))
    for start, step, window in spans:
        for name in ("count", "sum", "min", "max", "mean", "rate", "p50", "unique", "value"):
            history = engine.history(order, name, window, start, now, step)
            for place, row in enumerate(order.tolist()):
                check_history(reference, rows[row], name, history.times, history.values[place], window or int(history.step))


def check_history(
    reference: Reference, identity: tuple[object, ...], name: str, times: np.ndarray, values: np.ndarray, window: int
) -> None:
    key, kind = identity
    series = reference.series[key, kind]  # type: ignore[index]
    field = {Kind.GAUGE: "last", Kind.DISTRIBUTION: "p99"}.get(kind, "count") if name == "value" else name  # type: ignore[call-overload]
    if name == "value" and (field != "last" or any(p.tick > 1 for p in series.points)):
        return
    fine_from = (reference.now or 0) - 300
    fine_from -= fine_from % 10
    for time, got in zip(times.tolist(), values.tolist(), strict=True):
        begin = reference.begin(window, int(time))
        if begin < fine_from:
            begin -= begin % 10
        wanted = reference.over((key, kind), field, begin, int(time))  # type: ignore[arg-type]
        assert close(got, wanted, field), (identity, name, time - BEGIN, window, got, wanted)


def one(kind: Kind, name: str = "m") -> KeySpace:
    space = KeySpace()
    space.add(series_key(name), kind)
    return space


def send(engine: Engine, space: KeySpace, values: list[float], times: list[float], ids: list[int] | None = None) -> None:
    which = np.array(ids or [0] * len(values), np.int32)
    engine.ingest(Batch(space, which, np.array(values), np.array(times, np.float64)))


def test_a_point_of_an_open_second_waits() -> None:
    engine, space = Engine(), one(Kind.COUNTER)
    send(engine, space, [5.0], [100.5])
    engine.tick(100.9)
    assert engine.column("sum", 60).tolist() != [5.0]
    engine.tick(101.0)
    assert engine.column("sum", 60).tolist() == [5.0]


def test_a_late_point_is_counted_and_kept_in_its_second() -> None:
    engine, space = Engine(), one(Kind.COUNTER)
    send(engine, space, [1.0], [1000.5])
    engine.tick(1002)
    send(engine, space, [2.0], [990.5])
    engine.tick(1003)
    assert engine.counters.late == 1
    assert engine.column("sum", 5).tolist() == [1.0]
    assert engine.column("sum", 60).tolist() == [3.0]


def test_points_too_late_or_too_far_ahead_are_dropped_and_counted_and_make_no_series() -> None:
    engine, space = Engine(), one(Kind.COUNTER)
    engine.tick(1000)
    send(engine, space, [1.0, 1.0, 1.0], [900.0, 1020.0, float("nan")])
    engine.tick(1001)
    counters = engine.counters
    assert (counters.dropped_late, counters.dropped_future, counters.dropped_invalid) == (1, 1, 1)
    assert len(engine.table) == 0


def test_a_collector_that_was_held_up_loses_nothing_that_came_in_time() -> None:
    engine, space = Engine(), one(Kind.COUNTER)
    engine.tick(1000)
    send(engine, space, [1.0], [1000.5])
    engine.tick(1090)
    assert engine.counters.dropped_late == 0
    assert engine.column("sum", 300).tolist() == [1.0]


def test_a_sum_is_exactly_zero_when_everything_has_left_the_window() -> None:
    engine, space = Engine(), one(Kind.COUNTER)
    random = np.random.default_rng(3)
    for second in range(200):
        values = random.random(20) * 10.0 ** random.integers(-12, 12)
        send(engine, space, values.tolist() if second < 120 else [0.0], [1000.5 + second] * (20 if second < 120 else 1))
        engine.tick(1001 + second)
        engine.column("sum", 60)
    assert engine.column("sum", 60).tolist() == [0.0]


def test_an_infinite_gauge_leaves_no_trace_once_it_is_out() -> None:
    engine, space = Engine(), one(Kind.GAUGE)
    for second, value in enumerate([float("inf"), float("-inf"), *[1.0] * 90]):
        send(engine, space, [value], [1000.5 + second])
        engine.tick(1001 + second)
        engine.column("mean", 60)
    assert engine.column("mean", 60).tolist() == [1.0]
    assert engine.column("max", 60).tolist() == [1.0]


def test_an_infinite_or_missing_distribution_value_is_dropped_and_counted() -> None:
    engine, space = Engine(), one(Kind.DISTRIBUTION)
    send(engine, space, [float("inf"), float("nan"), 3.0], [1000.5] * 3)
    engine.tick(1001)
    assert engine.counters.dropped_invalid == 2
    assert engine.column("p50", 60).tolist() == [3.0]


def test_a_stale_gauge_says_nothing_until_it_speaks_again() -> None:
    engine, space = Engine(), one(Kind.GAUGE)
    send(engine, space, [7.0], [1000.5])
    engine.tick(1100)
    assert engine.column("last", 60).tolist() == [7.0]
    send(engine, space, [float("nan")], [1100.5])
    engine.tick(1101)
    assert np.isnan(engine.column("value", 60)).all()
    send(engine, space, [8.0], [1101.5])
    engine.tick(1102)
    assert engine.column("value", 60).tolist() == [8.0]


def test_a_passing_series_gives_up_its_row_soon_after_its_end_and_others_keep_theirs() -> None:
    engine, space = Engine(EngineSettings(passing_expiry=300)), KeySpace()
    for name, passing in (("process", True), ("target", False), ("quiet", True)):
        space.add(series_key(name), Kind.GAUGE, "", passing)
    send(engine, space, [1.0] * 3, [1000.5] * 3, [0, 1, 2])
    engine.tick(1001)
    send(engine, space, [float("nan")] * 2, [1010.5] * 2, [0, 1])
    assert len(engine.tick(1310).rows) == 3
    frame = engine.tick(1311)
    assert frame.delta.gone.tolist() == [0]
    assert [info.key.name for info in engine.table.added_since(0)[0]] == ["target", "quiet"]
    send(engine, space, [5.0], [1311.5], [0])
    engine.tick(1312)
    row = engine.table.find(series_key("process"))
    assert row is not None
    assert engine.table.passing[row]
    assert engine.column("sum", 900, np.array([row], np.int32)).tolist() == [5.0]


def test_a_busy_machine_s_processes_do_not_fill_the_table() -> None:
    engine, space = Engine(), KeySpace()
    for turn in range(400):
        at = 1000.5 + 5 * turn
        before = [] if turn == 0 else list(range(len(space) - 10, len(space)))
        fresh = [
            space.add(series_key("host.process.cpu", [("pid", str(10 * turn + n))]), Kind.GAUGE, "", True) for n in range(10)
        ]
        send(engine, space, [50.0] * 10 + [float("nan")] * len(before), [at] * (10 + len(before)), fresh + before)
        engine.tick(at + 1)
    assert len(engine.table) <= 10 * (300 // 5 + 3)


def test_the_backlog_is_bounded_and_what_is_over_is_counted() -> None:
    engine, space = Engine(EngineSettings(backlog_limit=3)), one(Kind.COUNTER)
    send(engine, space, [1.0] * 5, [1000.5] * 5)
    send(engine, space, [1.0] * 5, [1000.5] * 5)
    engine.tick(1001)
    assert engine.counters.dropped_backlog == 7
    assert engine.column("sum", 60).tolist() == [3.0]
    send(engine, space, [1.0] * 2, [1001.5] * 2)
    engine.tick(1002)
    assert engine.column("sum", 60).tolist() == [5.0]


def test_beyond_the_limit_samples_go_to_one_overflow_series_a_kind() -> None:
    engine, space = Engine(EngineSettings(series_limit=2, idle_expiry=50)), KeySpace()
    for number in range(5):
        space.add(series_key("m", [("n", str(number))]), Kind.COUNTER)
    send(engine, space, [1.0] * 5, [1000.5] * 5, [0, 1, 2, 3, 4])
    engine.tick(1001)
    row = engine.table.find(series_key("lightship.overflow", [("kind", "counter")]))
    assert row is not None
    assert engine.column("sum", 60, np.array([row], np.int32)).tolist() == [3.0]
    assert engine.counters.overflowed == 3
    assert len(engine.table) == 3


def test_series_sent_to_overflow_get_their_own_row_when_room_is_freed() -> None:
    engine, space = Engine(EngineSettings(series_limit=1, idle_expiry=50)), KeySpace()
    space.add(series_key("first"), Kind.GAUGE)
    space.add(series_key("second"), Kind.GAUGE)
    send(engine, space, [1.0, 2.0], [1000.5] * 2, [0, 1])
    engine.tick(1001)
    assert engine.table.find(series_key("second")) is None
    send(engine, space, [2.0], [1040.5], [1])
    engine.tick(1055)
    assert engine.table.find(series_key("first")) is None
    send(engine, space, [2.0], [1055.5], [1])
    engine.tick(1056)
    row = engine.table.find(series_key("second"))
    assert row is not None
    assert engine.column("last", 60, np.array([row], np.int32)).tolist() == [2.0]


def test_relative_gauges_follow_what_was_said_before_them() -> None:
    engine, space = Engine(), one(Kind.GAUGE)
    relative = np.array([True, True, False, True, True])
    batch = Batch(
        space, np.zeros(5, np.int32), np.array([4.0, 1.0, 10.0, -3.0, 0.5]), np.full(5, 1000.5), None, relative
    )  # fmt: skip
    engine.ingest(batch)
    engine.tick(1001)
    assert engine.column("last", 60).tolist() == [7.5]
    assert engine.column("max", 60).tolist() == [10.0]


def test_an_unknown_field_or_window_is_refused_with_what_there_is() -> None:
    engine = Engine()
    with pytest.raises(FieldError, match="no field 'median'"):
        engine.column("median", 60)
    with pytest.raises(FieldError, match="3600"):
        engine.column("sum", 7200)
    with pytest.raises(FieldError, match="no field 'p100'"):
        engine.history(np.zeros(1, np.int32), "p100", 60, 0, 10, 1)


def test_rows_that_do_not_exist_have_no_data() -> None:
    engine = Engine()
    assert np.isnan(engine.column("sum", 60, np.array([-1, 3, 10_000_000], np.int32))).all()


def test_ids_no_space_has_are_dropped_and_counted() -> None:
    engine, space = Engine(), one(Kind.COUNTER)
    send(engine, space, [1.0, 1.0], [1000.5] * 2, [7, -2])
    engine.tick(1001)
    assert engine.counters.dropped_invalid == 2


def test_a_series_is_found_by_its_name_and_by_its_promql_name() -> None:
    engine, space = Engine(), one(Kind.COUNTER, "shop.orders")
    send(engine, space, [1.0], [1000.5])
    engine.tick(1001)
    assert engine.table.select(parse_selector("shop.orders")).tolist() == [0]
    assert engine.table.select(parse_selector("shop_orders")).tolist() == [0]
    assert engine.table.select(parse_selector('{__name__=~"shop.*"}')).tolist() == [0]
    assert engine.table.select(parse_selector("shop")).tolist() == []


def test_weights_count_as_that_many_observations() -> None:
    engine, space = Engine(), one(Kind.DISTRIBUTION)
    engine.ingest(Batch(space, np.zeros(2, np.int32), np.array([1.0, 9.0]), np.full(2, 1000.5), np.array([10.0, 1.0])))
    engine.tick(1001)
    assert engine.column("count", 60).tolist() == [11.0]
    assert engine.column("mean", 60)[0] == pytest.approx(19 / 11)
    assert engine.column("p90", 60)[0] == pytest.approx(1.0, rel=0.0055)


def test_ticks_that_go_back_close_nothing() -> None:
    engine, space = Engine(), one(Kind.COUNTER)
    send(engine, space, [1.0], [1000.5])
    engine.tick(1001)
    frame = engine.tick(900)
    assert frame.time == 1001
    assert engine.column("sum", 60).tolist() == [1.0]


def test_all_kinds_are_there() -> None:
    assert {kind for _, kind in SERIES} == set(Kind)
