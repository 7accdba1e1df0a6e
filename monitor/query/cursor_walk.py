"""Walks the tokens before a cursor and keeps what is open there: parentheses, braces, brackets, and what each waits for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from monitor.model.matchers import NAME_TAG, Matcher, Operator, SelectorError
from monitor.query.lexer import AGGREGATIONS as AGGREGATION_WORDS
from monitor.query.lexer import OPERATORS, SPECIAL_CALLS, WORD_OPERATORS, Token
from monitor.query.quoting import unquote
from monitor.query.scan import GROUPING_WORDS
from monitor.query.signatures import AGGREGATIONS, FUNCTIONS, Signature

MAX_FRAMES = 1000

_MATCH_OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "=~": "=~", "!~": "!~"}
_FILLS = frozenset({"fill", "fill_left", "fill_right"})


def matcher_of(label: str, operator: str, quoted: str) -> Matcher | None:
    """A matcher with the value between the quotes; None while its pattern cannot be read."""
    matcher = Matcher(label, _MATCH_OPERATORS[operator], unquote(quoted))
    try:
        matcher.test("")
    except SelectorError:
        return None
    return matcher


@dataclass(slots=True)
class Frame:
    """One thing opened and not closed yet.

    `expects`: what comes next, `operand`, `operator`, `offset` (a duration) or `at` (a time). `name`: a name just read, which a
    parenthesis makes a call. `keyword`: one whose parenthesis is due. `operator`: the one whose right side is due; in braces the
    matcher's. `matched`: it has its on or ignoring. `closed`: an aggregation just ended, or a duration is there.
    `operand`: the last selector read; `selector`: the first one.
    """

    kind: Literal["top", "paren", "call", "aggregation", "grouping", "fill", "braces", "brackets"]
    start: int = 0
    signature: Signature | None = None
    keyword: str = ""
    commas: int = 0
    expects: Literal["operand", "operator", "offset", "at"] = "operand"
    name: Token | None = None
    operator: str = ""
    matched: bool = False
    closed: bool = False
    selectable: bool = False
    """What was just read is a selector or subquery, so `offset` and the like may follow."""
    over: Token | None = None
    """The aggregation whose by or without stands before its arguments."""
    operand: tuple[Matcher, ...] = ()
    selector: tuple[Matcher, ...] = ()
    label: str = ""
    read: list[Matcher] = field(default_factory=list)

    def matchers(self) -> tuple[Matcher, ...]:
        """Of braces: what was read so far, the name first."""
        return tuple(self.read)

    def clause_possible(self) -> bool:
        """Whether `by` or `without` may follow."""
        return self.closed or (self.name is not None and self.name.kind in AGGREGATION_WORDS)

    def is_selector(self) -> bool:
        """Whether `offset` and the like may follow."""
        return self.selectable or self.name is not None

    def settle(self) -> None:
        """A name without a parenthesis is a metric."""
        if self.name is not None:
            self.took((Matcher(NAME_TAG, "=", self.name.text),), selectable=True)

    def took(self, selector: tuple[Matcher, ...], *, aggregation: bool = False, selectable: bool = False) -> None:
        """An operand was read; `selector` is the first in it."""
        self.name, self.over, self.operator, self.matched, self.keyword = None, None, "", False, ""
        self.expects, self.closed, self.operand = "operator", aggregation, selector
        self.selectable = selectable
        self.selector = self.selector or selector


class Walk:
    """Feed it tokens with `step`; `frames` is what is open, innermost last."""

    def __init__(self) -> None:
        self.frames = [Frame("top")]

    def settled(self) -> tuple[Matcher, ...]:
        """The first selector in what is open. Call it when there is no more to come."""
        self.frames[-1].settle()
        return self.first()

    def first(self) -> tuple[Matcher, ...]:
        """The first selector read to its end in what is open."""
        for frame in self.frames:
            if frame.kind not in ("braces", "brackets") and frame.selector:
                return frame.selector
        return ()

    def step(self, token: Token) -> None:
        frame = self.frames[-1]
        if frame.kind == "braces":
            self._in_braces(frame, token)
        elif frame.kind == "brackets":
            self._in_brackets(frame, token)
        elif frame.kind in ("grouping", "fill"):
            if token.kind == ")":
                self.frames.pop()
                self.frames[-1].closed = False
        elif token.kind in ("(", "{", "["):
            if len(self.frames) < MAX_FRAMES:
                self._open(frame, token)
        elif token.kind == ")":
            self._close(frame)
        else:
            self._plain(frame, token)

    def _open(self, frame: Frame, token: Token) -> None:
        name = frame.name
        if token.kind == "{":
            braces = Frame("braces", token.start)
            if name is not None:
                braces.read.append(Matcher(NAME_TAG, "=", name.text))
            self.frames.append(braces)
        elif token.kind == "[":
            frame.settle()
            self.frames.append(Frame("brackets", token.start))
        elif frame.keyword:
            self.frames.append(Frame("fill" if frame.keyword in _FILLS else "grouping", token.start, keyword=frame.keyword))
            frame.matched = frame.matched or frame.keyword in ("on", "ignoring")
            frame.keyword = ""
        elif frame.over is not None or (name is not None and name.kind in AGGREGATION_WORDS):
            called = frame.over or name
            if called is not None:
                self.frames.append(Frame("aggregation", called.start, AGGREGATIONS.get(called.kind)))
        elif name is not None:
            spelt = name.kind if name.kind in SPECIAL_CALLS else name.text
            self.frames.append(Frame("call", name.start, FUNCTIONS.get(spelt)))
        else:
            self.frames.append(Frame("paren", token.start))

    def _close(self, frame: Frame) -> None:
        frame.settle()
        if len(self.frames) == 1:
            frame.took(())
            return
        self.frames.pop()
        parent = self.frames[-1]
        clause_before = parent.over is not None
        if parent.expects == "at":  # `@ end()`
            parent.name, parent.expects = None, "operator"
            return
        parent.took(frame.selector, aggregation=frame.kind == "aggregation" and not clause_before)

    def _plain(self, frame: Frame, token: Token) -> None:
        kind, name = token.kind, frame.name
        if name is not None and name.end == token.start and (token.text == "." or name.text.endswith(".")):
            frame.name = Token("identifier", name.text + token.text, name.start, token.end)  # a.b, which wants quotes in the end
        elif kind == ",":
            frame.settle()
            frame.commas += 1
            frame.expects, frame.operator, frame.closed, frame.operand = "operand", "", False, ()
        elif kind in ("number", "duration", "string", "open string"):
            if frame.expects == "operand":
                frame.took(())
            frame.expects = "operator"
        elif kind == "@" or (kind == "offset" and frame.expects == "operator"):
            frame.settle()
            frame.expects = "at" if kind == "@" else "offset"
        elif kind in ("by", "without") and frame.clause_possible():
            frame.over, frame.name, frame.keyword = frame.name, None, kind
            frame.expects = "operand" if frame.over is not None else "operator"
            frame.closed = frame.over is None
        elif kind in GROUPING_WORDS - {"by", "without"} or kind in _FILLS:
            frame.keyword = kind
        elif kind in OPERATORS and (kind not in WORD_OPERATORS or frame.expects == "operator"):
            self._operator(frame, kind)
        elif kind not in ("bool", "anchored", "smoothed", "error", "=", "]", "}") or frame.expects == "operand":
            self._name(frame, token)

    def _operator(self, frame: Frame, kind: str) -> None:
        if frame.expects == "operator":
            operand = frame.operand if frame.name is None else (Matcher(NAME_TAG, "=", frame.name.text),)
            frame.settle()
            frame.expects, frame.operator, frame.closed, frame.operand = "operand", kind, False, operand

    def _name(self, frame: Frame, token: Token) -> None:
        if token.kind in ("error", "=", "]", "}", "bool"):
            return
        frame.settle()
        frame.name, frame.closed = token, False
        if frame.expects != "at":
            frame.expects = "operator"

    def _in_braces(self, frame: Frame, token: Token) -> None:
        kind = token.kind
        if kind == "}" or (kind == "error" and not token.text):
            if frame.label and not frame.operator:
                self._quoted_name(frame)
            self.frames.pop()
            self.frames[-1].name = None
            self.frames[-1].took(tuple(frame.read), selectable=True)
        elif kind == ",":
            if frame.label and not frame.operator:
                self._quoted_name(frame)
            frame.label = frame.operator = ""
            frame.expects = "operand"
        elif kind in _MATCH_OPERATORS:
            frame.operator = kind
        elif kind == "string" and frame.operator:
            self._matcher(frame, token)
        elif kind in ("identifier", "string"):
            frame.label = unquote(token.text) if kind == "string" else token.text
            frame.name = token

    def _quoted_name(self, frame: Frame) -> None:
        """`{"metric.name"}`"""
        if frame.name is not None and frame.name.kind == "string":
            frame.read.append(Matcher(NAME_TAG, "=", frame.label))

    def _matcher(self, frame: Frame, token: Token) -> None:
        matcher = matcher_of(frame.label, frame.operator, token.text)
        frame.label = frame.operator = ""
        frame.expects = "operator"
        if matcher is not None:
            frame.read.append(matcher)

    def _in_brackets(self, frame: Frame, token: Token) -> None:
        if token.kind == "]":
            self.frames.pop()
            self.frames[-1].selectable = True
        elif token.kind in ("number", "duration"):
            frame.closed = True
        elif token.kind in OPERATORS or token.kind in (":", "(", ","):
            frame.closed = False
