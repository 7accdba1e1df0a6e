"""What stands behind receivers in a collector, without its sockets and clocks: engine, history, spans and logs on a disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from collector.storage.recorder import Recorder
from collector.storage.traces import TraceSettings, TraceStore
from monitor.alerting.model import Event
from monitor.engine import Engine, EngineSettings
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.logs import Logs
from monitor.model.spans import Spans
from monitor.topology.span_metrics import SpanMetrics

SERIES = 20_000
EVERY = 500
"""Inputs after which a tick comes and what was taken is written to the disk."""


class Behind:
    """An `Accept` that takes everything as a collector does. `step` is called after each input; `close` at the end."""

    def __init__(self, folder: Path) -> None:
        self.engine = Engine(EngineSettings(series_limit=SERIES))
        self._history = HistoryStore(folder / "history", HistorySettings())
        self._recorder = Recorder(self.engine, self._history)
        self._store = TraceStore(folder / "traces", TraceSettings())
        self._metrics = SpanMetrics()
        self._inputs = 0
        self.points = self.all_spans = self.all_logs = self.all_events = 0
        self.engine.tick(time.time())

    async def metrics(self, batches: Sequence[Batch | HistogramBatch]) -> None:
        for batch in batches:
            self._sound(batch)
            if isinstance(batch, HistogramBatch):
                self._recorder.take_histograms(batch)
            else:
                self.take([batch])

    def take(self, batches: Sequence[Batch]) -> None:
        """Of receivers that do not answer."""
        for batch in batches:
            self._sound(batch)
            self._recorder.take(batch)
            if batch.windowed:
                self.engine.ingest(batch)

    def _sound(self, batch: Batch | HistogramBatch) -> None:
        self.points += len(batch)
        if len(batch):
            assert 0 <= int(batch.ids.min()) <= int(batch.ids.max()) < len(batch.space), "ids are of the space"
            assert np.isfinite(batch.times).all(), "times are times"

    async def spans(self, spans: Spans) -> None:
        self.all_spans += len(spans)
        if self._store.append_spans(spans):
            self._metrics.take(spans)

    async def logs(self, logs: Logs) -> None:
        self.all_logs += len(logs)
        self._store.append_logs(logs)

    def events(self, events: Sequence[Event]) -> None:
        self.all_events += len(events)
        assert all(event.text.isprintable() and len(event.text) <= 4000 for event in events), "events are fit to be shown"

    def step(self) -> None:
        self._inputs += 1
        if self._inputs % EVERY == 0:
            now = time.time()
            self.take(self._metrics.tick(now))
            self._recorder.record(self.engine.tick(now))
            assert self._history.commit(), self._history.failing
            assert self._store.commit(), self._store.failing

    def close(self) -> None:
        self._history.close()
        self._store.close()
