from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import numpy as np
import pytest

from monitor.alerting.model import Alert, State
from tests.ui.views.conftest import Stage, words
from ui.client.demo_map import shop
from ui.client.fake import FakeCollector
from ui.views.filter import FilterError
from ui.views.topology import Topology
from ui.views.topologyfilter import GRAMMAR, parse
from ui.views.topologylanes import lanes
from ui.views.topologypicture import say_edge
from ui.views.topologyview import LinkRow, NodeDetail, OperationRow, TopologyView


class Page:
    """The page on a collector in memory, before the session knows of it."""

    def __init__(self, fake: FakeCollector) -> None:
        self.stage = Stage(fake).start()
        self.page = Topology(self.stage.session.ctx)
        self.look()

    def look(self) -> TopologyView:
        """Asks, takes in what comes, and looks."""
        for _ in range(2):
            self.page.view()
            self.stage.tick()
        return self.page.view()

    def does(self, *actions: str) -> TopologyView:
        for action in actions:
            self.page.handlers[action]()
        return self.look()

    def names(self) -> list[str]:
        return [node.name for node in self.page.view().map.nodes]


@pytest.fixture
def map_page() -> Page:
    return Page(shop(FakeCollector()))


def spots(view: TopologyView) -> dict[str, Any]:
    return {node.name: tuple(spot) for node, spot in zip(view.map.nodes, view.map.spots.tolist(), strict=True)}


def names_of(detail: NodeDetail, title: str) -> list[str]:
    return [row.name for row in detail.rows(title)]


def test_the_map_says_what_is_not_well_in_a_sentence_and_the_gravest_come_first(map_page: Page) -> None:
    view = map_page.look()
    assert len(view.map.nodes) == 18
    assert view.counts == "18 nodes, 18 links"
    assert words(view.sentence).startswith("9 of 18 nodes are not well: checkout 18.")
    assert [n.shape for n in view.map.nodes[:2]] == ["critical", "critical"]
    assert {n.name: n.kind for n in view.map.nodes}["cart-redis"] == "database"
    assert {n.name: n.kind for n in view.map.nodes}["events-kafka"] == "queue"
    assert {n.name: n.kind for n in view.map.nodes}["Browsers"] == "external"


def test_without_traces_the_page_says_how_to_send_the_first_one() -> None:
    view = Page(FakeCollector()).look()
    assert view.empty is not None
    assert all(port in view.empty.detail for port in ("4317", "4318", "8126"))
    assert view.map.nodes == ()


def test_nodes_stay_where_they_are_when_others_are_hidden_come_or_go(map_page: Page) -> None:
    before = map_page.look()
    failing = map_page.does("topology.failing")
    assert len(failing.map.nodes) < 18
    assert {n: spots(before)[n] for n in spots(failing)} == spots(failing)
    assert (failing.map.extent == before.map.extent).all()
    map_page.does("topology.failing")
    fake = map_page.stage.fake
    fake.counter("traces_service_graph_request_total", lambda t: np.full(len(t), 3.0), {"client": "cart", "server": "new"})
    after = map_page.look()
    assert {n: spots(after)[n] for n in spots(before)} == spots(before)
    fake.remove("traces_service_graph_request_total", {"client": "cart", "server": "new"})
    assert spots(map_page.look()) == spots(before)


def test_tidying_up_can_be_undone(map_page: Page) -> None:
    fake = map_page.stage.fake
    fake.counter("traces_service_graph_request_total", lambda t: np.full(len(t), 3.0), {"client": "mailer", "server": "smtp"})
    before = spots(map_page.look())
    map_page.does("topology.tidy")
    map_page.stage.session.ctx.undo[-1].act()
    assert spots(map_page.look()) == before


def test_a_picture_that_did_not_change_is_the_same_object(map_page: Page) -> None:
    assert map_page.page.view().map is map_page.page.view().map
    first = map_page.page.view().map
    map_page.page.turn(0.1, 0.0)
    assert map_page.page.view().map is first


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("service:cart", {"cart", "cart-redis"}),
        ("cart !redis", {"cart"}),
        ("kind:database", {"search-index", "catalog-db", "cart-redis", "orders-db"}),
        ("errors>5%", {"checkout", "orders"}),
        ("calls:orders-db", {"orders"}),
        ("calledby:checkout", {"payments", "orders"}),
        ("p99>500ms kind:external", {"card-gateway"}),
        ("rate>=1000 !edge kind:service", set()),
        ("health:silenced", set()),
    ],
)
def test_the_filter_finds_and_hides(map_page: Page, text: str, wanted: set[str]) -> None:
    assert map_page.page.set_text("filter", text, 0)
    assert set(map_page.names()) == wanted


