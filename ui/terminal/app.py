"""Opens the terminal interface; Textual is loaded only then."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver


def run(url: str, who: str, theme: str | None = None) -> int:
    """Open the terminal interface on a collector; returns the exit code when it is left. Works while the collector is down."""
    # Nothing of what is loaded now is ever garbage: looking for it took a fifth of the time to the first frame.
    # The application turns the collection on again when that frame stands.
    gc.disable()
    try:
        return asyncio.run(_run(url, who, theme)) or 0
    finally:
        gc.enable()


async def _run(url: str, who: str, theme: str | None) -> int | None:
    from ui.client.connection import Connection
    from ui.client.mirror import Mirror
    from ui.terminal.application import LightshipApp
    from ui.terminal.places import draft_store, local_zone
    from ui.views.context import TERMINAL
    from ui.views.session import Session

    mirror = Mirror()
    line = Connection(url, mirror, who, client="terminal", on_change=lambda changes: app.heard())
    session = Session(
        mirror,
        line.submit,
        now=time.time,
        who=who,
        drafts=draft_store(),
        zone=local_zone(),
        profile=TERMINAL,
        open_line=lambda past: Connection(url, past, who, client="terminal past", on_change=lambda changes: app.heard()),
    )
    if theme is not None:
        session.theme = theme
    app = LightshipApp(session, mirror, line, driver_class=_driver())
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with contextlib.suppress(NotImplementedError):  # Windows
                asyncio.get_running_loop().add_signal_handler(number, app.exit, 0)
    try:
        return await app.run_async()
    finally:
        session.close()
        line.close()
        await line.wait_closed()


def _driver() -> type[Driver] | None:
    """How the terminal is read; None: as Textual does it on this platform."""
    if sys.platform == "win32":
        return None
    from ui.terminal.driver import WaitingDriver

    return WaitingDriver
