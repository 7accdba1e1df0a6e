"""All tokens of a text that may be unfinished or wrong, for colouring and completion. Never raises."""

from __future__ import annotations

import re

from monitor.query.lexer import AGGREGATIONS, KEYWORDS, OPERATORS, SPECIAL_CALLS, WORD_OPERATORS, Lexer, Token
from monitor.query.signatures import FUNCTIONS

MAX_TEXT = 64 * 1024
GROUPING_WORDS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})

_COMMENT = re.compile(r"#[^\r\n]*")
_OPEN_STRING = re.compile(r"[\"'`][^\r\n]*")
_NAMES = AGGREGATIONS | SPECIAL_CALLS | WORD_OPERATORS | KEYWORDS | {"identifier", "metric identifier"}
_MATCHERS = frozenset({"=", "!=", "=~", "!~"})


def scan(text: str) -> list[Token]:
    """Tokens as `Lexer` has them, and of the kinds `comment`, `error` and `open string` (one without its closing quote)."""
    lexer = Lexer(text[:MAX_TEXT])
    found: list[Token] = []
    while True:
        before = lexer.position
        token = lexer.next()
        found.extend(_comments(text, before, token.start))
        if token.start >= len(lexer.text):
            return found
        if token.kind == "error":
            token = _passed_over(lexer, token)
        found.append(token)


def _comments(text: str, start: int, end: int) -> list[Token]:
    return [Token("comment", found.group(), found.start(), found.end()) for found in _COMMENT.finditer(text, start, end)]


def _passed_over(lexer: Lexer, token: Token) -> Token:
    """Steps behind what the lexer refused, so that what follows is read."""
    lexer.parens = max(lexer.parens, 0)
    kind, end = "error", max(token.start + 1, min(token.end, len(lexer.text)))
    if lexer.text[token.start] in "\"'`":
        opened = _OPEN_STRING.match(lexer.text, token.start)
        kind, end = "open string", opened.end() if opened else end
    elif lexer.in_braces and lexer.text[token.start] in "()[]":
        lexer.in_braces = False  # a brace nobody closed: better the rest in colour than all of it wrong
        end = token.start
        return Token("error", "", token.start, end)
    lexer.position = end
    return Token(kind, lexer.text[token.start : end], token.start, end)


def tokens(text: str) -> list[tuple[int, int, str]]:
    """Spans to colour, in order: number, string, duration, function, aggregation, keyword, operator, metric, label, comment and
    error. Brackets, parentheses and commas are left out.
    """
    found = scan(text)
    parts = [token for token in found if token.kind != "comment"]
    kinds = dict(zip(((part.start, part.end) for part in parts), _kinds(parts), strict=True))
    coloured = [(token.start, token.end, kinds.get((token.start, token.end), "comment")) for token in found]
    return [span for span in coloured if span[2] and span[0] < span[1]]


def _kinds(parts: list[Token]) -> list[str]:
    kinds: list[str] = []
    braces = grouping = False
    for place, token in enumerate(parts):
        before = parts[place - 1].kind if place else ""
        after = parts[place + 1].kind if place + 1 < len(parts) else ""
        if token.kind == "(":
            grouping = before in GROUPING_WORDS and not _is_operand(parts, place - 1)
        if braces:
            kinds.append(_in_braces(token, before, after))
        elif grouping:
            kinds.append(_in_grouping(token))
        else:
            kinds.append(_plain(parts, place, after))
        grouping = grouping and token.kind != ")"
        braces = (braces or token.kind == "{") and token.kind != "}" and not (token.kind == "error" and not token.text)
    return kinds


def _in_braces(token: Token, before: str, after: str) -> str:
    if token.kind == "identifier":
        return "label"
    if token.kind in ("string", "open string"):
        if before in _MATCHERS:
            return "string"
        return "label" if after in _MATCHERS else "metric"
    return "operator" if token.kind in _MATCHERS else "error" if token.kind == "error" else ""


def _in_grouping(token: Token) -> str:
    if token.kind in _NAMES or token.kind in ("string", "open string"):
        return "label"
    return "error" if token.kind == "error" else ""


def _plain(parts: list[Token], place: int, after: str) -> str:
    token = parts[place]
    kind = token.kind
    if kind in ("number", "duration", "error"):
        return kind
    if kind in ("string", "open string"):
        return "string"
    if kind in OPERATORS - WORD_OPERATORS or kind in ("@", "="):
        return "operator"
    if kind not in _NAMES:
        return ""
    if kind in AGGREGATIONS and after in ("(", "by", "without"):
        return "aggregation"
    if kind in SPECIAL_CALLS and after == "(":
        return "function"
    if kind in ("identifier", "metric identifier"):
        if after != "(":
            return "metric"
        return "function" if token.text in FUNCTIONS else "error"
    return "metric" if kind in AGGREGATIONS | SPECIAL_CALLS or _is_operand(parts, place) else "keyword"


def _is_operand(parts: list[Token], place: int) -> bool:
    """Whether a word stands where an operand must: there `by` and `and` are metrics."""
    if parts[place].kind in GROUPING_WORDS - {"by", "without"} or parts[place].kind in ("bool", "atan2"):
        return False
    before = parts[place - 1].kind if place else "("
    return before in ("(", ",") or before in OPERATORS or before == "bool"
