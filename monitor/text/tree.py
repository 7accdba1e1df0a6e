"""A text file as a tree of values that know where they stand, whatever language it was written in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """`value`: the text of a scalar, a list of nodes, or key and value nodes in order. `line` and `column` count from 1.

    `quoted`: a scalar that is text whatever it looks like; an unquoted one may be a number, a flag or nothing.
    """

    value: str | tuple[Node, ...] | tuple[tuple[Node, Node], ...]
    kind: str
    """"scalar", "list" or "map"."""
    line: int
    column: int
    quoted: bool = False

    @property
    def text(self) -> str:
        """A scalar's text; "" for anything else."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def items(self) -> tuple[Node, ...]:
        """A list's nodes; () for anything else."""
        return self.value if self.kind == "list" else ()  # type: ignore[return-value]  # the kind says so

    @property
    def pairs(self) -> tuple[tuple[Node, Node], ...]:
        """A map's keys and values; () for anything else."""
        return self.value if self.kind == "map" else ()  # type: ignore[return-value]  # the kind says so
