"""What every export is to the collector: it is handed things, keeps them on disk until they are taken elsewhere, and tells how it
fares. Nothing that is handed over is ever waited for.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from collector.storage.remote.both import Kept
from collector.storage.remote.queue import QueueBounds
from monitor.model.logs import Logs
from monitor.model.spans import Spans
from monitor.windows.frame import Frame

_SEGMENTS = 8
_LEAST_SEGMENT, _MOST_SEGMENT = 16 << 10, 8 << 20


class Exporter(Protocol):
    """One `[[export]]`. `take`, `spans` and `logs` are called in the loop's thread and never block; `run` sends until it is
    cancelled, and what is not sent by then goes after the next start, at least once. `close` follows `run`.
    """

    name: str

    @property
    def sink(self) -> Kept | None:
        """Where what the history keeps is to go as well, None where frames are enough."""

    def take(self, frame: Frame) -> None:
        """A tick."""

    def spans(self, spans: Spans) -> None:
        """Spans as they came."""

    def logs(self, logs: Logs) -> None:
        """Log records as they came."""

    def commit(self) -> None:
        """Writes to the disk what spans and logs it was handed, in any thread: a kill then costs none of them."""

    async def run(self) -> None: ...

    def close(self) -> None: ...

    def figures(self) -> dict[str, float]:
        """Of `FIGURES`, those it keeps."""

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""


class TakesNothing:
    """An exporter's calls for what it does not export."""

    @property
    def sink(self) -> Kept | None:
        """See `Exporter`."""
        return None

    def take(self, frame: Frame) -> None:
        """See `Exporter`."""

    def spans(self, spans: Spans) -> None:
        """See `Exporter`."""

    def logs(self, logs: Logs) -> None:
        """See `Exporter`."""

    def commit(self) -> None:
        """See `Exporter`."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: `answer` that one request may take; after a failure `least` pass, doubled each time up to `longest`, half of it
    by chance.
    """

    answer: float = 30.0
    least: float = 0.5
    longest: float = 30.0

    def after(self, attempt: int, random: float, asked: float | None = None) -> float:
        """How long to wait after the failure of this number (from 0); `asked`: what the other side wants waited at least."""
        longest = min(self.longest, self.least * 2.0 ** min(attempt, 30))
        jittered = longest * (0.5 + random / 2)
        return jittered if asked is None else asked + jittered


def bounds_of(size: int) -> QueueBounds:
    """A queue of so many bytes in all: in segments, as the oldest segment is what goes when it is full."""
    return QueueBounds(most=size, segment=max(_LEAST_SEGMENT, min(_MOST_SEGMENT, size // _SEGMENTS)))


FIGURES: dict[str, str] = {
    "export_sent_total": "Samples, spans, records and lines that exports handed over.",
    "export_refused_total": "Samples, spans, records and lines that were refused for good where they were exported to.",
    "export_dropped_total": "Samples, spans, records and lines given up because the queue of an export was full or damaged.",
    "export_requests_total": "Requests of exports.",
    "export_failures_total": "Requests of exports that failed and were tried again.",
    "export_bytes_total": "Bytes sent by exports.",
    "export_queue_items": "Samples, spans, records and lines that wait to be exported.",
    "export_queue_bytes": "Bytes of the queues of exports on disk.",
    "export_exemplars_sent_total": "Exemplars that exports handed over.",
    "export_exemplars_dropped_total": "Exemplars that an export gave up: too many waited, or they were refused.",
    "export_failing": "Exports that get nothing through now.",
}
"""Names of an exporter's figures and what they count; summed up over all exports."""
