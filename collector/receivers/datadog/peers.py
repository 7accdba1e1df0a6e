"""What a Datadog span speaks to, by its tags put into OpenTelemetry's words."""

from __future__ import annotations

from collections.abc import Mapping

from collector.receivers.datadog.operations import STORES, bounded
from collector.receivers.datadog.payloads import Span
from monitor.model.spans import PeerKind, SpanKind
from monitor.topology.peers import LONGEST_PEER, peer_of

MOST_KNOWN = 20_000
_ASKED = (
    ("peer.service", "peer.service"),
    ("db.system", "db.system"),
    ("db.type", "db.system"),
    ("db.name", "db.namespace"),
    ("db.instance", "db.namespace"),
    ("db.namespace", "db.namespace"),
    ("messaging.system", "messaging.system"),
    ("messaging.destination.name", "messaging.destination.name"),
    ("messaging.destination", "messaging.destination.name"),
    ("kafka.topic", "messaging.destination.name"),
    ("topic", "messaging.destination.name"),
    ("topicname", "messaging.destination.name"),
    ("queuename", "messaging.destination.name"),
    ("amqp.queue", "messaging.destination.name"),
    ("amqp.exchange", "messaging.destination.name"),
    ("server.address", "server.address"),
    ("out.host", "server.address"),
    ("network.destination.name", "server.address"),
    ("peer.hostname", "server.address"),
    ("http.host", "server.address"),
    ("component", ""),
    ("network.destination.ip", "network.peer.address"),
)
"""A Datadog tag and the attribute it stands for; of several that are there the first counts ("": of use without one)."""
_NAMES = tuple(name for name, _ in _ASKED)
_SPEAKING = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER})

Peer = tuple[PeerKind, str]
NOBODY: Peer = (PeerKind.NONE, "")


class Peers:
    """Remembers whom the same tags meant."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Peer] = {}

    def of(self, span: Span, kind: SpanKind) -> Peer:
        """Kind and name of what a span speaks to; `NOBODY` where it speaks to nothing or does not say."""
        meta = span.meta
        if not meta or (kind not in _SPEAKING and (kind is SpanKind.SERVER or not ("db.system" in meta or "db.type" in meta))):
            return NOBODY
        key = (kind, span.type, *map(meta.get, _NAMES))
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[key] = _told(kind, attributes_of(span))
        if known is NOBODY and "http.url" in meta:  # each differs, so that it cannot be remembered
            return _told(kind, {"http.url": meta["http.url"]})
        return known


def _told(kind: SpanKind, attributes: Mapping[str, object]) -> Peer:
    peer_kind, name = peer_of(kind, attributes)
    return (peer_kind, bounded(name, LONGEST_PEER)) if name else NOBODY


def attributes_of(span: Span) -> dict[str, object]:
    """The tags that tell a peer, by the names of OpenTelemetry's conventions.

    The span's type stands in for a store's system that is not told, and the integration's name for that of a queue.
    """
    meta = span.meta or {}
    found: dict[str, object] = {}
    for tag, attribute in _ASKED:
        value = meta.get(tag)
        if value and attribute and attribute not in found:
            found[attribute] = value[:LONGEST_PEER]
    if span.type in STORES:
        found.setdefault("db.system", span.type)
    if "messaging.destination.name" in found:
        found.setdefault("messaging.system", (meta.get("component") or "queue")[:LONGEST_PEER])
    return found
