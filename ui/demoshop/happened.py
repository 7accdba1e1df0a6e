"""What the shop's services tell: spans, log records and events, before any protocol has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool
Attributes = dict[str, Value]

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
"""Kinds of spans, with OpenTelemetry's numbers."""
KIND_NAMES = {INTERNAL: "internal", SERVER: "server", CLIENT: "client", PRODUCER: "producer", CONSUMER: "consumer"}
DEBUG, INFO, WARN, ERROR = 5, 9, 13, 17
"""Severities of log records, with OpenTelemetry's numbers."""
SEVERITY_NAMES = {DEBUG: "DEBUG", INFO: "INFO", WARN: "WARN", ERROR: "ERROR"}


@dataclass(slots=True)
class Span:
    """One piece of work. Ids are whole numbers (128 and 64 bits; `parent` 0: a root), times nanoseconds since the epoch.

    `error` says why it failed, "" where it did not; `raised` is the type of the exception where one began here.
    """

    trace: int
    span: int
    parent: int
    service: str
    name: str
    kind: int
    start: int
    end: int = 0
    attributes: Attributes = field(default_factory=dict)
    error: str = ""
    raised: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """One record. `trace_in_text`: the body is JSON that holds the ids, and the record itself has none."""

    time: int
    severity: int
    service: str
    body: str
    trace: int = 0
    span: int = 0
    attributes: Mapping[str, Value] = field(default_factory=dict)
    trace_in_text: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A deploy, a change or an incident that somebody told. `at`: seconds since the epoch."""

    at: float
    kind: str
    text: str
    tags: Mapping[str, str] = field(default_factory=dict)
