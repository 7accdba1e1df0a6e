"""The line to a collector for programs that have an asyncio loop of their own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from types import TracebackType

from monitor.wire.messages import Request
from ui.client.connector import Connector, Item
from ui.client.line import Answer, Callback, Dialogue
from ui.client.mirror import Change, Mirror


class Connection:
    """Keeps `mirror` up to date as messages arrive. `on_change` is called with what changed, after each.

    Use `async with`, or `start` and `close` within the loop. It is a `Line` too: `pump` then says what changed since the last.
    """

    def __init__(
        self,
        url: str,
        mirror: Mirror,
        who: str = "",
        *,
        client: str = "",
        on_change: Callable[[set[Change]], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.coalesced = 0
        self.mirror = mirror
        self._on_change = on_change
        self._changes: set[Change] = set()
        self._connector = Connector(url, self._take, clock)
        self._dialogue = Dialogue(self._send, who, client)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to connect; needs a running loop."""
        if self._task is None:
            self.mirror.on_wish = self._flush
            self._task = asyncio.get_running_loop().create_task(self._connector.run())

    def pump(self, mirror: Mirror) -> set[Change]:
        """What changed since the last call; the mirror is up to date already."""
        changes, self._changes = self._changes, set()
        return changes

    def submit(self, request: Request, callback: Callback | None = None) -> int:
        return self._dialogue.submit(request, callback)

    async def send(self, request: Request) -> Answer:
        """Sends a request and waits for its answer; without a connection that is a reply with an error, at once."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._dialogue.submit(request, lambda got: None if answer.done() else answer.set_result(got))
        return await answer

    def retry(self) -> None:
        self._connector.retry()

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self.mirror.on_wish = None

    async def wait_closed(self) -> None:
        """Returns when the socket is closed after `close`."""
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def __aenter__(self) -> Connection:
        self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        await self.wait_closed()

    def _take(self, item: Item) -> None:
        changes = self._dialogue.take(self.mirror, item)
        self._changes |= changes
        if self._on_change is not None and changes:
            self._on_change(changes)

    def _flush(self) -> None:
        self._dialogue.flush(self.mirror)

    def _send(self, request: Request) -> None:
        self._connector.send(request, self.mirror.state.number)
