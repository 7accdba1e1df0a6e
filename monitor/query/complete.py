"""What may stand at the cursor of an unfinished expression, and whose arguments it is among. Never raises."""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.model.matchers import Matcher
from monitor.query.cursor_walk import Frame, Walk, matcher_of
from monitor.query.lexer import COMPARISONS, RESERVED, WORD_OPERATORS, Token
from monitor.query.quoting import STRING, unquote
from monitor.query.scan import scan
from monitor.query.signatures import Signature

_WORD_TAIL = re.compile(r"[A-Za-z0-9_:]*")
_LABEL_TAIL = re.compile(r"[A-Za-z0-9_]*")
_DOTTED = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*(?:\.[A-Za-z0-9_:]*)+")
_LONGEST_NAME = 512
_DOTTED_TAIL = re.compile(r"[A-Za-z0-9_:.]*")
_VALUE_TAIL = re.compile(r"[^\"'`\r\n,{}()\[\]=]*")
_AFTER_STRING = re.compile(r"\s*(?:[,})]|$)")
_FURTHER = re.compile(
    r"""\s*,?\s*(?P<label>[A-Za-z_][A-Za-z0-9_]*|"[^"\\\n]*")\s*(?P<op>=~|!~|!=|=)\s*(?P<value>"[^"\\\n]*"|'[^'\\\n]*'|`[^`]*`)"""
)
_CONTINUED = frozenset({"identifier", "metric identifier", "number", "duration", "error"}) | RESERVED
_LABEL_PARAMETERS = frozenset({"target", "source", "label"})
_DURATION_WORDS = ("step()", "range()")
_OPERAND_KINDS = ("metric", "function", "aggregation")


class Expectation(NamedTuple):
    """`kinds`, likeliest first: metric, function, aggregation, keyword, label, value, duration, grouping; none where nothing is
    to be offered. `start` and `end`: the word that an offer replaces; `word`: what of it stands before the cursor.

    `words`: the keywords that may stand here. `selector`: the matchers that narrow labels and values down, the name among them;
    for a value without the matcher it is for. `label`: whose value. `quote`: the quote the word stands in, "" for none.
    """

    kinds: tuple[str, ...]
    start: int
    end: int
    word: str = ""
    words: tuple[str, ...] = ()
    selector: tuple[Matcher, ...] = ()
    label: str = ""
    quote: str = ""


class Place(NamedTuple):
    """A cursor among a call's arguments: whose, which argument (from 0; the last one repeats where any number may stand), and
    where the name stands.
    """

    signature: Signature
    argument: int
    start: int


def expected(text: str, cursor: int) -> Expectation:
    """What may stand at `cursor` (characters from the start)."""
    cursor = max(0, min(cursor, len(text)))
    head = scan(text[:cursor])
    if head and head[-1].kind == "comment" and head[-1].end == cursor:
        return Expectation((), cursor, cursor)
    parts, word = _split_off(text[:cursor], [token for token in head if token.kind != "comment"])
    walk = Walk()
    for token in parts:
        walk.step(token)
    frame = walk.frames[-1]
    if frame.kind == "braces":
        return _in_braces(text, cursor, frame, word)
    if word is not None and word.kind == "open string":
        return _in_string(text, cursor, walk, word)
    if frame.kind == "grouping":
        start, end = _word_span(text, cursor, word)
        return Expectation(("grouping",), start, end, text[start:cursor], selector=_group_selector(text, walk))
    return _plain(text, cursor, frame, word)


def _split_off(head: str, parts: list[Token]) -> tuple[list[Token], Token | None]:
    """The tokens before the word that ends at the cursor, and that word. A name with dots is one, quoted or not."""
    start = len(head)
    while start > 0 and len(head) - start < _LONGEST_NAME and (head[start - 1] in "_:." or head[start - 1].isalnum()):
        start -= 1
    if _DOTTED.fullmatch(head, start):
        for place in range(len(parts) - 1, -1, -1):
            if parts[place].start == start and parts[place].kind in _CONTINUED:
                return parts[:place], Token("identifier", head[start:], start, len(head))
            if parts[place].start < start:
                break
    if parts and parts[-1].end == len(head) and parts[-1].kind in _CONTINUED | {"open string"}:
        return parts[:-1], parts[-1]
    return parts, None


def signature_at(text: str, cursor: int) -> Place | None:
    """Whose argument list the cursor is in, the innermost one; None outside of all."""
    walk = Walk()
    for token in scan(text[: max(0, min(cursor, len(text)))]):
        if token.kind != "comment":
            walk.step(token)
    for frame in reversed(walk.frames):
        if frame.signature is not None and frame.kind in ("call", "aggregation"):
            return Place(frame.signature, _argument(frame), frame.start)
    return None


def _argument(frame: Frame) -> int:
    if frame.signature is None or not frame.signature.types:
        return 0
    return min(frame.commas, len(frame.signature.types) - 1)


def _word_span(text: str, cursor: int, word: Token | None, tail: re.Pattern[str] = _WORD_TAIL) -> tuple[int, int]:
    if word is None:
        return cursor, cursor
    found = (_DOTTED_TAIL if "." in word.text and word.kind == "identifier" else tail).match(text, cursor)
    return word.start, found.end() if found is not None else cursor


