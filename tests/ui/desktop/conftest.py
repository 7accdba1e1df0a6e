"""Windows of the desktop for tests: offscreen, with hand-made pictures or on the demonstration collector."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QElapsedTimer, QEvent, QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.ui.desktop import pictures
from tests.ui.desktop.pictures import StubSession
from ui.client.fake import FakeCollector
from ui.client.mirror import Mirror
from ui.desktop.app import Pump, application, open_window
from ui.desktop.look import Look
from ui.desktop.remember import Memory
from ui.desktop.window import Window
from ui.views.session import Session


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No window, timer or thread outlives its test."""
    app = application()
    threads = set(threading.enumerate())
    yield
    for window in [widget for widget in app.topLevelWidgets() if isinstance(widget, Window)]:
        window.close()
        window.deleteLater()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    app.processEvents()
    running = [timer for timer in app.findChildren(QTimer) if timer.isActive()]
    assert not running
    assert set(threading.enumerate()) <= threads
    assert not [w for w in app.topLevelWidgets() if isinstance(w, Window)]


@dataclass
class Screen:
    """A window and what a person does with it."""

    window: Window
    session: Any
    pump: Pump | None = None
    fake: FakeCollector | None = None

    def settle(self) -> None:
        application().processEvents()

    def show(self, picture: Any) -> None:
        """Another picture of a stub session."""
        self.session.shown = picture
        self.window.refresh()
        self.settle()

    def pass_time(self, seconds: int = 1) -> None:
        """Seconds of the collector, each taken in and painted."""
        assert self.fake is not None
        assert self.pump is not None
        for _ in range(seconds):
            self.fake.advance(1)
            self.pump.turn()
            self.window.refresh()
            self.settle()

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, text: str = "") -> None:
        """A key on whatever has the focus."""
        target = QApplication.focusWidget() or self.window
        if text:
            QTest.keyClicks(target, text)
        else:
            QTest.keyClick(target, key, modifiers)
        self.take()

    def write(self, text: str) -> None:
        self.press(Qt.Key.Key_unknown, text=text)

    def take(self) -> None:
        """What came of it is taken in and painted."""
        if self.pump is not None:
            self.pump.turn()
        self.window.refresh()
        self.settle()

    def named(self, name: str) -> QWidget:
        """The visible widget with this accessible name, as a screen reader finds it."""
        found = [w for w in self.window.findChildren(QWidget) if w.accessibleName() == name and w.isVisible()]
        assert found, f"nothing visible is called {name!r}"
        return found[0]

    def is_shown(self, name: str) -> bool:
        return any(w.isVisible() for w in self.window.findChildren(QWidget) if w.accessibleName() == name)


def rows_of(view: Any) -> list[str]:
    """What a list or table says, row by row."""
    model = view.model()
    columns = range(len(getattr(model, "columns", "1")))
    role = Qt.ItemDataRole.AccessibleTextRole
    return [" | ".join(str(model.index(r, c).data(role)) for c in columns).strip(" |") for r in range(model.rowCount())]


@pytest.fixture
def stub() -> Any:
    """Opens windows on hand-made pictures: `stub(picture, size)`."""

    def open_it(picture: Any = None, size: tuple[int, int] = (1440, 900), theme: str = "dark") -> Screen:
        application()
        session = StubSession(picture or pictures.picture(), theme=theme)
        window = Window(session, Look(theme))  # type: ignore[arg-type]
        window.resize(*size)
        window.show()
        window.activateWindow()
        screen = Screen(window, session)
        screen.settle()
        return screen

    return open_it


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Any]:
    """Opens windows on the demonstration collector: `demo(size)`."""
    opened: list[Screen] = []

    def open_it(size: tuple[int, int] = (1440, 900)) -> Screen:
        fake = FakeCollector.demo()
        mirror = Mirror()
        session = Session(mirror, fake.submit, now=lambda: fake.now, who="Mira Okafor", zone=UTC, open_line=fake.another)
        window, pump = open_window(fake, mirror, session, Memory(tmp_path / "state.ini"))
        fake.start()
        window.resize(*size)
        window.show()
        window.activateWindow()
        screen = Screen(window, session, pump, fake)
        opened.append(screen)
        screen.pass_time(2)
        return screen

    yield open_it
    for screen in opened:
        assert screen.pump is not None
        screen.pump.stop()


@pytest.fixture
def qapp_wait() -> Any:
    """Lets events pass until a condition holds; fails after five seconds."""

    def wait(condition: Any) -> None:
        clock = QElapsedTimer()
        clock.start()
        while not condition() and clock.elapsed() < 5000:
            application().processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)
        assert condition()

    return wait
