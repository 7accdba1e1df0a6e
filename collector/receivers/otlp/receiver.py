"""What takes in OTLP, whichever way it comes: reads a request, hands it on, and says what of it was left out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from aiohttp import web

from collector.receivers.accept import Accept, NotAcceptedError
from collector.receivers.descriptions import Descriptions
from collector.receivers.otlp.attributes import Attributes
from collector.receivers.otlp.counters import LeftOut, OtlpCounters
from collector.receivers.otlp.http_server import routes_of
from collector.receivers.otlp.limits import MOST_REQUESTS, MOST_WAITING
from collector.receivers.otlp.logs import LogsReader
from collector.receivers.otlp.metrics import MetricsReader
from collector.receivers.otlp.names import DEFAULT_RESOURCE_TAGS, TagNames
from collector.receivers.otlp.resuming import LastTotals
from collector.receivers.otlp.schema import UnreadableError
from collector.receivers.otlp.series import MetricSeries
from collector.receivers.otlp.signals import LOGS, METRICS, Signal
from collector.receivers.otlp.traces import TracesReader
from monitor.model.exemplars import ExemplarSink

Read = TypeVar("Read")
_INLINE = 64 * 1024
"""Bytes; longer requests are read in a thread, so that the event loop goes on meanwhile."""
_COME_AGAIN = 1.0


class OtlpReceiver:
    """Takes metrics, traces and logs. `attributes`: those of resources and scopes that become tags of series.

    `limit` bounds the series that are remembered; `exemplars` takes those of points, which are not read where it is None;
    `descriptions` takes what senders say of their metrics; `totals` knows the running totals of before the start. All methods
    belong to the loop's thread.
    """

    def __init__(
        self,
        accept: Accept,
        attributes: Sequence[str] = DEFAULT_RESOURCE_TAGS,
        *,
        clock: Callable[[], float] = time.time,
        limit: int = 200_000,
        exemplars: ExemplarSink | None = None,
        descriptions: Descriptions | None = None,
        totals: LastTotals | None = None,
    ) -> None:
        self._accept = accept
        self._exemplars = exemplars
        self.counters = OtlpCounters()
        decoder = Attributes(self.counters)
        self._series = MetricSeries(decoder, TagNames(attributes, self.counters), limit, clock())
        self._series.descriptions, self._series.totals = descriptions, totals
        self._totals = totals
        self._metrics = MetricsReader(self._series, clock, decoder if exemplars is not None else None)
        self._traces = TracesReader(decoder, self.counters)
        self._logs = LogsReader(decoder, self.counters, clock)
        # One at a time: what a reader remembers belongs to one thread, and points of a series are counted in their order.
        self._one_at_a_time = asyncio.Lock()
        self._requests = 0
        self._waiting = 0

    def routes(self) -> list[web.RouteDef]:
        """`POST /v1/metrics`, `/v1/traces` and `/v1/logs`, for an application that leaves bodies as they came
        (`AppRunner(auto_decompress=False)`).
        """
        return routes_of(self)

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        book = self._series.book
        return self.counters.figures() | {
            "otlp_series": float(len(book.space)),
            "otlp_dictionaries_total": float(book.begun),
            "otlp_waiting_bytes": float(self._waiting),
            "otlp_totals_resumed_total": float(self._totals.resumed if self._totals is not None else 0),
        }

    def notes(self) -> list[str]:
        """Sentences about what is wrong."""
        return self.counters.notes()

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request, from before its body is read. Raises `NotAcceptedError` when too many are being answered."""
        if self._requests >= MOST_REQUESTS:
            self.counters.refused += 1
            raise NotAcceptedError(f"{self._requests} requests are being answered; come again", _COME_AGAIN)
        self._requests += 1
        self.counters.requests += 1
        try:
            yield
        except UnreadableError as error:
            self.counters.broken += 1
            self.counters.last_broken = str(error)
            raise
        except NotAcceptedError:
            self.counters.refused += 1
            raise
        finally:
            self._requests -= 1

    async def take(self, signal: Signal, data: bytes, convert: Callable[[bytes], bytes] | None = None) -> Any:
        """The response to a request, once what it brought is kept. `convert` makes protobuf of `data` where it is not.

        Raises `UnreadableError` (nothing of it is kept) and `NotAcceptedError` (the sender should come again).
        """
        if self._waiting + len(data) > MOST_WAITING:
            raise NotAcceptedError(f"{self._waiting} bytes wait to be read and kept; come again", _COME_AGAIN)
        self._waiting += len(data)
        try:
            left_out = await self._take(signal, data, convert or (lambda same: same))
        finally:
            self._waiting -= len(data)
        if left_out.count:
            self.counters.left_out += left_out.count
            self.counters.last_left_out = left_out.told()
        return signal.answer(left_out.count, left_out.told())

    async def _take(self, signal: Signal, data: bytes, convert: Callable[[bytes], bytes]) -> LeftOut:
        if signal is METRICS:
            taken = await self._read(data, lambda: self._metrics.read(convert(data)))
            try:
                await self._handed_on(bool(taken.batches), lambda: self._accept.metrics(taken.batches))
            except NotAcceptedError:
                async with self._one_at_a_time:
                    self.counters.recounted += taken.undo()
                raise
            self.counters.points += taken.points
            if self._exemplars is not None and taken.exemplars is not None:
                self._exemplars(taken.exemplars)
            return taken.left_out
        if signal is LOGS:
            logs, left_out = await self._read(data, lambda: self._logs.read(convert(data)))
            await self._handed_on(len(logs) > 0, lambda: self._accept.logs(logs))
            self.counters.records += len(logs)
            return left_out
        spans, left_out = await self._read(data, lambda: self._traces.read(convert(data)))
        await self._handed_on(len(spans) > 0, lambda: self._accept.spans(spans))
        self.counters.spans += len(spans)
        return left_out

    async def _read(self, data: bytes, read: Callable[[], Read]) -> Read:
        async with self._one_at_a_time:
            return read() if len(data) <= _INLINE else await asyncio.to_thread(read)

    async def _handed_on(self, anything: bool, hand_on: Callable[[], Awaitable[None]]) -> None:
        if anything:
            await hand_on()
