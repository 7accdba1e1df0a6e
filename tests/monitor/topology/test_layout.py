from __future__ import annotations

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.topology.layout import Graph, Spot, arrange

Pairs = list[tuple[str, str]]


def graph(pairs: Pairs, alone: tuple[str, ...] = (), last: tuple[str, ...] = ()) -> Graph:
    names = sorted({n for pair in pairs for n in pair} | set(alone))
    place = {n: i for i, n in enumerate(names)}
    ends = np.array([(place[a], place[b]) for a, b in pairs], np.int32).reshape(-1, 2)
    return Graph(names, ends[:, 0], ends[:, 1], np.array([n in last for n in names], np.bool_))


def apart(spots: dict[str, Spot], names: list[str]) -> None:
    """No two nodes of a layer are nearer than 1."""
    layers: dict[int, list[float]] = {}
    for name in names:
        layers.setdefault(spots[name][0], []).append(spots[name][1])
    for rows in layers.values():
        assert (np.diff(sorted(rows)) >= 1.0).all(), rows
        assert all(row * 2 == round(row * 2) for row in rows)


SHOP: Pairs = [("web", "edge"), ("edge", "cart"), ("edge", "search"), ("cart", "db"), ("search", "index"), ("cart", "search")]


def test_layers_go_from_callers_to_whom_they_call() -> None:
    spots = arrange(graph(SHOP), {})
    assert all(spots[a][0] < spots[b][0] for a, b in SHOP)


def test_stores_stand_together_at_the_end() -> None:
    spots = arrange(graph([*SHOP, ("edge", "cache")], last=("db", "index", "cache")), {})
    assert spots["db"][0] == spots["index"][0] == spots["cache"][0] == max(layer for layer, _ in spots.values())


def test_a_cycle_is_opened_where_it_is_entered_and_the_same_way_each_time() -> None:
    ring: Pairs = [("in", "a"), ("a", "b"), ("b", "c"), ("c", "a")]
    spots = arrange(graph(ring), {})
    assert [spots[n][0] for n in ("in", "a", "b", "c")] == [0, 1, 2, 3]
    assert arrange(graph(ring[::-1]), {}) == spots


def test_a_node_that_calls_itself_is_laid_out_like_any_other() -> None:
    assert set(arrange(graph([("a", "a"), ("a", "b")]), {})) == {"a", "b"}


def test_parts_that_are_not_connected_stand_below_each_other() -> None:
    spots = arrange(graph([("a", "b"), ("b", "c"), ("x", "y")], alone=("lonely", "lost")), {})
    first = max(spots[n][1] for n in "abc")
    second = max(spots[n][1] for n in "xy")
    assert first < min(spots[n][1] for n in "xy")
    assert second < min(spots[n][1] for n in ("lonely", "lost"))


def test_nobody_moves_when_a_node_comes_and_it_stands_beside_its_neighbours() -> None:
    before = arrange(graph(SHOP), {})
    after = arrange(graph([*SHOP, ("cart", "new"), ("new", "newer")]), before)
    assert {n: after[n] for n in before} == before
    assert after["new"][0] == before["cart"][0] + 1
    assert after["newer"][0] == before["cart"][0] + 2


def test_nobody_moves_when_a_node_goes_and_it_returns_to_its_place() -> None:
    before = arrange(graph(SHOP), {})
    without = [pair for pair in SHOP if "cart" not in pair]
    gone = arrange(graph(without), before)
    assert {n: gone[n] for n in ("web", "edge", "search", "index")} == {n: before[n] for n in ("web", "edge", "search", "index")}
    assert arrange(graph(SHOP), gone)["cart"] == before["cart"]


def test_who_takes_the_place_of_one_that_is_gone_keeps_it() -> None:
    before = arrange(graph([("a", "b")]), {})
    other = arrange(graph([("a", "c")]), before)
    assert other["c"] == before["b"]
    both = arrange(graph([("a", "b"), ("a", "c")]), other)
    assert both["c"] == before["b"]
    apart(both, ["a", "b", "c"])


names = st.sampled_from([f"n{i}" for i in range(12)])
edges = st.lists(st.tuples(names, names), min_size=1, max_size=30)


@settings(deadline=None, max_examples=80)
@given(st.lists(edges, min_size=1, max_size=6))
def test_whatever_comes_and_goes_nobody_who_stays_moves_and_nobody_overlaps(steps: list[Pairs]) -> None:
    held: dict[str, Spot] = {}
    present: set[str] = set()
    for pairs in steps:
        now = graph(pairs)
        spots = arrange(now, held)
        stayed = present & set(now.names)
        assert {n: spots[n] for n in stayed} == {n: held[n] for n in stayed}
        apart(spots, list(now.names))
        held, present = spots, set(now.names)


@settings(deadline=None, max_examples=40)
@given(edges)
def test_the_order_in_which_edges_come_makes_no_difference(pairs: Pairs) -> None:
    assert arrange(graph(pairs), {}) == arrange(graph(pairs[::-1]), {})


def test_an_empty_map_is_laid_out() -> None:
    assert arrange(graph([]), {}) == {}


def big(n: int, m: int) -> Graph:
    chance = np.random.default_rng(1)
    a = chance.integers(0, n, m).astype(np.int32)
    b = np.minimum(n - 1, a + 1 + chance.geometric(0.02, m)).astype(np.int32)
    return Graph([f"s{i}" for i in range(n)], a, b, chance.random(n) < 0.2)


def test_two_thousand_nodes_are_laid_out_within_three_seconds_of_processor_time() -> None:
    found, start = big(2000, 6000), time.process_time()
    spots = arrange(found, {})
    assert time.process_time() - start < 3.0
    apart(spots, list(found.names))


def test_one_node_more_costs_a_fraction_of_that() -> None:
    found = big(2000, 6000)
    spots = arrange(found, {})
    more = Graph(
        [*found.names, "new"],
        np.append(found.clients, 5).astype(np.int32),
        np.append(found.servers, 2000).astype(np.int32),
        np.append(found.last, False),
    )
    start = time.process_time()
    after = arrange(more, spots)
    assert time.process_time() - start < 0.5
    assert {n: after[n] for n in spots} == spots
