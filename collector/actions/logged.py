"""A receiver that writes each notice with its alerts as one line of JSON into `notices.log` of the data folder."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

from collector.actions import bodies
from collector.actions.log import LineFile
from collector.actions.receiver import NotToldError
from monitor.alerting.notice import Notice

FILE = "notices.log"


@dataclass(frozen=True, slots=True)
class NoticeLog:
    """Implements `Receiver`. All receivers of this type share a file and its lock; a line says whose it is."""

    file: LineFile
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def tell(self, notice: Notice) -> str | None:
        """See `Receiver`. After a kill the same key may stand there twice."""
        try:
            await asyncio.to_thread(self._write, notice)
        except OSError as error:
            raise NotToldError(f"{FILE} cannot be written: {error.strerror or error}") from None
        return None

    def _write(self, notice: Notice) -> None:
        with self.lock:
            self.file.append(bodies.native(notice))

    async def close(self) -> None:
        """See `Receiver`."""