def _in_braces(text: str, cursor: int, frame: Frame, word: Token | None) -> Expectation:
    if word is not None and word.kind == "open string":
        start, end, after = _string_span(text, cursor, word.start)
        kinds, label = (("value",), frame.label) if frame.operator else (("metric", "label"), "")
        selector = frame.matchers() + _further(text, after)
        return Expectation(kinds, start, end, text[start:cursor], (), selector, label, text[word.start])
    start, end = _word_span(text, cursor, word, _LABEL_TAIL)
    if frame.operator:
        selector = frame.matchers() + _further(text, end)
        return Expectation(("value",), start, end, text[start:cursor], (), selector, frame.label)
    if frame.label or frame.expects == "operator":
        return Expectation((), start, end, text[start:cursor])
    further = _further(text, end) if text[end : end + 1] in (",", "}") else ()
    return Expectation(("label",), start, end, text[start:cursor], (), frame.matchers() + further)


def _string_span(text: str, cursor: int, opening: int) -> tuple[int, int, int]:
    """Start and end of a string's content, and where the text goes on behind it."""
    whole = STRING.match(text, opening)
    if whole is not None and whole.end() > cursor and _AFTER_STRING.match(text, whole.end()):
        return opening + 1, whole.end() - 1, whole.end()
    found = _VALUE_TAIL.match(text, cursor)
    end = found.end() if found is not None else cursor
    return opening + 1, end, end + (text[end : end + 1] == text[opening])


def _further(text: str, position: int) -> tuple[Matcher, ...]:
    """The matchers that follow in the same braces."""
    found: list[Matcher] = []
    while (part := _FURTHER.match(text, position)) is not None:
        label = unquote(part["label"]) if part["label"].startswith('"') else part["label"]
        matcher = matcher_of(label, part["op"], part["value"])
        if matcher is not None:
            found.append(matcher)
        position = part.end()
    return tuple(found)


def _in_string(text: str, cursor: int, walk: Walk, word: Token) -> Expectation:
    """A string among arguments: a label's name for `label_replace` and its kind, else nothing to offer."""
    frame = walk.frames[-1]
    start, end, _ = _string_span(text, cursor, word.start)
    shown = text[start:cursor]
    if frame.kind == "grouping":
        return Expectation(("grouping",), start, end, shown, (), _group_selector(text, walk), "", text[word.start])
    names = frame.signature.parameters if frame.signature is not None else ()
    if names and names[_argument(frame)] in _LABEL_PARAMETERS:
        return Expectation(("label",), start, end, shown, (), frame.selector, "", text[word.start])
    return Expectation((), start, end, shown)


def _group_selector(text: str, walk: Walk) -> tuple[Matcher, ...]:
    """What an aggregation is over, or what stands left of an operator: its labels are those to group or match by."""
    grouping, parent = walk.frames[-1], walk.frames[-2]
    ahead = grouping.keyword in ("group_left", "group_right")
    if not ahead and (parent.closed or grouping.keyword in ("on", "ignoring")):
        return parent.operand
    inner = Walk()
    closing = text.find(")", grouping.start)
    for token in scan(text[closing + 1 :]) if closing >= 0 else []:
        if token.kind != "comment":
            inner.step(token)
        if (selector := inner.first()) or (len(inner.frames) == 1 and token.kind == ")"):
            return selector
    return inner.settled()


def _plain(text: str, cursor: int, frame: Frame, word: Token | None) -> Expectation:
    start, end = _word_span(text, cursor, word)
    shown = text[start:cursor]
    if frame.kind == "brackets":
        due = not frame.closed
        return Expectation(("duration",) if due else (), start, end, shown, _DURATION_WORDS if due else ())
    if word is not None and word.kind in ("number", "duration", "error") and frame.expects != "offset" and not shown.isalpha():
        return Expectation((), start, end, shown)
    if frame.kind == "fill":
        return Expectation((), start, end, shown)
    if frame.expects == "offset":
        return Expectation(("duration",), start, end, shown, _DURATION_WORDS)
    if frame.expects == "at":
        return Expectation(("keyword",), start, end, shown, ("start()", "end()"))
    if frame.keyword:
        return Expectation((), start, end, shown)
    if frame.expects == "operator":
        return Expectation(("keyword",), start, end, shown, _operator_words(frame))
    words = _modifier_words(frame)
    return Expectation(_operand_kinds(frame) + (("keyword",) if words else ()), start, end, shown, words)


def _operand_kinds(frame: Frame) -> tuple[str, ...]:
    if frame.signature is None or not frame.signature.types:
        return () if frame.signature is not None and frame.kind == "call" else _OPERAND_KINDS
    wanted = frame.signature.types[_argument(frame)]
    return {"string": (), "scalar": ("function",)}.get(wanted, _OPERAND_KINDS)


def _operator_words(frame: Frame) -> tuple[str, ...]:
    words = tuple(sorted(WORD_OPERATORS))
    if frame.clause_possible():
        words = ("by", "without", *words)
    if frame.is_selector():
        words = ("offset", *words)
    return words + (("anchored", "smoothed") if frame.is_selector() else ())


def _modifier_words(frame: Frame) -> tuple[str, ...]:
    """What may stand between an operator and its right side."""
    if not frame.operator:
        return ()
    if frame.matched:
        return ("group_left", "group_right", "fill", "fill_left", "fill_right")
    return (("bool",) if frame.operator in COMPARISONS else ()) + ("on", "ignoring", "fill", "fill_left", "fill_right")
