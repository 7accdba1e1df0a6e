"""The text of queries: from a series to its query, names as PromQL writes them, problems at their place, steps that please."""

from __future__ import annotations

import functools
import json
import math
import re
from dataclasses import dataclass

from monitor.model.matchers import NAME_TAG, Selector, promql_name
from monitor.model.series import Kind, SeriesInfo
from monitor.query.ast import Expr, String
from monitor.query.explain import explain
from monitor.query.history import ParseError
from monitor.query.parse import parse
from ui.views.format import sanitise
from ui.views.view import ProblemRow

MAX_QUERY = 16_384
LETTERS = "ABCDEFGH"
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
POINTS = 360
"""A range is asked for in at most so many steps: more than that no eye tells apart, and fewer than the axis has pixels."""
_BARE = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Parsed:
    """The tree of a query, or what is wrong with it; neither where there is no text."""

    expr: Expr | None = None
    problem: ProblemRow | None = None
    fixed: str = ""


@functools.lru_cache(maxsize=256)
def parsed(text: str) -> Parsed:
    """Reads a query; never raises."""
    if not text.strip():
        return Parsed()
    try:
        return Parsed(parse(text))
    except ParseError as error:
        sentence = explain(error)
        return Parsed(None, problem_at(text, error.start, error.end, sentence, error.fix), error.fix)


def is_text(text: str) -> bool:
    """Whether a query is a mere text: it has an answer at a moment only."""
    return isinstance(parsed(text).expr, String)


def problem_at(text: str, start: int, end: int, sentence: str, fix: str = "") -> ProblemRow:
    """A problem at its place. Offsets count characters; what lies behind the end of a line is shown at its last character."""
    start = max(0, min(start, len(text)))
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    column = start - line_start
    if start >= line_end > line_start:
        column = line_end - line_start - 1
    length = max(1, min(end, line_end) - line_start - column)
    label = f"Write {shortened(fix)}" if fix else ""
    where = f"Line {text.count(chr(10), 0, start) + 1}, column {start - line_start + 1}"
    return ProblemRow(text.count("\n", 0, start), column, length, f"{where}: {sanitise(sentence, 400)}", label)


def shortened(text: str, room: int = 60) -> str:
    """A query on one line, cut in the middle."""
    return sanitise(" ".join(text.split()), room)


def offset_of(text: str, line: int, column: int) -> int:
    """The offset of a line and column, both from 1."""
    position = 0
    for _ in range(line - 1):
        newline = text.find("\n", position)
        if newline < 0:
            break
        position = newline + 1
    return min(len(text), position + max(0, column - 1))


def selector_text(selector: Selector) -> str:
    """A selector as PromQL writes it."""
    name = next((m.value for m in selector.matchers if m.name == NAME_TAG and m.op == "="), "")
    return metric_text(name, [(m.name, m.op, m.value) for m in selector.matchers if m.name != NAME_TAG])


def metric_text(name: str, matchers: list[tuple[str, str, str]]) -> str:
    """`name{label="value"}`; a name with dots in PromQL's spelling, one that has none in quotes within the braces."""
    spelled = promql_name(name)
    inner = [f"{label_text(label)}{op}{json.dumps(value, ensure_ascii=False)}" for label, op, value in matchers]
    if _BARE.fullmatch(spelled) is None:
        inner.insert(0, json.dumps(name, ensure_ascii=False))
        spelled = ""
    return f"{spelled}{{{', '.join(inner)}}}" if inner else spelled


def label_text(name: str) -> str:
    """A label's name as it stands in braces, in quotes where it needs them."""
    return name if _LABEL.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def query_of(info: SeriesInfo, exact: Selector, field: str = "value", window: float = 60.0) -> str:
    """What answers with the same figure that the series was shown with: a counter's rate, a distribution's quantile.

    `exact` selects this series and no other.
    """
    selector, over = selector_text(exact), f"[{span_text(max(window, 60.0))}]"
    if info.kind is Kind.COUNTER:
        return {
            "sum": f"increase({selector}{over})",
            "per_minute": f"60 * rate({selector}{over})",
        }.get(field, f"rate({selector}{over})")
    if info.kind is Kind.DISTRIBUTION:
        return _of_distribution(f"rate({selector}{over})", field)
    ranges = {"min": "min_over_time", "max": "max_over_time", "mean": "avg_over_time", "count": "count_over_time"}
    return f"{ranges[field]}({selector}{over})" if field in ranges and info.kind is Kind.GAUGE else selector


def _of_distribution(rate: str, field: str) -> str:
    if field in ("rate", "count"):
        return f"histogram_count({rate})"
    if field == "mean":
        return f"histogram_avg({rate})"
    share = {"min": "0", "max": "1", "p50": "0.5", "p90": "0.9", "p95": "0.95"}.get(field, "0.99")
    return f"histogram_quantile({share}, {rate})"


def span_text(seconds: float) -> str:
    """`5m`, `1h`, `90s`: a duration as PromQL writes it."""
    whole = max(1, round(seconds))
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def step_for_span(seconds: float, points: int = POINTS, least: float = 1.0) -> float:
    """The smallest pleasing step that covers a span in at most so many points."""
    rough = seconds / max(10, min(points, POINTS))
    return max(float(next((s for s in STEPS if s >= rough), math.ceil(rough / 86_400) * 86_400)), math.ceil(least))
