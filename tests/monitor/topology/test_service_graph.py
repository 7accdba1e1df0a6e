"""Edges are found whatever batch their halves come in, and once."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.spans import PeerKind, SpanKind
from monitor.topology.service_graph import WAIT, Edges, ServiceGraph
from tests.monitor.topology.spans import BEGIN, One, spans_of

CLIENT, SERVER, PRODUCER, CONSUMER = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER


def told(edges: Edges) -> list[tuple[str, str, PeerKind, bool]]:
    return [
        (edges.names[client], edges.names[server], PeerKind(kind), bool(failed))
        for client, server, kind, failed in zip(edges.clients, edges.servers, edges.types, edges.failed, strict=True)
    ]


def test_a_client_span_and_the_server_span_it_caused_are_one_edge() -> None:
    graph = ServiceGraph()
    edges = graph.take(spans_of([One("web", 2, 1, CLIENT, seconds=0.3), One("api", 3, 2, SERVER, seconds=0.2)]), BEGIN)
    assert told(edges) == [("web", "api", PeerKind.NONE, False)]
    assert edges.seconds.tolist() == [0.2], "how long the server took"
    assert graph.waiting == 0


def test_the_halves_may_come_in_any_order_and_batch() -> None:
    graph = ServiceGraph()
    assert told(graph.take(spans_of([One("api", 3, 2, SERVER)]), BEGIN)) == []
    assert told(graph.take(spans_of([One("web", 2, 1, CLIENT, error=True)]), BEGIN + 5)) == [("web", "api", PeerKind.NONE, True)]


def test_spans_of_the_same_id_in_different_traces_are_not_joined() -> None:
    graph = ServiceGraph()
    assert told(graph.take(spans_of([One("web", 2, 1, CLIENT, trace=7), One("api", 3, 2, SERVER, trace=8)]), BEGIN)) == []


def test_one_call_may_be_answered_by_several() -> None:
    spans = [One("web", 2, 1, CLIENT), One("api", 3, 2, SERVER), One("cache", 4, 2, SERVER)]
    assert sorted(told(ServiceGraph().take(spans_of(spans), BEGIN)))[0][1] == "api"
    assert len(told(ServiceGraph().take(spans_of(spans), BEGIN))) == 2


def test_databases_and_queues_are_edges_at_once() -> None:
    spans = [
        One("api", 2, 1, CLIENT, peer="postgresql/orders", peer_kind=PeerKind.DATABASE),
        One("api", 3, 1, PRODUCER, peer="kafka/mail", peer_kind=PeerKind.QUEUE),
        One("mailer", 4, 3, CONSUMER, peer="kafka/mail", peer_kind=PeerKind.QUEUE),
    ]
    assert told(ServiceGraph().take(spans_of(spans), BEGIN)) == [
        ("api", "postgresql/orders", PeerKind.DATABASE, False),
        ("api", "kafka/mail", PeerKind.QUEUE, False),
        ("kafka/mail", "mailer", PeerKind.NONE, False),
    ]


def test_a_host_that_tells_no_spans_becomes_a_node_after_a_while() -> None:
    graph = ServiceGraph()
    nothing = spans_of([])
    assert told(graph.take(spans_of([One("api", 2, 1, CLIENT, peer="pay.example", peer_kind=PeerKind.HOST)]), BEGIN)) == []
    assert told(graph.take(nothing, BEGIN + WAIT - 1)) == []
    assert told(graph.take(nothing, BEGIN + WAIT)) == [("api", "pay.example", PeerKind.HOST, False)]
    assert told(graph.take(nothing, BEGIN + WAIT + 1)) == []
    assert graph.waiting == 0


def test_what_nobody_answers_and_names_no_peer_is_forgotten() -> None:
    graph = ServiceGraph()
    graph.take(spans_of([One("api", 2, 1, CLIENT), One("db", 9, 8, SERVER)]), BEGIN)
    assert graph.waiting == 2
    assert told(graph.take(spans_of([]), BEGIN + WAIT)) == []
    assert graph.waiting == 0


def test_halves_that_wait_are_bounded_and_the_oldest_go() -> None:
    graph = ServiceGraph(most=10)
    for second in range(5):
        graph.take(spans_of([One("api", 100 * second + span, 1, CLIENT) for span in range(1, 6)]), BEGIN + second)
    assert graph.waiting == 10
    assert graph.lost == 15
    assert len(graph.take(spans_of([One("x", 1, 401, SERVER)]), BEGIN + 5)) == 1


SPANS = st.builds(
    One,
    service=st.sampled_from(["a", "b", "c"]),
    span=st.integers(1, 6),
    parent=st.integers(0, 6),
    kind=st.sampled_from([CLIENT, SERVER, SpanKind.INTERNAL]),
    trace=st.integers(1, 2),
    error=st.booleans(),
)


@given(st.lists(SPANS, max_size=14, unique_by=lambda one: (one.trace, one.span)), st.lists(st.integers(1, 5), max_size=5))
def test_edges_are_those_of_every_pair_of_client_and_server(ones: list[One], cuts: list[int]) -> None:
    graph, found, rest = ServiceGraph(), Counter[tuple[str, str, PeerKind, bool]](), list(ones)
    # A server span whose client came and was answered in a batch before finds nobody any more: all of one client come together.
    rest.sort(key=lambda one: (one.kind is CLIENT, one.trace))
    for cut in [*cuts, len(rest)]:
        batch, rest = rest[:cut], rest[cut:]
        found.update(told(graph.take(spans_of(batch), BEGIN)))
    wanted = Counter(
        (client.service, server.service, PeerKind.NONE, client.error or server.error)
        for client in ones
        for server in ones
        if client.kind is CLIENT
        and server.kind is SERVER
        and (client.trace, client.span) == (server.trace, server.parent)
        and client.service != server.service
    )
    assert found == wanted


def test_no_spans_are_no_edges() -> None:
    assert len(ServiceGraph().take(spans_of([]), BEGIN)) == 0
    assert np.array_equal(ServiceGraph().take(spans_of([]), BEGIN).seconds, [])
