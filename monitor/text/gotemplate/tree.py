"""What a template is made of. `at` of a node is its offset in the text (characters)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number, flag, or nil where `is_nil`."""

    at: int
    text: str
    value: str | float | int | bool | None
    is_nil: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    at: int
    text: str = "."


@dataclass(frozen=True, slots=True)
class Fields:
    """`.a.b`, `$x.a`, `(…).a`: fields of the dot (`of` None), of a variable or of another operand."""

    at: int
    text: str
    names: tuple[str, ...]
    of: Operand | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Function:
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A function with its arguments, or one operand."""

    at: int
    text: str
    words: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands of which each is given the value of the one before as its last argument; `declares` variables, or `assigns`."""

    at: int
    text: str
    commands: tuple[Command, ...]
    declares: tuple[str, ...] = ()
    assigns: bool = False


Operand = Literal | Dot | Fields | Variable | Function | Pipe


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Action:
    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """`kind` is if, with or range."""

    kind: str
    pipe: Pipe
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """`{{template "name" pipe}}`."""

    at: int
    name: str
    pipe: Pipe | None


@dataclass(frozen=True, slots=True)
class Leave:
    """`break`, or `continue` where it is not the last round."""

    kind: str


Node = Text | Action | Branch | Call | Leave
