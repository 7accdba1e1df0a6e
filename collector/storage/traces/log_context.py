"""The trace a log record belongs to, where its sender wrote it into the text only.

Read are `trace_id` and `span_id` in the spellings of common loggers, in JSON (also within a JSON string), logfmt and plain text,
Datadog's decimal `dd.trace_id`, and a W3C `traceparent`.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from monitor.model.logs import Logs

MOST_READ = 8192
"""Characters of a body that are looked at."""
_IS = r"""\\{0,4}["']?\s{0,8}[:=]\s{0,8}\\{0,4}["']?"""
_PAIR = re.compile(
    rf"""(?<![\w.\-])(?P<of>dd[._]|otel[._]?)?(?P<what>trace|span)[._\-]?id{_IS}(?P<id>[0-9a-f]{{1,32}})(?![\w\-])""",
    re.IGNORECASE,
)
_PARENT = re.compile(
    rf"""(?<![\w.])traceparent{_IS}[0-9a-f]{{2}}-(?P<trace>[0-9a-f]{{32}})-(?P<span>[0-9a-f]{{16}})-[0-9a-f]{{2}}(?!\w)""",
    re.IGNORECASE,
)
"""https://www.w3.org/TR/trace-context/#traceparent-header"""
_LOW = (1 << 64) - 1


def context_of(body: str) -> tuple[int, int, int]:
    """Both halves of the trace's id and the span's id, 0 for none."""
    text = body[:MOST_READ]
    if "race" not in text and "RACE" not in text:
        return 0, 0, 0
    parent = _PARENT.search(text)
    if parent and (trace := int(parent["trace"], 16)):
        return trace >> 64, trace & _LOW, int(parent["span"], 16)
    found: dict[str, int] = {}
    for match in _PAIR.finditer(text):
        decimal = (match["of"] or "").lower().startswith("dd") or '"dd"' in text
        number = _number(match["id"], decimal)
        if number and number < 1 << (128 if match["what"].lower() == "trace" else 64):
            found.setdefault(match["what"].lower(), number)
    trace = found.get("trace", 0)
    return trace >> 64, trace & _LOW, found.get("span", 0) if trace else 0


def with_contexts(logs: Logs) -> Logs:
    """The records, those of no trace with what their text tells."""
    bare = np.flatnonzero(~logs.traces.any(axis=1)).tolist()
    told = [(place, found) for place in bare if any((found := context_of(logs.bodies[place]))[:2])]
    if not told:
        return logs
    traces, spans = logs.traces.copy(), logs.spans.copy()
    for place, (high, low, span) in told:
        traces[place] = high, low
        spans[place] = span or spans[place]
    return replace(logs, traces=traces, spans=spans)


def _number(text: str, decimal: bool) -> int:
    """Of 16 or 32 hexadecimal digits, or in decimal: 0 for what is neither. `decimal`: digits alone are, if fewer than 32."""
    if len(text) == 32 or (len(text) == 16 and not (decimal and text.isdecimal())):
        return int(text, 16)
    return int(text) if text.isdecimal() and len(text) <= 20 and int(text) <= _LOW else 0
