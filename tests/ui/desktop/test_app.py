"""Around the window: the pump, notifications, links, memory, and a whole start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QByteArray, QTimer
from PySide6.QtGui import QColor, QDesktopServices
from PySide6.QtWidgets import QApplication

from monitor.alerting.model import State
from ui.client.fake import FakeCollector
from ui.desktop import app as desktop
from ui.desktop.cores import contrast
from ui.desktop.look import Look
from ui.desktop.notify import Notifier, unmarked
from ui.desktop.remember import Memory, drafts_path
from ui.desktop.shapes import ICONS, SHAPES, path_of
from ui.desktop.sidebar import initials
from ui.desktop.window import Window
from ui.views.theme import load_themes


def test_the_pump_paints_when_something_came_and_is_quiet_otherwise(demo: Any) -> None:
    screen = demo()
    screen.pump._next_clock = float("inf")
    painted = screen.pump.painted
    screen.pump.turn()
    assert screen.pump.painted == painted
    screen.fake.advance(1)
    screen.pump.turn()
    assert screen.pump.painted == painted + 1


def test_a_minimised_window_stays_current_and_paints_nothing(demo: Any) -> None:
    screen = demo()
    screen.window.showMinimized()
    painted, told = screen.pump.painted, screen.session.ctx.mirror.time
    screen.fake.advance(3)
    screen.pump.turn()
    assert screen.pump.painted == painted
    assert screen.session.ctx.mirror.time == told + 3


def test_an_alert_that_begins_to_fire_notifies_without_a_tray(demo: Any) -> None:
    screen = demo()
    notifier = Notifier(screen.window, screen.window.look)
    screen.session.on_notify = notifier.tell
    mirror = screen.session.ctx.mirror
    pending = next(a for a in mirror.alerts.values() if a.state is State.PENDING)
    mirror.alerts[pending.id] = msgspec.structs.replace(pending, state=State.FIRING)
    screen.session.changed({"alerts"})
    assert notifier.told == 1
    screen.session.changed({"alerts"})
    assert notifier.told == 1


def test_a_notification_carries_no_markup_from_outside() -> None:
    assert unmarked('<a href="http://x">5 < 6</a>') == '‹a href="http://x"›5 ‹ 6‹/a›'


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "ssh://host", "/bin/sh", "vscode://x", ""])
def test_only_web_pages_are_opened(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda address: opened.append(address.toString()))
    desktop._open(url)
    desktop._open("https://example.org/runbook")
    assert opened == ["https://example.org/runbook"]


def test_the_first_start_remembers_nothing_and_a_broken_file_is_no_obstacle(tmp_path: Path) -> None:
    assert Memory(tmp_path / "none.ini").word("page") == ""
    broken = tmp_path / "broken.ini"
    broken.write_bytes(b"\x00\xff[[[geometry=@@@\npage=\x01")
    memory = Memory(broken)
    assert memory.geometry() == QByteArray()
    memory.keep(QByteArray(b"there"), "alerts", "light")
    assert Memory(broken).word("page") == "alerts"


def test_drafts_lie_where_the_state_of_a_person_belongs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LIGHTSHIP_UI_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert drafts_path() == tmp_path / "lightship" / "drafts-desktop.json"
    assert drafts_path("http://127.0.0.1:7070") == drafts_path()
    assert drafts_path("https://ops.example:7070/a") == tmp_path / "lightship" / "drafts-desktop-ops.example-7070-a.json"


def test_a_whole_start_runs_until_the_window_closes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIGHTSHIP_UI_STATE", str(tmp_path / "state.ini"))
    seen: list[str] = []

    def look_and_leave() -> None:
        window = next(w for w in desktop.application().topLevelWidgets() if isinstance(w, Window))
        if window.picture is None or window.picture.overview is None or not window.picture.overview.charts:
            QTimer.singleShot(50, look_and_leave)
            return
        seen.append(window.picture.frame.collector)
        window.close()

    desktop.application()
    QTimer.singleShot(0, look_and_leave)
    assert desktop.run("memory:", "Mira", "light", FakeCollector.demo()) == 0
    assert seen == ["harbour-1"]
    assert Memory(tmp_path / "state.ini").word("theme") == "light"


def test_every_shape_and_icon_lies_in_its_box() -> None:
    for parts in (*SHAPES.values(), *ICONS.values()):
        for part in parts:
            box = path_of(part.commands).boundingRect()
            assert box.left() >= 0.5
            assert box.top() >= 0.5
            assert box.right() <= 15.5
            assert box.bottom() <= 15.5


def test_numbers_in_heat_map_cells_can_be_read_in_every_theme() -> None:
    assert QApplication.instance() is not None
    for name, theme in load_themes().items():
        look = Look(name)
        inks = (look.colour("text-primary"), look.colour("canvas"))
        for colour in theme.ramp:
            assert max(contrast(ink, QColor(colour)) for ink in inks) >= 4.0, (name, colour)


@pytest.mark.parametrize(
    ("name", "letters"), [("Mira Okafor", "MO"), ("root", "RO"), ("ana.b", "AB"), ("", "?"), ("\u202e", "?"), ("<b>", "B")]
)
def test_somebody_is_known_by_two_letters(name: str, letters: str) -> None:
    assert initials(name) == letters
