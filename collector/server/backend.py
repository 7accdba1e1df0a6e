"""What the stream server needs of the service behind it."""

from __future__ import annotations

from typing import Any, Protocol

from monitor.wire.messages import Request
from monitor.wire.source import Source


class CommandError(ValueError):
    """A command that is not carried out; the text tells its sender what, why and what to do."""


class Backend(Source, Protocol):
    """A source that carries out commands too."""

    async def command(self, request: Request, who: str) -> Any:
        """Carries out acks, silences, notes and changes of rules; gives the reply's result. Raises `CommandError`."""
