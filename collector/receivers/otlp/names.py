"""What a point's series is called: name, tags from resource, scope and point, and the unit as the product spells it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from collector.receivers.otlp.attributes import text_of
from collector.receivers.otlp.counters import OtlpCounters
from monitor.model.series import MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS

DEFAULT_RESOURCE_TAGS = (
    "service.name",
    "service.namespace",
    "service.instance.id",
    "deployment.environment",
    "deployment.environment.name",
    "host.name",
    "k8s.pod.name",
    "k8s.namespace.name",
)
"""Attributes of resources and scopes that become tags. A scope's own name and version are `otel.scope.name`
and `otel.scope.version`."""
_RENAMED = {
    "service.name": "service",
    "deployment.environment": "env",
    "deployment.environment.name": "env",
    "host.name": "host",
}
SCOPE_NAME, SCOPE_VERSION = "otel.scope.name", "otel.scope.version"
_UNITS = {
    "": "",
    "1": "",
    "%": "percent",
    "By": "bytes",
    "KiBy": "KiB",
    "MiBy": "MiB",
    "kBy": "kB",
    "bit": "bits",
    "s": "s",
    "ms": "ms",
    "us": "us",
    "ns": "ns",
    "min": "minutes",
    "h": "hours",
    "d": "days",
    "By/s": "bytes/s",
    "bit/s": "bits/s",
}
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_LONGEST_UNIT = 32


def unit_of(ucum: str) -> str:
    """A unit of UCUM as the product spells it; annotations ("{request}") say what is counted, and are no unit."""
    bare = _ANNOTATION.sub("", ucum[:256]).strip()
    return _UNITS.get(bare, bare[:_LONGEST_UNIT])


class TagNames:
    """Chooses and bounds tags."""

    def __init__(self, chosen: Sequence[str], counters: OtlpCounters) -> None:
        self._chosen = {name: _RENAMED.get(name, name) for name in chosen}
        self._counters = counters

    def of_resource(self, attributes: Mapping[str, Any]) -> dict[str, str]:
        """Tags by name from a resource's or scope's attributes; of two with the same tag the later in the list wins."""
        return {
            tag: self._cut(text_of(attributes[name]), MAX_TAG_VALUE) for name, tag in self._chosen.items() if name in attributes
        }

    def of_point(self, shared: Mapping[str, str], attributes: Iterable[tuple[str, Any]], extra: int = 0) -> dict[str, str]:
        """With the point's own, which win; there is room for `extra` more."""
        tags = dict(shared)
        for key, value in attributes:
            if key:
                tags[self._cut(key, MAX_TAG_KEY)] = self._cut(text_of(value), MAX_TAG_VALUE)
        over = len(tags) - (MAX_TAGS - extra)
        if over > 0:
            self._counters.cut += over
            tags = dict(list(tags.items())[: MAX_TAGS - extra])
        return tags

    def _cut(self, text: str, size: int) -> str:
        if len(text) <= size:
            return text
        self._counters.cut += 1
        return text[:size]
