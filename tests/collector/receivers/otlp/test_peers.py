"""What a span speaks to, by the conventions of today and of before."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.model.spans import PeerKind, SpanKind
from monitor.topology.peers import peer_of

CLIENT, SERVER, PRODUCER, CONSUMER, INTERNAL = (
    SpanKind.CLIENT,
    SpanKind.SERVER,
    SpanKind.PRODUCER,
    SpanKind.CONSUMER,
    SpanKind.INTERNAL,
)


@pytest.mark.parametrize(
    ("kind", "attributes", "expected"),
    [
        (CLIENT, {"db.system.name": "postgresql", "db.namespace": "orders"}, (PeerKind.DATABASE, "postgresql/orders")),
        (CLIENT, {"db.system": "mysql", "db.name": "shop", "net.peer.name": "db-1"}, (PeerKind.DATABASE, "mysql/shop")),
        (INTERNAL, {"db.system": "sqlite"}, (PeerKind.DATABASE, "sqlite")),
        (PRODUCER, {"messaging.system": "kafka", "messaging.destination.name": "o"}, (PeerKind.QUEUE, "kafka/o")),
        (CONSUMER, {"messaging.system": "rabbitmq", "messaging.destination": "jobs"}, (PeerKind.QUEUE, "rabbitmq/jobs")),
        (CLIENT, {"peer.service": "billing", "server.address": "10.0.0.1"}, (PeerKind.SERVICE, "billing")),
        (CLIENT, {"server.address": "api.example"}, (PeerKind.HOST, "api.example")),
        (CLIENT, {"net.peer.name": "api.example"}, (PeerKind.HOST, "api.example")),
        (CLIENT, {"url.full": "https://user:pw@api.example:8443/x?y"}, (PeerKind.HOST, "api.example")),
        (CLIENT, {"http.url": "http://[::1]/x"}, (PeerKind.HOST, "::1")),
        (CLIENT, {"url.full": "http://[broken"}, (PeerKind.NONE, "")),
        (CLIENT, {"server.address": 7}, (PeerKind.NONE, "")),
        (SERVER, {"db.system": "mysql", "server.address": "me"}, (PeerKind.NONE, "")),
        (INTERNAL, {"server.address": "me"}, (PeerKind.NONE, "")),
        (CLIENT, {}, (PeerKind.NONE, "")),
    ],
)
def test_a_peer_is_what_the_attributes_say(kind: SpanKind, attributes: dict[str, Any], expected: tuple[PeerKind, str]) -> None:
    assert peer_of(kind, attributes) == expected


def test_a_peer_has_a_bounded_name() -> None:
    assert len(peer_of(CLIENT, {"db.system": "x" * 1000, "db.name": "y" * 1000})[1]) == 256
