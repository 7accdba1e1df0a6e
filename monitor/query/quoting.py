"""Strings as Go writes and reads them: double and single quotes with escapes, back quotes without."""

from __future__ import annotations

import re

STRING = re.compile(
    r"""(["'])(?:[^\\\n"']|(?!\1)["']|\\(?:[abfnrtv\\]|(?=["'])\1|[0-3][0-7]{2}|x[0-9A-Fa-f]{2}|u(?![dD][89A-Fa-f])[0-9A-Fa-f]{4}"""
    r"""|U(?:0000(?![dD][89A-Fa-f])|000[1-9A-Fa-f]|0010)[0-9A-Fa-f]{4}))*\1"""
    r"|`[^`]*`"
)
"""A whole string, its quotes included."""

_NAMED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}


def go_quote(text: str, mark: str = '"') -> str:
    """`text` as Go's `%q` shows it (strconv.Quote)."""
    named = {**_NAMED, mark: "\\" + mark}
    shown: list[str] = []
    for character in text:
        code = ord(character)
        if character in named:
            shown.append(named[character])
        elif character.isprintable():
            shown.append(character)
        elif 0xD800 <= code < 0xE000:
            shown.append("\\ufffd")
        elif code < 0x80:
            shown.append(f"\\x{code:02x}")
        else:
            shown.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return mark + "".join(shown) + mark


def unquote(literal: str) -> str:
    """The value of a string token (double, single or back quotes, Go's escapes)."""
    body = literal[1:-1]
    if literal[0] == "`" or "\\" not in body:
        return body
    return _ESCAPES.sub(_unescape, body)


_BY_LETTER = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPES = re.compile(r"(?:\\(?:[0-7]{3}|x[0-9A-Fa-f]{2}))+|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.")
_BYTE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([0-7]{3}))")


def _unescape(found: re.Match[str]) -> str:
    escape = found.group()
    kind = escape[1]
    if kind in "01234567x":  # bytes in a row are read together: they may be one character's UTF-8
        octets = bytes(int(x, 16) if x else int(octal, 8) for x, octal in _BYTE.findall(escape))
        return octets.decode("utf-8", "replace")
    if kind in "uU":
        code = int(escape[2:], 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    return _BY_LETTER.get(kind, kind)


def string_fault(text: str, start: int) -> str:
    """What is wrong with the string that starts there; `STRING` has refused it."""
    mark = text[start]
    if mark == "`":
        return "unterminated raw string"
    position = start + 1
    while position < len(text) and text[position] not in (mark, "\n"):
        if text[position] == "\\":
            fault = _escape_fault(text, position + 1, mark)
            if fault:
                return fault
            position += 1
        position += 1
    return "unterminated quoted string"


def _escape_fault(text: str, position: int, mark: str) -> str:
    if position >= len(text):
        return "escape sequence not terminated"
    kind = text[position]
    if kind in "abfnrtv\\" or kind == mark:
        return ""
    if kind in "01234567":
        digits, count, allowed = text[position : position + 3], 3, "01234567"
    elif kind in "xuU":
        count = {"x": 2, "u": 4, "U": 8}[kind]
        digits, allowed = text[position + 1 : position + 1 + count], "0123456789abcdefABCDEF"
    else:
        return f"unknown escape sequence {_code_point(kind)}"
    wrong = next((digit for digit in digits if digit not in allowed), "")
    if wrong:
        return f"illegal character {_code_point(wrong)} in escape sequence"
    if len(digits) < count:
        return "escape sequence not terminated"
    code = int(digits, 8 if kind in "01234567" else 16)
    allowed_up_to = 0x10FFFF if kind in "uU" else 0xFF
    return "escape sequence is an invalid Unicode code point" if code > allowed_up_to or 0xD800 <= code < 0xE000 else ""


def _code_point(character: str) -> str:
    shown = f"U+{ord(character):04X}"
    return f"{shown} '{character}'" if character.isprintable() else shown
