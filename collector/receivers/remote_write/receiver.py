"""`POST /api/v1/write`: what other Prometheus servers and agents send, taken or refused as the specifications want it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from aiohttp import web

from collector.protobuf.columns import DEFAULT_BOUNDS, MessageBounds
from collector.protobuf.wire import ProtobufError
from collector.receivers.accept import Accept, NotAcceptedError
from collector.receivers.descriptions import Descriptions
from collector.receivers.remote_write.found import Found, Refused
from collector.receivers.remote_write.histograms import HistogramCounters, HistogramReadings
from collector.receivers.remote_write.negotiation import UnsupportedError, Version, version_of
from collector.receivers.remote_write.reader import RequestReader
from collector.receivers.remote_write.readings import Readings
from collector.receivers.remote_write.series import WrittenSeries
from collector.server.bodies import MOST_BYTES, BodyError, read_body
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.exemplars import Exemplars, ExemplarSink

PATH = "/api/v1/write"
MOST_SERIES = 500_000
"""Remembered; beyond that the dictionary begins anew."""
MOST_AHEAD = 600_000
"""Milliseconds a sample may lie ahead of the clock, as in Prometheus."""
_INLINE = 256 * 1024
"""Bytes: longer requests are read in a thread, so that the event loop goes on."""
_WRITTEN = "X-Prometheus-Remote-Write-{}-Written"


@dataclass(slots=True)
class WriteCounters:
    """What came and what became of it since the start. `unordered` samples went to the history alone."""

    requests: int = 0
    failed: int = 0
    samples: int = 0
    unordered: int = 0
    refused_series: int = 0
    refused_samples: int = 0
    exemplars: int = 0
    refused_exemplars: int = 0
    not_accepted: int = 0

    def figures(self) -> dict[str, float]:
        return {f"remote_write_in_{one.name}_total": float(getattr(self, one.name)) for one in fields(self)}


@dataclass(slots=True)
class _Taken:
    """What goes on of a request. `undo` makes the receiver as it was before."""

    batches: list[Batch | HistogramBatch]
    samples: int
    histograms: int
    refused: Refused
    undo: Callable[[], None]
    exemplars: Exemplars | None


class RemoteWriteReceiver:
    """Takes remote write 1.0 and 2.0. `clock`: seconds since the epoch. `descriptions` takes what senders say of metrics."""

    def __init__(
        self,
        accept: Accept,
        clock: Callable[[], float] = time.time,
        *,
        bounds: MessageBounds = DEFAULT_BOUNDS,
        series: int = MOST_SERIES,
        body_bytes: int = MOST_BYTES,
        descriptions: Descriptions | None = None,
        exemplars: ExemplarSink | None = None,
    ) -> None:
        self._accept = accept
        self._exemplars = exemplars
        self._clock = clock
        self._body_bytes = body_bytes
        self._series = WrittenSeries(series, descriptions)
        self._reader = RequestReader(self._series, bounds)
        self.counters = WriteCounters()
        self.histograms = HistogramCounters()
        self._begin()
        self._one_at_a_time = asyncio.Lock()
        self._last_refusal = ""

    def _begin(self) -> None:
        space = self._series.book.space
        self._readings, self._drawn = Readings(space), HistogramReadings(space, self.histograms)

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self._write)]

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        return self.counters.figures() | {
            "remote_write_in_series": float(len(self._series.book.space)),
            "remote_write_in_dictionaries_total": float(self._series.book.begun),
            "remote_write_in_kinds_changed_total": float(self._series.changed),
            "remote_write_in_histograms_total": float(self.histograms.taken),
            "remote_write_in_histograms_unordered_total": float(self.histograms.unordered),
            "remote_write_in_histograms_gauges_total": float(self.histograms.gauges),
            "remote_write_in_histograms_forgotten_total": float(self.histograms.forgotten),
        }

    def notes(self) -> list[str]:
        """What was refused last, in a sentence."""
        return [f"remote write: {self._last_refusal}"] if self._last_refusal else []

    async def _write(self, request: web.Request) -> web.Response:
        self.counters.requests += 1
        try:
            version = version_of(request.headers)
            body = await read_body(request, self._body_bytes, encoding="snappy")
            taken = await self._read(body, version)
        except UnsupportedError as error:
            return self._failed(415, str(error))
        except BodyError as error:
            return self._failed(error.status, str(error))
        except ProtobufError as error:
            return self._failed(400, f"this is no {version.value}: {error}")
        return await self._hand_on(taken, version)

    async def _read(self, body: bytes, version: Version) -> _Taken:
        async with self._one_at_a_time:
            if len(body) <= _INLINE:
                return self.take(body, version)
            reading = asyncio.ensure_future(asyncio.to_thread(self.take, body, version))
            try:
                return await asyncio.shield(reading)
            except asyncio.CancelledError:
                await asyncio.wait((reading,))  # a thread goes on whoever waits, and no other may begin meanwhile
                raise

    def take(self, body: bytes, version: Version) -> _Taken:
        """The batches of an unpacked request. Raises `ProtobufError`; one call at a time."""
        found = self._reader.read(body, version)
        if self._readings.space is not self._series.book.space:
            self._begin()
        self._refuse_times(found)
        batches, unordered, undo = self._readings.take(found.ids, found.times / 1000.0, found.values)
        more, histograms, undo_more = (
            self._drawn.take(found.histograms, found.refused) if found.histograms else ([], 0, lambda: None)
        )
        self.counters.unordered += unordered

        def undo_all() -> None:
            undo()
            undo_more()

        exemplars = self._exemplars_in(found)
        return _Taken([*batches, *more], len(found.ids), histograms, found.refused, undo_all, exemplars)

    def _exemplars_in(self, found: Found) -> Exemplars | None:
        if self._exemplars is None:
            return None
        exemplars = found.exemplars.batch(self._series.of_exemplars.space, self._series.exemplar_id)
        self.counters.refused_exemplars += found.exemplars.left_out
        return exemplars

    def _refuse_times(self, found: Found) -> None:
        """Takes out what lies before 1970 or too far ahead."""
        latest = int(self._clock() * 1000) + MOST_AHEAD
        bad = (found.times < 0) | (found.times > latest)
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            name, at = self._series.name_of(int(found.ids[first])), int(found.times[first])
            found.refused.note(f"{name}: its time {at} ms is out of bounds", samples=int(np.count_nonzero(bad)))
            found.ids, found.times, found.values = found.ids[~bad], found.times[~bad], found.values[~bad]
        timely = [one for one in found.histograms if 0 <= one[1] <= latest]
        if len(timely) < len(found.histograms):
            found.refused.note("times of histograms are out of bounds", samples=len(found.histograms) - len(timely))
            found.histograms = timely

    async def _hand_on(self, taken: _Taken, version: Version) -> web.Response:
        if taken.batches:
            try:
                await self._accept.metrics(taken.batches)
            except NotAcceptedError as error:
                taken.undo()
                self.counters.not_accepted += 1
                headers = {"Retry-After": str(max(1, math.ceil(error.retry_after)))} | _written(version, 0, 0)
                return web.Response(status=503, text=f"{error}\n", headers=headers)
            except BaseException:
                taken.undo()
                raise
        if self._exemplars is not None and taken.exemplars is not None:
            self._exemplars(taken.exemplars)
            self.counters.exemplars += len(taken.exemplars)
        self.counters.samples += taken.samples
        self.counters.refused_series += taken.refused.series
        self.counters.refused_samples += taken.refused.samples
        headers = _written(version, taken.samples, taken.histograms, 0 if taken.exemplars is None else len(taken.exemplars))
        if why := taken.refused.sentence():
            return self._failed(400, why, headers)
        return web.Response(status=204, headers=headers)

    def _failed(self, status: int, why: str, headers: dict[str, str] | None = None) -> web.Response:
        self.counters.failed += 1
        self._last_refusal = why[:400]
        return web.Response(status=status, text=f"{why}\n", headers=headers)


def _written(version: Version, samples: int, histograms: int, exemplars: int = 0) -> dict[str, str]:
    """What 2.0 wants told."""
    if version is Version.V1:
        return {}
    told = {"Samples": samples, "Histograms": histograms, "Exemplars": exemplars}
    return {_WRITTEN.format(what): str(count) for what, count in told.items()}
