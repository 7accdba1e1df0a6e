"""PromQL text to tokens, one at a time, in the words and at the positions of Prometheus' lexer (promql/parser/lex.go).

Brackets hold durations and braces hold matchers, so what a word or a colon is depends on where it stands.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.query.quoting import STRING, go_quote, string_fault

AGGREGATIONS = frozenset(
    {"sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk", "quantile"}
    | {"count_values", "limitk", "limit_ratio"}
)
SET_OPERATORS = frozenset({"and", "or", "unless"})
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
WORD_OPERATORS = SET_OPERATORS | {"atan2"}
OPERATORS = frozenset({"+", "-", "*", "/", "%", "^", "</", ">/"}) | COMPARISONS | WORD_OPERATORS
KEYWORDS = frozenset(
    {"offset", "smoothed", "anchored", "by", "without", "on", "ignoring", "group_left", "group_right", "bool"}
    | {"fill", "fill_left", "fill_right"}
)
SPECIAL_CALLS = frozenset({"start", "end", "step", "range", "min_of", "max_of"})
"""Names that are functions where a parenthesis follows; some also stand after `@` or in durations."""
NUMBER_WORDS = frozenset({"inf", "nan"})
RESERVED = AGGREGATIONS | WORD_OPERATORS | KEYWORDS | SPECIAL_CALLS

_OPERATOR_KINDS = OPERATORS | {"=~", "!~", "@"}
_ONLY_BEFORE_PAREN = frozenset({"fill", "fill_left", "fill_right"})
_DURATION_WORDS = frozenset({"step", "range", "min_of", "max_of"})

_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)*")
_WORD = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BEFORE_PAREN = re.compile(r"[ \t\r\n]*\(")
_NUMBER = re.compile(
    r"0[xX]_?(?:[0-9a-fA-F]|_(?=[0-9a-fA-F]))*(?![A-Za-z0-9_.])"
    r"|(?=\.?[0-9])(?:[0-9]|_(?=[0-9]))*(?:\.(?:[0-9](?:[0-9]|_(?=[0-9]))*)?)?(?:[eE][+-]?[0-9](?:[0-9]|_(?=[0-9]))*)?(?![A-Za-z0-9_.])"
)
_DURATION = re.compile(r"[0-9]+[smhdwy]s?(?:[0-9]+[smhdw]s?)*(?![A-Za-z0-9_])")
_BAD_NUMBER = re.compile(r"[A-Za-z0-9_.]+")
_SYMBOL = re.compile(r"==|!=|<=|>=|</|>/|[,*/%+\-^=<>(){}\[\]@]")
_SYMBOL_IN_BRACES = re.compile(r"=~|!~|!=|[,=}]")
_SYMBOL_IN_BRACKETS = re.compile(r"[,*/%+\-^():\]]")


class Token(NamedTuple):
    """`kind`: the operator, bracket or (lower-case) keyword itself, or one of identifier, metric identifier, number, duration,
    string, error, eof. `text` as written; of an error, what is wrong. Offsets in characters, end exclusive.
    """

    kind: str
    text: str
    start: int
    end: int


def describe(token: Token) -> str:
    """The token as Prometheus' messages name it: `<op:+>`, `identifier "foo"`, `end of input`."""
    kind = token.kind
    if kind == "eof":
        return "end of input"
    if kind in KEYWORDS:
        return f"<{token.text}>"
    if kind in AGGREGATIONS:
        return f"<aggr:{token.text}>"
    if kind in _OPERATOR_KINDS:
        return f"<op:{token.text}>"
    if kind in ("identifier", "metric identifier"):
        return f"{kind} {go_quote(token.text)}"
    short = go_quote(token.text[:10]) + "..." if len(token.text.encode("utf-8", "replace")) > 10 else go_quote(token.text)
    return f"{kind} {short}" if kind in ("number", "duration", "string") else short


