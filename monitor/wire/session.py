"""One client as the collector sees it, without a socket: what it has been sent, and what it is owed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import msgspec

from monitor.model.batch import Ids
from monitor.model.matchers import Selector, SelectorError, parse_selector
from monitor.windows.frame import is_field
from monitor.windows.rings import FINE, TEN
from monitor.wire import messages as m
from monitor.wire.codec import Codec, EncodeError
from monitor.wire.messages import Message, Reply, Request
from monitor.wire.past import Past, PastQuery, parted
from monitor.wire.shared import Feed, Shared, Topic

MAX_WHO = 64
PAUSE = b""
"""In an answer: nothing to send, but a moment at which others may have their turn."""
HARMLESS = (m.CheckRules, m.WhyPaged, m.GetIncidents, m.GetNoise, m.PreviewRoutes, m.Asked)
"""Requests for the collector that change nothing, allowed when it is read-only."""


class RefusedError(ValueError):
    """A request that is not carried out; the text goes into its reply."""


@dataclass(eq=False, slots=True)
class Subscribed:
    """One subscription of one client. `version`: that of the rows it was sent last."""

    feed: Feed
    version: int = -1
    skipped: int = 0


class Session:
    """State of one client. Methods give packets: encoded messages, to be sent in order and whole."""

    def __init__(self, shared: Shared, codec: Codec) -> None:
        self.shared = shared
        self.codec = codec
        self.subscriptions: dict[int, Subscribed] = {}
        self.following = False
        """Whether it has said `resume` and so gets lists and health as they change."""
        self.who = ""
        self.client = ""
        self.skipped = 0
        """Frames not sent because the client was slow."""
        self._series_wanted = True
        self._series = self._alerts = self._rules = -1
        self._event = 0

    def greet(self) -> list[bytes]:
        """The first packets."""
        return [self._pack(self.shared.source.hello())]

    def close(self) -> None:
        """Gives its shares of feeds back; safe to call twice."""
        for subscribed in self.subscriptions.values():
            self.shared.release(subscribed.feed)
        self.subscriptions.clear()

    # ------------------------------------------------------------ what a client asks

    def receive(self, request: Request) -> Iterable[bytes] | None:
        """Answers a question or a subscription; None: for the collector to carry out and `reply` to.

        That is a command, a query, or the wish to look at the past (`Resume.at`, `Seek`), upon which the session is `moved`.
        A long answer is worked out while it is iterated over, and gives `PAUSE`, which is not to be sent, wherever others may
        have their turn; where that is a `Work`, it is to be run in another thread meanwhile.
        """
        try:
            if isinstance(request, m.Resume) and request.at > 0 and not self.shared.source.hello().rewound:
                return None
            if isinstance(request, m.Seek):
                self._check_seek(request)
                return None
            if isinstance(request, m.Resume):
                return self._resume(request)
            if isinstance(request, m.Subscribe):
                return self._subscribe(request)
            if isinstance(request, m.Unsubscribe):
                return self._unsubscribe(request)
            if isinstance(request, m.Get):
                return self.reply(request.id, self._get(request))
            if isinstance(request, m.HistoryQuery):
                return self._query(request)
            if isinstance(request, m.Status):
                return self.reply(request.id, self._status())
            hello = self.shared.source.hello()
            if hello.read_only and not isinstance(request, HARMLESS):
                if hello.rewound:
                    raise RefusedError("this connection looks at the past, where nothing can be changed; go live to act")
                raise RefusedError("this collector is read-only for you; ask somebody who may change it")
        except RefusedError as error:
            return self.reply(request.id, error=str(error))
        return None

    def reply(self, request: int, result: Any = None, error: str = "") -> list[bytes]:
        """The answer to a request; a result that cannot be encoded becomes an error that says so."""
        try:
            return [self._pack(Reply(request, error, result))]
        except EncodeError as problem:
            return [self._pack(Reply(request, f"the answer could not be written: {problem}"))]

    def tell(self, message: Message) -> list[bytes]:
        """A whole message that answers a request in place of a reply."""
        return [self._pack(message)]

    def moved(self, shared: Shared, request: m.Resume | None = None) -> list[bytes]:
        """From now on it tells of another source, a moment of the past: hello and all lists. Its subscriptions end.

        `request` is what the client resumed with, where it did so to be moved.
        """
        self.close()
        self.shared = shared
        self._series = self._alerts = self._rules = -1
        self._event = 0
        if request is not None:
            return [*self.greet(), *self._resume(msgspec.structs.replace(request, boot=""))]
        return [*self.greet(), *self.lists(), *(shared.health(self.codec) if self.following else ())]

    def _check_seek(self, request: m.Seek) -> None:
        if not self.shared.source.hello().rewound:
            raise RefusedError("this connection is live; resume a new one with `at` to look at the past")
        if not (math.isfinite(request.time) and request.time >= 0 and math.isfinite(request.speed)):
            raise RefusedError("time must be seconds since the epoch (0: stay there), speed seconds a second")

    def _resume(self, request: m.Resume) -> list[bytes]:
        same = request.boot == self.shared.source.hello().boot
        self._series = (request.series if same else 0) or -1
        self._alerts = (request.alerts if same else 0) or -1
        self._rules = (request.rules if same else 0) or -1
        self._event = request.events if same else 0
        self._series_wanted = request.series_wanted
        self.who, self.client = request.who[:MAX_WHO], request.client[:MAX_WHO]
        self.following = True
        return [*self.lists(), *self.shared.health(self.codec)]

    def _subscribe(self, request: m.Subscribe) -> Iterable[bytes]:
        selector = self._selector(request.selector)
        self._check_columns(request.fields, request.window)
        self._check_pace(request)
        held = self.subscriptions.get(request.id)
        if held is None and len(self.subscriptions) >= self.shared.limits.subscriptions:
            raise RefusedError(f"this client has {len(self.subscriptions)} subscriptions, the most allowed; end one first")
        topic = Topic(str(selector), request.fields, request.window, request.limit, request.every)
        feed = self.shared.acquire(topic, selector)
        if feed.cut_rows:
            total = len(feed.rows) + feed.cut_rows
            self.shared.release(feed)
            raise RefusedError(f"selects {total:,} series (at most {len(feed.rows):,}); narrow the selector or set limit")
        if held is not None:
            self.shared.release(held.feed)
        self.subscriptions[request.id] = Subscribed(feed)
        packets = [*self._series_change(), *self.reply(request.id, {"rows": len(feed.rows)})]
        if self.shared.source.hello().rewound:
            # A past that stands still has no tick that would tell it.
            packets += self._frame(request.id, self.subscriptions[request.id])
        if request.since and len(feed.rows):
            return chain(packets, self._backfill(request, feed))
        return packets

    def _unsubscribe(self, request: m.Unsubscribe) -> list[bytes]:
        held = self.subscriptions.pop(request.sub, None)
        if held is None:
            raise RefusedError(f"there is no subscription {request.sub}")
        self.shared.release(held.feed)
        return self.reply(request.id)

    def _backfill(self, request: m.Subscribe, feed: Feed) -> Iterator[bytes]:
        source = self.shared.source
        now = self.shared.time
        start = request.since if request.since > 0 else now + request.since
        oldest = now - source.hello().recent
        start = max(start, oldest if source.archive is None else min(oldest, source.archive.since))
        columns = max(1, len(feed.rows) * len(request.fields))
        step = max(request.step, math.ceil((now - start) * columns / self.shared.limits.history_cells))
        whole = PastQuery(feed.rows, request.fields, request.window, start, now, step)
        older, newer = parted(whole, now, source.archive)
        queries = [] if newer is None else [newer]
        if newer is not None and step < TEN and newer.start < now - FINE:
            # Seconds are kept for the last minutes only, and one answer has one step: the older part comes on its own.
            queries = [replace(newer, end=now - FINE), replace(newer, start=now - FINE, step=step)]
        answers = [self._past(query, sub=request.id) for query in queries]
        if older is not None:
            answers.insert(0, self._kept(older, sub=request.id))
        return chain.from_iterable(answers)

    def _query(self, request: m.HistoryQuery) -> Iterator[bytes]:
        rows = self._rows(request.selector, request.limit)
        self._check_columns(request.fields, request.window)
        if not (math.isfinite(request.start) and math.isfinite(request.end) and request.start < request.end):
            raise RefusedError("start must be before end, both in seconds since the epoch")
        if not (math.isfinite(request.step) and request.step > 0):
            raise RefusedError("step must be above zero seconds")
        span = request.end - request.start
        cells = span / request.step * len(rows) * len(request.fields)
        bound = self.shared.limits.history_cells
        if cells > bound:
            step = math.ceil(span * len(rows) * len(request.fields) / bound)
            raise RefusedError(
                f"would read {cells:,.0f} values (limit {bound:,}); shorten the range or raise the step to {step} s"
            )
        query = PastQuery(rows, request.fields, request.window, request.start, request.end, request.step)
        older, newer = parted(query, self.shared.time, self.shared.source.archive)
        if older is None:
            return self._past(newer or query, request=request.id)
        return self._kept(older, newer, request=request.id)

    def _past(self, query: PastQuery, sub: int = 0, request: int = 0) -> Iterator[bytes]:
        past = Past(query)
        yield PAUSE
        yield from past.read(self.shared.source.engine)
        yield self._pack(past.message(sub, request))

    def _kept(self, older: PastQuery, newer: PastQuery | None = None, sub: int = 0, request: int = 0) -> Iterator[bytes]:
        """What only the archive knows and, on the same grid of steps, what the engine adds to it."""
        past = Past(older)
        yield PAUSE
        try:
            yield from past.read_kept(self.shared.source)
        except ValueError as error:
            if request:
                yield from self.reply(request, error=str(error))
            return
        if newer is not None:
            rest = Past(newer)
            yield from rest.read(self.shared.source.engine)
            past.join(rest)
        yield self._pack(past.message(sub, request))

    def _get(self, request: m.Get) -> list[dict[str, Any]]:
        rows = self._rows(request.selector, min(request.limit, self.shared.limits.get_rows))
        self._check_columns(request.fields, request.window)
        engine = self.shared.source.engine
        columns = [engine.column(name, request.window, rows).tolist() for name in request.fields]
        found = []
        for i, row in enumerate(rows.tolist()):
            info = engine.table.info(row)
            if info is None:
                continue
            values = {n: c[i] if math.isfinite(c[i]) else None for n, c in zip(request.fields, columns, strict=True)}
            tags = dict(info.key.tags)
            found.append(
                {"name": info.key.name, "tags": tags, "kind": info.kind.name.lower(), "unit": info.unit, "fields": values}
            )
        return found

    def _status(self) -> dict[str, Any]:
        hello = msgspec.structs.asdict(self.shared.source.hello())
        return hello | msgspec.structs.asdict(self.shared.source.health())

    # ------------------------------------------------------------ checks

    def _selector(self, text: str) -> Selector:
        if len(text) > self.shared.limits.selector:
            raise RefusedError(f"the selector has {len(text):,} characters (at most {self.shared.limits.selector:,})")
        try:
            return parse_selector(text)
        except SelectorError as error:
            raise RefusedError(f"selector, column {error.column}: {error}") from None

    def _rows(self, selector: str, limit: int) -> Ids:
        if limit < 1:
            raise RefusedError("limit must be at least 1")
        rows = self.shared.source.engine.table.select(self._selector(selector))
        return rows[: min(limit, self.shared.limits.rows)]

    def _check_columns(self, fields: tuple[str, ...], window: float) -> None:
        if not 1 <= len(fields) <= self.shared.limits.fields:
            raise RefusedError(f"asks for {len(fields)} fields (1 to {self.shared.limits.fields} allowed)")
        for name in fields:
            if not is_field(name[:32]):
                raise RefusedError(
                    f"unknown field {name[:32]!r}; ask for value, rate, mean, max, p99 or another of docs/protocol.md"
                )
        windows = self.shared.source.hello().windows
        if window not in windows:
            kept = ", ".join(f"{w:g}" for w in windows)
            raise RefusedError(f"no window of {window:g} s is kept; choose one of {kept} s")

    def _check_pace(self, request: m.Subscribe) -> None:
        if not math.isfinite(request.since):
            raise RefusedError("since must be a time in seconds")
        if not (math.isfinite(request.step) and request.step > 0):
            raise RefusedError("step must be above zero seconds")
        if not 1 <= request.every <= 3600:
            raise RefusedError("every must be from 1 to 3600 ticks")
        if not 0 <= request.limit <= self.shared.limits.rows:
            raise RefusedError(f"limit must be from 0 (all) to {self.shared.limits.rows:,} rows")

    # ------------------------------------------------------------ what a client is owed

    def tick(self) -> list[bytes]:
        """Frames of the present tick, with the series they need before them."""
        shared = self.shared
        number = shared.number
        packets = self._series_change() if self.following else []
        for sub, held in self.subscriptions.items():
            if number % held.feed.every == 0:
                packets += self._frame(sub, held)
        if self.following:
            packets.extend(shared.health(self.codec))
        return packets

    def _frame(self, sub: int, held: Subscribed) -> list[bytes]:
        feed, shared = held.feed, self.shared
        if feed.tick != shared.number:
            feed.refresh(shared.source.engine, shared.number, shared.time)
        if held.version == feed.version and not held.skipped:
            return [feed.packet(shared, self.codec, sub)]
        packet = feed.packet(shared, self.codec, sub, held.version != feed.version, held.skipped)
        held.version, held.skipped = feed.version, 0
        return [packet]

    def skip(self) -> int:
        """Leaves this tick out, for the client has not taken the last one yet. Returns how many frames it missed."""
        missed = 0
        for held in self.subscriptions.values():
            if self.shared.number % held.feed.every == 0:
                held.skipped += 1
                missed += 1
        self.skipped += missed
        return missed

    def lists(self) -> list[bytes]:
        """Changes of series, alerts, rules and events since it was told last."""
        return [*self._series_change(), *self.alerts(), *self.rules(), *self.events()]

    def alerts(self) -> list[bytes]:
        if not self.following:
            return []
        self._alerts, packets = self.shared.alerts(self.codec, self._alerts)
        return list(packets)

    def rules(self) -> list[bytes]:
        if not self.following:
            return []
        self._rules, packets = self.shared.rules(self.codec, self._rules)
        return list(packets)

    def events(self) -> list[bytes]:
        if not self.following:
            return []
        events = tuple(self.shared.source.events_since(self._event))
        if not events:
            return []
        self._event = events[-1].id
        return [self._pack(m.Events(events))]

    def _series_change(self) -> list[bytes]:
        if not (self.following and self._series_wanted):
            return []
        self._series, packets = self.shared.series(self.codec, self._series)
        return list(packets)

    def _pack(self, message: Message) -> bytes:
        return self.shared.pack(self.codec, message)
