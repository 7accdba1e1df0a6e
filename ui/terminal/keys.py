"""Textual's names of keys in the spelling of the action table."""

from __future__ import annotations

_NAMED = {
    "return": "enter",
    "ctrl+m": "enter",
    "ctrl+i": "tab",
    "ctrl+h": "backspace",
    "ctrl+@": "ctrl+space",
    "backtab": "shift+tab",
}


def neutral(key: str, character: str | None) -> str:
    """`question_mark` is `?`, `X` is `shift+x`, `full_stop` is `.`; named keys and those with modifiers stay as they are."""
    if key in _NAMED:
        return _NAMED[key]
    if "+" in key and len(key) > 1:
        return key
    if character is None or len(character) != 1 or not character.isprintable():
        return key
    if character == " ":
        return "space"
    if character.isalpha() and character.isupper() and character.isascii():
        return f"shift+{character.lower()}"
    return character


def is_text(key: str, character: str | None) -> bool:
    """Whether a key types a character."""
    return character is not None and character.isprintable() and len(character) >= 1 and not key.startswith(("ctrl+", "alt+"))
