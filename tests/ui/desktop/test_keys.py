"""Keys in the spelling of the action table."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

from ui.desktop.keys import neutral
from ui.views.actions import ACTIONS

NONE, CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.mark.parametrize(
    ("key", "modifiers", "text", "expected"),
    [
        (Qt.Key.Key_A, NONE, "a", "a"),
        (Qt.Key.Key_X, SHIFT, "X", "shift+x"),
        (Qt.Key.Key_K, CTRL, "\x0b", "ctrl+k"),
        (Qt.Key.Key_Question, SHIFT, "?", "?"),
        (Qt.Key.Key_Colon, SHIFT, ":", ":"),
        (Qt.Key.Key_Slash, NONE, "/", "/"),
        (Qt.Key.Key_BracketLeft, ALT, "[", "alt+["),
        (Qt.Key.Key_Return, ALT, "\r", "alt+enter"),
        (Qt.Key.Key_Escape, NONE, "\x1b", "escape"),
        (Qt.Key.Key_Backtab, SHIFT, "", "shift+tab"),
        (Qt.Key.Key_Delete, NONE, "\x7f", "delete"),
        (Qt.Key.Key_1, NONE, "1", "1"),
        (Qt.Key.Key_Shift, SHIFT, "", ""),
    ],
)
def test_a_key_is_spelt_as_in_the_table(key: Qt.Key, modifiers: Qt.KeyboardModifier, text: str, expected: str) -> None:
    assert neutral(QKeyEvent(QEvent.Type.KeyPress, key, modifiers, text)) == expected


def test_every_key_of_the_table_can_be_pressed_on_a_keyboard() -> None:
    named = {"space": " ", "enter": "\r", "escape": "", "tab": "\t", "left": "", "right": "", "up": "", "down": ""}
    keys = {key for action in ACTIONS for key in action.keys}
    codes = {"enter": "Return", "pageup": "PageUp", "pagedown": "PageDown"}
    for spelling in keys:
        *held, last = spelling.split("+")
        modifiers = NONE
        for name in held:
            modifiers |= {"ctrl": CTRL, "shift": SHIFT, "alt": ALT}[name]
        if len(last) == 1 and not last.isalpha():
            event = QKeyEvent(QEvent.Type.KeyPress, ord(last), modifiers, last)
        else:
            code = getattr(Qt.Key, "Key_" + codes.get(last, last.title()))
            event = QKeyEvent(QEvent.Type.KeyPress, code, modifiers, named.get(last, last if not held else ""))
        assert neutral(event) == spelling
