"""A moment of the past as the stream's source: a real engine told again what was kept, beside the lists as they stood."""

from __future__ import annotations

import math
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import msgspec
import numpy as np

from collector.rewind.kept import KeptSamples, KeptSeries, PastHistory, Record
from collector.rewind.replay import CanceledError, Replay
from collector.storage.state_history import SHOWN_EVENTS, Turns
from monitor.alerting.fields import judged_field
from monitor.alerting.model import Alert, Event, Rule, Silence, State
from monitor.engine import Engine, EngineSettings
from monitor.model.series import SeriesInfo
from monitor.windows.fold import Longs, empty_delta
from monitor.windows.frame import History
from monitor.windows.rings import FINE, KEPT, TEN, floor_to
from monitor.wire import messages as m
from monitor.wire.source import Archive

REACH = KEPT + 2 * TEN
"""Seconds before a moment that are told again: what the engine keeps, and a little, so that it knows it saw no beginning."""
COARSE_SLICE = 120
FINE_SLICE = 60
MOST_FINE = 5_000
"""Series of which the whole hour is read as it came; of more only the last minutes are, and before them what a tier keeps."""
AHEAD = 60
"""Seconds that are read at once while it plays; five times the speed where that is more."""
QUICK = 10.0
"""From this speed on, tens of seconds are fine enough to play very many series."""

Progress = Callable[[float], bool]
"""Told the share that is done (0 to 1); False: nobody wants it any more."""


class NothingKeptError(Exception):
    """Nothing is kept of that moment; the message says from when on something is."""


@dataclass(frozen=True, slots=True)
class Kept:
    """All that the past is made of. `hello` is the live one; `series`: most series shown at a past moment."""

    history: PastHistory
    record: Record
    archive: Archive | None
    hello: Callable[[], m.Hello]
    settings: EngineSettings = field(default_factory=EngineSettings)
    series: int = 20_000


class PastSource:
    """A `Source` that stands at `now` and can `advance`. Of one thread at a time. Nothing in it is judged anew."""

    def __init__(self, kept: Kept, at: float) -> None:
        self._kept = kept
        self.engine = Engine(msgspec.structs.replace(kept.settings, derived=()))
        self._ahead = _Ahead(kept.history)
        self._replay = Replay(self._ahead, kept.series)
        self._hello = msgspec.structs.replace(
            kept.hello(), boot=secrets.token_hex(8), rewound=float(math.floor(at)), read_only=True, since=kept.history.since()
        )
        self._archive = _Older(kept.archive, self._hello.rewound - KEPT) if kept.archive is not None else None
        self._lists = _Lists()
        self._record_since = math.inf
        self._many = False
        """Whether there are too many series to read each second of them."""
        self.number = 0

    @property
    def now(self) -> float:
        return self.engine.now

    @property
    def archive(self) -> Archive | None:
        """Older than what this engine was told."""
        return self._archive

    # ------------------------------------------------------------ time

    def build(self, progress: Progress = lambda share: True) -> None:
        """Tells the engine the hour before the moment. Takes a while: for a worker thread.

        Raises `NothingKeptError`, and `CanceledError` when nobody wants it any more.
        """
        at = int(self._hello.rewound)
        since = self._kept.history.since()
        if not since < at:
            oldest = "" if math.isinf(since) else f"; the oldest data are of {_iso(since)}"
            raise NothingKeptError(f"nothing is kept of {_iso(at)}{oldest}")
        # Tiers are kept by whole tens.
        start = floor_to(max(at - REACH, math.floor(since) - 1), TEN)
        fine = max(start, floor_to(at - FINE - TEN, TEN))
        # What the engine was not told before the first second it takes for not having been.
        self.engine.replay(empty_delta(float(start)))
        self._many = self._kept.history.living(start * 1000) > MOST_FINE
        slices = _slices(start, fine, COARSE_SLICE, TEN if self._many else 0, TEN) + _slices(fine, at, FINE_SLICE, 0, 1)
        for number, (begin, end, step, grain) in enumerate(slices):
            share = number / len(slices)
            if not progress(share):
                raise CanceledError
            wanted = partial(progress, share)
            self.engine.replay(self._replay.delta(begin, end, step, wanted, grain))
        standing = self._kept.record.as_of(float(at))
        self._record_since = standing.since
        self._lists.turn(Turns(standing.alerts, standing.silences, (), (standing.rules, standing.files), standing.events))
        self._read_values()
        progress(1.0)

    def advance(self, to: float, present: float, speed: float = 1.0) -> bool:
        """Plays on to `to`, at most to where the history is whole by `present`. Whether time has passed."""
        begin = int(self.now)
        end = min(math.floor(to), math.floor(present) - 2)
        quick = speed >= QUICK and self._many
        if quick:  # a tier has whole tens only
            end = floor_to(end, TEN)
        if end <= begin:
            return False
        self._ahead.span = int(max(AHEAD, 5 * speed))
        self._ahead.edge = math.floor(present) - 2
        self.engine.replay(self._replay.delta(begin, end, TEN if quick else 0))
        self._lists.turn(self._kept.record.turns(float(begin), float(end)))
        self._read_values()
        self.number += 1
        return True

    # ------------------------------------------------------------ what a session reads

    def hello(self) -> m.Hello:
        return msgspec.structs.replace(self._hello, time=self.now)

    def alerts_since(self, revision: int) -> tuple[int, Iterable[Alert], Iterable[Silence], Iterable[str]]:
        return self._lists.since(revision)

    def rules(self) -> m.Rules:
        return self._lists.rules

    def events_since(self, event: int) -> list[Event]:
        return [known for known in self._lists.events if known.id > event]

    def health(self) -> m.Health:
        alerts = self._lists.alerts.values()
        values = {
            "series": float(len(self.engine.table)),
            "rules": float(len(self._lists.rules.rules)),
            "alerts_firing": float(sum(alert.state is State.FIRING for alert in alerts)),
        }
        notes = []
        if self._replay.left_out:
            shown = len(self.engine.table)
            notes.append(f"{shown:,} of {shown + self._replay.left_out:,} series of that time are shown, this machine's first.")
        if self._record_since > self.now:
            notes.append("Alerts and rules of then are not known: what they were is kept since later.")
        return m.Health(self.now, values, tuple(notes))

    def _read_values(self) -> None:
        """What alerts judged: their values are stored only when something else of them changes."""
        rules = {rule.id: rule for rule in self._lists.rules.rules}
        for alert in list(self._lists.alerts.values()):
            rule = rules.get(alert.rule_id)
            if rule is not None and alert.series is not None and alert.state in (State.FIRING, State.PENDING):
                value = self._judged(alert, rule)
                if value == value and value != alert.value:
                    self._lists.put(msgspec.structs.replace(alert, value=value))

    def _judged(self, alert: Alert, rule: Rule) -> float:
        row = self.engine.table.find(alert.series, alert.kind) if alert.series is not None else None
        if row is None:
            return math.nan
        condition = rule.condition
        try:
            column = self.engine.column(judged_field(condition.field, alert.kind), condition.window, np.array([row], np.int32))
        except ValueError:
            return math.nan
        return float(column[0])


