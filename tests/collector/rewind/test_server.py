"""Connections that look at the past: what they are told, when they may, and when they are let go. No sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from collector.rewind.server import PROGRESS, RewindLimits, Rewinds, Rewound
from collector.rewind.source import Kept
from collector.storage.state_history import Standing, Turns
from monitor.alerting.model import Event
from monitor.model.series import Kind
from monitor.wire import messages as m
from monitor.wire.codec import MSGPACK
from monitor.wire.messages import Message, Request
from monitor.wire.session import Session
from monitor.wire.shared import Shared
from tests.collector.rewind.fakes import MemoryKept
from ui.client.fake import FakeCollector

THEN = 1_000_000
PRESENT = THEN + 10_000


class Record:
    """An event each hundred seconds."""

    def as_of(self, time: float) -> Standing:
        return Standing(events=self.turns(time - 500, time).events, since=0.0)

    def turns(self, after: float, until: float) -> Turns:
        numbers = range(int(after // 100) + 1, int(until // 100) + 1)
        return Turns(events=tuple(Event(n * 100.0, "note", f"note {n}", id=n) for n in numbers))


class Client:
    """What the stream knows of a client, and what it was sent."""

    def __init__(self) -> None:
        self.live = Shared(FakeCollector(now=float(PRESENT)))
        self.session = Session(self.live, self.live.codec(MSGPACK))
        self.open = True
        self.why = ""
        self.told: list[Message] = []
        self._news = asyncio.Event()

    def send(self, packets: Iterable[bytes]) -> None:
        self.told.extend(self.session.codec.decode(packet) for packet in packets)
        self._news.set()

    def tick(self) -> int:
        self.send(self.session.tick())
        return 0

    def end(self, code: int, reason: str) -> None:
        self.open, self.why = False, reason
        self._news.set()

    async def until(self, wanted: Callable[[Message], bool]) -> Any:
        """The first message told from now on that is wanted."""
        place = 0
        async with asyncio.timeout(20):
            while True:
                for message in self.told[place:]:
                    place += 1
                    if wanted(message):
                        del self.told[:place]
                        return message
                self._news.clear()
                await self._news.wait()

    async def rewound(self) -> m.Hello:
        hello = await self.until(lambda message: isinstance(message, m.Hello))
        assert isinstance(hello, m.Hello)
        return hello


async def answer(client: Client, request: Request) -> None:
    packets = client.session.receive(request)
    assert packets is not None
    client.send(packet for packet in packets if packet)


def history() -> MemoryKept:
    """A gauge whose reading is its second, for five minutes round `THEN`."""
    kept = MemoryKept()
    refs = kept.intern([(("__name__", "room.warmth"),)], [Kind.GAUGE])
    times = np.arange(THEN - 100, THEN + 200, dtype=np.int64)
    kept.append(np.repeat(refs, len(times)), times * 1000, times.astype(np.float64))
    return kept


@asynccontextmanager
async def served(**limits: float) -> AsyncIterator[Rewinds]:
    hello = Client().live.source.hello
    bounds = RewindLimits(**limits)  # type: ignore[arg-type]
    rewinds = Rewinds(Kept(history(), Record(), None, hello), limits=bounds, clock=lambda: float(PRESENT))
    try:
        yield rewinds
    finally:
        await rewinds.close()


async def test_it_is_told_everything_as_it_was_then() -> None:
    async with served() as rewinds:
        client = Client()
        rewound = rewinds.begin(client, m.Resume(1, at=THEN + 0.5), answer)
        assert rewound is not None
        hello = await client.rewound()
        assert (hello.rewound, hello.time, hello.read_only) == (THEN, THEN, True)
        series = await client.until(lambda message: isinstance(message, m.Series))
        assert [entry.name for entry in series.added] == ["room.warmth"]
        events = await client.until(lambda message: isinstance(message, m.Events))
        assert events.events[-1].at == THEN
        rewound.put(m.Get(2, "room.warmth", ("last",)))
        reply = await client.until(lambda message: isinstance(message, m.Reply))
        assert reply.result[0]["fields"] == {"last": float(THEN)}


async def test_what_is_asked_while_it_is_built_is_answered_from_the_past() -> None:
    async with served() as rewinds:
        client = Client()
        rewound = rewinds.begin(client, m.Resume(1, at=THEN), answer)
        assert rewound is not None
        rewound.put(m.Get(2, "room.warmth", ("last",)))
        reply = await client.until(lambda message: isinstance(message, m.Reply))
        assert reply.result[0]["fields"] == {"last": float(THEN)}


async def test_it_plays_on_at_its_speed_until_it_is_told_to_stand() -> None:
    async with served() as rewinds:
        client = Client()
        rewound = rewinds.begin(client, m.Resume(1, at=THEN, speed=60.0), answer)
        assert rewound is not None
        rewound.put(m.Subscribe(7, "room.warmth", ("last",)))
        frame = await client.until(lambda message: isinstance(message, m.Frame) and message.time >= THEN + 60)
        assert frame.columns[0][0] == frame.time
        await client.until(lambda message: isinstance(message, m.Events) and message.events[-1].at == THEN + 100)
        rewound.put(m.Seek(8, 0.0, 0.0))
        stopped = await client.until(lambda message: isinstance(message, m.Reply) and message.id == 8)
        assert stopped.result["time"] > THEN + 60
        rewound.put(m.Get(9, "room.warmth", ("last",)))
        await client.until(lambda message: isinstance(message, m.Reply) and message.id == 9)
        assert not [message for message in client.told if isinstance(message, m.Frame)]


async def test_a_jump_tells_everything_anew_and_ends_what_was_subscribed() -> None:
    async with served() as rewinds:
        client = Client()
        rewound = rewinds.begin(client, m.Resume(1, at=THEN), answer)
        assert rewound is not None
        first = await client.rewound()
        rewound.put(m.Seek(2, THEN + 150))
        second = await client.rewound()
        assert second.rewound == THEN + 150
        assert second.boot != first.boot
        assert (await client.until(lambda message: isinstance(message, m.Reply))).id == 2
        assert not client.session.subscriptions


async def test_of_jumps_that_come_while_it_is_built_the_last_one_counts() -> None:
    async with served() as rewinds:
        client = Client()
        rewound = rewinds.begin(client, m.Resume(1, at=THEN), answer)
        assert rewound is not None
        for second in range(1, 50):
            rewound.put(m.Seek(second + 1, THEN + second))
        while (hello := await client.rewound()).rewound != THEN + 49:
            assert hello.rewound < THEN + 49


async def test_a_moment_before_the_history_is_refused_and_the_one_shown_stays() -> None:
    async with served() as rewinds:
        client = Client()
        rewound = rewinds.begin(client, m.Resume(1, at=THEN), answer)
        assert rewound is not None
        await client.rewound()
        rewound.put(m.Seek(2, THEN - 5000))
        reply = await client.until(lambda message: isinstance(message, m.Reply))
        assert reply.error.startswith("nothing is kept of")
        rewound.put(m.Get(3, "room.warmth", ("last",)))
        assert (await client.until(lambda message: isinstance(message, m.Reply))).result[0]["fields"] == {"last": float(THEN)}


async def test_commands_are_refused_in_the_past() -> None:
    async with served() as rewinds:
        client = Client()
        rewound = rewinds.begin(client, m.Resume(1, at=THEN), answer)
        assert rewound is not None
        rewound.put(m.Acknowledge(2, ("a",), "me"))
        reply = await client.until(lambda message: isinstance(message, m.Reply))
        assert reply.error == "this connection looks at the past, where nothing can be changed; go live to act"


async def test_more_than_may_are_refused_unless_one_has_been_idle() -> None:
    async with served(clients=1) as rewinds:
        assert rewinds.begin(Client(), m.Resume(1, at=THEN), answer) is not None
        late = Client()
        assert rewinds.begin(late, m.Resume(2, at=THEN), answer) is None
        assert isinstance(late.told[0], m.Reply)
        assert "as many look at the past as may at once (1)" in late.told[0].error
    async with served(clients=1, spare=0.0) as rewinds:
        early = Client()
        assert rewinds.begin(early, m.Resume(1, at=THEN), answer) is not None
        assert rewinds.begin(Client(), m.Resume(2, at=THEN), answer) is not None
        assert "make room" in early.why
        assert rewinds.figures()["rewind_idle_closed_total"] == 1


async def test_one_that_nobody_asks_anything_is_let_go() -> None:
    async with served(idle=0.05) as rewinds:
        client = Client()
        rewound = rewinds.begin(client, m.Resume(1, at=THEN), answer)
        assert rewound is not None
        await rewound.task
        assert not client.open
        assert not rewinds.all


async def test_progress_is_told_while_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, step = threading.Event(), Rewound._progress

    def step_after_it_was_seen(self: Rewound, share: float) -> bool:
        seen.wait(20)
        return step(self, share)

    monkeypatch.setattr("collector.rewind.server.TOLD_EVERY", 0.0001)
    monkeypatch.setattr(Rewound, "_progress", step_after_it_was_seen)
    async with served() as rewinds:
        client = Client()
        rewinds.begin(client, m.Resume(1, at=THEN), answer)
        health = await client.until(lambda message: isinstance(message, m.Health))
        seen.set()
        assert 0.0 <= health.values[PROGRESS] <= 1.0
        await client.rewound()
