"""The page within a session: its tab, its keys, its filter and its ways to other pages."""

from __future__ import annotations

import pytest

from tests.ui.views.conftest import Stage
from ui.client.demo_map import shop
from ui.client.fake import FakeCollector
from ui.views.view import Picture


@pytest.fixture
def stage() -> Stage:
    made = Stage(shop(FakeCollector())).start()
    made.press("3")
    made.tick(2)
    return made


def nodes(picture: Picture) -> list[str]:
    assert picture.topology is not None
    return [node.name for node in picture.topology.map.nodes]


def test_key_3_shows_the_map_and_its_tab_says_so(stage: Stage) -> None:
    picture = stage.settle()
    assert len(nodes(picture)) == 18
    assert ("3", "Topology") in [(tab.key, tab.name) for tab in picture.frame.tabs]


def test_keys_open_a_node_close_it_and_turn_the_map(stage: Stage) -> None:
    picture = stage.press("j", "enter")
    assert picture.topology is not None
    assert picture.topology.detail is not None
    picture = stage.press("escape", "d")
    assert picture.topology is not None
    assert (picture.topology.detail, picture.topology.mode) == (None, "3D")


def test_the_filter_has_the_focus_after_a_slash_and_narrows_the_map(stage: Stage) -> None:
    assert stage.press("/").frame.focus == "filter"
    stage.session.set_text("filter", "errors>5%")
    stage.session.submit("filter")
    assert nodes(stage.settle()) == ["checkout", "orders"]


def test_a_node_leads_to_its_series_in_explore(stage: Stage) -> None:
    stage.press("j", "e")
    assert stage.session.page == "explore"


def test_tidying_up_is_undone_by_the_key_of_every_undo(stage: Stage) -> None:
    before = stage.session.picture().topology
    stage.session.perform("topology.tidy")
    after = stage.press("ctrl+z").topology
    assert before is not None
    assert after is not None
    assert before.map.spots.tolist() == after.map.spots.tolist()


def test_while_the_view_is_paused_the_map_stands_still(stage: Stage) -> None:
    stage.press("space")
    before = stage.settle().topology
    after = stage.tick(3).topology
    assert before is not None
    assert after is not None
    assert [n.line for n in before.map.nodes] == [n.line for n in after.map.nodes]


@pytest.fixture
def traced() -> Stage:
    made = Stage(FakeCollector.demo()).start()
    made.press("3")
    made.session.topology.show("checkout")
    made.tick(2)
    return made


def row_of(stage: Stage, title: str) -> int:
    """The number of the first row of one list of what is open, counted over all of them."""
    for _ in range(10):  # what was asked for comes with the next ticks
        topology = stage.tick().topology
        assert topology is not None
        assert topology.detail is not None
        parts = topology.detail.parts
        at = [part.title for part in parts].index(title)
        if parts[at].rows:
            return sum(len(part.rows) for part in parts[:at])
    raise AssertionError(f"{title}: {parts[at].note}")


def test_recent_errors_are_asked_from_the_trace_store_and_lead_to_their_trace_and_back_to_the_map(traced: Stage) -> None:
    traced.session.open("topology.row", row_of(traced, "Recent errors"))
    assert traced.session.page == "traces"
    traced.tick(2)
    opened = traced.session.traces.opened
    assert opened is not None
    assert "checkout" in {row.service for row in opened.spans}
    traced.press("m")
    assert (traced.session.page, traced.session.topology.chosen) == ("topology", "edge")


def test_an_operation_leads_to_its_traces_and_an_alert_to_the_console(traced: Stage) -> None:
    at = row_of(traced, "Operations")
    traced.session.open("topology.row", at)
    assert traced.session.traces.list.text == 'service:checkout op:"POST /checkout"'
    traced.press("3")
    traced.session.open("topology.row", row_of(traced, "Firing here"))
    assert traced.session.page == "alerts"


@pytest.mark.parametrize(("key", "kind", "text"), [("o", "Traces", "service:checkout"), ("i", "Logs", "service:checkout")])
def test_keys_lead_from_a_node_to_its_traces_and_logs(traced: Stage, key: str, kind: str, text: str) -> None:
    traced.press(key)
    assert (traced.session.page, traced.session.traces.kind) == ("traces", kind)
    assert traced.session.traces.searching.text == text


def test_a_database_says_why_it_has_no_traces_and_has_logs_all_the_same(traced: Stage) -> None:
    traced.session.topology.show("orders-db")
    on, why = traced.session.enabled("topology.traces")
    assert not on
    assert "orders-db sends no spans of its own" in why
    assert traced.session.enabled("topology.logs") == (True, "")


def test_a_service_that_is_hidden_is_shown_when_something_leads_to_it(traced: Stage) -> None:
    traced.session.set_text("filter", "kind:database")
    assert traced.session.topology.show("edge")
    assert "edge" in nodes(traced.settle())
    assert not traced.session.topology.show("nobody")
