"""From the stored notices to their receivers: each receiver in order, tried until told, none in the way of another."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from collector.actions.receiver import NotToldError, Receiver
from collector.storage.state import StateError, StateStore, Waiting
from monitor.alerting.durations import rough_duration
from monitor.alerting.model import Event
from monitor.alerting.notice import Notice

log = logging.getLogger(__name__)

FIRST_WAIT = 5.0
LONGEST_WAIT = 900.0
GIVE_UP = 86_400.0
"""Seconds after which nobody is told any more of what is a day old."""


@dataclass
class Standing:
    """How a receiver fares. `trouble`: why the last attempt failed, "" when it did not."""

    told: int = 0
    failed: int = 0
    given_up: int = 0
    trouble: str = ""
    last_told: float = 0.0


class Outcome(NamedTuple):
    """How telling one notice ended, and why not or what is to be said beside."""

    told: bool
    text: str


class Teller:
    """Runs beside the ticks. Whatever it was told of is on the disk; after a kill a notice may be told twice with one key."""

    def __init__(
        self,
        store: StateStore,
        receivers: Mapping[str, Receiver],
        per_minute: Mapping[str, float],
        remember: Callable[[Sequence[Event]], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`per_minute`: most notices a minute by receiver; `remember` is given events that are stored already."""
        self._store = store
        self._receivers = receivers
        self._pace = {name: 60.0 / most for name, most in per_minute.items() if most > 0}
        self._remember = remember
        self._clock = clock
        self._wake = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._free_at: dict[str, float] = {}
        self._asked: dict[str, asyncio.Future[Outcome]] = {}
        self.standings = {name: Standing() for name in receivers}

    @property
    def names(self) -> tuple[str, ...]:
        """All receivers there are."""
        return tuple(sorted(self._receivers))

    def wake(self) -> None:
        """There is something new to tell."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; attempts under way are cut short then, and made again after the start."""
        try:
            while True:
                self._wake.clear()
                with contextlib.suppress(StateError):  # said elsewhere; the notices are safe or wait in memory
                    self._begin_due()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):  # not wait_for, which forgets a cancellation that comes with the wake-up
                        await self._wake.wait()
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def _begin_due(self) -> None:
        now = self._clock()
        for waiting in self._store.due_notices(now):
            name = waiting.notice.receiver
            if name not in self._busy and self._free_at.get(name, 0.0) <= now:
                self._free_at[name] = now + self._pace.get(name, 0.0)
                self._busy[name] = asyncio.create_task(self._tell(waiting), name=f"telling {name}")

    async def _tell(self, waiting: Waiting) -> None:
        name, notice = waiting.notice.receiver, waiting.notice
        standing = self.standings.setdefault(name, Standing())
        try:
            receiver = self._receivers.get(name)
            if receiver is None:
                raise NotToldError(f"there is no receiver {name!r} any more", final=True)
            beside = await receiver.tell(notice)
        except NotToldError as error:
            self._put_off(waiting, standing, error)
        except Exception as error:
            # A mistake in one receiver must not keep the others from being told.
            log.exception("telling %s failed", name)
            self._put_off(waiting, standing, NotToldError(f"{type(error).__name__}: {error}"))
        else:
            standing.told += 1
            standing.trouble, standing.last_told = "", self._clock()
            events = _said(notice, self._clock(), "notified", f"{name}: {headline(notice)}")
            events += _said(notice, self._clock(), "note", f"{name}: {beside}") if beside else ()
            self._settle(waiting, events)
            self._answer(notice, True, beside or "")
        finally:
            del self._busy[name]
            self._wake.set()

    def _put_off(self, waiting: Waiting, standing: Standing, error: NotToldError) -> None:
        standing.failed += 1
        standing.trouble = str(error)[:300]
        now, notice = self._clock(), waiting.notice
        if notice.reason == "test":
            self._settle(waiting, ())  # who asked for it is told now, and it is in nobody's way
            self._answer(notice, False, standing.trouble)
            return
        if error.final or now - notice.at >= GIVE_UP:
            standing.given_up += 1
            why = "and gave up" if error.final else f"in {rough_duration(now - notice.at)} and gave up"
            self._settle(waiting, _said(notice, now, "note", f"{notice.receiver} could not be told {why}: {standing.trouble}"))
            return
        wait = error.after if error.after is not None else FIRST_WAIT * 2 ** min(waiting.attempts, 20)
        earliest = 0.8 if error.after is None else 1.0  # never before the other side has asked for
        due = now + min(LONGEST_WAIT, wait) * random.uniform(earliest, 1.2)
        first = f"{notice.receiver} could not be told and will be tried again: {standing.trouble}"
        events = _said(notice, now, "note", first) if waiting.attempts == 0 else ()
        with contextlib.suppress(StateError):
            self._remember(self._store.postpone_notice(waiting.id, due, standing.trouble, events))

    async def outcome(self, key: str, patience: float) -> Outcome | None:
        """How telling a test notice ends; None when it has not ended after `patience` seconds. Ask before it is stored."""
        asked: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._asked[key] = asked
        try:
            async with asyncio.timeout(patience):
                return await asked
        except TimeoutError:
            return None
        finally:
            self._asked.pop(key, None)

    def _answer(self, notice: Notice, told: bool, text: str) -> None:
        asked = self._asked.get(notice.key)
        if asked is not None and not asked.done():
            asked.set_result(Outcome(told, text))

    def _settle(self, waiting: Waiting, events: Sequence[Event]) -> None:
        try:
            self._remember(self._store.settle_notice(waiting.id, events))
        except StateError as error:
            log.error("%s", error)  # it stays in the store, and is told again with the same key

    def figures(self) -> dict[str, float]:
        """For health."""
        standings = self.standings.values()
        return {
            "notices_told_total": sum(each.told for each in standings),
            "notices_failed_total": sum(each.failed for each in standings),
            "notices_given_up_total": sum(each.given_up for each in standings),
            "notices_waiting": sum(count for _, count, _ in self._waiting()),
        }

    def notes(self) -> list[str]:
        """Receivers that cannot be told, in sentences."""
        return [
            f"{count} notice{'s' if count > 1 else ''} for {name} cannot be told yet: {why}"
            for name, count, why in self._waiting()
            if why
        ]

    def _waiting(self) -> Sequence[tuple[str, int, str]]:
        try:
            return self._store.waiting_notices()
        except StateError:
            return ()


def headline(notice: Notice) -> str:
    """A notice in one line."""
    firing, resolved = notice.firing, notice.resolved
    first = (firing or resolved)[0].summary if notice.alerts else ""
    more = len(notice.alerts) + notice.truncated - 1
    tail = f" (and {more:,} more)" if more > 0 else ""
    over = "" if firing else "over: "
    return f"{over}{first}{tail}"


def _said(notice: Notice, now: float, kind: str, text: str) -> tuple[Event, ...]:
    """One event a notice, with the first of its alerts, and one for each of a few more so that each history tells of it."""
    return tuple(
        Event(now, kind, text, "", noticed.alert.id, noticed.alert.rule_id, noticed.alert.severity)
        for noticed in notice.alerts[:10]
    )
