"""`GET /api/v1/metrics`: all groups as JSON, laid out as the Pushgateway does it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from collector.receivers.pushgateway.families import FAILED_AT, PUSHED_AT, Family, Series
from collector.receivers.pushgateway.groups import Group
from monitor.query.history import Labels
from monitor.query.notes import go_float

_OWN_HELP = {
    PUSHED_AT: "Last Unix time when changing this group in the Pushgateway succeeded.",
    FAILED_AT: "Last Unix time when changing this group in the Pushgateway failed.",
}
_PARTS = {"histogram": ("_bucket", "le", "buckets"), "summary": ("", "quantile", "quantiles")}


def group_json(group: Group) -> dict[str, Any]:
    """One group: its labels, whether its last push went well, and its metrics by name."""
    told: dict[str, Any] = {"labels": dict(group.labels), "last_push_successful": group.pushed >= group.failed}
    for name, value in ((PUSHED_AT, group.pushed), (FAILED_AT, group.failed)):
        metrics = [{"labels": dict(group.labels), "value": go_float(value)}]
        at = max(group.pushed, group.failed)
        told[name] = {"time_stamp": _time(at), "type": "GAUGE", "help": _OWN_HELP[name], "metrics": metrics}
    return told | {family.name: _family(family) for family in group.families}


def _family(family: Family) -> dict[str, Any]:
    parts = _PARTS.get(family.type)
    if parts is None:
        metrics = [{"labels": dict(one.labels), "value": go_float(one.value)} for one in family.series]
    else:
        metrics = _composed(family, *parts)
    shown = {"unknown": "untyped"}.get(family.type, family.type).upper()
    return {"time_stamp": _time(family.time), "type": shown, "help": family.help, "metrics": metrics}


def _composed(family: Family, suffix: str, label: str, parts: str) -> list[dict[str, Any]]:
    """Histograms and summaries: their series put together by the labels they share."""
    found: dict[Labels, dict[str, Any]] = {}
    for one in family.series:
        labels = tuple(pair for pair in one.labels if pair[0] != label)
        metric = found.setdefault(labels, {"labels": dict(labels), parts: {}, "count": "0", "sum": "0"})
        _place(one, metric, family.name, suffix, label, parts)
    return list(found.values())


def _place(one: Series, metric: dict[str, Any], family: str, suffix: str, label: str, parts: str) -> None:
    bound = dict(one.labels).get(label)
    if one.name == family + suffix and bound is not None:
        metric[parts][bound] = go_float(one.value)
    elif one.name in (f"{family}_count", f"{family}_sum"):
        metric[one.name.rpartition("_")[2]] = go_float(one.value)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
