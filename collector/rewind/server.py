"""Connections that look at the past: each is built in a worker thread, played on at its own speed, and answered in between."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from collector.rewind.replay import CanceledError
from collector.rewind.source import Kept, NothingKeptError, PastSource
from collector.storage.state_schema import StateError
from monitor.query.history import QueryError
from monitor.wire import messages as m
from monitor.wire.messages import Request
from monitor.wire.session import Session
from monitor.wire.shared import Limits, Shared

log = logging.getLogger(__name__)

PROGRESS = "rewind_progress"
"""Figure of `health` while a moment is being built: the share that is done, 0 to 1."""
TOLD_EVERY = 0.25
MOST_BEATS = 4.0
"""Frames a second at most while it plays; so at high speeds one frame stands for several seconds of then."""
MOST_SPEED = 3600.0
WAITING = 256
"""Requests of one client that may wait while its moment is being built."""


@dataclass(frozen=True, slots=True)
class RewindLimits:
    """Bounds: connections that look at the past at once, seconds after which one that asks for nothing is closed.

    `spare`: one that asked for nothing for so long makes room for another.
    """

    clients: int = 4
    idle: float = 1800.0
    spare: float = 120.0


class Client(Protocol):
    """What is needed of a stream's client."""

    @property
    def session(self) -> Session: ...

    @property
    def open(self) -> bool: ...

    def send(self, packets: Iterable[bytes]) -> None: ...

    def tick(self) -> int: ...

    def end(self, code: int, reason: str) -> object: ...


Answer = Callable[[Any, Request], Awaitable[None]]
"""Answers one request of a client, as the stream does for live ones."""


