"""Where the parser stands in the text: one token ahead, how deep, and within what, for errors in Prometheus' words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from monitor.query.history import ParseError
from monitor.query.lexer import Lexer, Token, describe

MAX_TEXT = 64 * 1024
MAX_DEPTH = 100

_CLOSING = frozenset({")", "]", "}", "number", "duration"})


class Cursor:
    """Tokens are read only when looked at, so an error further on never hides one that comes before it."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            message = f"the expression has {len(text)} characters (at most {MAX_TEXT}); split it into recording rules"
            raise ParseError(message, text, MAX_TEXT, len(text))
        self.text = text
        self.closing = 0
        """End of the last token that can end a selector, a call or an aggregation."""
        self._lexer = Lexer(text)
        self._ahead: Token | None = None
        self._depth = 0
        self._contexts: list[tuple[str, str]] = []

    @property
    def kind(self) -> str:
        return self.peek().kind

    def peek(self) -> Token:
        if self._ahead is None:
            self._ahead = self._lexer.next()
            if self._ahead.kind == "error":
                raise self.error(self._ahead.text, self._ahead.start, self._ahead.end)
        return self._ahead

    def take(self) -> Token:
        token = self.peek()
        self._ahead = None
        if token.kind in _CLOSING:
            self.closing = token.end
        return token

    def take_if(self, *kinds: str) -> Token | None:
        return self.take() if self.peek().kind in kinds else None

    def need(self, kind: str, context: str = "", expected: str = "") -> Token:
        token = self.take_if(kind)
        return token if token is not None else self.unexpected(context, expected)

    def error(self, message: str, start: int, end: int) -> ParseError:
        return ParseError(message, self.text, start, end)

    def unexpected(self, context: str = "", expected: str = "") -> NoReturn:
        """Complains about the token ahead, in the context given or the innermost one it stands within."""
        if not context and self._contexts:
            context, expected = self._contexts[-1]
        token = self.peek()
        message = f"unexpected {describe(token)}" + (f" in {context}" if context else "")
        raise self.error(message + (f", expected {expected}" if expected else ""), token.start, token.end)

    @contextmanager
    def within(self, context: str, expected: str = "") -> Iterator[None]:
        """While this holds, errors without a context of their own are told of this one."""
        self._contexts.append((context, expected))
        yield
        self._contexts.pop()

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of nesting. Raises `ParseError` past `MAX_DEPTH`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            token = self.peek()
            raise self.error(too_deep(), token.start, token.end)
        yield
        self._depth -= 1


def too_deep() -> str:
    return f"the expression is nested deeper than {MAX_DEPTH} levels; split it into recording rules"
