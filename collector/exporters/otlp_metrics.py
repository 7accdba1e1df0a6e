"""Samples of the queue as OTLP metrics: counters as cumulative sums, gauges, distributions as exponential histograms.

Source: opentelemetry-proto, metrics/v1/metrics.proto; opentelemetry.io, metrics data model ("Resets and Gaps").
"""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from collector.exporters.otlp_channel import Channel
from collector.exporters.otlp_wire import attributes, fixed_field
from collector.protobuf.wire import bytes_field, double_field, number_field, packed, text_field, varints, zigzag
from collector.storage.remote.batch import Batches, Part
from collector.storage.remote.distributions import Grown
from collector.storage.remote.packing import QueuedSeries
from collector.storage.remote.request import Reply, Version
from collector.storage.remote.target import RemoteTarget
from monitor.model.matchers import NAME_TAG
from monitor.model.series import Kind
from monitor.query.histogram import Buckets, Histogram
from monitor.query.histogram_layout import reduced
from monitor.query.history import stale_at

if TYPE_CHECKING:
    import aiohttp

_GAUGE, _SUM, _EXPONENTIAL = 5, 7, 10
_CUMULATIVE = 2
_NO_VALUE = number_field(8, 1)
"""The flag of a point that says that its series has ended."""
_COARSEST = -4
MOST_DENSE = 320
"""Buckets of one sign in a histogram here, empty ones between full ones included."""


class OtlpMetrics:
    """Implements `collector.storage.remote.dialect.Dialect` over a channel of OTLP."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._epoch: int | None = None
        self._begun: dict[int, tuple[int, float]] = {}
        """Of each counter and distribution: since when it counts, in milliseconds, and what it said last."""

    def encoded(self, batches: Batches, part: Part, version: Version) -> tuple[bytes, int]:
        """See `Dialect`: an `ExportMetricsServiceRequest`, compressed with gzip."""
        if batches.epoch != self._epoch:
            self._epoch = batches.epoch
            self._begun.clear()
        metrics = [*self._plain(batches, part), *(self._drawn(batches, grown) for grown in part.grown)]
        scoped = bytes_field(2, bytes_field(1, b"") + b"".join(bytes_field(2, metric) for metric in metrics))
        return gzip.compress(bytes_field(1, bytes_field(1, b"") + scoped), 1), len(part)

    async def send(
        self, session: aiohttp.ClientSession, target: RemoteTarget, body: bytes, version: Version, *, patience: float, now: float
    ) -> Reply:
        """See `Dialect`."""
        return await self._channel.send(body, session, now)

    async def aclose(self) -> None:
        """See `Dialect`."""
        await self._channel.aclose()

    def _plain(self, batches: Batches, part: Part) -> Iterator[bytes]:
        """A metric a series."""
        starts = np.flatnonzero(np.diff(part.refs, prepend=np.int64(-1))).tolist() if len(part.refs) else []
        ended = stale_at(part.values)
        for begin, end in itertools.pairwise([*starts, len(part.refs)]):
            ref = int(part.refs[begin])
            series = batches.series(ref)
            told = attributes(7, {name: value for name, value in series.labels if name != NAME_TAG})
            times, values = part.times[begin:end].tolist(), part.values[begin:end].tolist()
            points = []
            for time, value, stale in zip(times, values, ended[begin:end].tolist(), strict=True):
                since = fixed_field(2, self._since(ref, time, value) * 1_000_000) if series.kind == Kind.COUNTER else b""
                said = _NO_VALUE if stale else double_field(4, value)
                points.append(bytes_field(1, since + fixed_field(3, time * 1_000_000) + said + told))
            if series.kind == Kind.COUNTER:
                data = b"".join(points) + number_field(2, _CUMULATIVE) + number_field(3, 1)
                yield _metric(series, _SUM, data)
            else:
                yield _metric(series, _GAUGE, b"".join(points))

    def _drawn(self, batches: Batches, grown: Grown) -> bytes:
        series = batches.series(grown.ref)
        told = attributes(1, {name: value for name, value in series.labels if name != NAME_TAG})
        points = []
        for time, cell in zip(grown.times.tolist(), batches.drawn(grown).tolist(), strict=True):
            since = self._since(grown.ref, time, cell.count) * 1_000_000
            points.append(bytes_field(1, told + fixed_field(2, since) + fixed_field(3, time * 1_000_000) + _point(cell)))
        return _metric(series, _EXPONENTIAL, b"".join(points) + number_field(2, _CUMULATIVE))

    def _since(self, ref: int, time: int, value: float) -> int:
        """Since when it counts: where that is unknown the first time there is, and after a reset the time of the last before."""
        known = self._begun.get(ref)
        begun = time if known is None or value < known[1] else known[0]
        self._begun[ref] = (begun, value if value == value else known[1] if known else 0.0)
        return begun


def _metric(series: QueuedSeries, field: int, data: bytes) -> bytes:
    name = next((value for label, value in series.labels if label == NAME_TAG), "")
    return text_field(1, name) + text_field(3, series.unit) + bytes_field(field, data)


def _point(histogram: Histogram) -> bytes:
    """A histogram with all buckets between its first and its last, so made coarser until they are few enough."""
    one = histogram
    while max(_spread(one.positive), _spread(one.negative)) > MOST_DENSE and one.schema > _COARSEST:
        one = Histogram(reduced(one.alone(), one.schema - 1))
    return b"".join(
        (
            fixed_field(4, round(one.count)),
            double_field(5, one.sum),
            number_field(6, zigzag(one.schema)),
            fixed_field(7, round(one.zero_count)),
            _dense(8, one.positive),
            _dense(9, one.negative),
            double_field(14, one.zero_threshold),
        )
    )


def _spread(buckets: Buckets) -> int:
    return int(buckets.indices[-1] - buckets.indices[0]) + 1 if len(buckets.indices) else 0


def _dense(field: int, buckets: Buckets) -> bytes:
    """Index i here is i + 1 in a native histogram, which counts upper bounds."""
    if not len(buckets.indices):
        return b""
    counts = np.zeros(_spread(buckets), np.int64)
    counts[buckets.indices - buckets.indices[0]] = np.rint(buckets.counts).astype(np.int64)
    offset = number_field(1, zigzag(int(buckets.indices[0]) - 1))
    return bytes_field(field, offset + packed(2, varints(counts)))