def test_a_filter_that_is_half_written_leaves_the_map_as_it_is_and_says_why(map_page: Page) -> None:
    map_page.page.set_text("filter", "errors>5%", 0)
    map_page.page.set_text("filter", "errors>5% p99>", 0)
    assert set(map_page.names()) == {"checkout", "orders"}
    assert "a number after p99> is missing" in map_page.page.view().filter_error


@pytest.mark.parametrize("text", ["errors>x", "weight>3", "p99>3parsecs", "errors>", "sevice:cart"])
def test_a_comparison_that_cannot_be_read_says_where(text: str) -> None:
    with pytest.raises(FilterError, match=r"^Column \d+: "):
        parse(text)


def test_a_quoted_word_is_no_comparison() -> None:
    assert not parse('"errors>1%"').comparisons


def test_neighbours_are_shown_step_by_step_and_then_everybody(map_page: Page) -> None:
    map_page.page.chosen = "payments"
    view = map_page.does("topology.near")
    assert set(map_page.names()) == {"payments", "checkout", "card-gateway"}
    assert view.near == "1 step round payments"
    map_page.does("topology.near")
    assert {"edge", "orders"} <= set(map_page.names())
    map_page.does("topology.near", "topology.near")
    assert len(map_page.names()) == 18


def test_arrows_walk_the_map_and_turn_it_in_3d(map_page: Page) -> None:
    map_page.page.chosen = "edge"
    map_page.does("topology.right")
    assert map_page.page.chosen in ("catalog", "checkout", "cart", "search")
    map_page.does("topology.left")
    assert map_page.page.chosen == "edge"
    before = map_page.page.orbit
    map_page.does("topology.mode", "topology.left")
    assert map_page.page.orbit != before
    assert map_page.page.chosen == "edge"


def test_zoom_and_pan_have_their_way_back(map_page: Page) -> None:
    assert map_page.does("topology.nearer", "topology.pan_left").flat.zoom > 1
    assert map_page.does("topology.fit").flat.zoom == 1


def test_the_next_that_is_not_well_is_the_gravest_first(map_page: Page) -> None:
    map_page.does("topology.next_ill")
    assert map_page.page.chosen == map_page.names()[0]


def test_a_service_opened_shows_its_figures_charts_operations_and_whom_it_knows(map_page: Page) -> None:
    map_page.page.chosen = "checkout"
    map_page.does("open")
    detail = map_page.look().detail
    assert detail is not None
    assert words(detail.sentence).startswith("18.")
    assert "It calls orders, payments, which are not well either." in words(detail.sentence)
    assert [c.title for c in detail.charts] == ["Requests", "Errors", "p99 by operation"]
    assert all(c.lines for c in detail.charts)
    assert names_of(detail, "Called by") == ["edge"]
    assert set(names_of(detail, "Calls")) == {"orders", "payments"}
    assert names_of(detail, "Operations") == ["POST /checkout", "GET /checkout"]
    assert map_page.page.back()
    assert map_page.page.view().detail is None


def test_a_database_opened_is_seen_by_its_callers(map_page: Page) -> None:
    map_page.page.chosen = "orders-db"
    map_page.does("open")
    detail = map_page.look().detail
    assert detail is not None
    assert detail.subtitle.startswith("Database, seen by its callers")
    assert [c.title for c in detail.charts][-1] == "p99 by caller"
    assert all(c.lines for c in detail.charts)


def test_back_goes_step_by_step(map_page: Page) -> None:
    page = map_page.page
    page.chosen = "checkout"
    map_page.does("topology.failing", "topology.near", "open")
    page.set_text("filter", "!nothing", 0)
    assert [page.back() for _ in range(6)] == [True, True, True, True, True, False]


def test_lenses_change_what_is_told_and_not_where(map_page: Page) -> None:
    health = map_page.look()
    latency = map_page.does("topology.lens")
    assert latency.lens == "Latency"
    assert spots(latency) == spots(health)
    assert any("ms" in label for label in latency.map.edge_labels)


def test_an_alert_that_fires_on_a_service_makes_it_critical() -> None:
    fake = shop(FakeCollector.demo())
    page = Page(fake)
    firing = [a for a in page.stage.mirror.alerts.values() if a.state is State.FIRING]
    alert: Alert = msgspec.structs.replace(
        firing[0], id="x", labels=(("service", "pricing"),), severity="critical", silenced_by=()
    )
    fake.book.put(alert)
    view = page.look()
    assert {n.name: n.shape for n in view.map.nodes}["pricing"] == "critical"
    page.page.chosen = "pricing"
    page.does("open")
    detail = page.look().detail
    assert detail is not None
    assert detail.rows("Firing here")


