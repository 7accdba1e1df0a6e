"""Telephone numbers: international, in the common national forms, and bare ones where the words around them say so.

A machine's text is full of digits. A form alone is believed only where nothing else is written like it (a country's code behind
a plus, North America's 3-3-4, a trunk zero with groups, an area in parentheses); any other grouping needs a word beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.pipeline.found import DIGITS, WORD, PiiKind, Recogniser, Span, compiled, stands_free

_EXTENSION = rb"(?: ?(?:x|ext\.? ?)\d{1,6})?"
_RUN = rb"[\d ().\-/]"
_EXTENDED = compiled(rb"(?: ?x| ?ext\.? ?)\d{1,6}\b")

_TWO_DIGIT_CODES = frozenset(
    b"20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92"
    b" 93 94 95 98".split()
)
_THREE_DIGIT_BEGINNINGS = frozenset(b"21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 97 99".split())

_INTERNATIONAL = rb"\+\d" + _RUN + rb"{5,24}\d|\b00[1-9]\d{0,2}[ .\-(]" + _RUN + rb"{6,22}\d"
_NORTH_AMERICAN = (
    rb"(?:\b1[-. ])?(?:\([2-9]\d{2}\) ?|\b[2-9]\d{2}[-.])\d{3}[-.]\d{4}" + _EXTENSION + rb"\b|\([2-9]\d{2}\) ?\d{7}" + rb"\b"
)
_TRUNK = (
    rb"\b0[1-9]\d{0,4}(?:(?: \d{2,8}){2,4}|(?:-\d{2,8}){2,4}|(?:\.\d{2,8}){2,4}|[ .-]\d{5,8}|/\d{3,8}(?:[ -]\d{2,4}){0,3})"
    + _EXTENSION
    + rb"\b"
)
_IN_PARENTHESES = (
    rb"\((?:0?\d{1,4}|0\d{2,5})\) ?\d{2,4}(?:-\d{2,4}){1,2}\b|\(0\d{1,4}\) ?\d{2,8}(?: \d{2,4}){0,3}\b"
    rb"|\(0\)\d{1,4}(?: \d{2,4}){2,4}\b"
)

_SAID = (
    rb"(?:tele)?phones?|tel|mobile|cell(?:phone| ?number)?|(?:tele)?fax|whats ?app|msisdn|landline|telefon|handy"
    rb"|m[o\xc3\xb3]+vil|t[e\xc3\xa9]+l[e\xc3\xa9]+phone"
)
_SPOKEN = (
    rb"call(?:ed|ing|back)?|dial(?:ed|ing)?|sms|text(?:ed|ing)?|messages?|reach(?:ed)?|contact(?:ed)?|registered|ring|hotline"
    rb"|voicemail|numbers?|desk|office|home|work|direct"
)
_AFTER_A_WORD = rb"(?i:\b(?:" + _SAID + rb"|" + _SPOKEN + rb")(?:\b|_))[^\d\n\0]{1,48}\d" + _RUN + rb"{4,24}"
_STRONG = compiled(
    rb"(?i:\b(?:" + _SAID + rb")(?:[ _-]?(?:no|nr|num|number))?\.?[\"'\\]{0,2}(?: ?[:=#]| is| at| on|) ?[\"'\\]{0,2}[+(]{0,2})$"
)
_ASKED = compiled(
    rb"(?i:\b(?:call|reach|text|ring|contact|dial|phone|message)(?:ed|ing)? "
    rb"(?:(?:me|us|him|her|them|you)(?: back)?(?: at| on| via)?|at|on|from)"
    rb"|\b(?:my|our|his|her|their|your)(?: [a-z]{1,12}){0,2} numbers?(?: is| was|:)?|\bnumber is|\bregistered(?: number)?) \(?$"
)
_LABEL = compiled(rb"(?i:\b(?:desk|office|home|work|direct)[\"']? ?[:=] ?[\"']?\(?)$")
_BEFORE_A_WORD = rb"\b\d" + _RUN + rb"{5,20}\d[ \-]{1,3}\(?(?i:office|fax|mobile|cell|home|phone|direct|tel)\b"
_UNIT = compiled(rb" ?(?:[mun\xb5]?s|[kmgt]i?b(?:ytes)?|bytes|percent|%|ops|req|rows|times|lines|items|records|messages)\b")
_DATE = compiled(rb"(?:(?:19|20)\d\d([-./ ])[01]?\d[-./ ]|[0-3]?\d[-./][0-3]?\d[-./](?:19|20)?\d\d)\b?")
_GROUPS = compiled(rb"\(?\d{1,5}\)?(?:[ .\-/]\d{2,8}|(?:\) ?)\d{2,8}|[ .\-/]\(\d{2,4}\)\d{2,8}){1,5}")


def _country(digits: bytes) -> tuple[int, int]:
    """The fewest and the most digits of a number that begins with this country's code; (0, 0) where there is none."""
    if digits[:1] == b"1":
        return (11, 11) if digits[1:2] > b"1" else (0, 0)
    if digits[:1] == b"7":
        return 11, 11
    if digits[:2] in _TWO_DIGIT_CODES:
        return 9, 13
    return (9, 13) if digits[:2] in _THREE_DIGIT_BEGINNINGS else (0, 0)


