"""A push to a Pushgateway: the address of a group, and the text of a few values.

Source: prometheus/pushgateway, README (API). Groups are named in the path; a value that has a slash or is empty goes as base64.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
MOST_BYTES = 16 << 20
"""Of one push."""
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_PAIR = re.compile(r"(?P<name>[^={}\s]+)(?P<labels>\{[^\n]*\})?=(?P<value>\S+)")


class PushError(Exception):
    """Nothing was pushed; the message says why and what to do."""


def group_url(base: str, job: str, grouping: Mapping[str, str]) -> str:
    """`base/metrics/job/…`: where the group of these labels is. Raises `PushError` for a label that there cannot be."""
    root = base.rstrip("/")
    path = "" if root.endswith("/metrics") else "/metrics"
    for name, value in (("job", job), *grouping.items()):
        if _LABEL.fullmatch(name) is None or (name == "job" and not value):
            raise PushError(f"{name[:60]!r}={value[:60]!r} cannot name a group; use letters, digits and underscores, and a job")
        if "/" in value or not value or value in (".", ".."):
            packed = base64.urlsafe_b64encode(value.encode("utf-8", "replace")).decode() or "="
            path += f"/{name}@base64/{packed}"
        else:
            path += f"/{name}/{quote(value, safe='', errors='replace')}"
    return root + path


def exposition(pairs: Sequence[str]) -> bytes:
    """Text of `name=value` and `name{label="value"}=value`: names ending with `_total` are counters, others gauges. Raises
    `PushError`.
    """
    found: dict[str, list[str]] = {}
    for pair in pairs:
        read = _PAIR.fullmatch(pair.strip())
        if read is None or _NAME.fullmatch(read["name"]) is None:
            raise PushError(
                f"{pair[:60]!r} is no name=value; write backup_bytes=1024, letters, digits and underscores in the name"
            )
        try:
            float(read["value"].replace("_", "x"))
        except ValueError:
            raise PushError(f"{pair[:60]!r} has no number behind the equals sign") from None
        found.setdefault(read["name"], []).append(f"{read['name']}{read['labels'] or ''} {read['value']}\n")
    parts = []
    for name, lines in found.items():
        parts.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}\n")
        parts += lines
    return "".join(parts).encode("utf-8", "replace")


def content_type_of(body: bytes) -> str:
    """For the Content-Type of an exposition: OpenMetrics ends with `# EOF`, everything else is text 0.0.4."""
    return OPENMETRICS_TYPE if body.rstrip(b" \t\r\n").endswith(b"# EOF") else TEXT_TYPE
