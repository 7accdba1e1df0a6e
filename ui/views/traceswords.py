"""Words of traces and logs that more than one of their views say: shapes of severities, services' colours, durations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.wire import messages as m
from ui.views.context import Context
from ui.views.format import sanitise, value
from ui.views.tracesview import LogDetail, LogRow, Pairs
from ui.views.units import SECONDS
from ui.views.view import EmptyState, Shape, Value

SERIES_COLOURS = 8
MOST_SERVICES = 4096
"""Services that are remembered with their colour."""
MOST_PAIRS = 256
MOST_LINES = 400
LONG = 2_000
_LEVELS = ((21, "fatal"), (17, "error"), (13, "warn"), (9, "info"), (5, "debug"), (1, "trace"))
_SHAPES: dict[str, Shape] = {"fatal": "critical", "error": "critical", "warn": "warning", "info": "info"}


class Colours:
    """A colour for each service, the same wherever it is seen; they begin anew after the eighth."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, service: str) -> str:
        """The token of a service's colour."""
        number = self._numbers.get(service)
        if number is None:
            if len(self._numbers) >= MOST_SERVICES:
                self._numbers.clear()
            number = self._numbers[service] = len(self._numbers)
        return f"series-{number % SERIES_COLOURS + 1}"

    def learn(self, services: Iterable[str]) -> None:
        """Give these their colours in this order."""
        for service in services:
            self.of(service)


def level_of(log: m.LogInfo) -> str:
    """`error`, `warn` …, or what the sender wrote where it gave no number; "" where it said nothing."""
    for least, word in _LEVELS:
        if log.severity >= least:
            return word
    return sanitise(log.severity_text, 12).lower()


def log_shape(log: m.LogInfo) -> Shape | None:
    """None for what asks for no look: debug, trace and what has no level."""
    return _SHAPES.get(level_of(log))


def name_of(service: str) -> str:
    """A service's name made harmless."""
    return sanitise(service, 80) or "(no service)"


def operation_of(operation: str) -> str:
    """An operation's name made harmless."""
    return sanitise(operation, 160) or "(no name)"


def lasted(seconds: float) -> Value:
    """How long something took."""
    return value(max(0.0, seconds), SECONDS)


def pairs(mapping: Mapping[str, str]) -> Pairs:
    """Names and values by name, made harmless."""
    shown = sorted(mapping.items())[:MOST_PAIRS]
    return tuple((sanitise(name, 120), sanitise(text, LONG)) for name, text in shown)


def moment(ctx: Context, at: float) -> str:
    """With milliseconds: `14:21:36.042`, and the day where it is another one."""
    whole = ctx.words.moment(at, ctx.present(), seconds=True)
    return f"{whole}.{int((at % 1.0) * 1000):03d}"


def log_row(ctx: Context, log: m.LogInfo) -> LogRow:
    """A record on one line."""
    return LogRow(
        shape=log_shape(log),
        level=level_of(log),
        time=moment(ctx, log.time),
        service=name_of(log.service),
        body=sanitise(log.body, 400).strip() or "(empty)",
        traced=bool(log.trace),
    )


def log_detail(ctx: Context, log: m.LogInfo) -> LogDetail:
    """A record in full."""
    told = [sanitise(line, LONG) for line in log.body.splitlines()[:MOST_LINES]] or ["(empty)"]
    level = level_of(log)
    if log.severity_text and log.severity_text.lower() != level:
        level = f"{level} ({sanitise(log.severity_text, 20)})" if level else sanitise(log.severity_text, 20)
    sections = (("Attributes", pairs(log.attributes)), ("Resource", pairs(log.resource)))
    return LogDetail(
        shape=log_shape(log),
        title=" · ".join(part for part in (name_of(log.service), level) if part),
        subtitle=moment(ctx, log.time),
        lines=tuple(told),
        sections=tuple(section for section in sections if section[1]),
        trace=sanitise(log.trace, 32),
        span=sanitise(log.span, 16),
    )


def no_traces(ctx: Context) -> EmptyState:
    """How to send the first trace."""
    return EmptyState(
        "No traces yet.",
        "Send spans and each request appears here from its first service to its last: over OpenTelemetry to port 4317 (gRPC) or"
        " 4318 (HTTP), or as a Datadog agent's traces to port 8126.",
        (
            (
                "OpenTelemetry",
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_SERVICE_NAME=api opentelemetry-instrument python app.py",
            ),
            ("Datadog", "DD_AGENT_HOST=127.0.0.1 DD_TRACE_AGENT_PORT=8126 DD_SERVICE=api ddtrace-run python app.py"),
        ),
        _working(ctx),
    )


def no_logs(ctx: Context) -> EmptyState:
    """How to send the first log."""
    record = (
        """curl http://127.0.0.1:4318/v1/logs -H 'content-type: application/json' -d '{"resourceLogs":[{"scopeLogs":"""
        """[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}'"""
    )
    return EmptyState(
        "No logs yet.",
        "Send log records over OpenTelemetry to port 4317 (gRPC) or 4318 (HTTP). Those that carry a trace's id stand beside it.",
        (
            (
                "A program",
                "OTEL_LOGS_EXPORTER=otlp OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 opentelemetry-instrument ./app.py",
            ),
            ("By hand", record),
        ),
        _working(ctx),
    )


def _working(ctx: Context) -> str:
    return f"{ctx.collector} is connected and takes data in." if ctx.mirror.connected and not ctx.rewound else ""
