"""Composite conditions: an expression over the states of other rules, with three answers: yes, no, and not known.

| a | b | a and b | a or b | not a |
|---|---|---|---|---|
| yes | yes | yes | yes | no |
| yes | no | no | yes | no |
| yes | unknown | unknown | yes | no |
| no | no | no | no | yes |
| no | unknown | no | unknown | yes |
| unknown | unknown | unknown | unknown | unknown |

`at_least(n, …)` is yes once n are, no once n cannot be reached any more, unknown between (Kleene's strong logic).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Truth = bool | None
"""Yes, no, or None: not known, because a rule has no data or is not there."""
MAX_LENGTH = 2000
MAX_DEPTH = 50
_WORD = re.compile(r"\s*(?:([A-Za-z0-9_][A-Za-z0-9_.:-]*)|([(),!&|]{1,2}))")


class ExpressionError(ValueError):
    """An expression that cannot be read. `column` counts from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class Node:
    """`kind`: rule (a rule's id in `name`), not, and, or, at_least (`count` of `parts`)."""

    kind: Literal["rule", "not", "and", "or", "at_least"]
    parts: tuple[Node, ...] = ()
    name: str = ""
    count: int = 0

    def rules(self) -> Iterator[str]:
        """Ids of the rules it speaks of, in order, some perhaps twice."""
        if self.kind == "rule":
            yield self.name
        for part in self.parts:
            yield from part.rules()

    def judge(self, state: Callable[[str], Truth]) -> Truth:
        """Whether it holds, given each rule's state."""
        if self.kind == "rule":
            return state(self.name)
        told = [part.judge(state) for part in self.parts]
        if self.kind == "not":
            return None if told[0] is None else not told[0]
        wanted = {"and": len(told), "or": 1, "at_least": self.count}[self.kind]
        yes = sum(each is True for each in told)
        if yes >= wanted:
            return True
        return False if yes + sum(each is None for each in told) < wanted else None


def read_expression(text: str) -> Node:
    """From `a and not (b or c)`, `at_least(2, a, b, c)`; `!`, `&&` and `||` do too. Raises `ExpressionError`."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression has {len(text):,} characters (at most {MAX_LENGTH:,})", 1)
    return _Reader(text).whole()


class _Reader:
    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, int]] = []
        at = 0
        while at < len(text.rstrip()):
            found = _WORD.match(text, at)
            if found is None:
                raise ExpressionError(
                    f"unexpected {text[at:].lstrip()[:1]!r}; write rules' ids with and, or, not and ( )", at + 1
                )
            word, signs = found[1], found[2]
            if word is not None:
                self._words.append((word, found.start(1) + 1))
            elif signs in ("&&", "||"):
                self._words.append(("and" if signs == "&&" else "or", found.start(2) + 1))
            else:
                first = signs[0]
                if first in "&|":
                    raise ExpressionError(f"unexpected {first!r}; write and, or", found.start(2) + 1)
                self._words.append(("not" if first == "!" else first, found.start(2) + 1))
                at = found.start(2) + 1
                continue
            at = found.end()
        self._end = len(text) + 1
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._or()
        if self._at < len(self._words):
            word, column = self._words[self._at]
            raise ExpressionError(f"unexpected {word[:40]!r}; put and, or between two rules", column)
        return node

    def _or(self) -> Node:
        return self._chain("or", self._and)

    def _and(self) -> Node:
        return self._chain("and", self._single)

    def _chain(self, kind: Literal["and", "or"], part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self._peek() == kind:
            self._at += 1
            parts.append(part())
        return parts[0] if len(parts) == 1 else Node(kind, tuple(parts))

    def _single(self) -> Node:
        word, column = self._next("a rule's id")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"nested more than {MAX_DEPTH} deep", column)
        try:
            if word == "not":
                return Node("not", (self._single(),))
            if word == "(":
                node = self._or()
                self._expect(")")
                return node
            if word == "at_least" and self._peek() == "(":
                return self._at_least()
            if word in ("and", "or", ")", ","):
                raise ExpressionError(f"a rule's id is missing before {word!r}", column)
            return Node("rule", name=word)
        finally:
            self._depth -= 1

    def _at_least(self) -> Node:
        self._expect("(")
        word, column = self._next("a number")
        if not word.isdecimal() or len(word) > 4 or int(word) < 1:
            raise ExpressionError(f"at_least needs a number first, as in at_least(2, a, b, c); {word[:40]!r} is none", column)
        parts = []
        while self._peek() == ",":
            self._at += 1
            parts.append(self._or())
        self._expect(")")
        if int(word) > len(parts):
            raise ExpressionError(f"at_least({word}, …) has only {len(parts)} to choose from, so it never holds", column)
        return Node("at_least", tuple(parts), count=int(word))

    def _peek(self) -> str:
        return self._words[self._at][0] if self._at < len(self._words) else ""

    def _next(self, what: str) -> tuple[str, int]:
        if self._at >= len(self._words):
            raise ExpressionError(f"{what} is missing at the end", self._end)
        self._at += 1
        return self._words[self._at - 1]

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            column = self._words[self._at][1] if self._at < len(self._words) else self._end
            raise ExpressionError(f"{sign} is missing", column)
        self._at += 1
