"""The tree of a PromQL expression. Every node knows where it stands in the text: offsets in characters, end exclusive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from monitor.model.matchers import Matcher

ValueType = Literal["scalar", "vector", "matrix", "string"]
Span = tuple[int, int]
NOWHERE: Span = (0, 0)


@dataclass(frozen=True, slots=True)
class At:
    """`@ 1609746000` (`time` in milliseconds), `@ start()` or `@ end()` (`time` None, `anchor` says which)."""

    time: int | None = None
    anchor: Literal["", "start", "end"] = ""


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    span: Span = field(default=NOWHERE, compare=False)
    duration: bool = False
    """Written as a duration (`5m`): printed back as one. The value is in seconds."""


@dataclass(frozen=True, slots=True)
class String:
    value: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Selector:
    """`name{…}` and, with a `range` in milliseconds, `name{…}[5m]`. `matchers` hold the name as `__name__`.

    `name` is as written before the braces, "" where it was not. A duration that is an expression (`[5m + step()]`,
    `offset (1h / 2)`) stands in `range_expr` or `offset_expr` and gets its number when the query's step is known.
    """

    matchers: tuple[Matcher, ...]
    name: str = ""
    range: int | None = None
    offset: int = 0
    at: At | None = None
    mode: Literal["", "anchored", "smoothed"] = ""
    range_expr: Expr | None = None
    offset_expr: Expr | None = None
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def is_range(self) -> bool:
        return self.range is not None or self.range_expr is not None


@dataclass(frozen=True, slots=True)
class Subquery:
    """`expr[range:step]`, milliseconds; `step` None: the default one."""

    expr: Expr
    range: int | None
    step: int | None = None
    offset: int = 0
    at: At | None = None
    range_expr: Expr | None = None
    step_expr: Expr | None = None
    offset_expr: Expr | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Paren:
    expr: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    op: Literal["+", "-"]
    expr: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors are matched. `card`: "one-to-one", "many-to-one" (group_left), "one-to-many" (group_right), "many-to-many"
    (set operators). `on`: labels are those to match on, else those to ignore. `include`: labels of group_left / group_right.
    `fill_left`, `fill_right`: what stands in for a missing side, None for nothing.
    """

    card: Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"] = "one-to-one"
    on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """`op`: + - * / % ^ atan2 == != < <= > >= and or unless, and the histogram trims `</` and `>/`.

    `matching` is None when either side is a scalar.
    """

    op: str
    left: Expr
    right: Expr
    bool_modifier: bool = False
    matching: Matching | None = None
    span: Span = field(default=NOWHERE, compare=False)
    op_span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`op`: sum, avg, count, min, max, group, stddev, stdvar, topk, bottomk, count_values, quantile, limitk, limit_ratio."""

    op: str
    expr: Expr
    param: Expr | None = None
    grouping: tuple[str, ...] = ()
    without: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    func: str
    args: tuple[Expr, ...]
    span: Span = field(default=NOWHERE, compare=False)


Expr = Number | String | Selector | Subquery | Paren | Unary | Binary | Aggregate | Call
