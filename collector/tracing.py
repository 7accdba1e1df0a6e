"""Spans and logs of a collector: kept and searchable, and what spans say in numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from collector.admission import GroupCommit, TraceIntake
from collector.exporters.build import Exports
from collector.receivers.accept import NotAcceptedError
from collector.server.backend import CommandError
from collector.storage.traces import TraceSettings, TraceStore, TraceStoreError, answer
from collector.storage.traces.answering import Answer, Question
from monitor.model.batch import Batch
from monitor.model.logs import Logs
from monitor.model.spans import Spans
from monitor.settings.load import Settings
from monitor.topology.span_metrics import SpanMetrics


class Tracing:
    """`intake` is what receivers fill; `store` answers searches; `tick` gives the numbers for the windows."""

    def __init__(self, settings: Settings, folder: Path, exports: Exports) -> None:
        """Opens or begins the store; spans and logs go to `exports` as well. Raises `OSError` with a sentence when the store
        cannot be had.
        """
        self.store = TraceStore(folder, TraceSettings(keep=settings["traces_keep"], max_bytes=settings["traces_size"]))
        self._exports = exports
        self._metrics = SpanMetrics(settings["apdex"])
        self._disk = ThreadPoolExecutor(1, "lightship-spans")
        committed = GroupCommit(self.store.commit, lambda: self.store.failing, self._disk)
        self.intake = TraceIntake(committed, self._spans, self._logs)
        self.store.start()

    def _spans(self, spans: Spans) -> None:
        if not self.store.append_spans(spans):
            raise NotAcceptedError("more spans wait for the disk than may", 1.0)
        self._metrics.take(spans)
        self._exports.spans(spans)

    def _logs(self, logs: Logs) -> None:
        if not self.store.append_logs(logs):
            raise NotAcceptedError("more logs wait for the disk than may", 1.0)
        self._exports.logs(logs)

    def answer(self, request: Question) -> Answer:
        """What is asked of them; reads the disk. Raises `CommandError`."""
        try:
            return answer(self.store, request)
        except (ValueError, TraceStoreError) as error:
            raise CommandError(str(error)) from None

    def tick(self, now: float) -> list[Batch]:
        """Rates, errors and durations of what came since the last tick."""
        return self._metrics.tick(now)

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        return self._metrics.figures() | self.store.figures()

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        return self.store.notes()

    def close(self) -> None:
        self._disk.shutdown(wait=True, cancel_futures=True)
        self.store.close()
