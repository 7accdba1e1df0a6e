"""Which form of exposition a reader gets, by its Accept header (RFC 9110, section 12.5.1).

Sources: prometheus.io, "Content negotiation" and "Escaping schemes". A scheme that is not known here is answered with
underscores, and the Content-Type says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Form = Literal["text", "openmetrics", "protobuf"]
Escaping = Literal["underscores", "allow-utf-8"]

_MAX_ACCEPT = 4096
_TYPES: dict[str, Form] = {
    "text/plain": "text",
    "text/*": "text",
    "*/*": "text",
    "application/openmetrics-text": "openmetrics",
    "application/vnd.google.protobuf": "protobuf",
}
_RANK: tuple[Form, ...] = ("text", "openmetrics", "protobuf")
"""Of forms that are wanted alike the last wins: it carries more."""


@dataclass(frozen=True, slots=True)
class Format:
    """What an exposition looks like. Names stay as they were sent only where the reader says that it takes UTF-8."""

    form: Form = "text"
    escaping: Escaping = "underscores"
    told: bool = False
    """Whether the reader spoke of escaping, and so is told which it got."""

    @property
    def content_type(self) -> str:
        """For the Content-Type header."""
        scheme = f"; escaping={self.escaping}" if self.told else ""
        if self.form == "protobuf":
            kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            return kind + scheme
        if self.form == "openmetrics":
            return f"application/openmetrics-text; version=1.0.0; charset=utf-8{scheme}"
        version = "1.0.0" if self.escaping == "allow-utf-8" else "0.0.4"
        return f"text/plain; version={version}; charset=utf-8{scheme}"


def format_of(accept: str) -> Format:
    """The format for an Accept header. OpenMetrics and protobuf must be asked for by name; whoever asks for nothing gets text."""
    wanted: dict[Form, tuple[float, dict[str, str]]] = {}
    plain_by_name = False
    for part in accept[:_MAX_ACCEPT].split(","):
        kind, *rest = (piece.strip() for piece in part.lower().split(";"))
        form = _TYPES.get(kind)
        if form is None:
            continue
        given = {name.strip(): value.strip() for name, _, value in (piece.partition("=") for piece in rest)}
        if form == "protobuf" and not _delimited(given):
            continue
        by_name = kind == "text/plain"
        if form == "text" and plain_by_name and not by_name:
            continue  # what is said of text/plain itself counts more than what is said of everything
        quality = _quality(given.get("q", "1"))
        if form not in wanted or quality > wanted[form][0] or (by_name and not plain_by_name):
            wanted[form] = (quality, given)
        plain_by_name = plain_by_name or by_name
    best = max(wanted, key=lambda form: (wanted[form][0], _RANK.index(form)), default=None)
    if best is None or wanted[best][0] <= 0:
        return Format()
    given = wanted[best][1]
    told = "escaping" in given and not (best == "text" and given.get("version") == "0.0.4")
    utf8 = told and given["escaping"] == "allow-utf-8"
    return Format(best, "allow-utf-8" if utf8 else "underscores", told)


def _delimited(given: Mapping[str, str]) -> bool:
    return given.get("proto") == "io.prometheus.client.metricfamily" and given.get("encoding") == "delimited"


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
