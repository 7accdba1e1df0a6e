"""What the history keeps, sent elsewhere as well: selected series with tags of the export, by remote write or OTLP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from collector.exporters.exemplar_writes import ExemplarWrites
from collector.exporters.exporter import Patience, TakesNothing
from collector.storage.remote.both import Kept
from collector.storage.remote.dialect import Dialect
from collector.storage.remote.queue import QueueBounds
from collector.storage.remote.settings import Names, RemoteSettings
from collector.storage.remote.target import RemoteTarget
from collector.storage.remote.writer import RemoteWriter
from monitor.model.batch import Floats, Ids
from monitor.model.exemplar_table import Snapshot
from monitor.model.matchers import NAME_TAG, Selector, promql_name
from monitor.query.history import Labels

Longs = npt.NDArray[np.int64]
_AS_TOLD = {
    "export_sent_total": "remote_written_total",
    "export_refused_total": "remote_rejected_total",
    "export_dropped_total": "remote_dropped_total",
    "export_requests_total": "remote_requests_total",
    "export_failures_total": "remote_failures_total",
    "export_bytes_total": "remote_bytes_total",
    "export_queue_items": "remote_queue_samples",
    "export_queue_bytes": "remote_queue_bytes",
    "export_failing": "remote_failing",
}


class SelectedSink:
    """A sink that takes the series a selector finds, with further labels, which win over their own; -1 for the others."""

    def __init__(self, sink: Kept, selector: Selector, tags: Mapping[str, str]) -> None:
        self._sink, self._selector = sink, selector
        self._tags = dict(tags)

    @property
    def generation(self) -> int:
        """See `Sink`."""
        return self._sink.generation

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Longs:
        """See `Sink`."""
        places = [place for place, each in enumerate(labels) if selects(self._selector, each)]
        found = np.full(len(labels), -1, np.int64)
        if places:
            chosen = [self._tagged(labels[place]) for place in places]
            told = [units[place] for place in places] if units else ()
            found[places] = self._sink.intern(chosen, [kinds[place] for place in places], told)
        return found

    def _tagged(self, labels: Labels) -> Labels:
        return tuple(sorted((dict(labels) | self._tags).items())) if self._tags else labels

    def kinds(self, refs: Longs) -> npt.NDArray[np.integer[Any]]:
        """See `Sink`."""
        return self._sink.kinds(refs)

    def append(self, refs: Longs, times: Longs, values: Floats) -> None:
        """See `Sink`."""
        self._sink.append(refs, times, values)

    def append_histograms(self, refs: Longs, times: Longs, offsets: Longs, bins: Ids, counts: Floats, sums: Floats) -> None:
        """See `Sink`."""
        self._sink.append_histograms(refs, times, offsets, bins, counts, sums)

    def commit(self) -> bool:
        """See `Kept`. An export that cannot write is told by its notes; it is no reason to refuse what others send."""
        self._sink.commit()
        return True


def selects(selector: Selector, labels: Labels) -> bool:
    """Whether a series is selected; a name in its PromQL spelling too."""
    tags = dict(labels)
    if selector.matches_tags(tags):
        return True
    tags[NAME_TAG] = promql_name(tags.get(NAME_TAG, ""))
    return selector.matches_tags(tags)


class SampleExporter(TakesNothing):
    """Implements `Exporter`. `dialect`: how they are sent, remote write where it is None."""

    def __init__(
        self,
        name: str,
        folder: Path,
        target: RemoteTarget,
        selector: Selector,
        tags: Mapping[str, str],
        bounds: QueueBounds,
        *,
        names: Names = "underscores",
        patience: Patience | None = None,
        age: float = 5.0,
        together: int = 20_000,
        dialect: Dialect | None = None,
    ) -> None:
        """`age`: seconds for which samples wait for others; `together`: how many of them make a request. Raises `OSError` when
        the queue cannot be opened.
        """
        patient = patience or Patience()
        settings = RemoteSettings(
            queue=bounds,
            names=names,
            patience=patient.answer,
            least_wait=patient.least,
            longest_wait=patient.longest,
            batch_age=age,
            batch_samples=together,
        )
        self.name = name
        self.writer = RemoteWriter(folder, target, settings, dialect=dialect)
        self._sink = SelectedSink(self.writer, selector, tags)
        self._exemplars: ExemplarWrites | None = None
        if dialect is None:
            self._exemplars = ExemplarWrites(target, selector, tags, spelled=names == "underscores", patience=patient, age=age)

    @property
    def sink(self) -> Kept | None:
        """See `Exporter`."""
        return self._sink

    @property
    def idle(self) -> bool:
        """Whether everything committed is with the receiver."""
        return self.writer.idle

    async def run(self) -> None:
        """See `Exporter`."""
        if self._exemplars is None:
            await self.writer.run()
        else:
            await asyncio.gather(self.writer.run(), self._exemplars.run())

    def exemplars(self, fresh: Snapshot) -> None:
        """Exemplars that were kept just now."""
        if self._exemplars is not None:
            self._exemplars.take(fresh)

    def close(self) -> None:
        """See `Exporter`."""
        self.writer.close()

    def figures(self) -> dict[str, float]:
        """See `Exporter`."""
        told = self.writer.figures()
        own = self._exemplars.figures() if self._exemplars is not None else {}
        return {name: told[figure] for name, figure in _AS_TOLD.items()} | own

    def notes(self) -> list[str]:
        """See `Exporter`."""
        return self.writer.notes()
