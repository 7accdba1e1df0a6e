"""Every key of the action table can be pressed in a terminal and arrives in the table's spelling."""

from __future__ import annotations

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from ui.terminal.keys import is_text, neutral
from ui.views.actions import ACTIONS

SEQUENCES = {
    "space": " ",
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "delete": "\x1b[3~",
    "ctrl+up": "\x1b[1;5A",
    "ctrl+down": "\x1b[1;5B",
    "ctrl+space": "\x00",
    "alt+enter": "\x1b[13;3u",  # of the Kitty protocol: older terminals cannot send it, the palette has the action
}
KEYS = sorted({key for action in ACTIONS for key in action.keys})


def sequence(key: str) -> str:
    """What a terminal sends for a key."""
    if key in SEQUENCES:
        return SEQUENCES[key]
    modifier, _, letter = key.rpartition("+")
    if modifier == "ctrl":
        return chr(ord(letter) - 96)
    return letter.upper() if modifier == "shift" else key


def arrived(text: str) -> events.Key:
    parser = XTermParser()
    keys = [event for event in [*parser.feed(text), *parser.feed("")] if isinstance(event, events.Key)]
    assert len(keys) == 1
    return keys[0]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_arrives_as_the_table_spells_it(key: str) -> None:
    event = arrived(sequence(key))
    assert neutral(event.key, event.character) == key


def test_what_types_a_character_is_text_and_what_acts_is_not() -> None:
    assert is_text("a", "a")
    assert is_text("upper_a", "Ä")
    assert not is_text("escape", "\x1b")
    assert not is_text("ctrl+s", None)
