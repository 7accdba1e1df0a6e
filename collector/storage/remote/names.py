"""Labels as receivers take them: many still want the old alphabet of letters, digits, underscores and, in a name, colons."""

from __future__ import annotations

import functools
import re

from monitor.model.matchers import NAME_TAG
from monitor.query.history import Labels

_OLD_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_OLD_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_NOT_METRIC = re.compile(r"[^a-zA-Z0-9_:]", re.ASCII)
_NOT_LABEL = re.compile(r"[^a-zA-Z0-9_]", re.ASCII)


@functools.lru_cache(maxsize=100_000)
def old_metric(name: str) -> str:
    """A metric's name in the old alphabet: `http.requests` becomes `http_requests`, as PromQL spells it here."""
    if _OLD_METRIC.fullmatch(name):
        return name
    found = _NOT_METRIC.sub("_", name)
    return f"_{found}" if found[:1].isdigit() else found


@functools.lru_cache(maxsize=100_000)
def old_label(name: str) -> str:
    """A label's name in the old alphabet."""
    if _OLD_LABEL.fullmatch(name):
        return name
    found = _NOT_LABEL.sub("_", name)
    return f"_{found}" if found[:1].isdigit() else found


def old_labels(labels: Labels) -> Labels:
    """Labels in the old alphabet, sorted. Where two names become one, their values are joined by a semicolon (OpenTelemetry,
    Prometheus compatibility).
    """
    found: dict[str, str] = {}
    for name, value in labels:
        told = old_label(name)
        if name == NAME_TAG:
            value = old_metric(value)
        found[told] = f"{found[told]};{value}" if told in found else value
    return tuple(sorted(found.items()))
