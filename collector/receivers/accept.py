"""Where receivers that answer their senders put what they got: success is answered when it is on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from monitor.alerting.model import Event
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.logs import Logs
from monitor.model.spans import Spans


class NotAcceptedError(Exception):
    """Nothing of it was kept, and the sender should come again after `retry_after` seconds (HTTP 503, gRPC UNAVAILABLE).

    The message says why: too much waits already, or the disk refuses.
    """

    def __init__(self, why: str, retry_after: float = 5.0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Accept(Protocol):
    """Each call returns when what it was given would outlive kill -9, within 250 ms on a healthy disk (many share one commit).

    Raises `NotAcceptedError`. To be called in the loop's thread.
    """

    async def metrics(self, batches: Sequence[Batch | HistogramBatch]) -> None:
        """What the windows and the history take. What is not of a raw space is durable with the next tick only."""

    async def spans(self, spans: Spans) -> None: ...

    async def logs(self, logs: Logs) -> None: ...

    def events(self, events: Sequence[Event]) -> None:
        """Deploys, changes and the like, kept in the state store when this returns."""
