"""Messages of traces and logs: what is asked of the recent ones, and the answers. All texts are cut to the bounds here."""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.model.matchers import Matcher
from monitor.wire.base import Message, Request, tag

MAX_NAME = 256
"""Characters of a service's, an operation's or an attribute's name."""
MAX_VALUE = 4096
"""Characters of a value or a message."""
MAX_BODY = 16_384
"""Characters of a log's body."""
MAX_ATTRIBUTES = 256
"""Attributes, events and links of one span or log, each."""
Order = Literal["newest", "longest"]


class TraceSummary(msgspec.Struct, frozen=True):
    """One trace as a list shows it. `start` seconds since the epoch, `duration` from its first start to its last end, seconds.

    `service` and `operation` are those of its root, or of its first span whose parent is not there (`rootless`).
    """

    trace: str
    service: str
    operation: str
    start: float
    duration: float
    spans: int
    errors: int
    services: tuple[str, ...] = ()
    rootless: bool = False


class SpanEvent(msgspec.Struct, frozen=True):
    """Something that happened during a span, at `time` seconds since the epoch."""

    time: float
    name: str
    attributes: dict[str, str] = {}


class SpanLink(msgspec.Struct, frozen=True):
    """Another span that this one belongs to, by ids in hex."""

    trace: str
    span: str
    attributes: dict[str, str] = {}


class SpanInfo(msgspec.Struct, frozen=True):
    """One span. `kind`: unspecified, internal, server, client, producer or consumer; `status`: unset, ok or error.

    Ids in hex, `parent` "" for a root. `start` (seconds) and `start_ns` (whole nanoseconds) are the same moment since the epoch.
    `peer`: what it speaks to, of `peer_kind` service, database, queue or host.

    `begin` to `end`: where it is to be drawn, seconds from the trace's first moment, within its parent unless `apart` (its
    parent did not wait for it). `moved`: that is not where it was told, for clocks disagree or it is a little longer than its
    parent. `own`: seconds of the critical path that are its own, -1 where it is not on it.
    """

    span: str
    parent: str
    service: str
    operation: str
    kind: str
    status: str
    start: float
    duration: float
    start_ns: int
    message: str = ""
    attributes: dict[str, str] = {}
    resource: dict[str, str] = {}
    scope: str = ""
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    peer: str = ""
    peer_kind: str = ""
    begin: float = 0.0
    end: float = 0.0
    moved: bool = False
    apart: bool = False
    own: float = -1.0


class LogInfo(msgspec.Struct, frozen=True):
    """One log record. `severity`: OTLP's number, `severity_text` as the sender wrote it; `trace` and `span` hex, "" for none."""

    time: float
    severity: int
    severity_text: str
    service: str
    body: str
    trace: str = ""
    span: str = ""
    attributes: dict[str, str] = {}
    resource: dict[str, str] = {}


class ServiceOperations(msgspec.Struct, frozen=True):
    """A service that sent spans or logs, and the operations of its spans. `spans`, `logs`: how many are kept."""

    service: str
    operations: tuple[str, ...] = ()
    spans: int = 0
    logs: int = 0


class TracesFound(Message, frozen=True, tag=tag):
    """Answer to `find_traces`, in the order asked for. `warnings`: what was left out."""

    id: int
    traces: tuple[TraceSummary, ...]
    warnings: tuple[str, ...] = ()


class TraceFound(Message, frozen=True, tag=tag):
    """Answer to `get_trace`: its spans by start, and the logs that carry its id by time.

    `total` spans there are when more than are told. Nothing is known of the trace where there are neither spans nor logs.
    """

    id: int
    trace: str
    spans: tuple[SpanInfo, ...]
    logs: tuple[LogInfo, ...] = ()
    total: int = 0
    warnings: tuple[str, ...] = ()


class LogsFound(Message, frozen=True, tag=tag):
    """Answer to `find_logs`: the newest first, or, asked with `after`, in order of arrival.

    `cursor`: to be sent as `after` for what comes next. `more`: there are more than `limit`. `skipped`: how many of those since
    `after` are not told; from 100,000 on there may be more.
    """

    id: int
    logs: tuple[LogInfo, ...]
    cursor: int = 0
    more: bool = False
    warnings: tuple[str, ...] = ()
    skipped: int = 0


class ServicesFound(Message, frozen=True, tag=tag):
    """Answer to `get_services`, by name."""

    id: int
    services: tuple[ServiceOperations, ...]
    more: bool = False


class FindTraces(Request, frozen=True, tag=tag):
    """Traces with a span that meets everything asked, answered by `traces_found`: those with the newest matching span first, or
    the longest of all within the time.

    `shortest` and `longest` seconds (0: any). `text` in the operation, the message or an attribute's or event's value, ASCII
    letters in any case. `tags`: attributes of the span or its resource. `start` and `end` of the span's start, seconds (0: any).
    """

    service: str = ""
    operation: str = ""
    shortest: float = 0.0
    longest: float = 0.0
    error: bool = False
    text: str = ""
    tags: tuple[Matcher, ...] = ()
    start: float = 0.0
    end: float = 0.0
    limit: int = 20
    order: Order = "newest"


class GetTrace(Request, frozen=True, tag=tag):
    """One trace by its id, 16 or 32 hex digits, answered by `trace_found`."""

    trace: str
    limit: int = 5000


class FindLogs(Request, frozen=True, tag=tag):
    """Log records, answered by `logs_found`. `severity`: at least so severe (OTLP's number). `text` in the body or an attribute.

    `after` above 0: those that came in after the answer with that `cursor`, in order of arrival, for a live tail. `skip`: where
    those are more than `limit`, the newest of them, and how many others there were.
    """

    service: str = ""
    severity: int = 0
    text: str = ""
    tags: tuple[Matcher, ...] = ()
    trace: str = ""
    start: float = 0.0
    end: float = 0.0
    limit: int = 100
    after: int = 0
    skip: bool = False


class GetServices(Request, frozen=True, tag=tag):
    """Services and operations of what is kept, those that contain `text`. Answered by `services_found`."""

    text: str = ""
    limit: int = 200
