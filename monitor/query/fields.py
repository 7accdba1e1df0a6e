"""What the engine calls a field of a series, as PromQL over what the history keeps of it."""

from __future__ import annotations

from monitor.model.matchers import NAME_TAG, Matcher
from monitor.model.series import Kind, SeriesKey
from monitor.query.ast import Call, Expr, Number, Selector
from monitor.windows.frame import PRIMARY, quantile_of

_OVER_TIME = {
    "last": "last_over_time",
    "min": "min_over_time",
    "max": "max_over_time",
    "mean": "avg_over_time",
    "sum": "sum_over_time",
    "count": "count_over_time",
    "unique": "last_over_time",
}
_OF_HISTOGRAM = {
    "count": ("histogram_count", "increase"),
    "sum": ("histogram_sum", "increase"),
    "rate": ("histogram_count", "rate"),
    "mean": ("histogram_avg", "rate"),
}
_EXTREMES = {"min": 0.0, "max": 1.0}


def field_expr(kind: Kind, field: str, matchers: tuple[Matcher, ...], window: int) -> Expr | None:
    """The expression whose value at a time is the field over the `window` (ms) before it; None where the history cannot say.

    `per_minute` is answered as a rate and has to be multiplied by 60.
    """
    if field == "value":
        field = PRIMARY[kind]
    over = Selector(matchers, range=window)
    if kind is Kind.COUNTER:
        if field in ("rate", "per_minute"):
            return Call("rate", (over,))
        return Call("increase", (over,)) if field in ("sum", "count") else None
    if kind is Kind.DISTRIBUTION:
        return _of_histogram(field, over)
    return Call(_OVER_TIME[field], (over,)) if field in _OVER_TIME else None


def factor_of(field: str) -> float:
    """What the expression's value is multiplied by."""
    return 60.0 if field == "per_minute" else 1.0


def matchers_of(key: SeriesKey) -> tuple[Matcher, ...]:
    """Matchers that find a series by its name and tags (and others that have more tags)."""
    return (Matcher(NAME_TAG, "=", key.name), *(Matcher(name, "=", value) for name, value in key.tags if value))


def _of_histogram(field: str, over: Selector) -> Expr | None:
    quantile = _EXTREMES.get(field, quantile_of(field))
    if quantile is not None:
        return Call("histogram_quantile", (Number(quantile), Call("increase", (over,))))
    if field == "per_minute":
        field = "rate"
    if field not in _OF_HISTOGRAM:
        return None
    outer, inner = _OF_HISTOGRAM[field]
    return Call(outer, (Call(inner, (over,)),))
