"""Tells the desktop that an alert began to fire: a tray message where there is a tray, else the task bar's attention."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from ui.desktop.look import Look
from ui.desktop.sidebar import draw_mark

HOLD = 10_000


def window_icon(look: Look) -> QIcon:
    """The lighthouse in the sizes desktops ask for."""
    icon = QIcon()
    for size in (16, 24, 32, 48, 64, 128):
        picture = QPixmap(size, size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        draw_mark(painter, look, QRectF(0, 0, size, size))
        painter.end()
        icon.addPixmap(picture)
    return icon


def unmarked(text: str) -> str:
    """Text for a notification: many desktops read its angle brackets as markup, and outside text must not mark up anything."""
    return text.replace("<", "‹").replace(">", "›")


class Notifier:
    """Never fails: without a tray and without a window manager it does nothing."""

    def __init__(self, window: QWidget, look: Look) -> None:
        self.window, self.look = window, look
        self.told = 0
        self._tray: QSystemTrayIcon | None = None

    def tell(self, title: str, text: str, severity: str) -> None:
        """One message; the window's task bar entry asks for attention too."""
        self.told += 1
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            if self._tray is None:
                self._tray = QSystemTrayIcon(window_icon(self.look), self.window)
                self._tray.show()
            critical, warning = QSystemTrayIcon.MessageIcon.Critical, QSystemTrayIcon.MessageIcon.Warning
            self._tray.showMessage(unmarked(title), unmarked(text), critical if severity == "critical" else warning, HOLD)
        QApplication.alert(self.window, 0)

    def close(self) -> None:
        if self._tray is not None:
            self._tray.hide()
            self._tray = None
