"""The page within a session: its tab, its keys, its filter and its ways to other pages."""

from __future__ import annotations

import pytest

from tests.ui.views.conftest import Stage
from tests.ui.views.test_topology_shop import shop
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
