"""A collector in memory: the same messages, sessions and commands, without a socket, a clock or chance."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from monitor.alerting.model import Alert, Event, Silence
from monitor.model.batch import Floats
from monitor.model.series import Kind, series_key
from monitor.wire import messages as m
from monitor.wire.codec import Codec
from monitor.wire.messages import Message, Request
from monitor.wire.session import Session
from monitor.wire.shared import Shared
from monitor.wire.source import Archive
from ui.client.fake_alerts import CommandError, FakeAlerts
from ui.client.fake_engine import PAST, Curve, FakeEngine, Script
from ui.client.fake_exemplars import answer_exemplars
from ui.client.fake_history import answer_find, answer_query
from ui.client.fake_past import FakeArchive, FakePast
from ui.client.fake_traces import answer_tracing
from ui.client.line import Callback, Dialogue
from ui.client.mirror import Change, Link, LinkChanged, Mirror

WINDOWS = (60.0, 300.0, 900.0, 3600.0)
URL = "memory:"


class FakeCollector:
    """A collector and the line to it in one: give it to a front end in place of a connection.

    `advance` moves its time, `pump` brings a mirror up to date. What happens follows from the script alone, so that a
    screen looks the same at each run. `disconnect` and `reconnect` play a lost link, `restart` another start.
    """

    def __init__(self, now: float = 1_000_000_000.0, name: str = "memory", who: str = "you", read_only: bool = False) -> None:
        self.engine = FakeEngine(now)
        self.kept_since = -math.inf
        """From when on its past can be looked at."""
        self.past_delay = 0
        """Ticks until a moment of the past is built."""
        self.pasts: set[FakePast] = set()
        self.archive: Archive | None = None
        self.book = FakeAlerts(lambda: self.now)
        self.coalesced = 0
        self.skip_frames = 0
        """Ticks to leave out next, as for a slow client."""
        self.notes: tuple[str, ...] = ()
        self.asked: deque[m.Asked] = deque(maxlen=1000)
        """Questions of its history, traces and logs that were answered."""
        self.traced = False
        """Whether anybody ever sent it traces and logs: those of the demonstration's shop."""
        self.figures: dict[str, float] = {}
        """More figures of `health`, by name."""
        self._hello = m.Hello("0.1.0", name, "boot-1", now, 1.0, WINDOWS, 3600.0, who=who, read_only=read_only)
        self._shared = Shared(self)
        self._codec = Codec()
        self._session: Session | None = None
        self._inbox: deque[Message | LinkChanged] = deque(maxlen=100_000)
        self._dialogue = Dialogue(self._receive, who, "memory")
        self._number = 0
        self._script_alerts: dict[str, tuple[str, float, int]] = {}

    @classmethod
    def demo(cls) -> FakeCollector:
        """A small shop and its host with an hour of history, in the middle of an incident."""
        from ui.client.demo import demo

        return demo()

    # ------------------------------------------------------------ the script

    @property
    def now(self) -> float:
        return self.engine.now

    def gauge(self, name: str, curve: Curve, tags: Mapping[str, str] | None = None, unit: str = "") -> Script:
        """A gauge with the reading of each second."""
        return self.engine.add(series_key(name, (tags or {}).items()), Kind.GAUGE, unit, curve)

    def counter(self, name: str, curve: Curve, tags: Mapping[str, str] | None = None, unit: str = "") -> Script:
        """A counter with the increment of each second."""
        return self.engine.add(series_key(name, (tags or {}).items()), Kind.COUNTER, unit, curve)

    def distribution(
        self,
        name: str,
        median: Curve,
        counts: Curve,
        tags: Mapping[str, str] | None = None,
        unit: str = "",
        spread: float = 0.5,
    ) -> Script:
        """A distribution: lognormal with the median and the number of observations of each second."""
        return self.engine.add(series_key(name, (tags or {}).items()), Kind.DISTRIBUTION, unit, median, counts, spread)

    def remove(self, name: str, tags: Mapping[str, str] | None = None) -> None:
        """The series is gone."""
        row = self.engine.table.row_of(series_key(name, (tags or {}).items()))
        if row is not None:
            self.engine.table.take(row)

    def follow(self, alert: str, field: str, window: float) -> None:
        """The alert's value is read from its series at each tick."""
        held = self.book.alerts[alert]
        row = self.engine.table.row_of(held.series) if held.series else None
        if row is not None:
            self._script_alerts[alert] = (field, window, row)

    # ------------------------------------------------------------ time and link

    def advance(self, seconds: float = 1.0) -> None:
        """Lets time pass, a tick at a time; what is told waits for `pump`."""
        for _ in range(round(seconds)):
            self.engine.now += 1.0
            self._number += 1
            self._shared.begin(self._number, self.now)
            self.book.judge_silences()
            self._read_alerts()
            self._tell_frames()
            self._tell_lists()
            for past in tuple(self.pasts):
                past.advance()

    def keep(self, since: float) -> None:
        """It has a history that reaches back to this time."""
        self.kept_since = since
        self.archive = FakeArchive(self.engine, since, self.now - PAST)

    def another(self, mirror: Mirror | None = None) -> FakePast:
        """A line to its past."""
        past = FakePast(self, self.past_delay)
        self.pasts.add(past)
        return past

    def disconnect(self, reason: str = "the collector closed the connection", attempt: int = 1) -> None:
        """The link is lost; time may go on."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._inbox.append(LinkChanged(Link("lost", self.now, reason, attempt, URL)))

    def reconnect(self) -> None:
        """The link stands again; what was missed is asked for and told."""
        self._session = Session(self._shared, self._codec)
        self._inbox.append(LinkChanged(Link("connected", self.now, url=URL)))
        self._tell(self._session.greet())

    def restart(self) -> None:
        """Another start of the collector: the link is lost and its boot has changed; `reconnect` follows."""
        self.disconnect("the collector has stopped")
        boot = f"boot-{int(self._hello.boot.partition('-')[2]) + 1}"
        self._hello = msgspec.structs.replace(self._hello, boot=boot)

    def _tell_frames(self) -> None:
        if self._session is None:
            return
        if self.skip_frames:
            self.skip_frames -= 1
            self._session.skip()
        else:
            self._tell(self._session.tick())

    def _tell_lists(self) -> None:
        if self._session is not None:
            self._tell(self._session.lists())

    def _tell(self, packets: Iterable[bytes]) -> None:
        self._inbox.extend(self._codec.decode(packet) for packet in packets if packet)

    def _read_alerts(self) -> None:
        for alert, (field, window, row) in self._script_alerts.items():
            held = self.book.alerts.get(alert)
            script = self.engine.table.scripts.get(row)
            if held is not None and script is not None and held.state in ("firing", "pending"):
                value = float(script.at(field, window, _moment(self.now))[0])
                if held.value != value:
                    self.book.put(msgspec.structs.replace(held, value=value if value == value else None, no_data=value != value))

    # ------------------------------------------------------------ the line

    def start(self) -> None:
        if self._session is None:
            self.reconnect()

    def pump(self, mirror: Mirror) -> set[Change]:
        """Everything told since the last call, and the answers to what the mirror then asks."""
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
        if self._session is not None:
            self._session.close()
            self._session = None

    def _receive(self, request: Request) -> None:
        if self._session is None:
            return
        request = self._codec.decode_request(self._codec.encode(request))
        packets = self._session.receive(request)
        if packets is None and isinstance(request, m.Asked):
            self.asked.append(request)
            packets = self._session.tell(self.answer_to(request))
        elif packets is None:
            try:
                packets = self._session.reply(request.id, self.book.command(request))
            except CommandError as error:
                packets = self._session.reply(request.id, error=str(error))
            self._tell_lists()
        self._tell(packets)

    def answer_to(self, request: m.Asked) -> Message:
        """What its scripts answer."""
        if isinstance(request, m.Find):
            return answer_find(self.engine, request)
        if isinstance(request, m.Query):
            return answer_query(self.engine, request)
        if isinstance(request, m.GetExemplars):
            return answer_exemplars(self.now, request, self.traced)
        return answer_tracing(self.now, request, self.traced)

    # ------------------------------------------------------------ what a session reads

    def hello(self) -> m.Hello:
        return msgspec.structs.replace(self._hello, time=self.now, since=max(self.kept_since, 0.0) or self._hello.since)

    def alerts_since(self, revision: int) -> tuple[int, Iterable[Alert], Iterable[Silence], Iterable[str]]:
        return self.book.since(revision)

    def rules(self) -> m.Rules:
        return self.book.told_rules()

    def events_since(self, event: int) -> list[Event]:
        return self.book.events_since(event)

    def health(self) -> m.Health:
        """A collector at ease; `figures` says otherwise."""
        series = len(self.engine.table.scripts)
        firing = sum(alert.state == "firing" for alert in self.book.alerts.values())
        values = {
            "series": float(series),
            "series_limit": 10_000.0,
            "points_total": float(self._number * series * 12),
            "ticks_total": float(self._number),
            "tick_seconds": 0.004,
            "stream_clients": 1.0,
            "rules": float(len(self.book.rules)),
            "alerts_firing": float(firing),
            "process_resident_memory_bytes": 61e6,
        }
        return m.Health(self.now, values | self.figures, self.notes)


def _moment(now: float) -> Floats:
    return np.array([now])
