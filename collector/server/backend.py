"""What the stream server needs of the service behind it."""

from __future__ import annotations

from typing import Any, Protocol

from monitor.wire.messages import Request
from monitor.wire.source import Source


class CommandError(ValueError):
    """A command that is not carried out; the text tells its sender what, why and what to do, `result` a program where."""

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


class Backend(Source, Protocol):
    """A source that carries out commands too."""

    async def command(self, request: Request, who: str) -> Any:
        """Carries out acks, silences, notes and changes of rules, and answers queries.

        Gives the reply's result, or a whole message in place of the reply. Raises `CommandError`.
        """
