"""A receiver that shows a notification on the desktop the collector runs on, with `notify-send`."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.actions import program, words
from collector.actions.receiver import NotToldError
from monitor.alerting.notice import Notice

_URGENCY = {"critical": "critical", "warning": "normal", "info": "low"}
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Desktop:
    """Implements `Receiver`. Where no desktop is, a notice is given up: nobody is there who could see it later."""

    folder: Path
    timeout: float
    command: Sequence[str] = ("notify-send",)

    async def tell(self, notice: Notice) -> str | None:
        """See `Receiver`."""
        if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")):
            raise NotToldError("the collector runs on no desktop that could show it", True)
        urgency = _URGENCY[words.worst(notice)] if notice.firing else "low"
        lines = [words.plain(noticed.summary, 200) for noticed in (notice.firing + notice.resolved)[:_SHOWN]]
        if more := words.left_out(notice, _SHOWN):
            lines.append(more)
        # The body may hold markup (Desktop Notifications Specification, 4.1); `--` ends the options.
        body = html.escape("\n".join(lines), quote=False)
        options = ["--app-name=Lightship", f"--urgency={urgency}", "--", words.title(notice, 120), body]
        await program.run([*self.command, *options], b"", self.folder, self.timeout, {}, program.ON_A_DESKTOP)
        return None

    async def close(self) -> None:
        """See `Receiver`."""
