"""Fills a template in: so many steps and so much text at most, errors in Go's words with line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from monitor.text.gotemplate.builtins import BUILTINS, CallError, Known
from monitor.text.gotemplate.parser import Template
from monitor.text.gotemplate.tree import (
    Action,
    Branch,
    Call,
    Command,
    Dot,
    Fields,
    Function,
    Literal,
    Node,
    Operand,
    Pipe,
    Text,
    Variable,
)
from monitor.text.gotemplate.values import Struct, TextMap, show, truth, type_name

Functions = Mapping[str, Known]
_NOTHING = object()
_KINDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, float),
    "sample": lambda value: isinstance(value, Struct),
    "samples": lambda value: isinstance(value, list),
    "any": lambda value: True,
}
_GO_KINDS = {"text": "string", "number": "float64", "sample": "*template.sample", "samples": "template.queryResult"}


class Bounds(msgspec.Struct, frozen=True):
    """What filling in one template may take: steps of any kind, characters written, templates within one another."""

    steps: int = 50_000
    output: int = 65_536
    depth: int = 50


class TemplateError(ValueError):
    """A template that cannot be filled in."""


class _LeaveError(Exception):
    """`break` or `continue` on its way to the loop."""


def execute(
    template: Template,
    data: Any,
    functions: Functions,
    variables: Mapping[str, Any],
    name: str,
    bounds: Bounds | None = None,
    before: int = 0,
) -> str:
    """The text. `variables` as they were given to `parse`; `name` is the template's in errors, whose columns in the first line
    count `before` characters more. Raises `TemplateError`, and what a function raises that is no `CallError`.
    """
    run = _Run(template, {**BUILTINS, **functions}, name, bounds or Bounds(), before)
    run.variables = [("$", data), *variables.items()]
    run.walk(template.nodes, data)
    return "".join(run.written)


class _Run:
    def __init__(self, template: Template, functions: Functions, name: str, bounds: Bounds, before: int) -> None:
        self.variables: list[tuple[str, Any]] = []
        self.written: list[str] = []
        self._template = template
        self._functions = functions
        self._name = name
        self._bounds = bounds
        self._before = before
        self._steps = self._size = self._depth = 0

    # ------------------------------------------------------------ nodes

    def walk(self, nodes: Iterable[Node], dot: Any) -> None:
        for node in nodes:
            self._step()
            if isinstance(node, Text):
                self._write(node.text)
            elif isinstance(node, Action):
                value = self._pipe(node.pipe, dot)
                if not node.pipe.declares:
                    self._write(show(value))
            elif isinstance(node, Branch):
                self._branch(node, dot)
            elif isinstance(node, Call):
                self._call_template(node, dot)
            else:
                raise _LeaveError(node.kind)

    def _branch(self, node: Branch, dot: Any) -> None:
        known = len(self.variables)
        if node.kind == "range":
            self._range(node, dot)
        else:
            value = self._pipe(node.pipe, dot)
            inner = value if node.kind == "with" and truth(value) else dot
            self.walk(node.body if truth(value) else node.otherwise, inner)
        del self.variables[known:]

    def _range(self, node: Branch, dot: Any) -> None:
        value = self._pipe(node.pipe, dot, looped=True)
        if isinstance(value, list):
            rounds: list[tuple[Any, Any]] = list(enumerate(value))
        elif isinstance(value, Mapping) and not isinstance(value, Struct):
            rounds = sorted(value.items())
        elif value is None:
            rounds = []
        else:
            raise self._error(node.pipe.at, node.pipe.text, f"range can't iterate over {show(value)}")
        known = len(self.variables)
        for key, each in rounds:
            self._step()
            self._let(node.pipe, key, each)
            try:
                self.walk(node.body, each)
            except _LeaveError as leaving:
                if str(leaving) == "break":
                    break
            finally:
                del self.variables[known:]
        if not rounds:
            self.walk(node.otherwise, dot)

    def _let(self, pipe: Pipe, key: Any, each: Any) -> None:
        if not pipe.declares:
            return
        pairs = [(pipe.declares[-1], each)] if len(pipe.declares) == 1 else list(zip(pipe.declares, (key, each), strict=True))
        for name, value in pairs:
            self._set(name, value, pipe.assigns)

    def _call_template(self, node: Call, dot: Any) -> None:
        nodes = self._template.defined.get(node.name)
        if nodes is None:
            raise self._error(node.at, f'{{{{template "{node.name}"}}}}', f'template "{node.name}" not defined')
        self._depth += 1
        if self._depth > self._bounds.depth:
            raise self._error(
                node.at, f'{{{{template "{node.name}"}}}}', f"exceeded maximum template depth ({self._bounds.depth})"
            )
        data = None if node.pipe is None else self._pipe(node.pipe, dot)
        held, self.variables = self.variables, [("$", data)]
        self.walk(nodes, data)
        self.variables = held
        self._depth -= 1

    # ------------------------------------------------------------ values

    def _pipe(self, pipe: Pipe, dot: Any, looped: bool = False) -> Any:
        value: Any = _NOTHING
        for command in pipe.commands:
            value = self._command(command, dot, value)
        if not looped:
            for name in pipe.declares:
                self._set(name, value, pipe.assigns)
        return value

    def _set(self, name: str, value: Any, assigns: bool) -> None:
        if assigns:
            for place in range(len(self.variables) - 1, -1, -1):
                if self.variables[place][0] == name:
                    self.variables[place] = (name, value)
                    return
        self.variables.append((name, value))

    def _command(self, command: Command, dot: Any, final: Any) -> Any:
        self._step()
        words = command.words
        first = words[0]
        if isinstance(first, Function):
            return self._call(command, first.text, words[1:], dot, final)
        if len(words) > 1 or final is not _NOTHING:
            if isinstance(first, Fields):
                self._value(first, dot)
                raise self._error(first.at, first.text, f"{first.names[-1]} is not a method but has arguments")
            raise self._error(first.at, first.text, f"can't give argument to non-function {first.text}")
        if isinstance(first, Literal) and first.is_nil:
            raise self._error(first.at, first.text, "nil is not a command")
        return self._value(first, dot)

    def _value(self, operand: Operand, dot: Any) -> Any:
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Dot):
            return dot
        if isinstance(operand, Variable):
            return self._variable(operand.text)
        if isinstance(operand, Pipe):
            return self._pipe(operand, dot)
        if isinstance(operand, Function):
            return self._call(Command(operand.at, operand.text, (operand,)), operand.text, (), dot, _NOTHING)
        value = dot if operand.of is None else self._value(operand.of, dot)
        for name in operand.names:
            value = self._field(operand, name, value)
        return value

    def _variable(self, name: str) -> Any:
        return next(value for known, value in reversed(self.variables) if known == name)

    def _field(self, operand: Fields, name: str, value: Any) -> Any:
        if isinstance(value, Struct):
            if name in value:
                return value[name]
            raise self._error(operand.at, operand.text, f"can't evaluate field {name} in type {type_name(value)}")
        if isinstance(value, TextMap):
            return value.get(name, "")
        if isinstance(value, dict):
            return value.get(name)
        if value is None:
            raise self._error(operand.at, operand.text, f"nil data; no entry for key {name!r}".replace("'", '"'))
        raise self._error(operand.at, operand.text, f"can't evaluate field {name} in type {type_name(value)}")

    def _call(self, command: Command, name: str, words: tuple[Operand, ...], dot: Any, final: Any) -> Any:
        if name in ("and", "or"):
            return self._either(command, name, words, dot, final)
        known = self._functions[name]
        count = len(words) + (final is not _NOTHING)
        fixed = len(known.takes) - known.more
        if count < fixed or (count > fixed and not known.more):
            wanted = f"at least {fixed}" if known.more else str(fixed)
            raise self._error(command.at, command.text, f"wrong number of args for {name}: want {wanted} got {count}")
        values = [self._value(word, dot) for word in words]
        kinds = [known.takes[min(place, len(known.takes) - 1)] for place in range(count)]
        for place, (value, word) in enumerate(zip(values, words, strict=True)):
            values[place] = self._as(kinds[place], value, word.at, word.text, isinstance(word, Literal))
        if final is not _NOTHING:
            values.append(self._as(kinds[-1], final, command.at, command.text, literal=False))
        try:
            return known.call(*values)
        except CallError as error:
            raise self._error(command.at, command.text, f"error calling {name}: {error}") from None

    def _as(self, kind: str, value: Any, at: int, text: str, literal: bool) -> Any:
        if kind == "number" and literal and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if _KINDS[kind](value):
            return value
        if literal:
            raise self._error(at, text, f"expected {_GO_KINDS[kind]}; found {text}")
        if value is None:
            raise self._error(at, text, f"invalid value; expected {_GO_KINDS[kind]}")
        raise self._error(at, text, f"wrong type for value; expected {_GO_KINDS[kind]}; got {type_name(value)}")

    def _either(self, command: Command, name: str, words: tuple[Operand, ...], dot: Any, final: Any) -> Any:
        """`and` gives the first that is false, `or` the first that is true, else the last; those after are not looked at."""
        if not words and final is _NOTHING:
            raise self._error(command.at, command.text, f"wrong number of args for {name}: want at least 1 got 0")
        value: Any = None
        for word in words:
            value = self._value(word, dot)
            if truth(value) == (name == "or"):
                return value
        return value if final is _NOTHING else final

    # ------------------------------------------------------------ bounds and errors

    def _step(self) -> None:
        self._steps += 1
        if self._steps > self._bounds.steps:
            raise TemplateError(f"template: {self._name}: it takes more than {self._bounds.steps:,} steps")

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > self._bounds.output:
            raise TemplateError(f"template: {self._name}: it writes more than {self._bounds.output:,} characters")
        self.written.append(text)

    def _error(self, at: int, text: str, why: str) -> TemplateError:
        before = self._template.text[:at]
        line, column = before.count("\n") + 1, len(before[before.rfind("\n") + 1 :].encode())
        column += self._before if line == 1 else 0
        shown = text if len(text) <= 20 else text[:20] + "..."
        return TemplateError(f'template: {self._name}:{line}:{column}: executing "{self._name}" at <{shown}>: {why}')
