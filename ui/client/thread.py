"""The line to a collector for programs without asyncio: a thread talks and decodes, the front end drains what arrived."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable

import msgspec

from monitor.wire import messages as m
from monitor.wire.messages import Request
from ui.client.connector import Connector, Item
from ui.client.line import Callback, Dialogue
from ui.client.mirror import Change, LinkChanged, Mirror

CALM = 256
"""Items that may wait before frames of one subscription begin to replace each other."""
MAX_INBOX = 20_000


class Inbox:
    """What waits for the front end. When it is behind, a new frame takes the place of the one before of its subscription."""

    def __init__(self, calm: int = CALM, bound: int = MAX_INBOX) -> None:
        self.coalesced = 0
        self._items: dict[int, Item] = {}
        self._calm = calm
        self._bound = bound
        self._lock = threading.Lock()
        self._next = 0
        self._frames: dict[int, int] = {}
        """Number of the waiting frame of each subscription."""

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Raises `OverflowError` when too much waits that may not be left out; the link is then to be given up."""
        with self._lock:
            if isinstance(item, m.Frame):
                item = self._replacing(item)
                self._frames[item.sub] = self._next
            elif isinstance(item, LinkChanged):
                self._frames.clear()  # frames of another connection are no forerunners
            elif len(self._items) >= self._bound:
                raise OverflowError(f"this screen did not take {self._bound:,} messages in time")
            elif isinstance(item, m.History):
                self._frames.pop(item.sub, None)
            self._items[self._next] = item
            self._next += 1

    def take(self) -> list[Item]:
        """Everything that waits, in order."""
        with self._lock:
            items, self._items = self._items, {}
            self._frames.clear()
        return list(items.values())

    def _replacing(self, frame: m.Frame) -> m.Frame:
        """Leaves the waiting frame of the same subscription out; what it alone said goes over to the new one."""
        number = self._frames.get(frame.sub)
        if number is None or len(self._items) < self._calm:
            return frame
        old = self._items.pop(number)
        assert isinstance(old, m.Frame)
        self.coalesced += 1
        rows = old.rows if frame.rows is None else frame.rows
        return msgspec.structs.replace(frame, rows=rows, skipped=frame.skipped + old.skipped)


class ThreadedConnection:
    """A `Line`: everything but the thread's own work happens in `pump`, in the front end's thread."""

    def __init__(self, url: str, who: str = "", *, client: str = "", clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._clock = clock
        self._inbox = Inbox()
        self._dialogue = Dialogue(self._send, who, client)
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connector: Connector | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def coalesced(self) -> int:
        return self._inbox.coalesced

    @property
    def waiting(self) -> int:
        """Items that the next `pump` will take."""
        return len(self._inbox)

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._main, name="lightship-line", daemon=True)
            self._thread.start()

    def pump(self, mirror: Mirror) -> set[Change]:
        changes: set[Change] = set()
        for item in self._inbox.take():
            if isinstance(item, LinkChanged):
                self._number = item.link.number
            changes |= self._dialogue.take(mirror, item)
        self._dialogue.flush(mirror)
        return changes

    def submit(self, request: Request, callback: Callback | None = None) -> int:
        return self._dialogue.submit(request, callback)

    def retry(self) -> None:
        if self._connector is not None:
            self._call(self._connector.retry)

    def close(self) -> None:
        """Ends the thread; waits for it for at most two seconds."""
        if self._thread is None:
            return
        self._ready.wait(2)
        if self._task is not None:
            self._call(self._task.cancel)
        self._thread.join(2)
        self._thread = None

    def _main(self) -> None:
        asyncio.run(self._talk())

    async def _talk(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._connector = Connector(self._url, self._inbox.put, self._clock)
        self._task = self._loop.create_task(self._connector.run())
        self._ready.set()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _send(self, request: Request) -> None:
        if self._connector is not None:
            self._call(self._connector.send, request, self._number)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: there is nobody to tell
                self._loop.call_soon_threadsafe(function, *arguments)
