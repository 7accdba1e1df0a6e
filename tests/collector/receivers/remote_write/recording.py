"""Stands where the collector takes things in, keeps what it was given, and serves routes on a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from collector.receivers.accept import NotAcceptedError
from monitor.alerting.model import Event
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.logs import Logs
from monitor.model.spans import Spans

Points = dict[str, list[tuple[float, float]]]


class Recording:
    """An `Accept` that keeps batches; `refusing` makes it refuse."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.histograms: list[HistogramBatch] = []
        self.refusing = ""

    async def metrics(self, batches: Sequence[Batch | HistogramBatch]) -> None:
        if self.refusing:
            raise NotAcceptedError(self.refusing, 7.2)
        self.take(batches)

    def take(self, batches: Sequence[Batch | HistogramBatch]) -> None:
        for batch in batches:
            if isinstance(batch, Batch):
                self.batches.append(batch)
            else:
                self.histograms.append(batch)

    async def spans(self, spans: Spans) -> None:
        raise AssertionError("no spans come here")

    async def logs(self, logs: Logs) -> None:
        raise AssertionError("no logs come here")

    def events(self, events: Sequence[Event]) -> None:
        raise AssertionError("no events come here")

    def kept(self) -> Points:
        """What the history got: (time, value) by series, in order of time."""
        return self._points([batch for batch in self.batches if batch.raw])

    def seen(self) -> Points:
        """What the windows got."""
        return self._points([batch for batch in self.batches if batch.windowed])

    def _points(self, batches: list[Batch]) -> Points:
        found: Points = {}
        for batch in batches:
            for number, at, value in zip(batch.ids.tolist(), batch.times.tolist(), batch.values.tolist(), strict=True):
                found.setdefault(batch.space.keys[number].label(), []).append((at, value))
        return {name: sorted(points, key=lambda point: point[0]) for name, points in sorted(found.items())}


@asynccontextmanager
async def serving(routes: Sequence[web.RouteDef]) -> AsyncIterator[str]:
    """The address of a server that has these routes."""
    app = web.Application(client_max_size=1 << 20)
    app.router.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
