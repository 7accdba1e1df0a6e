"""A template's text as tokens: what stands outside of `{{ }}`, and the words within."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_TEXT = 65_536


class TemplateSyntaxError(ValueError):
    """Text that is no template, in Go's words; `at` is the offset of the mistake."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class Token(NamedTuple):
    """`kind`: text, open, close, space, string, number, char, field, variable, word, dot or a sign itself."""

    kind: str
    text: str
    at: int


_INSIDE = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
  | (?P<char>'(?:[^'\\\n]|\\.)+')
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
        |(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?))
  | (?P<field>\.[^\W\d]\w*)
  | (?P<variable>\$\w*)
  | (?P<word>[^\W\d]\w*)
  | (?P<sign>:=|=|\||,|\(|\))
  | (?P<dot>\.)
    """,
    re.VERBOSE,
)
_COMMENT = re.compile(r"(?:-[ \t\r\n]+)?/\*.*?\*/(?P<trim>[ \t\r\n]+-)?\}\}", re.DOTALL)
_BLANKS = " \t\r\n"


def tokens(text: str) -> list[Token]:
    """All tokens, white space trimmed where markers say so. Raises `TemplateSyntaxError`."""
    if len(text) > MAX_TEXT:
        raise TemplateSyntaxError(f"the template has {len(text):,} characters (at most {MAX_TEXT:,})", 0)
    found: list[Token] = []
    position, trimmed = 0, False
    while position < len(text):
        opening = text.find("{{", position)
        end = len(text) if opening < 0 else opening
        plain = text[position:end]
        if trimmed:
            plain = plain.lstrip(_BLANKS)
        if opening < 0:
            if plain:
                found.append(Token("text", plain, position))
            break
        marked = text.startswith("-", opening + 2) and text[opening + 3 : opening + 4] in tuple(_BLANKS)
        if marked:
            plain = plain.rstrip(_BLANKS)
        if plain:
            found.append(Token("text", plain, position))
        position, trimmed = _action(text, opening, opening + (3 if marked else 2), found)
    return found


def _action(text: str, opening: int, position: int, found: list[Token]) -> tuple[int, bool]:
    """The words of one action; where it ends, and whether what follows is trimmed."""
    comment = _COMMENT.match(text, opening + 2)
    if comment is not None:
        return comment.end(), comment["trim"] is not None
    if text.startswith("/*", position):
        raise TemplateSyntaxError("unclosed comment", position)
    found.append(Token("open", "{{", opening))
    depth = 0
    while True:
        blank = re.compile(r"[ \t\r\n]+-\}\}").match(text, position)
        if blank is not None or text.startswith("}}", position):
            if depth:
                raise TemplateSyntaxError("unclosed left paren", position)
            found.append(Token("close", "}}", position))
            return (blank.end(), True) if blank is not None else (position + 2, False)
        token = _INSIDE.match(text, position)
        if token is None:
            raise TemplateSyntaxError(_wrong(text, position), position)
        kind = token.lastgroup or ""
        found.append(Token(token[0] if kind == "sign" else kind, token[0], position))
        depth += (token[0] == "(") - (token[0] == ")")
        if depth < 0:
            raise TemplateSyntaxError("unexpected right paren", position)
        position = token.end()


def _wrong(text: str, position: int) -> str:
    if position >= len(text):
        return "unclosed action"
    character = text[position]
    if character == '"':
        return "unterminated quoted string"
    if character == "`":
        return "unterminated raw quoted string"
    if character == "'":
        return "unterminated character constant"
    return f"unrecognized character in action: U+{ord(character):04X} '{character}'"
