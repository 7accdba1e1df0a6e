"""Labels of an alert and the stable id made of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from monitor.alerting.model import Rule
from monitor.model.matchers import NAME_TAG
from monitor.model.series import Kind, SeriesKey

Labels = tuple[tuple[str, str], ...]

_RESERVED = frozenset({"alertname", "severity", NAME_TAG})
_OFFSET, _PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF


def fingerprint(labels: Iterable[tuple[str, str]]) -> str:
    """FNV-1a 64 over the sorted labels, `name 0xff value 0xff` each, as 16 hex digits.

    Source: prometheus/common, model/signature.go; equal to Alertmanager's fingerprint of the same labels.
    """
    total = _OFFSET
    for name, value in sorted(labels):
        for byte in (*name.encode("utf-8", "replace"), 0xFF, *value.encode("utf-8", "replace"), 0xFF):
            total = (total ^ byte) * _PRIME & _MASK
    return f"{total:016x}"


@functools.lru_cache(maxsize=16_384)
def alert_id(rule_id: str, series: SeriesKey, kind: Kind) -> str:
    """The id of a rule's alert on a series.

    It leaves out severity and the rule's own labels, so that an alert keeps its id, and with it its acknowledgement and
    its history, when those are edited. The kind is part of it because one name may be sent as two kinds.
    """
    return fingerprint((*_series_labels(series, _RESERVED), ("alertname", rule_id), ("__kind__", kind.name.lower())))


def alert_labels(rule: Rule, series: SeriesKey) -> Labels:
    """Sorted labels: the series' tags and `__name__`, the rule's labels, `alertname` and `severity`.

    A tag whose name is taken by one of the others is kept as `exported_…`, as Prometheus does.
    """
    taken = _RESERVED | {name for name, _ in rule.labels}
    own = (*rule.labels, ("alertname", rule.id), ("severity", rule.severity))
    return tuple(sorted((*_series_labels(series, taken), *own)))


def _series_labels(series: SeriesKey, taken: frozenset[str]) -> Labels:
    names = {name for name, _ in series.tags}
    labels = [(NAME_TAG, series.name)] if series.name else []
    for name, value in series.tags:
        kept = name
        while kept in taken or (kept != name and kept in names):
            kept = f"exported_{kept}"
        labels.append((kept, value))
    return tuple(labels)
