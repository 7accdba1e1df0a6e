"""Exemplars as they are told and kept: their labels, their order, what is thinned, and what goes when there are too many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.exemplar_table import ExemplarTable, Found
from monitor.model.exemplars import (
    MOST_AT_ONCE,
    ExemplarColumns,
    Exemplars,
    TooManyCharactersError,
    all_labels,
    bounded,
    told_apart,
)
from monitor.model.series import KeySpace, Kind, series_key

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
NOW = 1_700_000_000.0


class Told(NamedTuple):
    """One exemplar as a test writes it."""

    series: int
    time: float
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    stamped: bool = True


SPACE = KeySpace()
for _number in range(8):
    SPACE.add(series_key(f"s{_number}"), Kind.COUNTER)


def batch(told: Sequence[Told]) -> Exemplars:
    columns = ExemplarColumns()
    for one in told:
        columns.put(one.series, one.time, one.value, one.labels, stamped=one.stamped)
    return columns.batch(SPACE)


def table(*batches: Sequence[Told], limit: int = 1000, window: float = 0.0) -> ExemplarTable:
    made = ExemplarTable(limit, window)
    for told in batches:
        made.add([batch(told)], NOW + 1e6)
    return made


def kept(made: ExemplarTable, series: str = "") -> list[tuple[str, float, float]]:
    found = made.find(lambda key: not series or key.name == series, 0.0, math.inf)
    return [
        (each.key.name, t, v) for each in found for t, v in zip(each.rows.times.tolist(), each.rows.values.tolist(), strict=True)
    ]


def values(made: ExemplarTable) -> list[float]:
    return [value for _, _, value in kept(made)]


# ------------------------------------------------------------ labels


def test_a_trace_and_a_span_are_read_out_of_labels_and_written_back_the_same() -> None:
    labels = (("span_id", SPAN), ("trace_id", TRACE), ("user", "mira"))
    trace, span, others = told_apart(labels)
    assert (trace, span, others) == (int(TRACE, 16), int(SPAN, 16), (("user", "mira"),))
    assert all_labels(trace, span, others) == labels


@pytest.mark.parametrize("written", [(("traceID", TRACE),), (("trace_id", TRACE[:16]),), (("trace_id", TRACE.upper()),)])
def test_what_is_spelled_otherwise_is_understood_and_given_on_as_it_came(written: tuple[tuple[str, str], ...]) -> None:
    trace, span, others = told_apart(written)
    assert trace == int(written[0][1], 16)
    assert all_labels(trace, span, others) == written


@given(
    st.dictionaries(st.sampled_from(["trace_id", "span_id", "traceID", "a", "b"]), st.text("0123456789abcdefABCDEF", max_size=20))
)
def test_labels_always_come_back_as_they_were(labels: dict[str, str]) -> None:
    told = tuple(sorted((name, value) for name, value in labels.items() if value))
    assert all_labels(*told_apart(labels.items())) == told


def test_labels_that_are_no_ids_stay_labels() -> None:
    assert told_apart([("trace_id", "KOO5S4vxi0o"), ("span_id", "0")]) == (0, 0, (("span_id", "0"), ("trace_id", "KOO5S4vxi0o")))


def test_labels_of_more_than_128_characters_are_refused() -> None:
    assert told_apart([("a", "x" * 127)])[2]
    with pytest.raises(TooManyCharactersError):
        told_apart([("a", "x" * 128)])


def test_of_attributes_that_are_too_long_the_first_that_fit_are_kept() -> None:
    assert bounded([("a", "1"), ("b", "x" * 200), ("c", "2")], room=64) == [("a", "1")]


def test_one_request_brings_only_so_many() -> None:
    columns = ExemplarColumns()
    for number in range(MOST_AT_ONCE + 3):
        columns.put(0, float(number), 1.0, ())
    assert (len(columns.batch(SPACE)), columns.left_out) == (MOST_AT_ONCE, 3)


# ------------------------------------------------------------ order and duplicates


def test_what_equals_the_newest_of_its_series_is_a_duplicate() -> None:
    made = table([Told(0, 10, 1.0, (("a", "1"),))], [Told(0, 10, 1.0, (("a", "1"),))], [Told(0, 10, 1.0, (("a", "2"),))])
    assert made.counters.duplicates == 1


def test_a_scrape_that_tells_the_same_again_without_a_time_tells_nothing_new() -> None:
    made = table(*([Told(0, 10.0 + 15 * turn, 1.0, (("id", "x"),), stamped=False)] for turn in range(4)))
    assert kept(made) == [("s0", 10.0, 1.0)]
    assert made.counters.duplicates == 3


def test_what_is_older_than_the_newest_is_refused() -> None:
    made = table([Told(0, 20, 1.0)], [Told(0, 10, 5.0), Told(1, 10, 5.0)])
    assert kept(made) == [("s0", 20.0, 1.0), ("s1", 10.0, 5.0)]
    assert made.counters.out_of_order == 1


def test_within_the_window_older_ones_find_their_place() -> None:
    made = table([Told(0, 20, 1.0)], [Told(0, 15, 5.0)], [Told(0, 9, 7.0)], [Told(0, 21, 2.0)], window=10)
    assert kept(made) == [("s0", 15.0, 5.0), ("s0", 20.0, 1.0), ("s0", 21.0, 2.0)]
    assert made.counters.out_of_order == 1


def test_numbers_and_times_that_are_none_are_left_out() -> None:
    made = table(
        [Told(0, 1, math.nan), Told(0, 2, math.inf), Told(0, math.nan, 1), Told(0, -5, 1), Told(0, 1e12, 1), Told(0, 3, 1)]
    )
    assert kept(made) == [("s0", 3.0, 1.0)]
    assert made.counters.invalid == 5


# ------------------------------------------------------------ thinning


def test_of_a_second_the_slowest_of_each_power_of_ten_is_kept() -> None:
    made = table([Told(0, 10 + number / 1000, 0.001 * number) for number in range(1, 900)])
    assert [round(value, 3) for value in values(made)] == [0.009, 0.099, 0.899]


def test_a_slower_one_of_the_same_second_takes_the_place_of_one_that_was_kept() -> None:
    made = table([Told(0, 10.1, 2.0)], [Told(0, 10.2, 5.0)], [Told(0, 10.3, 3.0)], window=5)
    assert kept(made) == [("s0", 10.2, 5.0)]


def test_a_busy_series_leaves_room_for_a_quiet_one() -> None:
    made = ExemplarTable(100)
    for second in range(50):
        made.add([batch([Told(0, second + 1 + number / 3000, 0.5 + number / 9000) for number in range(3000)])], NOW)
        if second == 0:
            made.add([batch([Told(1, 1.0, 1.0)])], NOW)
    assert ("s1", 1.0, 1.0) in kept(made)
    assert len(made) == 51


def slowly_thinned(batches: Sequence[Sequence[Told]]) -> set[tuple[int, float, float]]:
    """The greatest of each series, second and power of ten, by plain loops; all times are in order."""
    best: dict[tuple[int, int, int], Told] = {}
    for told in batches:
        for one in sorted(told, key=lambda each: (each.time, each.value)):
            group = one.series, math.floor(one.time), math.floor(math.log10(one.value))
            if group not in best or one.value > best[group].value:
                best[group] = one
    return {(one.series, one.time, one.value) for one in best.values()}


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3000), st.integers(1, 5000)), max_size=30), max_size=5))
def test_thinning_is_as_the_plain_way_has_it(rounds: list[list[tuple[int, int, int]]]) -> None:
    batches = [
        [Told(series, 100 * turn + 10 + time / 1000, value / 1000) for series, time, value in told]
        for turn, told in enumerate(rounds)
    ]
    made = table(*batches, window=1e6)
    assert {(int(name[1:]), time, value) for name, time, value in kept(made)} == slowly_thinned(batches)


# ------------------------------------------------------------ bounds


def test_there_are_never_more_than_the_limit_and_the_oldest_go_first() -> None:
    made = ExemplarTable(64)
    for second in range(200):
        made.add([batch([Told(second % 8, second + 1.0, 1.0)])], NOW)
        assert len(made) <= 64
    times = [time for _, time, _ in kept(made)]
    assert min(times) > 200 - 65
    assert max(times) == 200.0
    assert made.counters.crowded_out == 200 - len(made)


def test_series_whose_exemplars_went_are_forgotten() -> None:
    made, space = ExemplarTable(64), KeySpace()
    for number in range(1000):
        columns = ExemplarColumns()
        columns.put(space.add(series_key(f"x{number}"), Kind.COUNTER), number + 1.0, 1.0, ())
        made.add([columns.batch(space)], NOW)
    assert made.series <= 64
    assert len(made) <= 64


def test_one_request_larger_than_the_table_leaves_the_newest() -> None:
    made = table([Told(0, float(second), 1.0) for second in range(1, 500)], limit=100)
    assert 80 < len(made) <= 100
    assert max(time for _, time, _ in kept(made)) == 499.0


def test_only_the_time_asked_for_and_the_series_selected_are_found() -> None:
    made = table([Told(series, float(second), 1.0) for series in range(3) for second in range(1, 10)])
    found: list[Found] = made.find(lambda key: key.name in ("s1", "s2"), 3.0, 4.0)
    assert [(each.key.name, each.rows.times.tolist()) for each in found] == [("s1", [3.0, 4.0]), ("s2", [3.0, 4.0])]
    assert made.find(lambda key: False, 0.0, 10.0) == []


def test_what_is_restored_goes_on_where_it_was() -> None:
    made = table([Told(0, 10, 1.0, (("a", "1"),)), Told(1, 12, 2.0)])
    again = ExemplarTable(1000)
    again.restore(made.snapshot())
    again.add([batch([Told(0, 10, 1.0, (("a", "1"),)), Told(1, 11, 9.0), Told(2, 1, 1.0)])], NOW)
    assert kept(again) == [("s0", 10.0, 1.0), ("s1", 12.0, 2.0), ("s2", 1.0, 1.0)]
    assert (again.counters.duplicates, again.counters.out_of_order) == (1, 1)


def test_the_number_of_rows_is_what_columns_say() -> None:
    rows = table([Told(0, 10, 1.0)]).snapshot().rows
    assert {len(column) for column in rows} == {1}
    assert rows.traces.shape == (1, 2)
    assert rows.labels.dtype == np.object_
