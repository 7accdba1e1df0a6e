"""Spans and logs of a collector: kept and searchable, and what spans say in numbers."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from collector.admission import GroupCommit, TraceIntake
from collector.exporters.build import Exports
from collector.receivers.accept import NotAcceptedError
from collector.sampling import Sampling
from collector.server.backend import CommandError
from collector.storage.traces import TraceSettings, TraceStore, TraceStoreError, answer
from collector.storage.traces.answering import Answer, Question
from monitor.model.batch import Batch
from monitor.model.exemplars import Exemplars
from monitor.model.logs import Logs
from monitor.model.spans import Spans, without_states
from monitor.settings.load import Settings
from monitor.topology.span_metrics import SpanMetrics


class Tracing:
    """`intake` is what receivers fill; `store` answers searches; `tick` gives the numbers for the windows.

    All spans are counted; what is stored and exported is what `sampling` keeps.
    """

    def __init__(self, settings: Settings, folder: Path, exports: Exports) -> None:
        """Opens or begins the store; spans and logs go to `exports` as well. Raises `OSError` with a sentence when the store
        cannot be had.
        """
        self.store = TraceStore(folder, TraceSettings(keep=settings["traces_keep"], max_bytes=settings["traces_size"]))
        self._exports = exports
        self._metrics = SpanMetrics(settings["apdex"])
        self._disk = ThreadPoolExecutor(1, "lightship-spans")
        try:
            self.sampling = Sampling(settings, folder, self._keep)
        except OSError:
            self.store.close()
            raise
        self._committing: Future[bool] | None = None
        committed = GroupCommit(self._commit, lambda: self.sampling.failing or self.store.failing, self._disk)
        self.intake = TraceIntake(committed, self.sampling.take, self._logs, self._metrics.take)
        self.store.start()

    def _keep(self, spans: Spans) -> bool:
        if not self.store.append_spans(without_states(spans)):
            return False
        self._exports.spans(spans)
        return True

    def _logs(self, logs: Logs) -> None:
        if not self.store.append_logs(logs):
            raise NotAcceptedError("more logs wait for the disk than may", 1.0)
        self._exports.logs(logs)

    def _commit(self) -> bool:
        return self.sampling.commit(self._commit_kept)

    def _commit_kept(self) -> bool:
        """Into the queues of exports first: what is told to have been kept is on its way elsewhere as well, whatever happens."""
        self._exports.commit()
        return self.store.commit()

    def answer(self, request: Question) -> Answer:
        """What is asked of them; reads the disk. Raises `CommandError`."""
        try:
            return answer(self.store, request)
        except (ValueError, TraceStoreError) as error:
            raise CommandError(str(error)) from None

    def tick(self, now: float) -> list[Batch]:
        """Rates, errors and durations of what came since the last tick, kept or not; decides the traces that are due."""
        self.sampling.tick()
        if self.sampling.unsettled and (self._committing is None or self._committing.done()):
            self._committing = self._disk.submit(self._commit)
        return self._metrics.tick(now)

    @property
    def exemplars(self) -> Exemplars | None:
        """Of what the last tick gave."""
        return self._metrics.exemplars

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        return self._metrics.figures() | self.sampling.figures() | self.store.figures()

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        return self.sampling.notes() + self.store.notes()

    def close(self) -> None:
        self._disk.shutdown(wait=True, cancel_futures=True)
        self.sampling.stop()
        self._commit()
        self.sampling.close()
        self.store.close()
