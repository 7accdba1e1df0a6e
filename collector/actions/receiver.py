"""What a receiver of notices is, and how an attempt may end."""

from __future__ import annotations

from typing import Protocol

from monitor.alerting.notice import Notice


class NotToldError(Exception):
    """An attempt failed; the message says why, without any secret.

    `final`: trying again is of no use (the other side has understood and refused). `after`: seconds the other side asks to wait.
    """

    def __init__(self, why: str, final: bool = False, after: float | None = None) -> None:
        super().__init__(why)
        self.final = final
        self.after = after


class Receiver(Protocol):
    """A way to tell somebody. Called in the event loop; must not block it, and ends within its timeout."""

    async def tell(self, notice: Notice) -> str | None:
        """Tell it. `notice.key` is the same when it is told again. Raises `NotToldError`.

        What it returns is remembered beside: who was left out although the others were told.
        """

    async def close(self) -> None:
        """Let go of connections."""
