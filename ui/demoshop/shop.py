"""The shop: given a seed and the time, it says what has happened since it was asked before. It knows no clock and no socket."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass

from ui.demoshop import rhythm
from ui.demoshop.happened import PRODUCER, Event, Log, Span
from ui.demoshop.incidents import Conditions, Schedule
from ui.demoshop.journeys import walked
from ui.demoshop.ordering import delivered, shipped
from ui.demoshop.walk import Walk

SLOT = 0.25
"""Seconds for which customers come at one rate."""
MOST_BEHIND = 3.0
"""Seconds that are made up for after a pause (a laptop that slept); what is longer ago did not happen."""
MOST_UNDER_WAY = 50_000
"""Spans and log records that are not over yet; beyond it no customer is let in."""
MAIL_WORKERS = 2
"""As many as the usual traffic needs, and fewer than a surge does."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What happened between two times: spans that ended and records in the order of their time, events, and how things stand.

    `queue`: orders that wait for their mail; `carts`: carts that are open.
    """

    spans: list[Span]
    logs: list[Log]
    events: list[Event]
    conditions: Conditions
    queue: int
    carts: int


class Shop:
    """The same seed, beginning and times give the same traffic. Times are seconds since the epoch."""

    def __init__(self, seed: int, began: float) -> None:
        self.began = began
        self.schedule = Schedule(seed)
        self._chance = random.Random(seed)
        self._slots = 0
        self._until = -1e-9
        self._under_way: list[tuple[int, int, Span | Log]] = []
        self._order = itertools.count()
        self._mail_free = [0] * MAIL_WORKERS
        self._mails: list[int] = []

    def advance(self, now: float) -> Traffic:
        """What came to its end up to `now`, since the time of the last call."""
        elapsed = max(now - self.began, self._until)
        behind = elapsed - self._slots * SLOT
        if behind > MOST_BEHIND:
            self._slots += int((behind - MOST_BEHIND) / SLOT)
        while (self._slots + 1) * SLOT <= elapsed:
            self._let_in(self._slots * SLOT)
            self._slots += 1
        spans, logs = self._ended(int((self.began + self._slots * SLOT) * 1e9))  # of whole slots, so that nothing comes later
        events = self.schedule.events(self._until, elapsed, self.began)
        self._until = elapsed
        conditions = self.schedule.at(elapsed)
        while self._mails and self._mails[0] <= now * 1e9:
            heapq.heappop(self._mails)
        carts = int(60 + 240 * conditions.load * (1.0 + 0.5 * conditions.database + 0.6 * conditions.provider))
        return Traffic(spans, logs, events, conditions, len(self._mails), carts)

    def _let_in(self, elapsed: float) -> None:
        """The customers of one slot."""
        if len(self._under_way) > MOST_UNDER_WAY:
            return
        conditions = self.schedule.at(elapsed)
        at = elapsed
        rate = rhythm.USUAL * conditions.load
        while (at := at + self._chance.expovariate(rate)) < elapsed + SLOT:
            walk = Walk(self._chance, int((self.began + at) * 1e9), conditions)
            walked(walk)
            self._follow_order(walk)
            for span in walk.spans:
                self._put(span.end, span)
            for log in walk.logs:
                self._put(log.time, log)

    def _follow_order(self, walk: Walk) -> None:
        """What happens to an order that was published, once those who take it from the queue come to it."""
        published = next((span for span in walk.spans if span.kind == PRODUCER), None)
        if published is None:
            return
        for take, begins in ((shipped, published.end + 4_000_000), (delivered, self._mail_turn(published.end))):
            walk.now = begins
            walk.follow(published, take)
            if take is delivered:
                heapq.heapreplace(self._mail_free, walk.now)

    def _mail_turn(self, published: int) -> int:
        """When a worker is free for it."""
        begins = max(self._mail_free[0], published + 3_000_000)
        heapq.heappush(self._mails, begins)
        return begins

    def _put(self, ends: int, what: Span | Log) -> None:
        heapq.heappush(self._under_way, (ends, next(self._order), what))

    def _ended(self, now: int) -> tuple[list[Span], list[Log]]:
        spans: list[Span] = []
        logs: list[Log] = []
        while self._under_way and self._under_way[0][0] <= now:
            what = heapq.heappop(self._under_way)[2]
            if isinstance(what, Span):
                spans.append(what)
            else:
                logs.append(what)
        return spans, logs
