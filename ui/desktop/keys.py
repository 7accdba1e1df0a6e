"""Qt's key events in the neutral spelling of the action table."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

_NAMED: dict[int, str] = {
    Qt.Key.Key_Space: "space",
    Qt.Key.Key_Return: "enter",
    Qt.Key.Key_Enter: "enter",
    Qt.Key.Key_Escape: "escape",
    Qt.Key.Key_Tab: "tab",
    Qt.Key.Key_Backtab: "tab",
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "up",
    Qt.Key.Key_Down: "down",
    Qt.Key.Key_Home: "home",
    Qt.Key.Key_End: "end",
    Qt.Key.Key_PageUp: "pageup",
    Qt.Key.Key_PageDown: "pagedown",
    Qt.Key.Key_Delete: "delete",
    Qt.Key.Key_Backspace: "backspace",
}
FIELD_OWN = frozenset(
    ("ctrl+a", "ctrl+c", "ctrl+v", "ctrl+x", "ctrl+z", "ctrl+y", "ctrl+shift+z", "ctrl+left", "ctrl+right", "shift+delete")
)
"""Keys that belong to a text field while it has the focus, whatever the table says of them."""

EDITOR_OWN = frozenset(("up", "down", "pageup", "pagedown", "ctrl+home", "ctrl+end", "ctrl+up", "ctrl+down"))
"""Keys that besides belong to a text of several lines."""


def neutral(event: QKeyEvent) -> str:
    """ "a", "shift+x", "ctrl+k", "?", "alt+enter"; "" for a bare modifier or something without a name."""
    modifiers = event.modifiers()
    ctrl = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
    alt = bool(modifiers & Qt.KeyboardModifier.AltModifier)
    shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
    key = event.key()
    name = _NAMED.get(key, "")
    if key == Qt.Key.Key_Backtab:
        shift = True
    if not name:
        if Qt.Key.Key_A <= key <= Qt.Key.Key_Z:
            name = chr(key).lower()
        elif event.text().isprintable() and event.text().strip():
            # A sign is what it is however the layout makes it: "?" needs no shift in its name.
            name, shift = event.text(), False
        else:
            return ""
    return ("ctrl+" if ctrl else "") + ("alt+" if alt else "") + ("shift+" if shift else "") + name