def _cut(text: bytes, start: int, end: int) -> int:
    """Where a run of digits and signs really ends: before two signs in a row (but for `) `), and behind a digit."""
    at = start + 1
    while at < end:
        here, before = text[at], text[at - 1]
        if here not in DIGITS and before not in DIGITS and not (before == 41 or here == 40):
            break
        at += 1
    while at > start and text[at - 1] not in DIGITS:
        at -= 1
    return at


def _shorter(text: bytes, start: int, end: int) -> int:
    """The end without the last group."""
    while end > start and text[end - 1] in DIGITS:
        end -= 1
    while end > start and text[end - 1] not in DIGITS:
        end -= 1
    return end


def _with_extension(text: bytes, end: int) -> int:
    found = _EXTENDED.match(text, end)
    return int(found.end()) if found else end


def _internationals(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    if start and text[start - 1] not in DIGITS and (text[start - 1] in WORD or text[start - 1] in b"+."):
        return
    prefix = 1 if text[start] == 43 else 2
    end = _cut(text, start, end)
    while end > start + prefix:
        digits = text[start + prefix : end].translate(None, b" ().-/")
        trunk = text.find(b"(0)", start, end) >= 0  # +46 (0)8 …: the zero is not dialled from abroad
        fewest, most = _country(digits)
        if not fewest:
            return
        if fewest + (0 if not trunk else 1) <= len(digits) <= most + trunk:
            reach = _with_extension(text, end)
            if stands_free(text, start, reach, b""):
                yield start, reach
            return
        end = _shorter(text, start, end)


def _north_americans(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    if stands_free(text, start, end, b"-./:,+") and text[start - 1 : start] != b"+":
        yield start, end


def _trunks(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    number = text[start:end].lower().partition(b"x")[0].partition(b"ext")[0]
    digits = number.translate(None, b" .-/")
    if number[3:4] == number[6:7] == b"-":
        return  # a social security number, valid or not
    if stands_free(text, start, end, b"-./:,") and 9 <= len(digits) <= 11 and _DATE.match(number) is None:
        yield start, end


def _in_parentheses(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    digits = text[start:end].translate(None, b" ()-")
    if 8 <= len(digits) <= 12 and (not start or text[start - 1] not in WORD) and stands_free(text, start, end, b".:"):
        yield start, end


def _after_words(text: bytes, match: Any) -> Iterator[Span]:
    begin, limit = match.span()
    start = begin
    while text[start] not in DIGITS:
        start += 1
    gap = text[begin:start]
    if text[start - 1] == 40 and b")" in text[start : start + 6]:
        start -= 1
    if text[start - 1 : start] == b"+" or text[start - 1] in WORD or text[start - 1] in b"./-":
        return
    end = _cut(text, start, limit)
    strong = any(words.search(gap) is not None for words in (_STRONG, _ASKED, _LABEL))
    while end > start:
        reach = _with_extension(text, end)
        number = text[start:end]
        digits = len(number.translate(None, b" ().-/"))
        if digits < 7:
            return
        grouped = _GROUPS.fullmatch(number) is not None
        if digits <= 12 and (grouped or strong):
            if _DATE.match(number) is None and stands_free(text, start, reach, b".-:,/") and _UNIT.match(text, reach) is None:
                yield start, reach
            return
        end = _shorter(text, start, end)


def _before_words(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    while text[end - 1] not in DIGITS:
        end -= 1
    number = text[start:end]
    grouped = _GROUPS.fullmatch(number) is not None
    if not grouped and not number.isdigit():
        return
    digits = number.translate(None, b" ().-/")
    if 7 <= len(digits) <= 12 and stands_free(text, start, end, b".:,+") and _DATE.match(number) is None:
        yield start, end


RECOGNISERS = (
    Recogniser(PiiKind.PHONE, _INTERNATIONAL, _internationals),
    Recogniser(PiiKind.PHONE, _NORTH_AMERICAN, _north_americans),
    Recogniser(PiiKind.PHONE, _TRUNK, _trunks),
    Recogniser(PiiKind.PHONE, _IN_PARENTHESES, _in_parentheses),
    Recogniser(PiiKind.PHONE, _AFTER_A_WORD, _after_words, rb"(?i:" + _SAID + rb"|" + _SPOKEN + rb"|number)"),
    Recogniser(PiiKind.PHONE, _BEFORE_A_WORD, _before_words),
)
