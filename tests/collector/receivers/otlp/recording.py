"""An `Accept` that keeps what it was given, and short ways to make requests and to look at what came of them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from collector.receivers.accept import NotAcceptedError
from collector.receivers.otlp import OtlpReceiver
from collector.receivers.otlp.signals import LOGS, METRICS, TRACES
from monitor.alerting.model import Event
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.logs import Logs, joined_logs
from monitor.model.series import Kind
from monitor.model.spans import Spans, joined_spans

NOW = 1_700_000_000
Sample = tuple[float, float]
"""Time in seconds after NOW, and value; a NaN is None."""


class Recording:
    """Keeps everything; refuses while `refusing` says why."""

    def __init__(self) -> None:
        self.batches: list[Batch | HistogramBatch] = []
        self.all_spans: list[Spans] = []
        self.all_logs: list[Logs] = []
        self.refusing = ""
        self.was_refused = asyncio.Event()
        self.retry_after = 0.5

    def _check(self) -> None:
        if self.refusing:
            self.was_refused.set()
            raise NotAcceptedError(self.refusing, self.retry_after)

    async def metrics(self, batches: Sequence[Batch | HistogramBatch]) -> None:
        self._check()
        self.batches += batches

    async def spans(self, spans: Spans) -> None:
        self._check()
        self.all_spans.append(spans)

    async def logs(self, logs: Logs) -> None:
        self._check()
        self.all_logs.append(logs)

    def events(self, events: Sequence[Event]) -> None:
        raise AssertionError("OTLP brings no events")

    # ------------------------------------------------------------ what came

    def _samples(self, raw: bool, windowed: bool) -> dict[str, list[tuple[float, float | None]]]:
        found: dict[str, list[tuple[float, float | None]]] = {}
        for batch in self.batches:
            if isinstance(batch, Batch) and (batch.raw, batch.windowed) == (raw, windowed):
                for number, value, time in zip(batch.ids.tolist(), batch.values.tolist(), batch.times.tolist(), strict=True):
                    label = batch.space.keys[number].label()
                    found.setdefault(label, []).append((round(time - NOW, 3), None if math.isnan(value) else value))
        return found

    def gauges(self) -> dict[str, list[tuple[float, float | None]]]:
        """Samples by series: gauges, and the ends of all series."""
        return self._samples(raw=True, windowed=True)

    def readings(self) -> dict[str, list[tuple[float, float | None]]]:
        """Of counters, as the history gets them."""
        return self._samples(raw=True, windowed=False)

    def increments(self) -> dict[str, list[tuple[float, float | None]]]:
        """Of counters, as the windows get them."""
        return self._samples(raw=False, windowed=True)

    def distributions(self) -> dict[str, list[tuple[float, float, dict[int, float]]]]:
        """Time, sum and counts by bin, by series."""
        found: dict[str, list[tuple[float, float, dict[int, float]]]] = {}
        for batch in self.batches:
            if isinstance(batch, HistogramBatch):
                for place, number in enumerate(batch.ids.tolist()):
                    part = slice(batch.offsets[place], batch.offsets[place + 1])
                    bins = batch.bins[part].tolist()
                    assert bins == sorted(set(bins)), "bins rise"
                    assert batch.space.kinds[number] is Kind.DISTRIBUTION
                    counts = dict(zip(bins, batch.counts[part].tolist(), strict=True))
                    one = round(float(batch.times[place]) - NOW, 3), float(batch.sums[place]), counts
                    found.setdefault(batch.space.keys[number].label(), []).append(one)
        return found

    def units(self) -> dict[str, str]:
        return {
            batch.space.keys[number].name: batch.space.units[number] for batch in self.batches for number in batch.ids.tolist()
        }

    def spans_got(self) -> Spans:
        return joined_spans(self.all_spans)

    def logs_got(self) -> Logs:
        return joined_logs(self.all_logs)


class Station:
    """A receiver and what it handed on, to be fed with requests."""

    def __init__(self, clock: float = NOW - 1000, **options: Any) -> None:
        self.got = Recording()
        self.receiver = OtlpReceiver(self.got, clock=lambda: clock, **options)

    def metrics(self, request: ExportMetricsServiceRequest) -> Any:
        """The response's partial success."""
        return run(self.receiver.take(METRICS, request.SerializeToString())).partial_success

    def traces(self, request: ExportTraceServiceRequest) -> Any:
        return run(self.receiver.take(TRACES, request.SerializeToString())).partial_success

    def logs(self, request: ExportLogsServiceRequest) -> Any:
        return run(self.receiver.take(LOGS, request.SerializeToString())).partial_success


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def value_of(value: Any) -> AnyValue:
    if value is None:
        return AnyValue()
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=map(value_of, value)))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=pairs(value)))
    return AnyValue(string_value=value)


def pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value_of(value)) for key, value in attributes.items()]


def metrics_request(resource: Mapping[str, Any] | None = None) -> tuple[ExportMetricsServiceRequest, Any]:
    """A request with one resource and scope, and the scope."""
    request = ExportMetricsServiceRequest()
    under = request.resource_metrics.add()
    under.resource.attributes.extend(pairs(resource or {}))
    return request, under.scope_metrics.add()


def nano(second: float) -> int:
    """Nanoseconds since the epoch of a time after NOW; 0 for a start that is not told."""
    return round((NOW + second) * 1e9)


def details_of(packed: bytes) -> Any:
    return msgspec.msgpack.decode(packed)
