"""Tokens to a tree. Names of functions and variables are checked here, as Go does."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from monitor.query.quoting import unquote
from monitor.text.gotemplate.lexer import TemplateSyntaxError, Token, tokens
from monitor.text.gotemplate.tree import (
    Action,
    Branch,
    Call,
    Command,
    Dot,
    Fields,
    Function,
    Leave,
    Literal,
    Node,
    Operand,
    Pipe,
    Text,
    Variable,
)

__all__ = ["Template", "TemplateSyntaxError", "parse"]

MAX_DEPTH = 50
_END = Token("end of text", "EOF", 0)
_KEYWORDS = frozenset({"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"})
_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*)")
_Bodies = tuple[tuple[Node, ...], Token]


@dataclass(frozen=True)
class Template:
    """A template that was read. `defined`: those that it defines by name."""

    text: str
    nodes: tuple[Node, ...]
    defined: dict[str, tuple[Node, ...]] = field(default_factory=dict)


def parse(text: str, functions: Collection[str], variables: Collection[str] = ()) -> Template:
    """Reads a template that may call these functions and read these variables. Raises `TemplateSyntaxError`."""
    parser = _Parser(text, functions, variables)
    nodes, end = parser.nodes(0)
    if end.kind != "end of text":
        raise parser.error(f"unexpected {{{{{end.text}}}}}", end)
    return Template(text, nodes, parser.defined)


class _Parser:
    def __init__(self, text: str, functions: Collection[str], variables: Collection[str]) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._place = 0
        self._functions = functions
        self._variables = ["$", *variables]
        self._loops = 0
        self.defined: dict[str, tuple[Node, ...]] = {}

    # ------------------------------------------------------------ tokens

    def peek(self) -> Token:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END._replace(at=len(self._text))

    def take(self) -> Token:
        token = self.peek()
        self._place += 1
        return token

    def past_space(self) -> Token:
        while self.peek().kind == "space":
            self.take()
        return self.peek()

    def error(self, message: str, token: Token) -> TemplateSyntaxError:
        return TemplateSyntaxError(message, token.at)

    # ------------------------------------------------------------ nodes

    def nodes(self, depth: int) -> _Bodies:
        """Nodes up to an `end`, an `else` or the end of the text, and the word that ended them."""
        if depth > MAX_DEPTH:
            raise self.error("too deeply nested", self.peek())
        found: list[Node] = []
        while True:
            token = self.take()
            if token.kind == "end of text":
                return tuple(found), token
            if token.kind == "text":
                found.append(Text(token.text))
                continue
            word = self.past_space()
            if word.kind == "word" and word.text in _KEYWORDS:
                self.take()
                if word.text in ("end", "else"):
                    return tuple(found), word
                node = self._control(word, depth)
                found += [] if node is None else [node]
            else:
                found.append(Action(self._pipe("command", ("close",))))
                self.take()

    def _control(self, word: Token, depth: int) -> Node | None:
        if word.text in ("if", "with", "range"):
            return self._branch(word, depth)
        if word.text == "define":
            name = self._name(word)
            self._close()
            self.defined[name] = self._inner(depth, ["$"])
            return None
        if word.text == "template":
            name = self._name(word)
            pipe = None if self.past_space().kind == "close" else self._pipe("template clause", ("close",))
            self._close()
            return Call(word.at, name, pipe)
        if word.text == "block":
            name = self._name(word)
            pipe = self._pipe("block clause", ("close",))
            self._close()
            self.defined.setdefault(name, self._inner(depth, ["$"]))
            return Call(word.at, name, pipe)
        if not self._loops:
            raise self.error(f"{{{{{word.text}}}}} outside {{{{range}}}}", word)
        self._close()
        return Leave(word.text)

    def _inner(self, depth: int, variables: list[str]) -> tuple[Node, ...]:
        held, self._variables = self._variables, variables
        loops, self._loops = self._loops, 0
        body, end = self.nodes(depth + 1)
        if end.text != "end":
            raise self.error(f"unexpected {{{{{end.text}}}}} in define clause" if end.kind == "word" else "unexpected EOF", end)
        self._close()
        self._variables, self._loops = held, loops
        return body

    def _branch(self, word: Token, depth: int) -> Branch:
        kind, known = word.text, len(self._variables)
        pipe = self._pipe(kind, ("close",))
        self._close()
        self._loops += kind == "range"
        body, end = self.nodes(depth + 1)
        self._loops -= kind == "range"
        otherwise: tuple[Node, ...] = ()
        if end.text == "else":
            following = self.past_space()
            if following.kind == "word" and following.text in ("if", "with") and following.text == kind:
                self.take()
                otherwise = (self._branch(following, depth + 1),)  # which takes the one end of both
                del self._variables[known:]
                return Branch(kind, pipe, body, otherwise)
            self._close()
            otherwise, end = self.nodes(depth + 1)
            if end.text == "else":
                raise self.error("expected end; found {{else}}", end)
        if end.kind == "end of text":
            raise self.error("unexpected EOF", end)
        self._close()
        del self._variables[known:]
        return Branch(kind, pipe, body, otherwise)

    def _close(self) -> None:
        token = self.past_space()
        if token.kind != "close":
            raise self.error(f"unexpected {_shown(token)} in command", token)
        self.take()

    def _name(self, word: Token) -> str:
        token = self.past_space()
        if token.kind != "string":
            raise self.error(f"unexpected {_shown(token)} in {word.text} clause", token)
        self.take()
        return unquote(token.text)

    # ------------------------------------------------------------ pipelines

    def _pipe(self, context: str, ends: tuple[str, ...], depth: int = 0) -> Pipe:
        if depth > MAX_DEPTH:
            raise self.error("too deeply nested", self.peek())
        first = self.past_space()
        declares, assigns = self._declared(context)
        commands: list[Command] = []
        while True:
            token = self.past_space()
            if token.kind in ends:
                break
            if token.kind in ("|", "close", ")", "end of text"):
                raise self.error(
                    f"missing value for {context}" if not commands else f"unexpected {_shown(token)} in {context}", token
                )
            commands.append(self._command(depth))
            if self.past_space().kind == "|":
                bar = self.take()
                if self.past_space().kind in ends:
                    raise self.error(f"missing value for {context}", bar)
        if not commands:
            raise self.error(f"missing value for {context}", first)
        for command in commands[1:]:
            if isinstance(command.words[0], Literal | Dot):
                raise self.error(f"non executable command in pipeline stage {commands.index(command) + 1}", first)
        if not assigns:
            self._variables += declares
        return Pipe(first.at, self._text[first.at : self.peek().at].strip(), tuple(commands), declares, assigns)

    def _declared(self, context: str) -> tuple[tuple[str, ...], bool]:
        place = self._place
        names: list[str] = []
        while self.past_space().kind == "variable":
            names.append(self.take().text)
            sign = self.past_space()
            if sign.kind in (":=", "="):
                self.take()
                for name in names if sign.kind == "=" else ():
                    self._known(name, sign)
                return tuple(names), sign.kind == "="
            if sign.kind != "," or context != "range" or len(names) > 1:
                break
            self.take()
        self._place = place
        return (), False

    def _known(self, name: str, token: Token) -> None:
        if name not in self._variables:
            raise self.error(f'undefined variable "{name}"', token)

    def _command(self, depth: int) -> Command:
        words: list[Operand] = []
        at = end = self.past_space().at
        while True:
            token = self.past_space()
            if token.kind in ("|", "close", ")", "end of text"):
                return Command(at, self._text[at:end], tuple(words))
            words.append(self._operand(depth))
            token = self.peek()
            end = token.at
            if token.kind not in ("space", "|", "close", ")", "end of text"):
                raise self.error(f"unexpected {_shown(token)} in operand", token)

    def _operand(self, depth: int) -> Operand:
        token = self.take()
        operand = self._term(token, depth)
        at, names = self.peek().at, []
        while self.peek().kind == "field":
            names.append(self.take().text[1:])
        if not names:
            return operand
        if isinstance(operand, Literal):
            raise self.error(f"unexpected . after term {token.text}", token)
        text = self._text[token.at : self.peek().at]
        if isinstance(operand, Fields):
            return Fields(at, text, (*operand.names, *names))
        return Fields(at, text, tuple(names), operand)

    def _term(self, token: Token, depth: int) -> Operand:
        if token.kind == "(":
            pipe = self._pipe("parenthesized pipeline", (")",), depth + 1)
            self.take()
            return pipe
        if token.kind == "field":
            return Fields(token.at, token.text, (token.text[1:],))
        if token.kind == "dot":
            return Dot(token.at)
        if token.kind == "variable":
            self._known(token.text, token)
            return Variable(token.at, token.text)
        if token.kind == "string":
            return Literal(token.at, token.text, unquote(token.text))
        if token.kind == "char":
            return Literal(token.at, token.text, ord(unquote(token.text)[:1] or "\0"))
        if token.kind == "number":
            return Literal(token.at, token.text, self._number(token))
        if token.kind == "word":
            if token.text in ("true", "false"):
                return Literal(token.at, token.text, token.text == "true")
            if token.text == "nil":
                return Literal(token.at, token.text, None, is_nil=True)
            if token.text not in self._functions:
                raise self.error(f'function "{token.text}" not defined', token)
            return Function(token.at, token.text)
        raise self.error(f"unexpected {_shown(token)} in command", token)

    def _number(self, token: Token) -> int | float:
        try:
            if _INTEGER.fullmatch(token.text):
                octal = re.fullmatch(r"([+-]?)0([0-7]+)", token.text)
                return int(octal[1] + octal[2], 8) if octal else int(token.text, 0)
            return float(token.text)
        except ValueError:
            raise self.error(f'bad number syntax: "{token.text}"', token) from None


def _shown(token: Token) -> str:
    if token.kind == "end of text":
        return "EOF"
    if token.kind == "close":
        return '"}}"'
    return f"<{token.text}>" if token.text in _KEYWORDS else f'"{token.text}"'
