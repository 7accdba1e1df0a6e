"""What a text may hold that is nobody's business, and how a recogniser of it looks."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import re2


class PiiKind(enum.StrEnum):
    """The kinds, the most telling first: of two that stand in one place and are equally long, the first wins."""

    JWT = "jwt"
    SECRET = "secret"
    IBAN = "iban"
    EMAIL = "email"
    CARD = "card"
    SSN = "ssn"
    IPV6 = "ipv6"
    IPV4 = "ipv4"
    PHONE = "phone"
    NAME = "name"


class Found(NamedTuple):
    """Something of a kind at `text[start:end]`. It never carries the text itself."""

    kind: PiiKind
    start: int
    end: int


Span = tuple[int, int]
Check = Callable[[bytes, Any], Iterator[Span]]
"""From a text and a match of the pattern in it: the spans (bytes) that are really of the kind."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A pattern that sees candidates in linear time, and a check of each of them.

    The pattern is RE2 over UTF-8 bytes and matches neither NUL nor (but for private keys) a line's end, so that texts can be
    joined. How far it looks behind a match is bounded, or bounded by what the next match needs: a scan stays linear.
    """

    kind: PiiKind
    pattern: bytes
    check: Check
    keys: bytes = b""
    """A pattern of the ends of keys whose value this would be: what stands in packed attributes, where no sign is between."""


def compiled(pattern: bytes) -> Any:
    """The RE2 program of a pattern over bytes."""
    return re2.compile(pattern, byte_options())


def byte_options() -> Any:
    """Options for patterns over bytes, each a character; room for the states that a hostile text can make a pattern take."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = 64 << 20
    return options


def line_before(text: bytes, at: int, most: int) -> bytes:
    """At most `most` bytes before `at`, of the same line only."""
    piece = text[max(0, at - most) : at]
    return piece[max(piece.rfind(b"\n"), piece.rfind(b"\0")) + 1 :]


WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
DIGITS = frozenset(b"0123456789")


def stands_free(text: bytes, start: int, end: int, also: bytes = b"") -> bool:
    """Whether no letter, digit or underscore touches a span, and no sign of `also` with a digit behind it either.

    With `also` b".-" the middle of `1.23-456` does not stand free: it is a part of something longer.
    """
    if start > 0:
        before = text[start - 1]
        if before in WORD or (before in also and start > 1 and text[start - 2] in DIGITS):
            return False
    if end < len(text):
        after = text[end]
        if after in WORD or (after in also and end + 1 < len(text) and text[end + 1] in DIGITS):
            return False
    return True
