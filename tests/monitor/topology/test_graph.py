from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.series import Kind, SeriesInfo, series_key
from monitor.topology.graph import (
    MOST_NODES,
    QUANTILES,
    Figures,
    Health,
    Limits,
    NodeKind,
    Readings,
    edge_figures,
    health,
    mixed_quantiles,
    node_figures,
    service_map,
    with_alerts,
    within,
)
from monitor.topology.span_metrics import CALLS, EDGE_CALLS, EDGE_FAILED, EDGE_SECONDS, LATENCY

NAN = float("nan")


def info(row: int, name: str, **tags: str) -> SeriesInfo:
    kind = Kind.DISTRIBUTION if name in (LATENCY, EDGE_SECONDS) else Kind.COUNTER
    return SeriesInfo(row, series_key(name, tags.items()), kind)


def calls(row: int, service: str, kind: str = "SERVER", status: str = "UNSET", span: str = "GET /") -> SeriesInfo:
    tags = {"service": service, "span_name": span, "span_kind": f"SPAN_KIND_{kind}", "status_code": f"STATUS_CODE_{status}"}
    return info(row, CALLS, **tags)


def edge(row: int, client: str, server: str, kind: str = "", name: str = EDGE_CALLS) -> SeriesInfo:
    return info(row, name, client=client, server=server, connection_type=kind)


def readings(told: dict[int, tuple[float, float, float, float]]) -> Readings:
    rows = np.array(sorted(told), np.int32)
    table = np.array([told[r] for r in sorted(told)]).reshape(-1, 4)
    return Readings(rows, *table.T)


def test_what_a_node_is_follows_from_who_sends_spans_and_how_it_is_called() -> None:
    series = [
        calls(1, "api"),
        edge(2, "api", "postgres", "database"),
        edge(3, "api", "jobs", "messaging_system"),
        edge(4, "jobs", "worker"),
        edge(5, "api", "stripe.com", "virtual_node"),
        edge(6, "user", "api", "virtual_node"),
    ]
    found = service_map(series)
    assert dict(zip(found.names, found.kinds.tolist(), strict=True)) == {
        "api": NodeKind.SERVICE,
        "postgres": NodeKind.DATABASE,
        "jobs": NodeKind.QUEUE,
        "worker": NodeKind.SERVICE,
        "stripe.com": NodeKind.EXTERNAL,
        "user": NodeKind.EXTERNAL,
    }


def test_the_order_in_which_series_come_makes_no_difference() -> None:
    series = [calls(1, "b"), edge(2, "b", "a"), edge(3, "c", "b"), calls(4, "z")]
    one, other = service_map(series), service_map(series[::-1])
    assert one.names == other.names
    assert one.clients.tolist() == other.clients.tolist()
    assert one.servers.tolist() == other.servers.tolist()


def test_a_node_goes_with_the_last_series_that_names_it() -> None:
    series = [edge(1, "a", "b"), edge(2, "a", "c")]
    assert service_map(series).names == ("a", "b", "c")
    assert service_map(series[:1]).names == ("a", "b")


def test_a_node_without_an_edge_is_there_and_one_without_a_name_is_not() -> None:
    assert service_map([calls(1, "alone"), calls(2, ""), edge(3, "", "x")]).names == ("alone",)


def test_a_map_over_its_bound_says_what_it_left_out() -> None:
    found = service_map([edge(i, "hub", f"leaf-{i:05}") for i in range(MOST_NODES + 10)])
    assert len(found.names) == MOST_NODES
    assert found.left_out == 2 * 10 + 2 - 0 or found.left_out > 0


def test_a_node_answers_for_its_own_spans_and_for_those_alone_that_others_caused() -> None:
    series = [calls(1, "api"), calls(2, "api", status="ERROR"), calls(3, "api", kind="CLIENT"), edge(4, "edge", "api")]
    told = readings({1: (9.0, NAN, NAN, NAN), 2: (1.0, NAN, NAN, NAN), 3: (500.0, NAN, NAN, NAN), 4: (7.0, NAN, NAN, NAN)})
    found = service_map(series)
    nodes = node_figures(found, told, edge_figures(found, told))
    at = found.names.index("api")
    assert nodes.rate[at] == pytest.approx(10.0)
    assert nodes.errors[at] == pytest.approx(0.1)


def test_a_database_is_what_is_asked_of_it_and_a_mere_caller_what_it_asks() -> None:
    series = [
        *(edge(1, "a", "db", "database", n) for n in (EDGE_CALLS,)),
        edge(2, "a", "db", "database", EDGE_FAILED),
        edge(3, "a", "db", "database", EDGE_SECONDS),
    ]
    found = service_map(series)
    told = readings({1: (20.0, NAN, NAN, NAN), 2: (5.0, NAN, NAN, NAN), 3: (20.0, 0.01, 0.02, 0.03)})
    nodes = node_figures(found, told, edge_figures(found, told))
    a, db = found.names.index("a"), found.names.index("db")
    assert (nodes.rate[db], nodes.errors[db]) == (20.0, 0.25)
    assert nodes.quantiles[db] == pytest.approx((0.01, 0.02, 0.03))
    assert (nodes.rate[a], nodes.errors[a]) == (20.0, 0.25)
    assert np.isnan(nodes.p99[a])