class _Older:
    """The archive as a past engine asks it: for what came before the hour that it was told."""

    def __init__(self, archive: Archive, seam: float) -> None:
        self._archive = archive
        self.seam = seam

    @property
    def since(self) -> float:
        return self._archive.since

    def history(self, series: Sequence[SeriesInfo], field: str, window: float, start: float, end: float, step: float) -> History:
        return self._archive.history(series, field, window, start, end, step)


class _Lists:
    """Alerts, silences, rules and events with revisions of their own."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.silences: dict[str, Silence] = {}
        self.rules = m.Rules(0, (), ())
        self.events: deque[Event] = deque(maxlen=SHOWN_EVENTS)
        self._revision = 0
        self._changed: dict[str, int] = {}
        """Revision at which an alert or silence changed last or was forgotten."""

    def turn(self, turns: Turns) -> None:
        """Takes in what changed."""
        for alert in turns.alerts:
            self.put(alert)
        for silence in turns.silences:
            self.silences[silence.id] = silence
            self._mark(silence.id)
        for name in turns.removed:
            if self.alerts.pop(name, None) or self.silences.pop(name, None):
                self._mark(name)
        if turns.rules is not None:
            self.rules = m.Rules(self.rules.revision + 1, *turns.rules)
        last = self.events[-1].id if self.events else 0
        self.events.extend(event for event in turns.events if event.id > last)

    def put(self, alert: Alert) -> None:
        self.alerts[alert.id] = alert
        self._mark(alert.id)

    def _mark(self, name: str) -> None:
        self._revision += 1
        self._changed.pop(name, None)
        self._changed[name] = self._revision

    def since(self, revision: int) -> tuple[int, list[Alert], list[Silence], list[str]]:
        """As `Source.alerts_since`."""
        # An empty list has a revision too, so that it is told once.
        now = max(1, self._revision)
        if revision == 0:
            return now, list(self.alerts.values()), list(self.silences.values()), []
        names = [name for name, at in self._changed.items() if at > revision]
        alerts = [self.alerts[name] for name in names if name in self.alerts]
        silences = [self.silences[name] for name in names if name in self.silences]
        return now, alerts, silences, [name for name in names if name not in self.alerts and name not in self.silences]


class _Ahead:
    """Reads some way ahead of what is asked for while it plays, since a second costs as much as a minute."""

    def __init__(self, history: PastHistory) -> None:
        self._history = history
        self.span = 0
        """Seconds to read at once; 0: just what is asked for."""
        self.edge = 0
        """Seconds since the epoch up to which the history is whole."""
        self._held: list[KeptSamples] = []
        self._from = self._to = self._step = 0

    def since(self) -> float:
        return self._history.since()

    def living(self, start: int) -> int:
        return self._history.living(start)

    def describe(self, refs: Longs) -> Sequence[KeptSeries]:
        return self._history.describe(refs)

    def read(self, start: int, end: int, step: int) -> Iterable[KeptSamples]:
        if not self.span:
            return self._history.read(start, end, step)
        if not (self._from <= start and end <= self._to and step == self._step):
            self._from, self._step = start, step
            self._to = max(end, min(start + self.span * 1000, self.edge * 1000))
            self._held = list(self._history.read(start, self._to, step))
        return [part.within(start, end) for part in self._held]


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")


def _slices(start: int, end: int, size: int, step: int, grain: int) -> list[tuple[int, int, int, int]]:
    return [(begin, min(end, begin + size), step, grain) for begin in range(start, end, size)]
