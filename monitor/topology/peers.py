"""What a span speaks to, as its attributes tell it, by OpenTelemetry's semantic conventions of today and of before 1.20."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from monitor.model.spans import PeerKind, SpanKind

_DATABASES = ("db.system.name", "db.system")
_DATABASE_NAMES = ("db.namespace", "db.name")
_QUEUES = ("messaging.system",)
_DESTINATIONS = ("messaging.destination.name", "messaging.destination", "messaging.destination_publish.name")
_SERVICES = ("peer.service", "service.peer.name")
_HOSTS = ("server.address", "net.peer.name", "net.sock.peer.name", "http.host", "network.peer.address", "net.peer.ip")
_URLS = ("url.full", "http.url")
PEER_ATTRIBUTES = frozenset((*_DATABASES, *_DATABASE_NAMES, *_QUEUES, *_DESTINATIONS, *_SERVICES, *_HOSTS, *_URLS))
"""All that `peer_of` looks at."""
_SPEAKING = (SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER)
LONGEST_PEER = 256
"""Characters of a peer's name."""


def peer_of(kind: int, attributes: Mapping[str, Any]) -> tuple[PeerKind, str]:
    """The peer of a span of this kind, (NONE, "") where it has none or does not say.

    A database is "system/name", a queue "system/destination", each without the second part where that is not told. A consumer's
    peer is the queue it reads from. Databases within the process are told by internal spans too.
    """
    if kind == SpanKind.SERVER:
        return PeerKind.NONE, ""
    database = _first(attributes, _DATABASES)
    if database and kind not in (SpanKind.PRODUCER, SpanKind.CONSUMER):
        return PeerKind.DATABASE, _joined(database, _first(attributes, _DATABASE_NAMES))
    if kind not in _SPEAKING:
        return PeerKind.NONE, ""
    queue = _first(attributes, _QUEUES)
    if queue:
        return PeerKind.QUEUE, _joined(queue, _first(attributes, _DESTINATIONS))
    if kind == SpanKind.CONSUMER:
        return PeerKind.NONE, ""
    service = _first(attributes, _SERVICES)
    if service:
        return PeerKind.SERVICE, service
    host = _first(attributes, _HOSTS) or _host_of(_first(attributes, _URLS))
    return (PeerKind.HOST, host) if host else (PeerKind.NONE, "")


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return value[:LONGEST_PEER]
    return ""


def _joined(system: str, name: str) -> str:
    return f"{system}/{name}"[:LONGEST_PEER] if name else system


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