def test_no_failure_told_is_no_failure_and_no_rate_is_not_known() -> None:
    found = service_map([edge(1, "a", "b"), edge(2, "c", "d")])
    edges = edge_figures(found, readings({1: (3.0, NAN, NAN, NAN)}))
    assert edges.errors.tolist()[0] == 0.0
    assert health(edges).tolist() == [Health.OK, Health.UNKNOWN]


@pytest.mark.parametrize(
    ("rate", "errors", "p99", "wanted"),
    [
        (10.0, 0.0, 0.1, Health.OK),
        (10.0, 0.02, 0.1, Health.WARNING),
        (10.0, 0.06, 0.1, Health.CRITICAL),
        (10.0, 0.0, 2.0, Health.WARNING),
        (10.0, 0.0, 6.0, Health.CRITICAL),
        (0.01, 1.0, 9.0, Health.OK),
        (NAN, NAN, NAN, Health.UNKNOWN),
        (10.0, 0.01, 1.0, Health.OK),
    ],
)
def test_health_follows_the_stated_limits(rate: float, errors: float, p99: float, wanted: Health) -> None:
    figures = Figures(np.array([rate]), np.array([errors]), np.array([[p99, p99, p99]]))
    assert health(figures, Limits()).tolist() == [wanted]


def test_an_alert_makes_its_service_as_grave_as_it_is_and_a_silence_quiet() -> None:
    found = np.array([Health.OK, Health.WARNING, Health.CRITICAL], np.int8)
    alerts = {"a": Health.CRITICAL, "b": Health.SILENCED, "c": Health.WARNING, "gone": Health.CRITICAL}
    assert with_alerts(("a", "b", "c"), found, alerts).tolist() == [Health.CRITICAL, Health.SILENCED, Health.CRITICAL]


def test_neighbours_are_those_at_most_so_many_edges_away_either_way() -> None:
    found = service_map([edge(i, f"n{i}", f"n{i + 1}") for i in range(5)])
    start = np.array([n == "n2" for n in found.names])
    names = np.array(found.names)
    assert names[within(found, start, 1)].tolist() == ["n1", "n2", "n3"]
    assert names[within(found, start, 2)].tolist() == ["n0", "n1", "n2", "n3", "n4"]
    assert within(found, start, 0).tolist() == start.tolist()


# ---------------------------------------------------------------- quantiles of a mixture


def test_one_part_keeps_its_quantiles_exactly() -> None:
    told = np.array([[0.1, 0.4, 0.9]])
    assert mixed_quantiles(np.array([5.0]), told, QUANTILES, np.zeros(1, np.int32), 1)[0].tolist() == pytest.approx(
        told[0].tolist()
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.floats(0.01, 1e4), st.floats(1e-4, 10.0), st.floats(1.0, 9.0), st.floats(1.0, 4.0)), min_size=1, max_size=6
    )
)
def test_a_mixture_lies_between_its_parts_and_rises(parts: list[tuple[float, float, float, float]]) -> None:
    told = np.array([(m, m * a, m * a * b) for _, m, a, b in parts])
    weights = np.array([w for w, *_ in parts])
    mixed = mixed_quantiles(weights, told, QUANTILES, np.zeros(len(parts), np.int32), 1)[0]
    assert (mixed >= told.min(0) * (1 - 1e-6)).all()
    assert (mixed <= told.max(0) * (1 + 1e-6)).all()
    assert (np.diff(mixed) >= -1e-9).all()


def test_a_mixture_is_near_what_all_observations_together_say() -> None:
    chance = np.random.default_rng(3)
    fast, slow = chance.lognormal(-4.0, 0.5, 90_000), chance.lognormal(-1.0, 0.5, 10_000)
    told = np.array([np.quantile(x, QUANTILES) for x in (fast, slow)])
    mixed = mixed_quantiles(np.array([9.0, 1.0]), told, QUANTILES, np.zeros(2, np.int32), 1)[0]
    assert mixed == pytest.approx(np.quantile(np.concatenate((fast, slow)), QUANTILES), rel=0.15)


def test_parts_without_figures_are_left_out() -> None:
    told = np.array([[NAN, NAN, NAN], [0.1, 0.2, 0.3]])
    mixed = mixed_quantiles(np.array([1.0, 1.0]), told, QUANTILES, np.array([0, 1], np.int32), 3)
    assert np.isnan(mixed[[0, 2]]).all()
    assert mixed[1].tolist() == pytest.approx([0.1, 0.2, 0.3])
