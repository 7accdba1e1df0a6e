"""The flame: zoomed into and out of, walked, and its narrow spans joined and counted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.wire import messages as m
from tests.ui.views.conftest import Stage
from tests.ui.views.test_traces import opened, view
from ui.views.tracesflame import flame_of, frames_of, neighbour
from ui.views.traceslay import Laid, laid_out
from ui.views.traceszoom import MOST_STEPS, Zoom, Zooms, onto


def laid(spans: list[tuple[int, int, int]]) -> Laid:
    """Spans of (parent, start, duration) in milliseconds; the first is the root."""
    told = [
        m.SpanInfo(
            f"{at + 1:016x}",
            f"{parent + 1:016x}" if at else "",
            "shop",
            f"work {at}",
            "internal",
            "error" if at % 7 == 3 else "ok",
            start / 1000,
            duration / 1000,
            start * 1_000_000,
        )
        for at, (parent, start, duration) in enumerate(spans)
    ]
    found = laid_out(told)
    assert found is not None
    return found


@st.composite
def trees(draw: st.DrawFn) -> Laid:
    spans = [(0, 0, 1000)]
    for at in range(1, draw(st.integers(2, 40))):
        parent = draw(st.integers(0, at - 1))
        start = spans[parent][1] + draw(st.integers(0, 400))
        spans.append((parent, start, draw(st.sampled_from([0, 1, 3, 50, 400]))))
    return laid(spans)


@settings(deadline=None)
@given(trees(), st.integers(0, 39), st.floats(20, 900))
def test_every_span_under_what_is_looked_at_is_drawn_counted_or_outside_once(tree: Laid, place: int, room: float) -> None:
    place %= len(tree)
    flame = flame_of(tree, onto(tree, place))
    frames = frames_of(flame, [False] * len(tree), room, 3.0)
    drawn = len(frames.wide) + sum(one.count for one in frames.joined)
    assert drawn == len(flame.places)
    assert drawn - flame.above + flame.outside == tree.below[place] + 1
    assert ((flame.starts >= 0) & (flame.ends <= 1) & (flame.starts <= flame.ends)).all()
    boxes = [(int(flame.lanes[at]), float(flame.starts[at]), float(flame.ends[at])) for at in frames.wide.tolist()]
    boxes += [(one.lane, one.start, one.end) for one in frames.joined]
    boxes.sort()
    for (lane, _, end), (other, start, _) in itertools.pairwise(boxes):
        assert lane != other or end <= start + 1e-9, "nothing lies on anything"


@settings(deadline=None)
@given(trees(), st.lists(st.integers(-1, 39), max_size=80))
def test_any_way_into_a_flame_leads_back_to_the_whole_trace(tree: Laid, presses: list[int]) -> None:
    zooms = Zooms()
    for press in presses:
        zooms.onto(tree, press % len(tree)) if press >= 0 else zooms.out()
        assert 0 <= zooms.now.begin < zooms.now.end <= 1 + 1e-9
        assert len(zooms.steps) <= MOST_STEPS
    while zooms.out():
        pass
    assert zooms.now == Zoom()


def test_narrow_neighbours_are_joined_with_their_count_and_failures() -> None:
    tree = laid([(0, 0, 10_000), *((0, 100 + 2 * at, 1) for at in range(40)), (0, 9000, 1)])
    frames = frames_of(flame_of(tree, Zoom()), [span.status == "error" for span in tree.spans], 200.0, 4.0)
    assert len(frames.wide) == 1
    assert [(one.count, one.failed) for one in frames.joined] == [(40, 6), (1, 0)]


def test_a_stretch_is_enlarged_until_its_spans_stand_alone() -> None:
    tree = laid([(0, 0, 10_000), *((0, 100 + 2 * at, 1) for at in range(40))])
    zooms = Zooms()
    joined = frames_of(flame_of(tree, zooms.now), [False] * len(tree), 400.0, 4.0).joined[0]
    zooms.into(joined.start, joined.end)
    flame = flame_of(tree, zooms.now)
    frames = frames_of(flame, [False] * len(tree), 400.0, 4.0)
    assert not frames.joined
    assert len(frames.wide) == 41, "and the root above them"


def test_neighbours_are_those_of_the_level_in_time() -> None:
    tree = laid([(0, 0, 1000), (0, 100, 100), (0, 300, 100), (1, 110, 10), (2, 310, 10)])
    flame = flame_of(tree, Zoom())
    first, second = (next(at for at, span in enumerate(tree.spans) if span.operation == f"work {number}") for number in (3, 4))
    assert neighbour(flame, first, 1) == second
    assert neighbour(flame, second, 1) == second
    assert neighbour(flame, second, -1) == first


@pytest.fixture
def failed(demo: Stage) -> Stage:
    """A checkout that failed, opened."""
    demo.press("6")
    demo.session.traces.show_traces("edge", "POST /checkout", True)
    demo.settle()
    demo.press("enter")
    return demo


def test_enter_enlarges_arrows_walk_and_escape_leads_out_before_it_closes(failed: Stage) -> None:
    failed.press("v")
    assert any("Enter or a press enlarges a span" in note for note in opened(failed).notes)
    failed.press("down", "enter")
    shown = opened(failed)
    assert shown.flame is not None
    assert shown.flame.above == 1
    assert any(note.startswith("Enlarged: checkout POST /checkout") for note in shown.notes)
    at = int(np.flatnonzero(shown.flame.places == shown.place)[0])
    assert (shown.flame.starts[at], shown.flame.ends[at]) == (0.0, 1.0)
    failed.press("down")
    assert opened(failed).spans[opened(failed).place].depth == 2
    failed.press("up", "up")
    assert opened(failed).place == 0
    failed.press("enter")
    whole = opened(failed).flame
    assert whole is not None
    assert whole.above == 0, "the caller leads back to the whole trace"
    failed.press("down", "enter", "escape")
    assert opened(failed).flame is not None
    failed.press("escape")
    assert view(failed).opened is None


def test_a_stretch_from_a_painter_is_read_with_care(failed: Stage) -> None:
    failed.press("v")
    for hostile in ("", "a:b", "1e9:2", "-1:0.5", "nan:inf", "0.5:0.4", "0.1:0.1"):
        failed.session.choose("traces.stretch", hostile)
        flame = opened(failed).flame
        assert flame is not None
        assert (flame.begin, flame.end) == (0.0, 1.0)
    failed.session.choose("traces.stretch", "0.250000000000:1.000000000000")
    flame = opened(failed).flame
    assert flame is not None
    assert (flame.begin, flame.end) == (0.25, 1.0)
