"""How far back an expression looks: which of a query's times the samples at hand suffice for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeGuard

from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.ast import Call, Expr, Selector, Subquery
from monitor.query.tree import children


class Reach(NamedTuple):
    """`back`: milliseconds before its evaluation that an expression reads samples of, at the most. `fixed`: the oldest moment
    that `@` makes it read whatever the time, None where there is none.
    """

    back: int = 0
    fixed: int | None = None

    def covered(self, time: int, since: int) -> bool:
        """Whether samples from `since` on are all that an evaluation at `time` reads."""
        return time - self.back >= since and (self.fixed is None or self.fixed >= since)


class _Moment(NamedTuple):
    """A time of evaluation: milliseconds behind that of the query, or where `@` has fixed it."""

    behind: int = 0
    at: int | None = None

    def earlier(self, millis: int) -> _Moment:
        return _Moment(self.behind + millis) if self.at is None else _Moment(0, self.at - millis)


def reach(expr: Expr, lookback: int, subquery_step: int = 60_000) -> Reach:
    """Of an expression whose durations are worked out (`monitor.query.resolve`). Milliseconds: `lookback`, and `subquery_step`
    of a subquery that names none.
    """
    back, fixed = 0, None
    for moment in _oldest(expr, _Moment(), lookback, subquery_step):
        if moment.at is None:
            back = max(back, moment.behind)
        else:
            fixed = moment.at if fixed is None else min(fixed, moment.at)
    return Reach(back, fixed)


def _oldest(expr: Expr, moment: _Moment, lookback: int, subquery_step: int) -> Iterator[_Moment]:
    """The oldest moment each selector reads."""
    if isinstance(expr, Selector | Subquery):
        if expr.at is not None and expr.at.time is not None:
            moment = _Moment(0, expr.at.time)
        moment = moment.earlier(expr.offset + (expr.range or 0))
        if isinstance(expr, Subquery):
            # Its first time is the first multiple of its step inside the range.
            yield from _oldest(expr.expr, moment, lookback, expr.step or subquery_step)
        else:
            # `anchored` and `smoothed` look back beyond the range too.
            yield moment if expr.is_range and not expr.mode else moment.earlier(lookback)
        return
    if _adds_info(expr):
        yield moment.earlier(lookback)
    for part in children(expr):
        yield from _oldest(part, moment, lookback, subquery_step)


def selectors_of(expr: Expr) -> Iterator[Selector]:
    """All selectors in it, and the one that `info` uses unseen."""
    if isinstance(expr, Selector):
        yield expr
    elif _adds_info(expr) and not any(matcher.name == NAME_TAG for matcher in _asked_of_info(expr)):
        yield Selector((Matcher(NAME_TAG, "=", "target_info"),), "target_info")
    for part in children(expr):
        yield from selectors_of(part)


def _adds_info(expr: Expr) -> TypeGuard[Call]:
    return isinstance(expr, Call) and expr.func == "info"


def _asked_of_info(call: Call) -> tuple[Matcher, ...]:
    selector = call.args[1] if len(call.args) > 1 else None
    return selector.matchers if isinstance(selector, Selector) else ()
