"""What a front end holds of a collector, be it over a socket, through a thread or in memory; and the talk they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from monitor.wire import messages as m
from monitor.wire.messages import Message, Reply, Request
from ui.client.mirror import Change, LinkChanged, Mirror

Answer = m.Reply | m.History | m.QueryResult | m.Found
Callback = Callable[[Answer], None]
FIRST_ID = 1 << 32
"""Requests are numbered from here, subscriptions from 1: so the two never meet."""
MAX_PENDING = 1_000


class Line(Protocol):
    """The way to one collector. All methods are called in the front end's own thread; callbacks come in `pump`."""

    @property
    def coalesced(self) -> int:
        """Frames left out because this side was slow to take them."""

    def start(self) -> None:
        """Begins to connect; returns at once."""

    def pump(self, mirror: Mirror) -> set[Change]:
        """Brings the mirror up to date with what has arrived, sends its wishes, and says what changed."""

    def submit(self, request: Request, callback: Callback | None = None) -> int:
        """Sends a request (its id is replaced and returned); without a connection the callback gets an error at once."""

    def retry(self) -> None:
        """Tries again now rather than after the pause."""

    def close(self) -> None:
        """Ends the connection and frees what it holds."""


class Dialogue:
    """The client's side of the talk, without I/O. `send` is given requests while the connection stands."""

    def __init__(self, send: Callable[[Request], None], who: str = "", client: str = "") -> None:
        self.who = who
        self.client = client
        self.connected = False
        self.reason = "not connected yet"
        self._send = send
        self._pending: dict[int, Callback | None] = {}
        self._next = FIRST_ID

    def take(self, mirror: Mirror, item: Message | LinkChanged) -> set[Change]:
        """One thing that arrived: into the mirror, or to who asked for it."""
        changes = mirror.apply(item)
        if isinstance(item, LinkChanged):
            self._link(mirror, item)
        elif isinstance(item, m.Reply):
            self._answer(item.id, item)
        elif (isinstance(item, m.History) and item.id) or isinstance(item, m.QueryResult | m.Found):
            self._answer(item.id, item)
            changes = {"reply"}
        return changes

    def flush(self, mirror: Mirror) -> None:
        """Sends what the mirror wishes, if anybody is there; else it keeps until there is."""
        if self.connected:
            for request in mirror.take_wishes():
                self._send(request)

    def submit(self, request: Request, callback: Callback | None = None) -> int:
        number = self._next
        self._next += 1
        error = self._refusal()
        if error:
            if callback is not None:
                callback(Reply(number, error))
            return number
        self._pending[number] = callback
        self._send(msgspec.structs.replace(request, id=number))
        return number

    def _refusal(self) -> str:
        if not self.connected:
            return f"not sent: there is no connection to the collector ({self.reason}); it was not carried out"
        if len(self._pending) >= MAX_PENDING:
            return f"not sent: {MAX_PENDING} requests are still without an answer; wait for the collector"
        return ""

    def _link(self, mirror: Mirror, item: LinkChanged) -> None:
        self.connected = item.link.state == "connected"
        self.reason = item.link.reason or "still connecting"
        if self.connected:
            for request in mirror.opening(self.who, self.client):
                self._send(request)
            return
        waiting, self._pending = self._pending, {}
        for number, callback in waiting.items():
            if callback is not None:
                callback(Reply(number, f"the connection was lost ({self.reason}); whether it was carried out is not known"))

    def _answer(self, number: int, answer: Answer) -> None:
        callback = self._pending.pop(number, None)
        if callback is not None:
            callback(answer)
