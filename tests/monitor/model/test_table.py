"""Rows of series: given out, found, given up, given out again."""

from __future__ import annotations

import numpy as np

from monitor.model.matchers import parse_selector
from monitor.model.series import KeySpace, Kind, SeriesKey, series_key
from monitor.model.table import SeriesTable


def rows(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.array(numbers, np.int32)


def key(name: str, **tags: str) -> SeriesKey:
    return series_key(name, tags.items())


def test_a_series_keeps_its_row_and_a_free_row_is_given_out_again() -> None:
    table = SeriesTable()
    assert [table.intern(key(name), Kind.GAUGE) for name in "abc"] == [0, 1, 2]
    assert table.intern(key("b"), Kind.GAUGE) == 1
    table.give_up(rows(1))
    assert table.info(1) is None
    assert table.find(key("b")) is None
    assert table.intern(key("d"), Kind.GAUGE) == 1
    assert table.live().tolist() == [0, 1, 2]
    assert len(table) == 3


def test_one_key_of_two_kinds_is_two_series() -> None:
    table = SeriesTable()
    first, second = table.intern(key("x"), Kind.COUNTER), table.intern(key("x"), Kind.DISTRIBUTION)
    assert first != second
    assert table.find(key("x")) == first
    assert table.find(key("x"), Kind.DISTRIBUTION) == second
    assert table.select(parse_selector("x")).tolist() == sorted([first, second])


def test_selections_follow_the_table() -> None:
    table = SeriesTable()
    selector = parse_selector('cpu{host="a"}')
    assert table.select(selector).tolist() == []
    table.intern(key("cpu", host="a", core="1"), Kind.GAUGE)
    table.intern(key("cpu", host="b"), Kind.GAUGE)
    assert table.select(selector).tolist() == [0]
    assert table.select(parse_selector("{}")).tolist() == [0, 1]
    table.give_up(rows(0))
    assert table.select(selector).tolist() == []


def test_changes_are_told_since_a_revision() -> None:
    table = SeriesTable()
    table.intern(key("a"), Kind.GAUGE)
    seen = table.revision
    table.intern(key("b"), Kind.GAUGE)
    table.give_up(rows(0))
    added, gone = table.added_since(seen)
    assert [info.key.name for info in added] == ["b"]
    assert gone == (0,)
    assert table.added_since(table.revision) == ((), ())


def test_a_row_given_anew_is_told_as_added_and_not_as_gone() -> None:
    table = SeriesTable()
    table.intern(key("a"), Kind.GAUGE)
    seen = table.revision
    table.give_up(rows(0))
    table.intern(key("b"), Kind.GAUGE)
    added, gone = table.added_since(seen)
    assert ([info.key.name for info in added], gone) == (["b"], ())


def test_a_revision_too_old_or_of_another_table_gets_the_whole_and_every_free_row() -> None:
    table = SeriesTable(limit=10)
    for round_ in range(30):
        table.intern(key("a", n=str(round_)), Kind.GAUGE)
        table.intern(key("b", n=str(round_)), Kind.GAUGE)
        table.give_up(rows(0))
        if round_ < 29:
            table.give_up(rows(1))
    for revision in (1, 10**9):
        added, gone = table.added_since(revision)
        assert [info.row for info in added] == [1]
        assert gone == (0,)
    assert table.added_since(0)[1] == ()


def test_ids_are_resolved_again_after_their_row_was_given_up() -> None:
    table, spaces = SeriesTable(), (KeySpace(), KeySpace())
    for space in spaces:
        for name in "abc":
            space.add(key(name), Kind.COUNTER)
    ids = rows(2, 0, 2)
    assert table.resolve(spaces[0], ids).tolist() == [1, 0, 1]
    assert table.resolve(spaces[1], ids).tolist() == [1, 0, 1]
    table.give_up(rows(1))
    assert table.intern(key("other"), Kind.GAUGE) == 1
    assert table.resolve(spaces[0], ids).tolist() == [2, 0, 2]
    assert table.resolve(spaces[1], ids).tolist() == [2, 0, 2]


def test_a_space_may_grow_between_batches() -> None:
    table, space = SeriesTable(), KeySpace()
    for number in range(1000):
        space.add(key("m", n=str(number)), Kind.COUNTER)
        if number % 100 == 0:
            assert table.resolve(space, rows(number)).tolist() == [number // 100]
    assert table.capacity >= len(table)


def test_overflow_takes_what_is_over_the_limit_and_lets_go_when_there_is_room() -> None:
    table, space = SeriesTable(limit=2), KeySpace()
    for name in "abcd":
        space.add(key(name), Kind.COUNTER)
    assert table.resolve(space, rows(0, 1, 2, 3)).tolist() == [0, 1, 2, 2]
    assert table.overflow_rows == (2,)
    assert table.find(key("lightship.overflow", kind="counter")) == 2
    table.give_up(rows(0))
    assert table.resolve(space, rows(1, 2, 3)).tolist() == [1, 0, 2]


def test_somebody_who_sends_the_overflow_series_gets_the_overflow_row() -> None:
    table = SeriesTable(limit=1)
    row = table.intern(key("lightship.overflow", kind="gauge"), Kind.GAUGE)
    table.intern(key("a"), Kind.GAUGE)
    assert table.intern(key("b"), Kind.GAUGE) == row
