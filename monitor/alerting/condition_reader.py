"""The condition of a [[rule]]: one reader a type, every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, get_args

from monitor.alerting.checked_table import CheckedTable, kind_of, nearest, quoted, shown
from monitor.alerting.conditions import (
    AbsenceCondition,
    AnyCondition,
    ChangeCondition,
    Comparison,
    CompositeCondition,
    Condition,
    PredictiveCondition,
    QueryCondition,
    RateCondition,
    ScoreCondition,
)
from monitor.alerting.fields import DEFAULT_FIELD
from monitor.alerting.truth import ExpressionError, read_expression
from monitor.query.ast import Binary, Expr, Number
from monitor.query.history import ParseError
from monitor.query.parse import parse
from monitor.windows.frame import FIELDS, is_field

MIN_WINDOW, MAX_WINDOW = 1.0, 3600.0
MAX_HORIZON = 30 * 86_400.0
MAX_KEEP = 30 * 86_400.0
_OPERATORS: tuple[Comparison, ...] = get_args(Comparison)
_OPERATOR_SYMBOLS = {
    ">": "gt",
    ">=": "gte",
    "≥": "gte",
    "<": "lt",
    "<=": "lte",
    "≤": "lte",
    "=": "eq",
    "==": "eq",
    "!=": "ne",
    "≠": "ne",
}
_FIELD_WORDS = {"avg": "mean", "average": "mean", "median": "p50", "maximum": "max", "minimum": "min", "total": "sum"}
_LIMIT = ("type", "operator", "value", "window", "field", "recovery")
KEYS: dict[str, tuple[str, ...]] = {
    "threshold": _LIMIT,
    "rate": (*_LIMIT, "against", "unit"),
    "absence": ("type", "window", "keep"),
    "composite": ("type", "rules", "by"),
    "predictive": (*_LIMIT, "horizon", "confidence"),
    "promql": ("type", "expr", "every"),
    "anomaly": (*_LIMIT, "detector"),
    "change": (*_LIMIT, "detector"),
}
TYPES = tuple(KEYS)
WITHOUT_METRIC = ("composite", "promql")
"""Types that name what they watch themselves."""
_TYPE_WORDS = {
    "limit": "threshold",
    "static": "threshold",
    "absent": "absence",
    "nodata": "absence",
    "query": "promql",
    "forecast": "predictive",
}
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,127}")
_DETECTOR = re.compile(r"[a-z][a-z0-9_]{0,63}")


def read_condition(reader: CheckedTable) -> AnyCondition:
    """The condition of a rule's table; something harmless where it has problems, which are in the report then."""
    table = reader.table.get("condition")
    example = '{ type = "threshold", operator = "gt", value = 100, window = "5m" }'
    if not isinstance(table, dict):
        if table is None:
            reader.missing("condition", f"condition = {example}")
        else:
            reader.refuse("condition", f"condition is {kind_of(table)}; write {example}")
        return Condition("gt", 0.0, 300.0, DEFAULT_FIELD)
    inner = CheckedTable(table, (*reader.path, "condition"), reader.report, reader.table)
    kind = inner.choice("type", TYPES, _TYPE_WORDS, None)
    reader.report.unknown_keys(inner.path, table, KEYS[kind])
    return _READERS[kind](inner)


def condition_type(table: Any) -> str:
    """The type that a rule's table names, "" where it names none."""
    condition = table.get("condition")
    kind = condition.get("type") if isinstance(condition, dict) else None
    return kind if isinstance(kind, str) and kind in KEYS else ""


def _threshold(reader: CheckedTable) -> Condition:
    return Condition(*_limit(reader, 300.0))


def _rate(reader: CheckedTable) -> RateCondition:
    operator, value, window, field, recovery = _limit(reader, 300.0)
    against = reader.duration("against", window, MIN_WINDOW, MAX_WINDOW)
    if window + against > MAX_WINDOW:
        reader.refuse("against", "window and against reach back more than an hour together; use a promql condition for that")
    unit = reader.choice("unit", ("percent", "absolute"), {"%": "percent", "relative": "percent"}, "percent")
    return RateCondition(operator, value, window, field, recovery, against, "percent" if unit == "percent" else "absolute")


def _absence(reader: CheckedTable) -> AbsenceCondition:
    window = _window(reader, 300.0)
    return AbsenceCondition("gt", window, window, "age", None, reader.duration("keep", 86_400.0, 60.0, MAX_KEEP))


def _predictive(reader: CheckedTable) -> PredictiveCondition:
    operator, value, window, field, recovery = _limit(reader, 1800.0)
    if operator in ("eq", "ne"):
        reader.refuse("operator", "a forecast rises above a value or falls below it; write gt, gte, lt or lte", '"gt"')
    if window < 60:
        reader.refuse("window", "a forecast needs at least a minute of the past", '"30m"')
    if "horizon" not in reader.table:
        reader.missing("horizon", 'horizon = "4h"')
    horizon = reader.duration("horizon", 3600.0, 60.0, MAX_HORIZON)
    confidence = reader.number("confidence")
    if confidence is not None and not 0.5 <= confidence < 1:
        reader.refuse("confidence", "confidence is at least 0.5 and below 1, as in 0.95", "0.95")
    return PredictiveCondition(operator, value, window, field, recovery, horizon, confidence or 0.95)