def test_names_from_outside_are_made_harmless() -> None:
    fake = FakeCollector()
    ends = {"client": "a\x1b[31m\u202e", "server": 'b{"}\n'}
    fake.counter("traces_service_graph_request_total", lambda t: np.full(len(t), 3.0), ends)
    page = Page(fake)
    names = page.names()
    assert len(names) == 2
    assert all(name.isprintable() for name in names)
    for name in ends.values():
        page.page.chosen = name
        page.does("open")
        assert page.look().detail is not None


def test_a_longer_edge_runs_where_no_box_stands() -> None:
    places = np.array([(0, 0.0), (1, 0.0), (2, 0.0), (1, 1.0)], np.float64)
    found = lanes(places, np.array([0, 0, 2], np.int32), np.array([2, 1, 0], np.int32))
    assert abs(found[0]) >= 0.4
    assert np.isnan(found[1])
    assert not np.isnan(found[2])


def test_every_row_of_the_table_has_the_same_figures_as_the_map(map_page: Page) -> None:
    view = map_page.does("topology.table")
    assert view.mode == "Table"
    node = next(n for n in view.map.nodes if n.name == "payments")
    assert dataclasses.asdict(node)["kind"] == "service"
    assert str(node.rate).endswith("/s")


def test_the_lists_of_an_open_node_have_a_cursor_and_a_link_leads_to_the_edge_and_on_to_its_other_end(map_page: Page) -> None:
    page = map_page.page
    page.chosen = "checkout"
    detail = map_page.does("open").detail
    assert detail is not None
    rows = [row for part in detail.parts for row in part.rows]
    at = next(n for n, row in enumerate(rows) if isinstance(row, LinkRow) and row.name == "payments")
    for _ in range(at + 1):
        page.move(1)
    view = map_page.look()
    assert view.detail is not None
    assert view.detail.cursor == at
    edge = view.map.edges[view.edge].tolist()
    assert [view.map.nodes[end].name for end in edge] == ["checkout", "payments"]
    view = map_page.does("open")
    assert view.detail is not None
    assert view.detail.name == "checkout → payments"
    assert [chart.title for chart in view.detail.charts] == ["Requests", "Errors", "Latency"]
    assert all(chart.lines for chart in view.detail.charts)
    assert names_of(view.detail, "Ends") == ["checkout", "payments"]
    page.move(1)
    page.move(1)
    view = map_page.does("open")
    assert view.detail is not None
    assert (page.chosen, view.detail.name) == ("payments", "payments")


def test_an_edge_that_is_pointed_at_opens_and_back_closes_it(map_page: Page) -> None:
    page = map_page.page
    view = map_page.look()
    assert page.point("topology.edge", len(view.map.edges) - 1)
    view = map_page.look()
    assert view.edge == len(view.map.edges) - 1
    assert view.detail is not None
    assert view.detail.edge
    assert say_edge(view.map, view.edge).startswith(view.detail.name.replace(" → ", " calls "))
    assert page.back()
    assert page.view().detail is None


def test_the_cursor_stays_with_its_row_when_others_come(map_page: Page) -> None:
    page = map_page.page
    page.chosen = "checkout"
    map_page.does("open")
    page.move(1)
    before = page.detail.current()
    assert isinstance(before, OperationRow)
    alert = next(iter(FakeCollector.demo().book.alerts.values()))
    firing = msgspec.structs.replace(
        alert, id="x", labels=(("service", "checkout"),), state=State.FIRING, severity="critical", silenced_by=()
    )
    map_page.stage.fake.book.put(firing)
    view = map_page.look()
    assert view.detail is not None
    assert view.detail.rows("Firing here")
    after = page.detail.current()
    assert isinstance(after, OperationRow)
    assert after.operation == before.operation


def test_the_jump_to_the_next_that_is_not_well_takes_the_neighbourhood_along(map_page: Page) -> None:
    page = map_page.page
    page.chosen = "search"
    map_page.does("topology.near", "topology.next_ill")
    assert page.chosen == "checkout"
    assert page.view().near == "1 step round checkout"
    assert "orders" in map_page.names()
    map_page.does("topology.next_ill")
    assert page.view().near == f"1 step round {page.chosen}"
    assert page.chosen != "checkout"


def test_the_grammar_is_explained_while_the_filter_is_written_and_each_example_can_be_read(map_page: Page) -> None:
    assert map_page.page.view().grammar == ()
    map_page.stage.session.ctx.focus = "filter"
    assert map_page.page.view().grammar == GRAMMAR
    for example, _ in GRAMMAR:
        assert parse(example)


def test_before_the_first_figures_come_nothing_is_called_silent() -> None:
    page = Topology(Stage(shop(FakeCollector())).start().session.ctx)
    view = page.view()
    assert words(view.sentence) == "18 nodes; their figures are asked for."
    assert {node.shape for node in view.map.nodes} == {"ok"}
    assert {node.figure for node in view.map.nodes} == {""}
