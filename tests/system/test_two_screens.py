"""The main job: done in the terminal, seen on the desktop, silenced by command; and kill -9 changes none of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QAbstractItemView

from tests.running import ROOT, Collector, collector, until
from tests.system.test_product import RULE, firing
from tests.terminal_process import TerminalProcess
from tests.ui.desktop.conftest import rows_of
from ui.desktop.app import application, make_session, open_window


class Desktop:
    """The real window on a real collector, pumped by the test."""

    def __init__(self, url: str) -> None:
        application()
        self.session, self.line, mirror, _ = make_session(url, "jonas", "dark", None)
        self.window, self.pump = open_window(self.line, mirror, self.session, None)
        self.line.start()
        self.window.resize(1440, 900)
        self.window.show()
        self.session.perform("page.alerts")

    def sees(self, list_name: str, words: str) -> Callable[[], bool]:
        """Whether a row of the list says these words by now."""

        def look() -> bool:
            self.pump.turn()
            self.window.refresh()
            application().processEvents()
            found = [w for w in self.window.findChildren(QAbstractItemView) if w.accessibleName() == list_name and w.isVisible()]
            return any(words in row for view in found for row in rows_of(view))

        return look

    def close(self) -> None:
        self.pump.stop()
        self.line.close()
        self.window.close()
        self.window.deleteLater()
        application().sendPostedEvents(None, QEvent.Type.DeferredDelete)
        application().processEvents()


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Collector]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "shop.toml").write_text(RULE)
    with collector(tmp_path) as running:
        yield running


@pytest.fixture
def desktop(one: Collector) -> Iterator[Desktop]:
    opened = Desktop(one.url)
    yield opened
    opened.close()


@pytest.fixture
def terminal(one: Collector, tmp_path: Path) -> Iterator[TerminalProcess]:
    environment = {
        "PYTHONPATH": str(ROOT),
        "LIGHTSHIP_USER": "mira",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    opened = TerminalProcess([sys.executable, "-m", "ui.command.main", "tui", "--url", one.url], 120, 40, environment)
    yield opened
    opened.end()


def test_an_alert_is_acknowledged_in_the_terminal_silenced_by_command_and_survives_kill_9(
    one: Collector, desktop: Desktop, terminal: TerminalProcess
) -> None:
    one.send("foundation.service.error:150|c|#env:prod")
    until(lambda: firing(one), "the rule fires")
    until(desktop.sees("Alerts", "firing"), "the desktop shows it firing")

    terminal.wait_for("high_error_rate")
    terminal.press("4")
    terminal.wait_for("by severity")
    terminal.press("a")
    until(lambda: firing(one)[0]["ack"], "the terminal acknowledged it")
    until(desktop.sees("Alerts", "mira has it"), "the desktop shows who has it")

    one.run("silence", 'env="prod"', "--for", "2h", "--because", "rollback in progress")
    desktop.session.choose("group", "Silenced")
    until(desktop.sees("Alerts", "mira has it"), "the desktop lists it as silenced")
    seen = terminal.count
    before = firing(one)[0]

    one.kill()
    terminal.wait_for("blind", since=seen)
    one.start()

    after = until(lambda: firing(one), "it fires again after the restart")[0]
    assert {key: after[key] for key in ("id", "fired_at", "ack", "silenced_by")} == {
        key: before[key] for key in ("id", "fired_at", "ack", "silenced_by")
    }
    terminal.wait_for("is back", since=seen)
    until(desktop.sees("Alerts", "mira has it"), "the desktop still shows who has it")


def test_what_programs_send_appears_on_both_screens(one: Collector, desktop: Desktop, terminal: TerminalProcess) -> None:
    desktop.session.perform("page.overview")
    one.send("shop.orders:5|c|#service:cart", "shop.latency:42|ms|#service:cart")
    until(desktop.sees("Busiest series", "shop.orders"), "the desktop lists it")
    terminal.wait_for("shop.orders")
