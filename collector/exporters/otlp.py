"""Export by OTLP: what the history keeps, spans and log records, each in a queue of its own."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from collector.exporters.exporter import FIGURES, Patience, TakesNothing
from collector.exporters.otlp_channel import Channel, Protocol, Signal
from collector.exporters.otlp_metrics import OtlpMetrics
from collector.exporters.otlp_spans import log_requests, span_requests
from collector.exporters.outbox import Outbox
from collector.exporters.samples import SampleExporter
from collector.storage.remote.both import Kept
from collector.storage.remote.queue import QueueBounds
from collector.storage.remote.request import Reply
from collector.storage.remote.sender import client_session
from collector.storage.remote.target import RemoteTarget, shown
from monitor.model.logs import Logs
from monitor.model.matchers import Selector
from monitor.model.spans import Spans

if TYPE_CHECKING:
    import aiohttp

SIGNALS: tuple[Signal, ...] = ("metrics", "traces", "logs")

_TOGETHER = 5000
"""Samples of a request: with long labels they are 2 MiB, and gRPC servers take 4 MiB unless told otherwise."""


class OtlpExporter(TakesNothing):
    """Implements `Exporter`. The selector is for metrics; spans and records go as they came, with `tags` at their resource."""

    def __init__(
        self,
        name: str,
        folder: Path,
        target: RemoteTarget,
        selector: Selector,
        tags: Mapping[str, str],
        bounds: QueueBounds,
        *,
        protocol: Protocol = "grpc",
        signals: Sequence[Signal] = SIGNALS,
        patience: Patience | None = None,
        age: float = 5.0,
    ) -> None:
        """`bounds` are of each signal's queue. Raises `OSError` when one cannot be opened."""
        self.name = name
        self._tags = dict(tags)
        patient = patience or Patience()
        self._channels = {signal: Channel(target, signal, protocol, patient.answer) for signal in signals}
        self._session: aiohttp.ClientSession | None = None
        self._metrics: SampleExporter | None = None
        if "metrics" in signals:
            dialect = OtlpMetrics(self._channels["metrics"])
            self._metrics = SampleExporter(
                name, folder / "metrics", target, selector, tags, bounds,
                names="as_sent", patience=patient, age=age, together=_TOGETHER, dialect=dialect,
            )  # fmt: skip
        where = shown(target.write_url)
        words: dict[Signal, str] = {"traces": "spans", "logs": "log records"}
        self._outboxes = {
            signal: Outbox(folder / signal, bounds, self._deliver(signal), where, what=what, patience=patient)
            for signal, what in words.items()
            if signal in signals
        }

    def _deliver(self, signal: Signal) -> Callable[[bytes], asyncio.Future[Reply]]:
        def deliver(body: bytes) -> asyncio.Future[Reply]:
            assert self._session is not None
            return asyncio.ensure_future(self._channels[signal].send(body, self._session, time.time()))

        return deliver

    @property
    def sink(self) -> Kept | None:
        """See `Exporter`."""
        return self._metrics.sink if self._metrics else None

    def spans(self, spans: Spans) -> None:
        """See `Exporter`."""
        if (outbox := self._outboxes.get("traces")) and len(spans):
            outbox.put(lambda: _packed(span_requests(spans, self._tags)), len(spans))

    def logs(self, logs: Logs) -> None:
        """See `Exporter`."""
        if (outbox := self._outboxes.get("logs")) and len(logs):
            outbox.put(lambda: _packed(log_requests(logs, self._tags)), len(logs))

    @property
    def idle(self) -> bool:
        """Whether everything that was handed over is with the receiver."""
        return all(outbox.idle for outbox in self._outboxes.values()) and (self._metrics is None or self._metrics.idle)

    async def run(self) -> None:
        """See `Exporter`."""
        async with client_session() as self._session:
            try:
                async with asyncio.TaskGroup() as group:
                    for outbox in self._outboxes.values():
                        group.create_task(outbox.run())
                    if self._metrics is not None:
                        group.create_task(self._metrics.run())
            finally:
                for channel in self._channels.values():
                    await channel.aclose()

    def commit(self) -> None:
        """See `Exporter`."""
        for outbox in self._outboxes.values():
            outbox.commit()

    def close(self) -> None:
        """See `Exporter`."""
        for outbox in self._outboxes.values():
            outbox.close()
        if self._metrics is not None:
            self._metrics.close()

    def figures(self) -> dict[str, float]:
        """See `Exporter`."""
        parts = [outbox.figures() for outbox in self._outboxes.values()]
        if self._metrics is not None:
            parts.append(self._metrics.figures())
        told = {name: sum(part.get(name, 0.0) for part in parts) for name in FIGURES}
        return told | {"export_failing": min(1.0, told["export_failing"])}

    def notes(self) -> list[str]:
        """See `Exporter`."""
        found = [note for outbox in self._outboxes.values() for note in outbox.notes()]
        return [*found, *(self._metrics.notes() if self._metrics else ())]


def _packed(requests: Iterable[tuple[bytes, int]]) -> Iterable[tuple[bytes, int]]:
    return ((gzip.compress(request, 1), count) for request, count in requests)