class Lexer:
    """Hands out tokens left to right; after an error or the end there is nothing more to ask for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.parens = 0
        self.in_braces = False
        self.in_brackets = False
        self.number_due = False
        """Within brackets and before the first number: then a narrower set of characters may stand."""
        self.word_seen = False
        """Within brackets: step() or the like was there, which is a duration too."""
        self.colon_seen = False

    def next(self) -> Token:
        found = _SPACE.match(self.text, self.position)
        self.position = found.end() if found else self.position
        if self.position >= len(self.text):
            return self._at_end()
        if self.in_braces:
            return self._in_braces()
        return self._in_brackets() if self.in_brackets and self.number_due else self._plain()

    def _take(self, kind: str, end: int) -> Token:
        start, self.position = self.position, end
        return Token(kind, self.text[start:end], start, end)

    def _error(self, message: str, start: int | None = None, end: int | None = None) -> Token:
        begin = self.position if start is None else start
        return Token("error", message, begin, min(begin + 1 if end is None else end, len(self.text)))

    def _at_end(self) -> Token:
        end = len(self.text)
        if self.in_braces:
            return self._error("unexpected end of input inside braces", end, end)
        if self.in_brackets and self.number_due:
            return self._error("unexpected end of input in duration expression", end, end)
        if self.parens:
            return self._error("unclosed left parenthesis", end, end)
        if self.in_brackets:
            return self._error("unclosed left bracket", end, end)
        return Token("eof", "", end, end)

    def _plain(self) -> Token:
        character = self.text[self.position]
        if character in "\"'`":
            return self._string()
        if character.isascii() and (character.isdigit() or (character == "." and self._digit_follows())):
            return self._number()
        word = _WORD.match(self.text, self.position)
        if word is not None:
            return self._word(word.group(), word.end())
        symbol = _SYMBOL.match(self.text, self.position)
        if symbol is None or (symbol.group() == "=" and self.text.startswith("=~", self.position)):
            return self._unknown(character)
        return self._symbol(symbol.group(), symbol.end())

    def _unknown(self, character: str) -> Token:
        if character in "!=":
            following = self.text[self.position + 1 : self.position + 2]
            shown = go_quote(following or "\ufffd", "'")
            return self._error(f"unexpected character after '{character}': {shown}", end=self.position + 2)
        return self._error(f"unexpected character: {go_quote(character, chr(39))}")

    def _digit_follows(self) -> bool:
        return self.text[self.position + 1 : self.position + 2] in tuple("0123456789")

    def _word(self, word: str, end: int) -> Token:
        if self.in_brackets:
            return self._word_in_brackets(word, end)
        lower = word.lower()
        if lower in NUMBER_WORDS:
            return self._take("number", end)
        if lower in RESERVED and (lower not in _ONLY_BEFORE_PAREN or _BEFORE_PAREN.match(self.text, end)):
            return self._take(lower, end)
        return self._take("metric identifier" if ":" in word else "identifier", end)

    def _word_in_brackets(self, word: str, end: int) -> Token:
        if word.startswith(":"):
            if self.colon_seen:
                return self._error("unexpected colon ':'")
            self.colon_seen = True
            return self._take(":", self.position + 1)
        lower = word.partition(":")[0].lower()
        if lower in _DURATION_WORDS:
            return self._take(lower, self.position + len(lower))
        return self._error(f"unexpected character: {go_quote(word[0], chr(39))}, expected ':'", end=end)

    def _symbol(self, symbol: str, end: int) -> Token:
        if symbol == "(":
            self.parens += 1
        elif symbol == ")":
            self.parens -= 1
            if self.parens < 0:
                return self._error("unexpected right parenthesis ')'")
        elif symbol == "{":
            self.in_braces = True
        elif symbol == "}":
            return self._error("unexpected character: '}'")
        elif symbol == "[":
            if self.in_brackets:
                return self._error("unexpected left bracket '['")
            self.in_brackets, self.number_due, self.word_seen, self.colon_seen = True, True, False, False
        elif symbol == "]":
            if not self.in_brackets:
                return self._error("unexpected right bracket ']'")
            self.in_brackets = False
        return self._take(symbol, end)

    def _in_braces(self) -> Token:
        character = self.text[self.position]
        if character in "\"'`":
            return self._string()
        label = _LABEL.match(self.text, self.position)
        if label is not None:
            return self._take("identifier", label.end())
        symbol = _SYMBOL_IN_BRACES.match(self.text, self.position)
        if symbol is None:
            if character == "{":
                return self._error("unexpected left brace '{'")
            if character == "!":
                following = self.text[self.position + 1 : self.position + 2]
                shown = go_quote(following or "\ufffd", "'")
                return self._error(f"unexpected character after '!' inside braces: {shown}", end=self.position + 2)
            return self._error(f"unexpected character inside braces: {go_quote(character, chr(39))}")
        self.in_braces = symbol.group() != "}"
        return self._take(symbol.group(), symbol.end())

    def _in_brackets(self) -> Token:
        character = self.text[self.position]
        if character.isascii() and (character.isdigit() or (character == "." and self._digit_follows())):
            self.number_due = False
            return self._number()
        word = _LABEL.match(self.text, self.position)
        if word is not None and word.group().lower() in _DURATION_WORDS:
            self.word_seen = True
            return self._take(word.group().lower(), word.end())
        symbol = _SYMBOL_IN_BRACKETS.match(self.text, self.position)
        if symbol is None:
            end = word.end() if word else self.position + 1
            return self._error(f"unexpected character in duration expression: {go_quote(character, chr(39))}", end=end)
        if symbol.group() == ":":
            if not self.word_seen or self.colon_seen:
                fault = "repeated colon" if self.colon_seen else "colon before duration"
                return self._error(f"unexpected {fault} in duration expression")
            self.colon_seen = True
        return self._symbol(symbol.group(), symbol.end())

    def _number(self) -> Token:
        for kind, pattern in (("number", _NUMBER), ("duration", _DURATION)):
            found = pattern.match(self.text, self.position)
            if found is not None:
                return self._take(kind, found.end())
        bad = _BAD_NUMBER.match(self.text, self.position)
        end = bad.end() if bad else self.position + 1
        return self._error(f"bad number or duration syntax: {go_quote(self.text[self.position : end])}", end=end)

    def _string(self) -> Token:
        found = STRING.match(self.text, self.position)
        if found is not None:
            return self._take("string", found.end())
        return self._error(string_fault(self.text, self.position), end=len(self.text))
