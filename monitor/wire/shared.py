"""What all clients of one collector share: each subscription's columns and each list are computed and encoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np

from monitor.model.batch import Ids
from monitor.model.matchers import Selector
from monitor.model.series import SeriesInfo
from monitor.wire.codec import JSON, MSGPACK, Codec
from monitor.wire.messages import F64, I32, Alerts, Frame, Health, Message, Rules, Series, SeriesEntry
from monitor.wire.source import Engine, Source

RESELECT = 10.0
"""Seconds after which the largest rows of a limited subscription are chosen anew."""
SERIES_PART = 2_000
"""Series in one message."""
MAX_CACHED = 64
"""Encoded lists kept; each stands for one revision that some client came back with."""


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one client."""

    subscriptions: int = 64
    fields: int = 16
    rows: int = 20_000
    history_cells: int = 2_000_000
    get_rows: int = 10_000
    selector: int = 4_096


class Topic(NamedTuple):
    """What makes the frames of two subscriptions the same."""

    selector: str
    fields: tuple[str, ...]
    window: float
    limit: int
    every: int


@dataclass(eq=False, slots=True)
class Feed:
    """One topic: its rows, its columns of the present tick, and their encodings."""

    topic: Topic
    selector: Selector
    max_rows: int
    every: int
    users: int = 0
    rows: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    version: int = 0
    """Counts changes of `rows`."""
    cut_rows: int = 0
    """Rows beyond the bound that are left out."""
    _table: int = -1
    _chosen: float = -1.0
    tick: int = -1
    """Number of the tick whose columns are held."""
    _time: float = 0.0
    _columns: tuple[F64, ...] = ()
    _packets: dict[tuple[bool, int, bool, int], bytes] = field(default_factory=dict)

    def choose(self, engine: Engine, time: float) -> None:
        """Brings `rows` up to date with the series table, and every `RESELECT` seconds with the values."""
        table = engine.table.revision
        span = time // RESELECT if self.topic.limit else 0.0
        if table == self._table and span == self._chosen:
            return
        self._table, self._chosen = table, span
        rows = engine.table.select(self.selector)
        if 0 < self.topic.limit < len(rows):
            rows = self._largest(engine, rows)
        self.cut_rows = max(0, len(rows) - self.max_rows)
        rows = rows[: self.max_rows]
        if not np.array_equal(rows, self.rows):
            self.rows = rows
            self.version += 1

    def _largest(self, engine: Engine, rows: Ids) -> Ids:
        values = engine.column(self.topic.fields[0], self.topic.window, rows)
        order = np.argpartition(-np.nan_to_num(values, nan=-np.inf), self.topic.limit - 1)
        return np.sort(rows[order[: self.topic.limit]])

    def refresh(self, engine: Engine, number: int, time: float) -> None:
        """Columns of tick `number`; does nothing when they are there already."""
        if number == self.tick:
            return
        self.choose(engine, time)
        self.tick, self._time = number, time
        self._columns = tuple(engine.column(name, self.topic.window, self.rows).view(F64) for name in self.topic.fields)
        self._packets.clear()

    def message(self, sub: int, with_rows: bool, skipped: int) -> Frame:
        """The present tick as subscription `sub` gets it."""
        rows = self.rows.view(I32) if with_rows else None
        return Frame(sub=sub, time=self._time, columns=self._columns, rows=rows, skipped=skipped)

    def packet(self, shared: Shared, codec: Codec, sub: int, with_rows: bool = False, skipped: int = 0) -> bytes:
        """The same, encoded; once for all clients to whom it reads alike."""
        key = (codec.text, sub, with_rows, skipped)
        found = self._packets.get(key)
        if found is None:
            found = self._packets[key] = shared.pack(codec, self.message(sub, with_rows, skipped))
        return found