def _composite(reader: CheckedTable) -> CompositeCondition:
    text = reader.text("rules", 2000, required=True)
    if text:
        try:
            node = read_expression(text)
        except ExpressionError as error:
            reader.refuse("rules", f"rules, column {error.column}: {error}")
        else:
            own = reader.parent_text("id")
            if own and own in set(node.rules()):
                reader.refuse("rules", f"rules: {own} is this rule itself, and cannot be part of its own condition")
    return CompositeCondition("gte", 1.0, 0.0, DEFAULT_FIELD, None, text, read_labels(reader, "by") or ())


def _promql(reader: CheckedTable) -> QueryCondition:
    text = reader.text("expr", 10_000, required=True)
    operator, value = limit_of(None)
    if text:
        try:
            operator, value = limit_of(parse(text))
        except ParseError as error:
            reader.refuse("expr", f"expr, line {error.line}, column {error.column}: {error.message}")
    return QueryCondition(operator, value, 0.0, DEFAULT_FIELD, None, text, reader.duration("every", 15.0, 1.0, 3600.0))


_COMPARED: dict[str, Comparison] = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "==": "eq", "!=": "ne"}


def limit_of(expr: Expr | None) -> tuple[Comparison, float]:
    """What an expression compares with a number, so that the limit can be drawn; "is not 0" where it compares nothing so."""
    if isinstance(expr, Binary) and expr.op in _COMPARED and not expr.bool_modifier and isinstance(expr.right, Number):
        return _COMPARED[expr.op], expr.right.value
    return "ne", 0.0


def _score(make: type[ScoreCondition]) -> Callable[[CheckedTable], ScoreCondition]:
    def read(reader: CheckedTable) -> ScoreCondition:
        limit = _limit(reader, 300.0)
        detector = reader.pattern("detector", _DETECTOR, "small letters, digits and _", required=True)
        return make(*limit, detector)

    return read


def _limit(reader: CheckedTable, window: float) -> tuple[Comparison, float, float, str, float | None]:
    chosen = reader.choice("operator", _OPERATORS, _OPERATOR_SYMBOLS, None)
    operator: Comparison = next(known for known in _OPERATORS if known == chosen)
    value = reader.number("value")
    if "value" not in reader.table:
        reader.missing("value", "value = 100")
    seconds = _window(reader, window)
    recovery = reader.number("recovery")
    if value is not None and recovery is not None:
        _check_recovery(reader, operator, value, recovery)
    return operator, value or 0.0, seconds, _field(reader), recovery


def _window(reader: CheckedTable, default: float) -> float:
    if "window" not in reader.table:
        reader.missing("window", 'window = "5m"')
    return reader.duration("window", default, MIN_WINDOW, MAX_WINDOW)


_READERS: dict[str, Callable[[CheckedTable], AnyCondition]] = {
    "threshold": _threshold,
    "rate": _rate,
    "absence": _absence,
    "composite": _composite,
    "predictive": _predictive,
    "promql": _promql,
    "anomaly": _score(ScoreCondition),
    "change": _score(ChangeCondition),
}


def read_labels(reader: CheckedTable, key: str) -> tuple[str, ...] | None:
    """A list of label names, None where there is none."""
    said = reader.table.get(key)
    if said is None:
        return None
    if not isinstance(said, list) or not all(isinstance(name, str) and _LABEL.fullmatch(name) for name in said) or len(said) > 16:
        reader.refuse(key, f'{key} is a list of at most 16 names of labels, like ["service", "host"]')
        return ()
    return tuple(dict.fromkeys(said))


def _check_recovery(reader: CheckedTable, operator: Comparison, value: float, recovery: float) -> None:
    if operator in ("eq", "ne"):
        reader.refuse("recovery", f"recovery has no meaning with operator {operator}; take it out")
    elif operator in ("gt", "gte") and recovery > value:
        reader.refuse("recovery", f"recovery must not be above value ({value:g}): the alert would end and start again")
    elif operator in ("lt", "lte") and recovery < value:
        reader.refuse("recovery", f"recovery must not be below value ({value:g}): the alert would end and start again")


def _field(reader: CheckedTable) -> str:
    field = reader.table.get("field", DEFAULT_FIELD)
    if isinstance(field, str) and is_field(field):
        return field
    if not isinstance(field, str):
        reader.refuse("field", f"field is {kind_of(field)}; write text in quotes")
    else:
        meant = _FIELD_WORDS.get(field.lower()) or nearest(field.lower(), FIELDS)
        advice = f'did you mean "{meant}"?' if meant else f"known are {', '.join(FIELDS)} and any quantile (p99.9)"
        reader.refuse("field", f'unknown field "{shown(field)}"; {advice}', quoted(meant))
    return DEFAULT_FIELD
