"""What came over OTLP and what was lost, since the start."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class OtlpCounters:
    """Requests and what they held. `left_out`: points, spans and records that could not be read, told to their senders."""

    requests: int = 0
    points: int = 0
    spans: int = 0
    records: int = 0
    left_out: int = 0
    broken: int = 0
    """Requests that could not be read at all."""
    connections: int = 0
    """Over gRPC, open now."""
    connections_refused: int = 0
    """Of gRPC, for there were too many."""
    refused: int = 0
    """Requests that were told to come again."""
    errors: int = 0
    """Requests that met a mistake of ours."""
    cut: int = 0
    """Attributes and texts over their bounds."""
    recounted: int = 0
    """Series of refused requests that others had already built upon: they count twice when the request comes again."""
    last_left_out: str = ""
    last_broken: str = ""

    def figures(self) -> dict[str, float]:
        """By the names under which `/metrics` tells them."""
        return {
            "otlp_requests_total": self.requests,
            "otlp_points_total": self.points,
            "otlp_spans_total": self.spans,
            "otlp_log_records_total": self.records,
            "otlp_left_out_total": self.left_out,
            "otlp_broken_requests_total": self.broken,
            "otlp_refused_requests_total": self.refused,
            "otlp_grpc_connections": self.connections,
            "otlp_grpc_connections_refused_total": self.connections_refused,
            "otlp_errors_total": self.errors,
            "otlp_cut_total": self.cut,
            "otlp_recounted_total": self.recounted,
        }

    def notes(self) -> list[str]:
        """Sentences about what is wrong."""
        notes = []
        if self.broken:
            notes.append(f"{self.broken} OTLP requests could not be read, the last: {self.last_broken[:200]}")
        if self.left_out:
            notes.append(f"{self.left_out} points, spans or records of OTLP were left out, the last: {self.last_left_out[:200]}")
        if self.connections_refused:
            notes.append(
                f"{self.connections_refused} connections for OTLP over gRPC were closed, for as many as may be were open"
            )
        if self.errors:
            notes.append(f"{self.errors} OTLP requests met a mistake of this program; the log says where")
        return notes


@dataclass(slots=True)
class LeftOut:
    """What one request brought that could not be taken, by reason."""

    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, count: int = 1) -> None:
        self.reasons[reason] += count

    def add_some(self, reason: str, count: int) -> None:
        """As many as there are, which may be none."""
        if count:
            self.add(reason, count)

    @property
    def count(self) -> int:
        return self.reasons.total()

    def told(self) -> str:
        """For the sender: how many for which reason, "" when nothing was left out."""
        return "; ".join(f"{count} left out: {reason}" for reason, count in self.reasons.most_common(16))
