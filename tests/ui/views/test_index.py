from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.model.matchers import parse_selector
from monitor.model.series import Kind, series_key
from monitor.wire import messages as m
from ui.client.mirror import Mirror
from ui.views.filter import parse
from ui.views.index import SeriesIndex, is_program

NAMES = ("shop.requests", "shop_requests", "host.cpu.busy", "a", "lightship_ticks_total")
ENTRIES = st.tuples(st.integers(0, 12), st.sampled_from(NAMES), st.sampled_from(["", "x", "y", "z"]))


@given(st.lists(st.tuples(st.lists(ENTRIES, max_size=6), st.lists(st.integers(0, 12), max_size=4)), max_size=12))
def test_following_changes_gives_what_looking_anew_gives(changes: list[tuple[list[tuple[int, str, str]], list[int]]]) -> None:
    mirror = Mirror()
    index = SeriesIndex(mirror)
    for revision, (added, gone) in enumerate(changes, 1):
        entries = tuple(m.SeriesEntry(row, name, (("t", tag),) if tag else (), Kind.GAUGE) for row, name, tag in added)
        mirror.apply(m.Series(revision, revision - 1 or -1, entries, tuple(gone)))
        infos = sorted(mirror.series.values(), key=lambda i: i.key)
        assert [i.key for i in index.search(parse(""))] == [i.key for i in infos]
        for name in NAMES:
            assert {i.row for i in index.named(name)} == {i.row for i in infos if i.key.name == name}
        assert index.programs == sum(is_program(i) for i in infos)
        selector = parse_selector("shop_requests")
        assert {i.row for i in index.selected(selector)} == {i.row for i in infos if selector.matches(i.key)}


def test_the_selector_of_a_series_means_that_series_alone() -> None:
    mirror = Mirror()
    keys = [series_key("hits"), series_key("hits", [("a", "1")]), series_key("hits", [("a", "1"), ("b", 'q"\\')])]
    mirror.apply(m.Series(1, 0, tuple(m.SeriesEntry(i, k.name, k.tags, Kind.COUNTER) for i, k in enumerate(keys))))
    index = SeriesIndex(mirror)
    for info in mirror.series.values():
        selector = parse_selector(str(index.selector(info)))
        assert [k for k in keys if selector.matches(k)] == [info.key]
