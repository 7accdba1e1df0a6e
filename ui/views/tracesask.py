"""One question at a time to the collector: the newest answer is kept, an older one never takes its place."""

from __future__ import annotations

from typing import Generic, TypeVar

from monitor.wire.messages import Request
from ui.views.context import Context

PATIENCE = 5.0
"""Seconds after which another question is asked although the last one is not answered."""
AGAIN = 5.0
"""Seconds until a question that failed is asked again."""
A = TypeVar("A")


class Asking(Generic[A]):
    """Asks for one kind of answer. `number` rises with each answer, so that what is made of it can be kept until then."""

    def __init__(self, ctx: Context, kind: type[A]) -> None:
        self.ctx = ctx
        self.kind = kind
        self.answer: A | None = None
        self.answered: object = None
        """The key of the question whose answer is held."""
        self.error = ""
        self.number = 0
        self._asked: object = None
        self._since = 0.0
        self._waiting = False
        self._generation = 0

    @property
    def waiting(self) -> bool:
        return self._waiting

    def want(self, key: object, request: Request) -> A | None:
        """The newest answer there is; asks where it is another question's, or where that failed a while ago."""
        now = self.ctx.now()
        if self._waiting and now - self._since < PATIENCE:
            return self.answer
        failed = bool(self.error) and now - self._since >= AGAIN
        if key != self._asked or self._waiting or failed:
            self._ask(key, request)
        return self.answer

    def forget(self) -> None:
        """Nothing was asked: what is under way is not waited for."""
        self._generation += 1
        self.answer, self.answered, self._asked, self.error, self._waiting = None, None, None, "", False

    def again(self) -> None:
        """The same question once more, whatever was answered."""
        self._asked = None

    def _ask(self, key: object, request: Request) -> None:
        self._asked, self._since, self._waiting = key, self.ctx.now(), True
        self._generation += 1
        generation = self._generation

        def done(answer: object) -> None:
            if generation == self._generation and isinstance(answer, self.kind):
                self.answer, self.answered, self.error, self._waiting = answer, key, "", False
                self.number += 1
                self.ctx.version += 1

        def failed(error: str) -> None:
            if generation == self._generation:
                self.error, self._waiting = error, False
                self.ctx.version += 1

        self.ctx.request(request, done, failed)
