"""Why answers may differ from those of Prometheus 2.42: a short list, each reason with the queries it is the reason for."""

from __future__ import annotations

import math
import re
from typing import Any

from tests.differential.queries import Question

TIES = (
    "topk and bottomk choose among equal values, or values equal but for rounding, and which of them is left open: the values "
    "chosen are the same, the series that have them are not"
)
NEAR_ZERO = (
    "a counter that began near zero inside the window: Prometheus 2 extrapolates back to where it would have been zero, "
    "Prometheus 3 and ours at most half an interval (promql/functions.go, extrapolatedRate)"
)
ROUNDING = "the last digits of a large number, which a modulo, a periodic function or a slope brings to the front"
INFINITE = "the variance of one infinite value is NaN in Prometheus 3 and ours, 0 in Prometheus 2"
_PICKS = re.compile(r"\b(topk|bottomk)\b")
_NEAR = re.compile(r"%|\b(cos|sin|deriv|predict_linear)\b")
_SPREAD = re.compile(r"\b(stddev|stdvar)\b")


def explanation(question: Question, ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """The reason, "" when none is known."""
    if "error" in (ours["status"], theirs["status"]):
        return ""
    left, right = _points(ours["data"]), _points(theirs["data"])
    if "jobs_started_total" in question.text:
        return NEAR_ZERO
    if _PICKS.search(question.text) and _same(left, right, 1e-9):
        return TIES
    if _NEAR.search(question.text) and _same(left, right, 1e-6):
        return ROUNDING
    if _SPREAD.search(question.text) and _same(left, [point for point in right if point[1] != 0.0], 1e-9, without_nan=True):
        return INFINITE
    return ""


def _points(data: dict[str, Any]) -> list[tuple[float, float]]:
    """All points by time and value, whichever series they belong to."""
    found = [point for series in data["result"] for point in series.get("values") or [series["value"]]]
    return sorted((float(time), float(value)) for time, value in found)


def _same(left: list[tuple[float, float]], right: list[tuple[float, float]], within: float, without_nan: bool = False) -> bool:
    if without_nan:
        left = [point for point in left if not math.isnan(point[1]) and point[1] != 0.0]
    return len(left) == len(right) and all(
        a[0] == b[0] and (math.isclose(a[1], b[1], rel_tol=within) or (math.isnan(a[1]) and math.isnan(b[1])))
        for a, b in zip(left, right, strict=True)
    )
