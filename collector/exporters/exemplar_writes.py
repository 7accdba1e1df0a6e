"""Exemplars sent on by remote write, as Prometheus sends them: series with their labels and no samples (remote write 1.0).

They wait in memory: a bounded queue whose oldest go first. What waits at a kill is lost; the samples beside them are not.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import cramjam

from collector.exporters.exporter import Patience
from collector.protobuf.timeseries import label_fields
from collector.protobuf.wire import bytes_field, double_field, number_field
from collector.storage.interning import labels_of
from collector.storage.remote.names import old_labels
from collector.storage.remote.request import Reply, send
from collector.storage.remote.sender import client_session
from collector.storage.remote.target import RemoteTarget, shown
from monitor.model.exemplar_table import Snapshot
from monitor.model.exemplars import all_labels
from monitor.model.matchers import Selector
from monitor.model.series import Tags
from monitor.query.history import Labels

if TYPE_CHECKING:
    import aiohttp

_LOG = logging.getLogger("lightship")

WAITING = 10_000
AT_ONCE = 2_000
"""Of one request."""


class Sent(NamedTuple):
    """`time` in milliseconds."""

    series: Labels
    labels: Tags
    value: float
    time: int


class ExemplarWrites:
    """Takes exemplars of selected series; sends them in order of arrival. `age`: seconds for which they wait for others."""

    def __init__(
        self, target: RemoteTarget, selector: Selector, tags: Mapping[str, str], *, spelled: bool, patience: Patience, age: float
    ) -> None:
        """`spelled`: names go with underscores."""
        self._target, self._selector, self._tags = target, selector, dict(tags)
        self._spelled, self._patience, self._age = spelled, patience, age
        self._waiting: deque[Sent] = deque()
        self._came = asyncio.Event()
        self.sent = self.dropped = self.refused = 0

    def take(self, fresh: Snapshot) -> None:
        """Those that were kept just now; in the loop's thread."""
        wanted: dict[int, Labels | None] = {}
        rows = fresh.rows
        columns = (column.tolist() for column in (rows.series, rows.times, rows.values, rows.traces, rows.spans, rows.labels))
        for series, at, value, (high, low), span, labels in zip(*columns, strict=True):
            if series not in wanted:
                key = fresh.keys[series]
                wanted[series] = self._named(labels_of(key)) if self._selector.matches(key) else None
            whose = wanted[series]
            if whose is None:
                continue
            if len(self._waiting) >= WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(Sent(whose, all_labels(high << 64 | low, span, labels), value, round(at * 1000)))
        if self._waiting:
            self._came.set()

    def _named(self, labels: Labels) -> Labels:
        tagged = tuple(sorted((dict(labels) | self._tags).items()))
        return old_labels(tagged) if self._spelled else tagged

    async def run(self) -> None:
        """Sends until cancelled."""
        attempt = 0
        async with client_session() as session:
            while True:
                await self._came.wait()
                await asyncio.sleep(self._age)
                part = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                try:
                    reply = await self._sent(session, part)
                except Exception as error:
                    # A mistake of ours in one request must not end all sending; what is in it is lost.
                    _LOG.exception("sending exemplars to %s failed unexpectedly", shown(self._target.write_url))
                    reply = Reply("refused", reason=type(error).__name__)
                if reply.kind == "again":
                    self._put_back(part)
                    await asyncio.sleep(self._patience.after(attempt, random.random(), reply.wait))
                    attempt += 1
                    continue
                attempt = 0
                self.sent += len(part) if reply.kind == "done" else 0
                self.refused += len(part) if reply.kind != "done" else 0
                if not self._waiting:
                    self._came.clear()

    async def _sent(self, session: aiohttp.ClientSession, part: Sequence[Sent]) -> Reply:
        body = bytes(cramjam.snappy.compress_raw(encoded(part)))
        return await send(session, self._target, body, "1.0", patience=self._patience.answer, now=time.time())

    def _put_back(self, part: Sequence[Sent]) -> None:
        """Where they were; of more than may wait the oldest go."""
        over = max(0, len(part) + len(self._waiting) - WAITING)
        self.dropped += over
        self._waiting.extendleft(reversed(part[over:]))

    def figures(self) -> dict[str, float]:
        """Of `FIGURES` of exporters."""
        return {
            "export_exemplars_sent_total": float(self.sent),
            "export_exemplars_dropped_total": float(self.dropped + self.refused),
        }


def encoded(part: Sequence[Sent]) -> bytes:
    """`prometheus.WriteRequest`: of each series its exemplars by time."""
    by_series: dict[Labels, list[Sent]] = {}
    for one in part:
        by_series.setdefault(one.series, []).append(one)
    written = []
    for series, told in by_series.items():
        exemplars = [
            bytes_field(3, label_fields(one.labels) + double_field(2, one.value) + number_field(3, one.time))
            for one in sorted(told, key=lambda one: one.time)
        ]
        written.append(bytes_field(1, label_fields(series) + b"".join(exemplars)))
    return b"".join(written)
