"""Who calls whom: client spans joined with the server spans they caused, and what databases, queues and hosts are spoken to.

The edges are those of the OpenTelemetry collector's service graph connector: a client span and the server span whose parent it is
make one, whatever batch they come in; a client span that names its peer and is joined by nobody within `WAIT` makes one to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.model.spans import PeerKind, SpanKind, Spans, Status
from monitor.model.texts import TextTable

WAIT = 10.0
"""Seconds for which the other half of an edge is waited for."""
MOST_WAITING = 200_000
MOST_NAMES = 50_000
OTHER = "other"
"""What a service or peer is called once there are `MOST_NAMES` of them."""

CONNECTION_TYPES = {
    PeerKind.NONE: "",
    PeerKind.SERVICE: "",
    PeerKind.DATABASE: "database",
    PeerKind.QUEUE: "messaging_system",
    PeerKind.HOST: "virtual_node",
}
_Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """n calls. `clients` and `servers` int32[n], places in `names`; `types` int8[n], `PeerKind` of the server; `failed` bool[n];
    `seconds` float64[n], how long the server took; `times` float64[n], when it ended; `counts` float64[n], how many calls each
    stands for.
    """

    names: tuple[str, ...]
    clients: npt.NDArray[np.int32]
    servers: npt.NDArray[np.int32]
    types: npt.NDArray[np.int8]
    failed: npt.NDArray[np.bool_]
    seconds: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.clients)


class ServiceGraph:
    """Halves that wait for their other. `lost`: halves given up for want of room."""

    def __init__(self, wait: float = WAIT, most: int = MOST_WAITING) -> None:
        self._wait, self._most = wait, most
        self._names = TextTable()
        self._clients = self._servers = _NONE
        self.lost = 0

    @property
    def waiting(self) -> int:
        return len(self._clients["key"]) + len(self._servers["key"])

    def take(self, spans: Spans, now: float) -> Edges:
        """The edges that these spans complete, and those whose other half did not come in time. `now`: seconds."""
        names = np.zeros(len(spans.texts), np.int32)
        used = np.unique(np.concatenate((spans.services, spans.peers)))
        names[used] = [self._place(spans.texts[place]) for place in used.tolist()]
        kinds = spans.kinds
        asking = (kinds == SpanKind.CLIENT) | (kinds == SpanKind.PRODUCER)
        answering = (kinds == SpanKind.SERVER) | (kinds == SpanKind.CONSUMER)
        # Nobody answers for a database or a queue: these edges are whole as they are.
        alone = (asking | (kinds == SpanKind.CONSUMER)) & np.isin(spans.peer_kinds, (PeerKind.DATABASE, PeerKind.QUEUE))
        whole = _edges(_told(spans, alone, names, spans.ids, now), kinds[alone] == SpanKind.CONSUMER)
        clients = _with(self._clients, _told(spans, asking & ~alone, names, spans.ids, now))
        servers = _with(self._servers, _told(spans, answering & ~alone & (spans.parents != 0), names, spans.parents, now))
        which_client, which_server = _joined(clients["key"], servers["key"])
        pairs = _pairs(_at(clients, which_client), _at(servers, which_server))
        clients, servers = _without(clients, which_client), _without(servers, which_server)
        late = clients["since"] <= now - self._wait
        unanswered = _edges(_at(clients, late & (clients["peer"] > 0)))
        self._clients = self._bounded(_at(clients, ~late))
        self._servers = self._bounded(_at(servers, servers["since"] > now - self._wait))
        columns = {name: np.concatenate((whole[name], pairs[name], unanswered[name])) for name in whole}
        # A service that calls itself is no edge, nor is what has no name.
        told = (columns["clients"] != columns["servers"]) & (columns["clients"] > 0) & (columns["servers"] > 0)
        return Edges(names=self._names.texts(), **_at(columns, told))

    def _place(self, text: str) -> int:
        return self._names.place(text if not text or len(self._names) < MOST_NAMES else self._names.known(text) or OTHER)

    def _bounded(self, halves: _Columns) -> _Columns:
        over = len(halves["key"]) - self._most
        if over <= 0:
            return halves
        self.lost += over
        return _at(halves, np.argsort(halves["since"], kind="stable")[over:])


def _told(spans: Spans, which: npt.NDArray[np.bool_], names: npt.NDArray[np.int32], ids: Any, now: float) -> _Columns:
    """Halves of some spans; their key is one of trace and span."""
    key = (spans.traces[which, 1] * np.uint64(0x9E3779B97F4A7C15)) ^ spans.traces[which, 0] ^ ids[which]
    return {
        "key": key,
        "name": names[spans.services[which]],
        "peer": names[spans.peers[which]],
        "type": spans.peer_kinds[which],
        "failed": spans.statuses[which] == Status.ERROR,
        "seconds": spans.durations[which] / 1e9,
        "ended": (spans.starts[which] + spans.durations[which]) / 1e9,
        "since": np.full(len(key), now),
        "count": spans.counts[which],
    }


_NONE: _Columns = {
    "key": np.empty(0, np.uint64),
    "name": np.empty(0, np.int32),
    "peer": np.empty(0, np.int32),
    "type": np.empty(0, np.int8),
    "failed": np.empty(0, np.bool_),
    "seconds": np.empty(0),
    "ended": np.empty(0),
    "since": np.empty(0),
    "count": np.empty(0),
}


def _joined(clients: npt.NDArray[np.uint64], servers: npt.NDArray[np.uint64]) -> tuple[Any, Any]:
    """Places of the halves that belong together. One client span may have caused several server spans."""
    order = np.argsort(clients, kind="stable")
    places = np.searchsorted(clients[order], servers)
    inside = places < len(clients)
    inside[inside] = clients[order][places[inside]] == servers[inside]
    return order[places[inside]], np.flatnonzero(inside)


def _pairs(clients: _Columns, servers: _Columns) -> _Columns:
    return {
        "clients": clients["name"],
        "servers": servers["name"],
        "types": np.zeros(len(clients["name"]), np.int8),
        "failed": clients["failed"] | servers["failed"],
        "seconds": servers["seconds"],
        "times": servers["ended"],
        "counts": np.maximum(clients["count"], servers["count"]),
    }


def _edges(halves: _Columns, turned: npt.NDArray[np.bool_] | None = None) -> _Columns:
    """From a span to its peer; `turned` ones come from the peer: what is taken from a queue."""
    turned = np.zeros(len(halves["key"]), np.bool_) if turned is None else turned
    return {
        "clients": np.where(turned, halves["peer"], halves["name"]).astype(np.int32),
        "servers": np.where(turned, halves["name"], halves["peer"]).astype(np.int32),
        "types": np.where(turned, int(PeerKind.NONE), halves["type"]).astype(np.int8),
        "failed": halves["failed"],
        "seconds": halves["seconds"],
        "times": halves["ended"],
        "counts": halves["count"],
    }


def _with(halves: _Columns, more: _Columns) -> _Columns:
    return {name: np.concatenate((column, more[name])) for name, column in halves.items()}


def _at(columns: _Columns, which: Any) -> _Columns:
    return {name: column[which] for name, column in columns.items()}


def _without(halves: _Columns, which: Any) -> _Columns:
    keep = np.ones(len(halves["key"]), np.bool_)
    keep[which] = False
    return _at(halves, keep)
