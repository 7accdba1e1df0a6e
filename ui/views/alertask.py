"""What pages ask the collector about alerts; until it answers, and where it is too old to, they say what they know themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable

import msgspec

from monitor.alerting.model import Alert, WhyStep
from monitor.wire import messages as m
from monitor.wire.messages import Reply, Request
from ui.client.line import Answer
from ui.views.context import Context

PAUSE = 2.0
"""Seconds between two questions about the same, at least."""
FRESH = 10.0
"""Seconds after which the steps are asked for again though the alert has not changed: groups wait, receivers recover."""
REFUSED = 30.0
"""Seconds until a question that was refused is put again."""
MAX_LOSSES = 2
"""A collector that does not know a question ends the connection; after so many it is not put to that start of it again."""
MAX_STEPS = 200


class Question:
    """A question put again when its subject or that subject's version changes; never two of it are under way."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._subject: Hashable = None
        self._version: Hashable = None
        self._next = -math.inf
        self._again = -math.inf
        self._waits = False
        self._losses = 0
        self._boot = ""

    def put(self, subject: Hashable, version: Hashable, request: Request, take: Callable[[object], None]) -> None:
        """Ask where there is somebody to ask and something new to ask for; `take` is given the result of an answer."""
        ctx, now = self._ctx, self._ctx.now()
        hello = ctx.mirror.hello
        if ctx.rewound or hello is None or not ctx.mirror.connected or self._waits:
            return
        if hello.boot != self._boot:
            self._boot, self._losses, self._subject, self._again = hello.boot, 0, None, -math.inf
        if self._losses >= MAX_LOSSES or now < self._again:
            return
        if subject == self._subject and (version == self._version or now < self._next):
            return
        self._subject, self._version, self._next, self._waits = subject, version, now + PAUSE, True

        def answer(reply: Answer) -> None:
            self._waits = False
            ctx.version += 1
            if not isinstance(reply, Reply):
                return
            if not reply.error:
                self._losses = 0
                take(reply.result)
                return
            self._subject = None
            if ctx.live.mirror.connected:
                self._again = ctx.now() + REFUSED
            else:
                self._losses += 1

        ctx.send(request, answer)


class Why:
    """Why somebody was, or was not, told of the alert that is open, as the collector says."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._question = Question(ctx)
        self._told: tuple[str, tuple[WhyStep, ...]] = ("", ())

    def steps(self, alert: Alert) -> tuple[WhyStep, ...]:
        """The steps that the collector gave for this alert; () while it has given none. Asks for them."""
        rules = self._ctx.mirror.rules
        version = (alert.revision, rules.revision if rules is not None else 0, self._ctx.present() // FRESH)
        self._question.put(alert.id, version, m.WhyPaged(0, alert.id), lambda result: self._take(alert.id, result))
        return self._told[1] if self._told[0] == alert.id and not self._ctx.rewound else ()

    def _take(self, alert: str, result: object) -> None:
        told = result.get("steps") if isinstance(result, dict) else None
        try:
            self._told = alert, msgspec.convert(told[:MAX_STEPS] if isinstance(told, list) else (), tuple[WhyStep, ...])
        except msgspec.ValidationError:
            self._told = "", ()
