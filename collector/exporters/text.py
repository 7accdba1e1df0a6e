"""Families as text, in pieces: Prometheus text 0.0.4 and 1.0.0, and OpenMetrics 1.0.

Sources: prometheus.io, "Exposition formats" (with quoted UTF-8 names); OpenMetrics 1.0, which alone has exemplars.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from collector.exporters.exemplars import bucket_bound, exemplar_text, within
from collector.exporters.families import Family
from collector.exporters.formats import Format
from collector.storage.remote.distributions import classic_buckets
from monitor.query.histogram import Histogram
from monitor.query.history import Labels
from monitor.query.notes import go_float

PIECE = 128 << 10
"""Characters of a piece, a sample more or less."""
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


def text_pieces(families: Iterable[Family], wanted: Format) -> Iterator[bytes]:
    """The exposition in pieces of about `PIECE`. Each family must stand once."""
    openmetrics = wanted.form == "openmetrics"
    lines: list[str] = []
    held = 0
    for family in families:
        for line in _lines(family, openmetrics):
            lines.append(line)
            held += len(line)
            if held >= PIECE:
                yield _joined(lines)
                lines, held = [], 0
    if openmetrics:
        lines.append("# EOF")
    yield _joined(lines)


def _joined(lines: Sequence[str]) -> bytes:
    # A lone surrogate (from an undecodable file name, say) has no UTF-8 form.
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _lines(family: Family, openmetrics: bool) -> Iterator[str]:
    yield from _described(family, openmetrics)
    for suffix, labels, value in family.samples:
        if not isinstance(value, Histogram):
            shown = _canonical(labels) if openmetrics and family.kind in ("histogram", "summary") else labels
            told = _exemplar(family, suffix, labels) if openmetrics and family.exemplars else ""
            yield f"{_series(family.name + suffix, shown)} {number(value)}{told}"
            continue
        seen, above = family.exemplars.get((suffix, labels), ()) if openmetrics else (), -math.inf
        for bound, below in classic_buckets(value):
            le = go_float(bound)
            bucket = tuple(sorted((*(pair for pair in labels if pair[0] != "le"), ("le", le))))
            told = exemplar_text(within(seen, above, bound))
            yield f"{_series(f'{family.name}_bucket', _canonical(bucket) if openmetrics else bucket)} {number(below)}{told}"
            above = bound
        yield f"{_series(f'{family.name}_count', labels)} {number(value.count)}"
        yield f"{_series(f'{family.name}_sum', labels)} {number(value.sum)}"


def _exemplar(family: Family, suffix: str, labels: Labels) -> str:
    """Of a counter's total or a bucket, the only samples that may have one."""
    shown = family.exemplars.get((suffix, labels), ())
    if not shown or (family.kind, suffix) not in (("counter", "_total"), ("histogram", "_bucket")):
        return ""
    bound = bucket_bound(labels) if suffix == "_bucket" else math.inf
    return exemplar_text(within(shown, -math.inf, bound))


def _described(family: Family, openmetrics: bool) -> list[str]:
    escaped = family.help.replace("\\", r"\\").replace("\n", r"\n")
    if not openmetrics:
        suffix = {"counter": "_total", "info": "_info"}.get(family.kind, "")
        name = _quoted(family.name + suffix, _NAME)
        kind = {"info": "gauge", "unknown": "untyped"}.get(family.kind, family.kind)
        return [f"# HELP {name} {escaped}", f"# TYPE {name} {kind}"]
    name = _quoted(family.name, _NAME)
    unit = [f"# UNIT {name} {family.unit}"] if family.unit else []
    escaped = escaped.replace('"', r"\"")
    return [f"# TYPE {name} {family.kind}", *unit, f"# HELP {name} {escaped}"]


def _series(name: str, labels: Labels) -> str:
    """`name{label="value"}`; a name beyond the old alphabet stands quoted inside the braces."""
    pairs = [f'{_quoted(label, _LABEL_NAME)}="{_escaped(value)}"' for label, value in labels]
    if _NAME.fullmatch(name) is None:
        return "{" + ",".join((_quoted(name, _NAME), *pairs)) + "}"
    return name + "{" + ",".join(pairs) + "}" if pairs else name


def _quoted(name: str, bare: re.Pattern[str]) -> str:
    return name if bare.fullmatch(name) else f'"{_escaped(name)}"'


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _canonical(labels: Labels) -> Labels:
    """With bounds and quantiles as OpenMetrics wants them: 1 is written 1.0."""
    return tuple((name, _with_point(value) if name in ("le", "quantile") else value) for name, value in labels)


def _with_point(text: str) -> str:
    return f"{text}.0" if text.lstrip("-").isdecimal() else text


def number(value: float) -> str:
    """A value as both formats read it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
