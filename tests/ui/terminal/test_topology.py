from __future__ import annotations

import pytest

from tests.ui.views.test_topology import Page
from ui.client.demo_map import forest, shop
from ui.client.fake import FakeCollector
from ui.terminal import topologyboxes
from ui.terminal.canvas import Canvas, Rect, differences
from ui.terminal.stage import Memory, Stage, layout_for
from ui.terminal.topology import paint_topology
from ui.terminal.topologyboxes import plan

SIZES = ((120, 40), (80, 24), (45, 30))


class Shown:
    """The page painted on a canvas of a size."""

    def __init__(self, fake: FakeCollector, w: int, h: int, ascii_only: bool = False) -> None:
        self.page = Page(fake)
        self.size, self.ascii = (w, h), ascii_only
        self.memory = Memory()

    def canvas(self) -> Canvas:
        w, h = self.size
        canvas = Canvas(w, h, ascii_only=self.ascii)
        paint_topology(Stage(canvas, layout_for(w, h), self.memory), Rect(0, 2, w, h - 3), self.page.page.view())
        return canvas

    def text(self) -> str:
        return "\n".join(self.canvas().lines())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["2D", "3D", "Table"])
def test_every_form_names_the_gravest_at_every_size(size: tuple[int, int], mode: str) -> None:
    shown = Shown(shop(FakeCollector()), *size)
    shown.page.page.choose("mode", mode)
    text = shown.text()
    assert "nodes are not well" in text
    assert "checkout" in text
    assert "18 nodes, 18 links" in text


def test_boxes_are_joined_by_lines_and_say_their_state_by_shape() -> None:
    shown = Shown(shop(FakeCollector()), 160, 40)
    text = shown.text()
    assert "║ ◆ checkout" in text
    assert "▶" in text
    assert "╭" in text
    assert "Entry" in text


def test_a_box_under_the_pointer_is_that_node() -> None:
    shown = Shown(shop(FakeCollector()), 120, 40)
    canvas = shown.canvas()
    y = next(i for i, line in enumerate(canvas.lines()) if "║◆ checkout" in line)
    hit = canvas.target(canvas.text(y).index("checkout"), y)
    assert hit is not None
    assert (hit.kind, hit.name) == ("row", "topology")
    assert shown.page.page.view().map.nodes[hit.index].name == "checkout"


def test_a_map_wider_than_the_screen_follows_the_node_chosen() -> None:
    shown = Shown(shop(FakeCollector()), 80, 24)
    assert "more ▶" in shown.text()
    assert "search-index" not in shown.text()
    shown.page.page.chosen = "cart-redis"
    text = shown.text()
    assert "cart-re" in text
    assert "◀ more" in text


@pytest.mark.parametrize("size", SIZES)
def test_a_node_opened_says_what_is_wrong_and_whom_it_calls(size: tuple[int, int]) -> None:
    shown = Shown(shop(FakeCollector()), *size)
    shown.page.page.chosen = "checkout"
    shown.page.does("open")
    text = shown.text()
    for words in ("◆ checkout", "Requests", "Errors", "p99", "Operations", "Esc close"):
        assert words in text, words
    for _ in range(12):  # the lists move on under the cursor
        shown.page.page.move(1)
    text = shown.text()
    for words in ("Calls", "orders", "payments"):
        assert words in text, words


def test_without_traces_it_says_how_to_send_the_first_one() -> None:
    text = Shown(FakeCollector(), 80, 24).text()
    assert "No traces yet." in text
    assert "4317" in text


@pytest.mark.parametrize("mode", ["2D", "3D"])
def test_without_unicode_everything_is_ascii(mode: str) -> None:
    shown = Shown(shop(FakeCollector()), 120, 40, ascii_only=True)
    shown.page.page.choose("mode", mode)
    body = [line for line in shown.canvas().lines() if line.strip()]
    assert all(line.isascii() for line in body)


def test_a_choice_repaints_only_the_rows_it_changes() -> None:
    shown = Shown(shop(FakeCollector()), 120, 40)
    shown.page.page.chosen = "edge"
    before = shown.canvas()
    shown.page.page.chosen = "checkout"
    rows = {span.y for span in differences(before, shown.canvas())}
    assert 0 < len(rows) <= 16


def test_a_map_seen_from_afar_is_drawn_as_dots() -> None:
    shown = Shown(shop(FakeCollector()), 120, 40)
    shown.page.does("topology.farther")
    text = shown.text()
    assert "◆ checkout" in text
    assert "║" not in text


def test_many_nodes_are_painted_at_every_size() -> None:
    shown = Shown(forest(FakeCollector(), 100, 250), 120, 40)
    for size in SIZES:
        shown.size = size
        for mode in ("2D", "3D", "Table"):
            shown.page.page.choose("mode", mode)
            assert "svc-" in shown.text()


def test_the_filter_is_a_field_where_it_is_written() -> None:
    shown = Shown(shop(FakeCollector()), 80, 24)
    shown.page.page.set_text("filter", "errors>5%", 0)
    text = shown.text()
    assert "/ errors>5%" in text
    assert "2 of 18 nodes" in text


def test_the_largest_boxes_that_fit_are_taken() -> None:
    view = Page(shop(FakeCollector())).look().map
    large, small = plan(view, 200, 60), plan(view, 80, 20)
    assert (large.w, large.h) > (small.w, small.h)
    assert large.width <= 200


@pytest.mark.parametrize("size", SIZES)
def test_what_may_be_written_into_the_filter_stands_over_the_map_and_what_is_wrong_in_full(size: tuple[int, int]) -> None:
    shown = Shown(shop(FakeCollector()), *size)
    shown.page.stage.session.ctx.focus = shown.memory.focus = "filter"
    shown.page.page.set_text("filter", "weight>3", 8)
    text = " ".join(shown.text().split())
    assert "weight is no figure (rate, errors, p50, p95, p99)" in text
    for words in ("!redis", "hides what has it", "calls:orders-db", "who calls it; also calledby:edge"):
        assert words in text, words


@pytest.mark.parametrize("size", SIZES)
def test_an_edge_opened_says_its_rate_errors_and_latency_and_leads_to_its_ends(size: tuple[int, int]) -> None:
    shown = Shown(shop(FakeCollector()), *size)
    shown.page.page.detail.show_edge(("orders", "orders-db"))
    shown.page.look()
    text = shown.text()
    for words in ("orders → orders-db", "Calls to a database", "Requests", "Errors", "p99", "Ends"):
        assert words in text, words
    y = next(i for i, line in enumerate(shown.canvas().lines()) if "Ends" in line) + 1
    hits = {(hit.kind, hit.name) for x in range(size[0]) if (hit := shown.canvas().target(x, y)) is not None}
    assert ("row", "topology.row") in hits


def test_walking_from_node_to_node_draws_no_line_anew() -> None:
    shown = Shown(forest(FakeCollector(), 100, 250), 120, 40)
    shown.canvas()
    sheet = topologyboxes._drawn[0]
    shown.page.page.move(1)
    shown.canvas()
    assert topologyboxes._drawn[0] is sheet