class Rewinds:
    """All connections of one collector that look at the past. Belongs to the loop it is used in."""

    def __init__(
        self,
        kept: Kept,
        *,
        limits: RewindLimits | None = None,
        client_limits: Limits | None = None,
        wrap: Callable[[bytes, bool], bytes] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.kept = kept
        self.limits = limits or RewindLimits()
        self.client_limits = client_limits or Limits()
        self.wrap = wrap
        """How a message becomes a packet; as of `Shared`."""
        self.clock = clock
        self.pool = ThreadPoolExecutor(2, "lightship-past")
        self.all: set[Rewound] = set()
        self.built = self.refused = self.closed_idle = 0
        self.build_seconds = 0.0

    def begin(self, client: Client, request: m.Resume, answer: Answer) -> Rewound | None:
        """Takes a client over; None: it was refused, and told so."""
        if len(self.all) >= self.limits.clients and not self._make_room():
            self.refused += 1
            text = f"as many look at the past as may at once ({self.limits.clients}); try again when one of them has gone live"
            client.send(client.session.reply(request.id, error=text))
            return None
        rewound = Rewound(self, client, request, answer)
        self.all.add(rewound)
        return rewound

    def _make_room(self) -> bool:
        idlest = max(self.all, key=lambda rewound: rewound.idle, default=None)
        if idlest is None or idlest.idle < self.limits.spare:
            return False
        self.let_go(idlest, "closed to make room for somebody else who looks at the past")
        idlest.end()
        self.all.discard(idlest)
        return True

    def let_go(self, rewound: Rewound, why: str) -> None:
        """Closes one that nobody has asked anything of for long."""
        self.closed_idle += 1
        rewound.client.end(1000, why)

    async def close(self) -> None:
        """Ends all of them and their threads' work."""
        ending = list(self.all)
        for rewound in ending:
            rewound.end()
        await asyncio.gather(*(rewound.task for rewound in ending), return_exceptions=True)
        self.pool.shutdown(wait=False, cancel_futures=True)

    def figures(self) -> dict[str, float]:
        """Figures for `collector.health`, by their names there."""
        return {
            "rewind_clients": float(len(self.all)),
            "rewind_built_total": float(self.built),
            "rewind_refused_total": float(self.refused),
            "rewind_idle_closed_total": float(self.closed_idle),
            "rewind_build_seconds": self.build_seconds,
        }


class Rewound:
    """One connection that looks at the past. Its requests are `put`, its `task` does everything, one thing at a time."""

    def __init__(self, owner: Rewinds, client: Client, request: m.Resume, answer: Answer) -> None:
        self.client = client
        self._owner = owner
        self._answer = answer
        self._resume: m.Resume | None = request
        self._requests: asyncio.Queue[Request] = asyncio.Queue(WAITING)
        self._building = True
        self._seek: m.Seek | None = None
        """A jump that came while another moment was being built."""
        self._share = 0.0
        self._ended = False
        self._asked = time.monotonic()
        self._speed = 0.0
        self.task = asyncio.create_task(self._run(request.at, request.speed))

    @property
    def idle(self) -> float:
        """Seconds since it was asked anything; 0 while it plays."""
        return 0.0 if self._speed else time.monotonic() - self._asked

    def put(self, request: Request) -> None:
        """Something the client asks. Never waits; beyond a bound it is refused."""
        self._asked = time.monotonic()
        if self._building and isinstance(request, m.Seek):
            self._seek = request
            return
        try:
            self._requests.put_nowait(request)
        except asyncio.QueueFull:
            error = f"{WAITING} requests wait until the past is there; ask again then"
            self.client.send(self.client.session.reply(request.id, error=error))

    def end(self) -> None:
        """The client has gone; safe to call twice."""
        self._ended = True
        self.task.cancel()

    # ------------------------------------------------------------ the task

    async def _run(self, at: float, speed: float) -> None:
        asked: Request = self._resume or m.Resume(0)
        source: PastSource | None = None
        try:
            while not self._ended:
                try:
                    source = await self._build(at)
                except CanceledError:
                    if self._seek is None:
                        return
                except (NothingKeptError, StateError, QueryError, OSError) as error:
                    self.client.send(self.client.session.reply(asked.id, error=str(error)))
                    if source is None:
                        return
                else:
                    self._tell(source, asked)
                seek, self._seek = self._seek, None
                if seek is None and source is not None:
                    self._speed = min(max(0.0, speed), MOST_SPEED)
                    seek = await self._play(source)
                if seek is None:
                    return
                asked, at, speed = seek, seek.time, seek.speed
        except Exception:
            log.exception("stream: the past could not be shown to %r", self.client.session.client)
            self.client.end(1011, "the collector could not show the past; see its log")
        finally:
            self._owner.all.discard(self)

    async def _build(self, at: float) -> PastSource:
        """The moment, built in a thread while its progress is told."""
        self._building, self._share, self._speed = True, 0.0, 0.0
        began = time.monotonic()
        source = PastSource(self._owner.kept, at)
        work = asyncio.get_running_loop().run_in_executor(self._owner.pool, source.build, self._progress)
        try:
            while True:
                done, _ = await asyncio.wait((work,), timeout=TOLD_EVERY)
                if done:
                    break
                self.client.send(self.client.session.tell(m.Health(at, {PROGRESS: self._share})))
            work.result()
        except asyncio.CancelledError:
            self._ended = True
            raise
        finally:
            self._building = False
        self._owner.built += 1
        self._owner.build_seconds = time.monotonic() - began
        return source

    def _progress(self, share: float) -> bool:
        """Called in the worker's thread; only reads and writes plain attributes."""
        self._share = share
        return not self._ended and self._seek is None and self.client.open

    def _tell(self, source: PastSource, asked: Request) -> None:
        owner = self._owner
        shared = Shared(source, owner.client_limits, owner.wrap)
        self.client.send(self.client.session.moved(shared, asked if isinstance(asked, m.Resume) else None))
        if isinstance(asked, m.Seek):
            self.client.send(self.client.session.reply(asked.id, {"time": source.now}))

    async def _play(self, source: PastSource) -> m.Seek | None:
        """Answers and plays on until a jump to another moment; None: nobody has asked for long."""
        loop = asyncio.get_running_loop()
        due, target = loop.time(), source.now
        while self.client.open:
            beat = 1.0 / min(MOST_BEATS, max(1.0, self._speed))
            patience = max(0.0, due + beat - loop.time()) if self._speed else self._owner.limits.idle
            try:
                request = await asyncio.wait_for(self._requests.get(), patience)
            except TimeoutError:
                if not self._speed:
                    self._owner.let_go(self, f"nobody had asked anything for {patience / 60:.0f} min")
                    return None
                # What the machine could not keep up with is left out, not caught up with.
                due = max(due + beat, loop.time() - beat)
                target = min(max(target, source.now) + self._speed * beat, source.now + 2 * self._speed * beat + 1.0)
                await self._advance(source, target)
                continue
            if not isinstance(request, m.Seek):
                await self._answer(self.client, request)
                continue
            if self.client.session.receive(request) is not None:  # what makes no sense is refused there
                self.client.send(self.client.session.receive(request) or ())
                continue
            if request.time and abs(request.time - source.now) > max(1.0, 2.0 * self._speed):
                return request
            self._speed = min(max(0.0, request.speed), MOST_SPEED)
            due, target = loop.time(), source.now
            self.client.send(self.client.session.reply(request.id, {"time": source.now}))
        return None

    async def _advance(self, source: PastSource, target: float) -> None:
        pool, now, speed = self._owner.pool, self._owner.clock(), self._speed
        if await asyncio.get_running_loop().run_in_executor(pool, source.advance, target, now, speed):
            session = self.client.session
            session.shared.begin(source.number, source.now)
            self.client.tick()
            self.client.send([*session.alerts(), *session.rules(), *session.events()])
