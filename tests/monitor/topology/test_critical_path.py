"""The critical path tells who was waited for, adds up to the whole, and says where it moved a span."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.spans import SpanKind, Spans, no_spans
from monitor.model.texts import TextTable
from monitor.topology.critical_path import arranged, critical_path, root_of


@dataclass(frozen=True)
class One:
    """A span: its id is its place in the list and one."""

    parent: int
    start: int
    end: int
    service: str = "web"
    kind: SpanKind = SpanKind.INTERNAL


def spans_of(ones: list[One]) -> Spans:
    table, count = TextTable(), len(ones)
    small, places = np.zeros(count, np.int8), np.zeros(count, np.int32)
    return Spans(
        traces=np.ones((count, 2), np.uint64),
        ids=np.arange(1, count + 1, dtype=np.uint64),
        parents=np.array([one.parent for one in ones], np.uint64),
        starts=np.array([one.start for one in ones], np.int64),
        durations=np.array([one.end - one.start for one in ones], np.int64),
        services=np.array([table.place(one.service) for one in ones], np.int32),
        names=places,
        kinds=np.array([one.kind for one in ones], np.int8),
        statuses=small,
        peers=places,
        peer_kinds=small,
        details=[b""] * count,
        texts=table.texts(),
    )


def own(ones: list[One]) -> dict[int, int]:
    """What each span on the path has of its own, by id."""
    return {one.place + 1: one.own for one in critical_path(spans_of(ones))}


def test_of_no_spans_there_is_no_path() -> None:
    assert critical_path(no_spans()) == []


def test_children_one_after_the_other_are_all_on_it_and_the_gaps_are_the_parents() -> None:
    assert own([One(0, 0, 100), One(1, 10, 40), One(1, 50, 90), One(3, 60, 70)]) == {1: 30, 2: 30, 3: 30, 4: 10}


def test_of_children_side_by_side_the_last_to_end_is_on_it_and_the_other_only_before_it_began() -> None:
    assert own([One(0, 0, 100), One(1, 0, 90), One(1, 5, 60)]) == {1: 10, 2: 90}
    assert own([One(0, 0, 100), One(1, 0, 80), One(1, 50, 100)]) == {1: 0, 2: 50, 3: 50}


def test_a_child_that_outlives_its_parent_was_not_waited_for() -> None:
    ones = [One(0, 0, 100), One(1, 10, 500), One(1, 20, 60)]
    assert own(ones) == {1: 60, 3: 40}
    laid = arranged(spans_of(ones))
    assert laid.apart.tolist() == [False, True, False]
    assert laid.ends.tolist() == [100, 500, 60]


def test_a_consumer_of_a_queue_is_not_waited_for_even_if_it_ends_in_time() -> None:
    ones = [One(0, 0, 100), One(1, 0, 10, kind=SpanKind.PRODUCER), One(2, 2, 9, "mail", SpanKind.CONSUMER)]
    assert own(ones) == {1: 90, 2: 10}


def test_a_server_whose_clock_is_off_is_moved_into_its_caller_with_all_that_is_its_own_and_says_so() -> None:
    ones = [
        One(0, 1000, 1100),
        One(1, 1010, 1090, kind=SpanKind.CLIENT),
        One(2, 5000, 5060, "cart", SpanKind.SERVER),
        One(3, 5010, 5020, "cart"),
    ]
    laid = arranged(spans_of(ones))
    assert laid.starts.tolist() == [1000, 1010, 1020, 1030]
    assert laid.shifts.tolist() == [0, 0, -3980, -3980]
    path = critical_path(spans_of(ones))
    assert [(one.place, one.own, one.moved) for one in path] == [(0, 20, False), (1, 20, False), (2, 50, True), (3, 10, True)]
    assert [one.share for one in path] == [0.2, 0.2, 0.5, 0.1]


def test_a_child_that_begins_before_its_parent_is_cut_and_says_so() -> None:
    laid = arranged(spans_of([One(0, 100, 200), One(1, 90, 150)]))
    assert laid.starts.tolist() == [100, 100]
    assert laid.cut.tolist() == [False, True]


def test_a_child_that_ends_a_hair_late_was_waited_for() -> None:
    assert own([One(0, 0, 1000), One(1, 500, 1005)]) == {1: 500, 2: 500}


def test_spans_that_are_each_others_parents_end_nowhere_in_a_loop() -> None:
    assert sum(own([One(2, 0, 10), One(1, 2, 8)]).values()) == 10
    assert own([One(1, 0, 10)]) == {1: 10}


def test_a_trace_without_its_root_begins_with_the_first_orphan() -> None:
    spans = spans_of([One(99, 50, 60), One(77, 10, 20), One(2, 12, 15)])
    assert root_of(spans, arranged(spans)) == 1
    assert own([One(99, 50, 60), One(77, 10, 20), One(2, 12, 15)]) == {2: 7, 3: 3}


def test_a_very_deep_and_a_very_wide_trace_are_no_matter() -> None:
    deep = [One(at, 0, 100_000 - at) for at in range(20_000)]
    assert sum(own(deep).values()) == 100_000
    wide = [One(0, 0, 100_000), *(One(1, at, at + 50) for at in range(20_000))]
    assert sum(own(wide).values()) == 100_000


def test_times_at_the_end_of_the_numbers_break_nothing() -> None:
    spans = spans_of([One(0, 0, 10), One(1, 0, 10, "far")])
    spans.starts[1], spans.durations[1] = np.iinfo(np.int64).max, np.iinfo(np.int64).max
    assert sum(one.own for one in critical_path(spans)) == 10


@st.composite
def trees(draw: st.DrawFn) -> list[One]:
    """Spans of any times, each with one of those before it as parent, or now and then one after it."""
    count = draw(st.integers(1, 10))
    ones = []
    for at in range(count):
        start = draw(st.integers(0, 30))
        parent = draw(st.integers(0, at) | st.integers(0, count))
        kind = draw(st.sampled_from([SpanKind.SERVER, SpanKind.CLIENT, SpanKind.CONSUMER]))
        ones.append(One(parent, start, start + draw(st.integers(0, 30)), draw(st.sampled_from("ab")), kind))
    return ones


@given(trees())
def test_the_parts_add_up_and_no_child_lies_outside_its_parent_without_saying_so(ones: list[One]) -> None:
    spans = spans_of(ones)
    laid, path = arranged(spans), critical_path(spans)
    root = root_of(spans, laid)
    assert sum(one.own for one in path) == ones[root].end - ones[root].start
    assert len({one.place for one in path}) == len(path)
    for place, parent in enumerate(laid.parents.tolist()):
        inside = parent < 0 or (laid.starts[parent] <= laid.starts[place] and laid.ends[place] <= laid.ends[parent])
        assert inside or laid.apart[place]
        as_told = laid.starts[place] == ones[place].start and laid.ends[place] == ones[place].end
        assert as_told or laid.shifts[place] or laid.cut[place]


@given(trees())
def test_each_moment_belongs_to_the_span_that_a_walk_by_single_ticks_finds(ones: list[One]) -> None:
    spans = spans_of(ones)
    laid = arranged(spans)
    root = root_of(spans, laid)
    counted: dict[int, int] = {}

    def walk(place: int, start: int, end: int) -> None:
        """Tick by tick from the end: whoever runs then and began first takes over until it began."""
        counted.setdefault(place, 0)
        children = {at for at in range(len(ones)) if laid.parents[at] == place and not laid.apart[at]}
        now = end
        while now > start:
            running = [(int(laid.starts[at]), at) for at in children if laid.starts[at] < now <= laid.ends[at]]
            if running:
                begin, child = min(running)
                children.discard(child)
                walk(child, max(begin, start), now)
                now = max(begin, start)
            else:
                counted[place] += 1
                now -= 1

    walk(root, int(laid.starts[root]), int(laid.ends[root]))
    assert {one.place: one.own for one in critical_path(spans)} == counted
