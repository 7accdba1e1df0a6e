"""Notices reach a flaky server once, in order, with one key however often they are tried; one that hangs hinders nobody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from collector.actions.receiver import NotToldError
from collector.actions.teller import Teller
from collector.storage.state import StateStore
from monitor.alerting.model import Event
from monitor.alerting.outcome import Outcome
from monitor.alerting.routing.state import Step
from tests.collector.actions.flaky import flaky
from tests.collector.actions.making import receivers
from tests.collector.actions.notices import NOW, notice


class Clock:
    """Each look is a minute later, so that nothing is waited for."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        self.now += 60.0
        return self.now


async def run_until(teller: Teller, holds: Callable[[], bool]) -> None:
    running = asyncio.create_task(teller.run())
    try:
        async with asyncio.timeout(10):
            while not holds():
                teller.wake()
                await asyncio.sleep(0.005)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_exactly_the_wanted_notices_arrive_in_order(tmp_path: Path) -> None:
    events: list[Event] = []
    script = ["500", "200", "reset", "silence", "429 1", "302 http://127.0.0.1:1/", "503", "drip", "200"]
    async with flaky(script) as server, flaky(["silence"] * 99) as stuck:
        hook = 'type = "webhook"\nprivate = true\nper_minute = "6000"\ntimeout = "300ms"'
        ways = receivers(
            f'[[receiver]]\nname = "a"\nurl = "{server.url}"\n{hook}\n[[receiver]]\nname = "b"\nurl = "{stuck.url}"\n{hook}\n'
        )
        store = StateStore(tmp_path / "state.sqlite3")
        told = [notice(key=f"r:g:{number}", receiver=name) for number in range(4) for name in "ab" if number or name == "a"]
        store.save(Outcome(1), NOW, Step(tuple(told)))
        teller = Teller(store, ways.by_name, ways.per_minute, events.extend, Clock())
        await run_until(teller, lambda: teller.standings["a"].told + teller.standings["a"].given_up == 4)
        await ways.close()
        keys = [got.headers["idempotency-key"] for got in server.got]
        # 500 200 · reset silence 429 302 (given up) · 503 drip 200 · 200
        assert keys == [f"r:g:{number}" for number in (0, 0, 1, 1, 1, 1, 2, 2, 2, 3)]
        assert len({(got.headers["idempotency-key"], got.body) for got in server.got}) == 4
        assert teller.standings["b"].told == 0
        store.close()
    texts = [event.text for event in events]
    assert any("could not be told and gave up" in text and "elsewhere" in text for text in texts)


async def test_a_test_notice_that_fails_says_why_and_is_in_nobodys_way(tmp_path: Path) -> None:
    class Broken:
        async def tell(self, _: object) -> str | None:
            raise NotToldError("nobody is in")

        async def close(self) -> None:
            """Nothing."""

    store = StateStore(tmp_path / "state.sqlite3")
    teller = Teller(store, {"a": Broken()}, {}, lambda _: None)
    store.save(Outcome(1), NOW, Step((notice(key="test:k:1", receiver="a", reason="test"),)))
    running = asyncio.create_task(teller.run())
    assert await teller.outcome("test:k:1", 5.0) == (False, "nobody is in")
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert store.waiting_notices() == []
    store.close()


async def test_asking_for_an_outcome_that_does_not_come_ends(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "state.sqlite3")
    assert await Teller(store, {}, {}, lambda _: None).outcome("k", 0.05) is None
    store.close()
