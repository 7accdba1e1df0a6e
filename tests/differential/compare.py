"""Two envelopes for one query: whether they say the same, to 1e-9, and what the first difference is."""

from __future__ import annotations

import math
from typing import Any

TOLERANCE = 1e-9


def difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """ "" when they agree. Errors agree when both are, of one kind: their words are compared elsewhere."""
    if "error" in (ours["status"], theirs["status"]):
        if ours["status"] == theirs["status"] and ours["errorType"] == theirs["errorType"]:
            return ""
        return f"ours: {ours.get('error', 'an answer')}; theirs: {theirs.get('error', 'an answer')}"
    ours, theirs = ours["data"], theirs["data"]
    if ours["resultType"] != theirs["resultType"]:
        return f"ours is a {ours['resultType']}, theirs a {theirs['resultType']}"
    if ours["resultType"] in ("scalar", "string"):
        return _point(ours["result"], theirs["result"], "")
    return _series(ours["result"], theirs["result"])


def _series(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> str:
    left, right = _by_labels(ours), _by_labels(theirs)
    if len(left) < len(ours):
        return "ours has a series twice"
    if missing := right.keys() - left.keys():
        return f"{len(missing)} series are missing in ours, one is {min(missing)}"
    if more := left.keys() - right.keys():
        return f"{len(more)} series are only in ours, one is {min(more)}"
    for labels, points in left.items():
        if len(points) != len(right[labels]):
            return f"{labels}: {len(points)} points in ours, {len(right[labels])} in theirs"
        for mine, other in zip(points, right[labels], strict=True):
            if found := _point(mine, other, f"{labels}: "):
                return found
    return ""


def _by_labels(result: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {
        ", ".join(f"{name}={value}" for name, value in sorted(series["metric"].items())): series.get("values")
        or [series["value"]]
        for series in result
    }


def _point(mine: list[Any], other: list[Any], where: str) -> str:
    if mine[0] != other[0]:
        return f"{where}a point at {mine[0]} in ours, at {other[0]} in theirs"
    if mine[1] == other[1]:
        return ""
    try:
        left, right = float(mine[1]), float(other[1])
    except ValueError:
        return f"{where}ours {mine[1]!r}, theirs {other[1]!r}"
    if math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=0.0) or (math.isnan(left) and math.isnan(right)):
        return ""
    return f"{where}at {mine[0]} ours {mine[1]}, theirs {other[1]}"
