"""Notices reach their receivers in order, are tried again, and none is lost or stands in another's way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from collector.actions.receiver import NotToldError
from collector.actions.teller import GIVE_UP, Teller
from collector.storage.state import StateStore
from monitor.alerting.model import Event
from monitor.alerting.notice import Notice, Noticed
from monitor.alerting.outcome import Outcome
from monitor.alerting.routing import GroupState, Step
from tests.collector.server.stage import until
from tests.monitor.alerting.routing.alerts import alert_of

NOW = 1_000_000.0


class Ear:
    """A receiver that hears, or says why it does not."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.trouble: Exception | None = None
        self.hangs = False

    async def tell(self, notice: Notice) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble
        self.heard.append(notice.key)

    async def close(self) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    kept = StateStore(tmp_path / "state.sqlite3")
    yield kept
    kept.close()


def notice(number: int, receiver: str = "a", at: float = NOW) -> Notice:
    alert = alert_of({"alertname": "x", "n": str(number)})
    return Notice(f"{receiver}:{number}", receiver, (), (Noticed(alert, f"it is {number}"),), at)


def put(store: StateStore, *notices: Notice) -> None:
    store.save(Outcome(1), NOW, Step(notices))


class Stage:
    def __init__(self, store: StateStore, **receivers: Ear) -> None:
        self.now, self.events = NOW, list[Event]()
        self.pace: dict[str, float] = {}
        self.teller = Teller(store, receivers, self.pace, self.events.extend, lambda: self.now)

    @contextlib.asynccontextmanager
    async def telling(self) -> AsyncIterator[Teller]:
        task = asyncio.create_task(self.teller.run())
        try:
            yield self.teller
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_notices_are_told_in_order_and_said_in_the_history_of_their_alerts(store: StateStore) -> None:
    ear = Ear()
    stage = Stage(store, a=ear)
    put(store, notice(1), notice(2), notice(3))
    async with stage.telling():
        await until(lambda: len(ear.heard) == 3)
        await until(lambda: not store.waiting_notices())
    assert ear.heard == ["a:1", "a:2", "a:3"]
    assert [event.text for event in stage.events] == ["a: it is 1", "a: it is 2", "a: it is 3"]
    assert stage.teller.figures()["notices_told_total"] == 3


async def test_one_that_cannot_be_told_is_tried_again_and_stays_first(store: StateStore) -> None:
    ear = Ear()
    ear.trouble = NotToldError("connection refused")
    stage = Stage(store, a=ear)
    put(store, notice(1), notice(2))
    async with stage.telling() as teller:
        await until(lambda: teller.standings["a"].failed == 1)
        assert teller.notes() == ["2 notices for a cannot be told yet: connection refused"]
        ear.trouble = None
        stage.now += 4 * 0.8 - 0.1
        teller.wake()
        await asyncio.sleep(0.05)
        assert ear.heard == []
        stage.now += 7
        teller.wake()
        await until(lambda: ear.heard == ["a:1", "a:2"])
        await until(lambda: teller.notes() == [])
    assert stage.events[0].text == "a could not be told and will be tried again: connection refused"


async def test_the_other_side_says_how_long_to_wait(store: StateStore) -> None:
    ear = Ear()
    ear.trouble = NotToldError("too many requests", after=100.0)
    stage = Stage(store, a=ear)
    put(store, notice(1))
    async with stage.telling() as teller:
        await until(lambda: teller.standings["a"].failed == 1)
        await until(lambda: store.waiting_notices()[0][2] == "too many requests")
        assert store.due_notices(NOW + 79) == ()
        assert len(store.due_notices(NOW + 121)) == 1


async def test_one_receiver_does_not_stand_in_the_way_of_another(store: StateStore) -> None:
    deaf, good = Ear(), Ear()
    deaf.hangs = True
    stage = Stage(store, a=deaf, b=good)
    put(store, notice(1), notice(2, "b"), notice(3, "b"))
    async with stage.telling():
        await until(lambda: good.heard == ["b:2", "b:3"])
    assert [receiver for receiver, _, _ in store.waiting_notices()] == ["a"]


@pytest.mark.parametrize("why", ["refused", "unknown", "old"])
async def test_what_can_never_be_told_is_given_up_and_said(store: StateStore, why: str) -> None:
    ear = Ear()
    ear.trouble = NotToldError("no such channel", final=why == "refused")
    stage = Stage(store, **({} if why == "unknown" else {"a": ear}))
    put(store, notice(1, at=NOW - (GIVE_UP if why == "old" else 0)))
    async with stage.telling() as teller:
        await until(lambda: stage.events)
    words = {"refused": "gave up: no such channel", "unknown": "no receiver 'a' any more", "old": "in 1 d and gave up"}
    assert words[why] in stage.events[0].text
    assert store.waiting_notices() == []
    assert teller.figures()["notices_given_up_total"] == 1


async def test_a_mistake_in_a_receiver_is_an_attempt_that_failed(store: StateStore) -> None:
    ear = Ear()
    ear.trouble = KeyError("oops")
    stage = Stage(store, a=ear)
    put(store, notice(1))
    async with stage.telling() as teller:
        await until(lambda: teller.standings["a"].failed == 1)
        await until(lambda: "KeyError" in store.waiting_notices()[0][2])


async def test_a_receiver_is_told_no_more_often_than_it_may(store: StateStore) -> None:
    ear = Ear()
    stage = Stage(store, a=ear)
    stage.teller = Teller(store, {"a": ear}, {"a": 6.0}, stage.events.extend, lambda: stage.now)
    put(store, notice(1), notice(2))
    async with stage.telling() as teller:
        await until(lambda: ear.heard == ["a:1"])
        stage.now += 9
        teller.wake()
        await asyncio.sleep(0.05)
        assert ear.heard == ["a:1"]
        stage.now += 2
        teller.wake()
        await until(lambda: len(ear.heard) == 2)


async def test_an_attempt_cut_short_by_a_stop_is_made_again(store: StateStore) -> None:
    ear = Ear()
    ear.hangs = True
    stage = Stage(store, a=ear)
    put(store, notice(1))
    async with stage.telling():
        await asyncio.sleep(0.05)
    ear.hangs = False
    again = Stage(store, a=ear)
    async with again.telling():
        await until(lambda: ear.heard == ["a:1"])


def test_groups_and_notices_are_stored_with_the_outcome_or_not_at_all(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    state = GroupState("r", (("a", "b"),), NOW, ("x",), (), NOW)
    step = Step((notice(1),), (state,))
    store.save(Outcome(1), NOW, step)
    store.save(Outcome(1), NOW, step)
    assert store.groups() == (state,)
    assert [count for _, count, _ in store.waiting_notices()] == [1], "the same notice is stored once"


def test_more_notices_than_may_wait_are_dropped_oldest_first_and_counted(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.storage.state_telling.MAX_NOTICES", 2)
    put(store, *(notice(number) for number in range(5)))
    store.trim(NOW)
    assert [waiting.notice.key for waiting in store.due_notices(NOW)] == ["a:3"]
    assert store.dropped_notifications == 3
