"""The in-memory collector's past: its scripts are functions of time, so any moment of them can be told and played on."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from monitor.alerting.model import Alert, Event, Silence, State
from monitor.model.batch import Floats
from monitor.model.series import Kind, SeriesInfo
from monitor.windows.frame import PRIMARY, History, quantile_of
from monitor.wire import messages as m
from monitor.wire.codec import Codec
from monitor.wire.messages import Message, Request
from monitor.wire.session import Session
from monitor.wire.shared import Shared
from monitor.wire.source import Archive
from ui.client.fake_engine import FakeEngine, Script
from ui.client.line import Callback, Dialogue
from ui.client.mirror import Change, Link, LinkChanged, Mirror

if TYPE_CHECKING:
    from ui.client.fake import FakeCollector

URL = "memory:past"


class FakeArchive:
    """Answers any stretch of the scripts, a point for a step: the curve at its end stands for all of it."""

    def __init__(self, engine: FakeEngine, since: float, seam: float) -> None:
        self.since = since
        self.seam = seam
        self._engine = engine

    def history(self, series: Sequence[SeriesInfo], field: str, window: float, start: float, end: float, step: float) -> History:
        times = np.arange(math.floor(max(start, self.since) / step) + 1, math.floor(end / step) + 1, dtype=np.float64) * step
        rows = np.array([info.row for info in series], np.int32)
        values = np.full((len(rows), len(times)), np.nan)
        for place, info in enumerate(series):
            row = self._engine.table.row_of(info.key)  # a moment of the past has rows of its own
            if row is not None:
                values[place] = _sparse(self._engine.table.scripts[row], field, times - 1.0)
        return History(rows, times, values, step, field, window)


def _sparse(script: Script, field: str, times: Floats) -> Floats:
    """The field at moments far apart, from the curve alone."""
    values = np.asarray(script.curve(times), np.float64)
    name = PRIMARY[script.info.kind] if field == "value" else field
    counts = np.ones(len(times)) if script.counts is None else script.counts(times)
    quantile = quantile_of(name)
    if script.info.kind is Kind.DISTRIBUTION and name in ("rate", "count"):
        values = counts
    elif script.info.kind is Kind.DISTRIBUTION and quantile is not None:
        values = values * math.exp(script.spread * (2.33 if quantile > 0.98 else 1.28 if quantile > 0.85 else 0.0))
    elif name == "per_minute":
        values = values * 60.0
    return np.where(times < script.silent_from, values, np.nan)


class FakePast:
    """A line to the past of a collector in memory, and that past itself. `delay`: ticks until a moment is built."""

    def __init__(self, collector: FakeCollector, delay: int = 0) -> None:
        self.collector = collector
        self.delay = delay
        self.coalesced = 0
        self.speed = 0.0
        self.engine = FakeEngine(collector.now)
        self._hello = collector.hello()
        self._codec = Codec()
        self._session: Session | None = None
        self._inbox: deque[Message | LinkChanged] = deque(maxlen=100_000)
        self._dialogue = Dialogue(self._receive, "", "memory")
        self._waiting: tuple[Request, int] | None = None
        """A wish to be moved, and ticks until it is met."""
        self._number = 0
        self._boots = 0
        self._target = 0.0
        self._archive: Archive | None = None

    @property
    def now(self) -> float:
        return self.engine.now

    @property
    def archive(self) -> Archive | None:
        return self._archive

    # ------------------------------------------------------------ the line

    def start(self) -> None:
        if self._session is None:
            self._session = Session(Shared(self.collector), self._codec)
            self._inbox.append(LinkChanged(Link("connected", self.collector.now, url=URL)))
            self._tell(self._session.greet())

    def pump(self, mirror: Mirror) -> set[Change]:
        changes: set[Change] = set()
        self._dialogue.flush(mirror)
        while self._inbox:
            changes |= self._dialogue.take(mirror, self._inbox.popleft())
            self._dialogue.flush(mirror)
        return changes

    def submit(self, request: Request, callback: Callback | None = None) -> int:
        return self._dialogue.submit(request, callback)

    def retry(self) -> None:
        self.start()

    def close(self) -> None:
        self.collector.pasts.discard(self)
        self._session = None

    def let_go(self, reason: str) -> None:
        """The collector ends the connection."""
        self._session = None
        self._inbox.append(LinkChanged(Link("lost", self.collector.now, reason, 1, URL)))

    # ------------------------------------------------------------ time

    def advance(self) -> None:
        """A second of the collector: the past plays on, or comes nearer to being built."""
        if self._session is None:
            return
        if self._waiting is not None:
            request, ticks = self._waiting
            self._waiting = (request, ticks - 1)
            self._build()
        elif self.speed:
            self._target = min(self._target + self.speed, self.collector.now - 2.0)
            beats = max(1, min(4, round(self.speed)))
            begin = self.engine.now
            for beat in range(1, beats + 1):
                self._move(math.floor(begin + (self._target - begin) * beat / beats))

    def _move(self, now: float) -> None:
        if now <= self.engine.now or self._session is None:
            return
        self.engine.now = now
        self._number += 1
        self._session.shared.begin(self._number, now)
        self._tell(self._session.tick())
        self._tell(self._session.lists())

    def _build(self) -> None:
        if self._waiting is None or self._session is None:
            return
        request, ticks = self._waiting
        if ticks > 0:
            share = 1.0 - ticks / max(1, self.delay)
            self._tell(self._session.tell(m.Health(self.collector.now, {"rewind_progress": share})))
            return
        self._waiting = None
        at = request.at if isinstance(request, m.Resume) else request.time if isinstance(request, m.Seek) else self.now
        if at <= self.collector.kept_since:
            error = "nothing is kept of that moment"
            self._tell(self._session.reply(request.id, error=error))
            return
        self._stand(math.floor(at))
        self.speed = request.speed if isinstance(request, (m.Resume, m.Seek)) else 0.0
        self._tell(self._session.moved(Shared(self), request if isinstance(request, m.Resume) else None))
        if isinstance(request, m.Seek):
            self._tell(self._session.reply(request.id, {"time": self.now}))

    def _stand(self, at: float) -> None:
        self._boots += 1
        self._hello = msgspec.structs.replace(
            self.collector.hello(), boot=f"past-{self._boots}", rewound=at, read_only=True, since=self.collector.kept_since
        )
        self.engine = FakeEngine(at)
        for script in self.collector.engine.table.scripts.values():
            told = self.engine.add(
                script.info.key, script.info.kind, script.info.unit, script.curve, script.counts, script.spread
            )
            told.silent_from = script.silent_from
        if self.collector.archive is not None:
            self._archive = FakeArchive(self.collector.engine, self.collector.kept_since, at - 7200.0)
        self._target = at
        self._number += 1

    def _receive(self, request: Request) -> None:
        if self._session is None:
            return
        request = self._codec.decode_request(self._codec.encode(request))
        if isinstance(request, m.Resume) or (isinstance(request, m.Seek) and request.time):
            self._waiting = (request, self.delay)
            self._build()
        elif isinstance(request, m.Seek):
            self.speed, self._target = request.speed, self.now
            self._tell(self._session.reply(request.id, {"time": self.now}))
        else:
            self._tell(self._session.receive(request) or ())

    def _tell(self, packets: Iterable[bytes]) -> None:
        self._inbox.extend(self._codec.decode(packet) for packet in packets if packet)

    # ------------------------------------------------------------ what a session reads

    def hello(self) -> m.Hello:
        return msgspec.structs.replace(self._hello, time=self.now)

    def alerts_since(self, revision: int) -> tuple[int, Iterable[Alert], Iterable[Silence], Iterable[str]]:
        now = self.now
        stood = (as_of(alert, now) for alert in self.collector.book.alerts.values())
        silences = [silence for silence in self.collector.book.silences.values() if silence.created_at <= now]
        # Told whole whenever the clock has moved: a demonstration has few.
        return self._number, [self._read(alert) for alert in stood if alert is not None], silences, []

    def _read(self, alert: Alert) -> Alert:
        rule = self.collector.book.rules.get(alert.rule_id)
        row = self.engine.table.row_of(alert.series) if alert.series is not None else None
        if rule is None or row is None:
            return alert
        from monitor.alerting.fields import judged_field

        field = judged_field(rule.condition.field, self.engine.table.info(row).kind)
        value = float(self.engine.column(field, rule.condition.window, np.array([row], np.int32))[0])
        return msgspec.structs.replace(alert, value=value if value == value else None, no_data=value != value)

    def rules(self) -> m.Rules:
        return self.collector.rules()

    def events_since(self, event: int) -> list[Event]:
        return [known for known in self.collector.book.events_since(event) if known.at <= self.now]

    def health(self) -> m.Health:
        return m.Health(self.now, {"series": float(len(self.engine.table.scripts))})


def as_of(alert: Alert, now: float) -> Alert | None:
    """The alert as it stood, by its firings; None: there was none yet."""
    if alert.since <= now:
        return alert
    past = tuple(firing for firing in alert.firings if firing.start <= now)
    if not past:
        return None
    last = past[-1]
    fires = last.end is None or last.end > now
    ended = tuple(msgspec.structs.replace(f, end=None) if f is last and fires else f for f in past)
    state = State.FIRING if fires else State.RESOLVED
    since = last.start if fires else last.end or last.start
    return msgspec.structs.replace(
        alert,
        state=state,
        since=since,
        active_at=last.start,
        fired_at=last.start,
        resolved_at=None if fires else last.end,
        ack=None,
        silenced_by=(),
        firings=ended,
    )
