"""Starts the desktop: one application, one window, one line to a collector drained on a timer."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QStandardPaths, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication

from ui.client.files import tilde, write_new
from ui.desktop.look import Look
from ui.desktop.notify import Notifier, window_icon
from ui.desktop.remember import Memory, drafts_path
from ui.desktop.window import Window
from ui.views.theme import THEMES

if TYPE_CHECKING:
    from ui.client.fake import FakeCollector
    from ui.client.mirror import Mirror
    from ui.views.drafts import DraftStore
    from ui.views.session import Session

PUMP_MS = 100
CLOCK_S = 1.0


def application() -> QApplication:
    """The one QApplication, made on first use."""
    found = QApplication.instance()
    if isinstance(found, QApplication):
        return found
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    made = QApplication(sys.argv[:1])
    made.setApplicationName("lightship")
    made.setApplicationDisplayName("Lightship")
    made.setDesktopFileName("lightship")
    made.setStyle("Fusion")
    return made


def preferred_theme() -> str:
    """Dark or light, as the desktop wishes; dark where it has no wish."""
    light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
    return "light" if light else "dark"


class Pump(QObject):
    """Every 100 ms: what arrived goes into the mirror; the window is painted when something changed or a second is over."""

    def __init__(
        self, line: Any, mirror: Mirror, session: Session, window: Window, advance: Callable[[], None] | None = None
    ) -> None:
        super().__init__(window)
        self.line, self.mirror, self.session, self.window = line, mirror, session, window
        self.painted = 0
        self._advance = advance
        self._next_clock = 0.0
        self.timer = QTimer(self)
        self.timer.setInterval(PUMP_MS)
        self.timer.setTimerType(Qt.TimerType.CoarseTimer)
        self.timer.timeout.connect(self.turn)

    def start(self) -> None:
        self.turn()
        self.timer.start()

    def turn(self) -> None:
        """One round. A hidden or minimised window keeps its data current and paints nothing."""
        if self._advance is not None:
            self._advance()
        what = self.line.pump(self.mirror)
        if what:
            self.session.changed(what)
        back = self.session.pump()
        now = time.monotonic()
        if (what or back or now >= self._next_clock) and not self.window.isMinimized():
            self._next_clock = now + CLOCK_S
            self.painted += 1
            self.window.refresh()

    def stop(self) -> None:
        self.timer.stop()


def connect(window: Window, session: Session, notifier: Notifier) -> None:
    """What only the desktop can do for the session."""
    session.on_quit = lambda: _close(window)
    session.on_open_url = lambda url: _open(url)
    session.on_copy = lambda text: QGuiApplication.clipboard().setText(text)
    session.on_notify = notifier.tell
    exports = session.explore.exports
    exports.save_file = _save
    exports.picture = lambda: window.page("explore").picture()  # type: ignore[union-attr]


def _save(name: str, content: bytes) -> str:
    """Into the person's downloads; where it is."""
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
    return tilde(write_new(Path(place) if place else Path.home(), name, content))


def _close(window: Window) -> None:
    window.close()


def _open(url: str) -> None:
    """Only web pages: a runbook's address comes from outside, and a file or a command must never start from it."""
    address = QUrl(url, QUrl.ParsingMode.StrictMode)
    if address.isValid() and address.scheme() in ("http", "https"):
        QDesktopServices.openUrl(address)


def open_window(
    line: Any, mirror: Mirror, session: Session, memory: Memory | None, advance: Callable[[], None] | None = None
) -> tuple[Window, Pump]:
    """A window on a session, fed from a line; shown where it was last."""
    app = application()
    look = Look(session.theme)
    window = Window(session, look, memory)
    app.setWindowIcon(window_icon(look))
    notifier = Notifier(window, look)
    connect(window, session, notifier)
    geometry = memory.geometry() if memory is not None else None
    if geometry is None or geometry.isEmpty() or not window.restoreGeometry(geometry):
        window.resize(window.sizeHint().boundedTo(app.primaryScreen().availableSize()))
    window.destroyed.connect(notifier.close)
    return window, Pump(line, mirror, session, window, advance)


def run(url: str, who: str, theme: str | None = None, fake: FakeCollector | None = None) -> int:
    """Open the desktop on the collector at `url` (or on `fake`) and stay until it is closed. Returns the exit code."""
    from ui.views.drafts import FileDrafts

    app = application()
    memory = Memory()
    session, line, mirror, advance = make_session(
        url, who, theme or memory.word("theme") or preferred_theme(), fake, FileDrafts(drafts_path(url)) if fake is None else None
    )
    page = memory.word("page")
    if page:
        session.perform(f"page.{page}")
    window, pump = open_window(line, mirror, session, memory, advance)
    line.start()
    window.show()
    pump.start()
    before = {number: signal.signal(number, lambda *_: window.close()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return app.exec()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        pump.stop()
        session.close()
        line.close()


def make_session(
    url: str, who: str, theme: str, fake: FakeCollector | None, drafts: DraftStore | None = None
) -> tuple[Session, Any, Mirror, Callable[[], None] | None]:
    """Session, line and mirror for an address or a collector in memory; the last is what lets a fake's time pass."""
    from ui.client.mirror import Mirror
    from ui.views.session import Session

    mirror = Mirror()
    zone = datetime.now().astimezone().tzinfo
    line: Any
    if fake is not None:
        line = fake
        session = Session(mirror, line.submit, now=lambda: fake.now, who=who, drafts=drafts, zone=zone, open_line=fake.another)
    else:
        from ui.client.thread import ThreadedConnection

        line = ThreadedConnection(url, who, client="desktop")
        session = Session(
            mirror,
            line.submit,
            now=time.time,
            who=who,
            drafts=drafts,
            zone=zone,
            open_line=lambda past: ThreadedConnection(url, who, client="desktop past"),
        )
        session.on_retry = line.retry
    if theme in THEMES:
        session.choose("theme", theme)
    return session, line, mirror, _second_by_second(fake) if fake is not None else None


def _second_by_second(fake: FakeCollector) -> Callable[[], None]:
    """Lets a fake's time pass with the wall clock."""
    last = time.monotonic()

    def advance() -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= 1.0:
            fake.advance(1.0)
            last = now

    return advance