class Shared:
    """Feeds by topic and lists by revision. `wrap` turns an encoded message (and whether it is text) into what is sent."""

    def __init__(self, source: Source, limits: Limits | None = None, wrap: Callable[[bytes, bool], bytes] | None = None) -> None:
        self.source = source
        self.limits = limits or Limits()
        self.feeds: dict[Topic, Feed] = {}
        self.time = source.hello().time
        self.number = 0
        self.encoded = 0
        """Messages encoded so far."""
        self._wrap = wrap
        self._codecs = {name: Codec(name) for name in (MSGPACK, JSON)}
        self._lists: dict[tuple[str, bool, int, int], tuple[bytes, ...]] = {}

    def codec(self, subprotocol: str) -> Codec:
        """The codec all clients of this subprotocol use."""
        return self._codecs[subprotocol]

    def pack(self, codec: Codec, message: Message) -> bytes:
        """One message as it is sent. Raises `EncodeError`."""
        self.encoded += 1
        data = codec.encode(message)
        return self._wrap(data, codec.text) if self._wrap else data

    def begin(self, number: int, time: float) -> None:
        """A tick has passed; `number` rises, `time` is its end."""
        self.number, self.time = number, time

    def acquire(self, topic: Topic, selector: Selector) -> Feed:
        """The feed of a topic, shared with everybody who asks for the same; `release` it once."""
        feed = self.feeds.get(topic)
        if feed is None:
            feed = self.feeds[topic] = Feed(topic, selector, self.limits.rows, topic.every)
        feed.users += 1
        feed.choose(self.source.engine, self.time)
        return feed

    def release(self, feed: Feed) -> None:
        feed.users -= 1
        if feed.users <= 0:
            self.feeds.pop(feed.topic, None)

    # Lists with revisions: what a client at `since` (-1: has nothing) lacks, and the revision it has then.

    def series(self, codec: Codec, since: int) -> tuple[int, tuple[bytes, ...]]:
        table = self.source.engine.table
        revision = table.revision
        if since == revision:
            return revision, ()
        start = 0 if since > revision else max(0, since)

        def build() -> Iterable[Message]:
            added, gone = table.added_since(start)
            return series_messages(revision, start, list(added), list(gone))

        return revision, self._cached("series", codec, start, revision, build)

    def alerts(self, codec: Codec, since: int) -> tuple[int, tuple[bytes, ...]]:
        start = max(0, since)
        revision, alerts, silences, removed = self.source.alerts_since(start)
        if since == revision:
            return revision, ()
        if start > revision:
            start = 0
            revision, alerts, silences, removed = self.source.alerts_since(0)

        def build() -> Iterable[Message]:
            lists = tuple(alerts), tuple(silences), tuple(removed)
            return [Alerts(revision, start, self.time, *lists)]

        return revision, self._cached("alerts", codec, start, revision, build)

    def rules(self, codec: Codec, since: int) -> tuple[int, tuple[bytes, ...]]:
        rules: Rules = self.source.rules()
        if rules.revision == since:
            return since, ()
        return rules.revision, self._cached("rules", codec, 0, rules.revision, lambda: [rules])

    def health(self, codec: Codec) -> tuple[bytes, ...]:
        def build() -> Iterable[Message]:
            health = self.source.health()
            finite = {name: value for name, value in health.values.items() if np.isfinite(value)}
            return [Health(health.time, finite, health.notes)]

        return self._cached("health", codec, 0, self.number, build)

    def _cached(
        self, kind: str, codec: Codec, since: int, revision: int, build: Callable[[], Iterable[Message]]
    ) -> tuple[bytes, ...]:
        key = (kind, codec.text, since, revision)
        found = self._lists.get(key)
        if found is None:
            while len(self._lists) >= MAX_CACHED:
                del self._lists[next(iter(self._lists))]
            found = self._lists[key] = tuple(self.pack(codec, message) for message in build())
        return found


def series_messages(revision: int, since: int, added: list[SeriesInfo], gone: list[int]) -> list[Series]:
    """The change from `since` to `revision` in parts of bounded size; all but the last say that more follow."""
    entries = [SeriesEntry(info.row, info.key.name, info.key.tags, int(info.kind), info.unit) for info in added]
    parts = [tuple(entries[i : i + SERIES_PART]) for i in range(0, len(entries), SERIES_PART)] or [()]
    last = len(parts) - 1
    return [
        Series(revision, since if i == 0 else revision, part, tuple(gone) if i == 0 else (), more=i < last)
        for i, part in enumerate(parts)
    ]
