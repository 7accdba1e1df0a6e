from __future__ import annotations

from monitor.alerting.routing import Route
from monitor.alerting.routing.tree import ALL
from tests.monitor.alerting.routing.alerts import route

TREE = route(
    routes=(
        route("audit", 'env="prod"', go_on=True),
        route("shop", 'team=~"shop|cart"', routes=(route("shop-critical", 'severity="critical"'), route("quiet", 'test!=""'))),
        route("rest", 'team!=""'),
    )
)


def _found(**labels: str) -> list[str]:
    return [node.name for node in TREE.find(labels)]


def test_an_alert_that_no_node_takes_is_the_roots() -> None:
    assert _found(alertname="x") == ["all"]


def test_the_deepest_node_that_takes_it_has_it_and_the_next_are_not_asked() -> None:
    assert _found(team="shop", severity="critical") == ["shop-critical"]
    assert _found(team="cart") == ["shop"]


def test_a_node_that_goes_on_leaves_it_to_the_next_ones_too() -> None:
    assert _found(team="shop", env="prod") == ["audit", "shop"]
    assert _found(env="prod") == ["audit"]


def test_a_label_that_is_absent_counts_as_empty() -> None:
    assert _found(team="") == ["all"]


def test_groups_are_made_of_the_labels_that_are_there() -> None:
    assert route(group_by=("team", "host")).group_of({"team": "shop", "x": "y"}) == (("team", "shop"),)
    assert route(group_by=ALL).group_of({"b": "2", "a": "1"}) == (("a", "1"), ("b", "2"))
    assert route().group_of({"a": "1"}) == ()


def test_every_node_is_walked_once() -> None:
    assert sorted(node.name for node in TREE.walk()) == ["all", "audit", "quiet", "rest", "shop", "shop-critical"]
    assert isinstance(TREE, Route)
