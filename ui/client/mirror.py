"""What a collector has told us, kept as pure state: views read it, nothing in it waits, reads a clock or opens a socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from monitor.alerting.model import Alert, Event, Silence
from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind, SeriesInfo, SeriesKey
from monitor.wire import messages as m
from monitor.wire.messages import Message, Request
from ui.client.subscription import Subscription

MAX_EVENTS = 2_000
MAX_SERIES = 1_000_000
Change = Literal["series", "frame", "alerts", "rules", "events", "health", "link", "reply", "hello"]


@dataclass(frozen=True, slots=True)
class Link:
    """How the connection stands. `since`: when this state began; `attempt`: tries that failed since it was lost.

    `url`: who is meant; `number` counts connections.
    """

    state: Literal["connecting", "connected", "lost"] = "connecting"
    since: float = 0.0
    reason: str = ""
    attempt: int = 0
    url: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The connection's own word among the messages: how it stands from here on."""

    link: Link


class Mirror:
    """State as last told. `apply` takes messages in order; `subscribe` and `unsubscribe` note wishes that the line sends."""

    def __init__(self) -> None:
        self.hello: m.Hello | None = None
        self.state = Link()
        self.series: dict[int, SeriesInfo] = {}
        self.series_revision = 0
        """Changes whenever `series` does; for views to know when to look again."""
        self.alerts: dict[str, Alert] = {}
        self.silences: dict[str, Silence] = {}
        self.alerts_time = 0.0
        """The collector's clock when it last spoke of alerts."""
        self.rules: m.Rules | None = None
        self.events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self.health: m.Health | None = None
        self.subscriptions: dict[int, Subscription] = {}
        self.time = 0.0
        """The newest moment the collector spoke of, in its clock."""
        self.on_wish: Callable[[], None] | None = None
        """Called when there is something for the line to send."""
        self._by_key: dict[SeriesKey, int] = {}
        self._series_held = 0
        self._whole: list[m.SeriesEntry] | None = None
        """Parts of a whole table that is being told."""
        self._alerts_held = 0
        self._next_id = 1
        self._wishes: dict[int, Request] = {}

    # ------------------------------------------------------------ reading

    @property
    def connected(self) -> bool:
        return self.state.state == "connected"

    @property
    def interval(self) -> float:
        """Seconds between ticks."""
        return self.hello.interval if self.hello else 1.0

    def row_of(self, key: SeriesKey) -> int | None:
        """The row of a series by name and tags; None when the collector does not have it now."""
        return self._by_key.get(key)

    # ------------------------------------------------------------ wishes

    def next_id(self) -> int:
        """A number for a request, unique in this mirror."""
        self._next_id += 1
        return self._next_id - 1

    def subscribe(
        self,
        selector: str,
        fields: tuple[str, ...],
        window: float = 60.0,
        *,
        backfill: float = 0.0,
        step: float = 1.0,
        limit: int = 0,
        every: int = 1,
        track: bool = False,
        keep: float = 3600.0,
    ) -> Subscription:
        """Asks for frames, now and after each reconnect. `backfill` seconds of past come first, at `step` seconds or coarser.

        With `track` each frame is kept for `keep` seconds in `tracks`; without, only the latest values are.
        """
        subscription = Subscription(
            self.next_id(), selector, tuple(fields), window, backfill, step, limit, every, track, keep, self.interval
        )
        self.subscriptions[subscription.id] = subscription
        self._wish(subscription.request())
        return subscription

    def unsubscribe(self, subscription: Subscription | int) -> None:
        """Ends a subscription; ending one twice does nothing."""
        number = subscription if isinstance(subscription, int) else subscription.id
        if self.subscriptions.pop(number, None) is None:
            return
        if self._wishes.pop(number, None) is None:
            self._wish(m.Unsubscribe(self.next_id(), number))

    def take_wishes(self) -> list[Request]:
        """What is to be sent since the last call; the line asks while it is connected."""
        wishes = list(self._wishes.values())
        self._wishes.clear()
        return wishes

    def opening(self, who: str = "", client: str = "") -> list[Request]:
        """What to say first on a new connection: what is held already, and every subscription from where it broke off."""
        hello = self.hello
        self._wishes.clear()
        resume = m.Resume(
            id=self.next_id(),
            boot=hello.boot if hello else "",
            series=self._series_held,
            alerts=self._alerts_held,
            rules=self.rules.revision if self.rules else 0,
            events=self.events[-1].id if self.events else 0,
            client=client,
            who=who,
        )
        return [resume, *(subscription.request() for subscription in self.subscriptions.values())]

    def _wish(self, request: Request) -> None:
        self._wishes[request.id] = request
        if self.on_wish is not None:
            self.on_wish()

    # ------------------------------------------------------------ being told

    def apply(self, message: Message | LinkChanged) -> set[Change]:
        """Takes one message in and says what changed. Messages that refer to nothing known are left out."""
        match message:
            case m.Frame():
                return self._frame(message)
            case m.History():
                return self._history(message)
            case m.Series():
                return self._series(message)
            case m.Alerts():
                return self._alerts(message)
            case m.Events():
                return self._events(message)
            case m.Reply():
                return self._reply(message)
            case m.Rules():
                self.rules = message
                return {"rules"}
            case m.Health():
                self.health = message
                self.time = max(self.time, message.time)
                return {"health"}
            case m.Hello():
                return self._hello(message)
            case LinkChanged():
                self.state = message.link
                return {"link"}
        return set()

    def _hello(self, hello: m.Hello) -> set[Change]:
        fresh = self.hello is None or self.hello.boot != hello.boot
        self.hello = hello
        self.time = hello.time if fresh else max(self.time, hello.time)
        for subscription in self.subscriptions.values():
            subscription.set_interval(hello.interval)
        if not fresh:
            return {"hello"}
        # Another start of the collector: its revisions and rows mean something else, so everything is told anew.
        self._series_held = self._alerts_held = 0
        self.events.clear()
        return {"hello", "events"}

    def _series(self, message: m.Series) -> set[Change]:
        if message.since == 0:
            self._whole = []
        if self._whole is not None:
            self._whole.extend(message.added[: MAX_SERIES - len(self._whole)])
            if message.more:
                return set()
            self._replace_series(self._whole)
            self._whole = None
        else:
            for row in message.gone:
                self._drop(row)
            for entry in message.added[: MAX_SERIES - len(self.series)]:
                self._give(entry)
        self._series_held = 0 if message.more else message.revision
        self.series_revision += 1
        return {"series"}

    def _replace_series(self, entries: list[m.SeriesEntry]) -> None:
        """A whole table: a series that has another row now takes what is held of it along."""
        moved = {}
        for entry in entries:
            old = self._by_key.get(SeriesKey(entry.name, entry.tags))
            if old is not None:
                moved[old] = entry.row
        if any(old != new for old, new in moved.items()) or len(moved) < len(self.series):
            for subscription in self.subscriptions.values():
                subscription.move(moved)
        self.series.clear()
        self._by_key.clear()
        for entry in entries:
            self._give(entry)

    def _give(self, entry: m.SeriesEntry) -> None:
        key = SeriesKey(entry.name, entry.tags)
        held = self.series.get(entry.row)
        if held is not None and held.key != key:
            self._drop(entry.row)
        kind = Kind(entry.kind) if 0 <= entry.kind < len(Kind) else Kind.GAUGE
        self.series[entry.row] = SeriesInfo(entry.row, key, kind, entry.unit)
        self._by_key[key] = entry.row

    def _drop(self, row: int) -> None:
        held = self.series.pop(row, None)
        if held is None:
            return
        if self._by_key.get(held.key) == row:
            del self._by_key[held.key]
        for subscription in self.subscriptions.values():
            subscription.forget(row)

    def _frame(self, frame: m.Frame) -> set[Change]:
        subscription = self.subscriptions.get(frame.sub)
        if subscription is None or not subscription.take(frame):
            return set()
        self.time = max(self.time, frame.time)
        if subscription.lacks_past():
            self._wish(subscription.request())
        return {"frame"}

    def _history(self, history: m.History) -> set[Change]:
        subscription = self.subscriptions.get(history.sub)
        if history.id or subscription is None or not subscription.fill(history):
            return set()
        return {"frame"}

    def _alerts(self, message: m.Alerts) -> set[Change]:
        if message.since == 0:
            self.alerts.clear()
            self.silences.clear()
        self.alerts.update((alert.id, alert) for alert in message.alerts)
        self.silences.update((silence.id, silence) for silence in message.silences)
        for alert in message.removed:
            self.alerts.pop(alert, None)
        self._alerts_held = message.revision
        self.alerts_time = message.time
        self.time = max(self.time, message.time)
        return {"alerts"}

    def _events(self, message: m.Events) -> set[Change]:
        last = self.events[-1].id if self.events else -1
        newer = [event for event in message.events if event.id > last]
        self.events.extend(newer)
        return {"events"} if newer else set()

    def _reply(self, reply: m.Reply) -> set[Change]:
        subscription = self.subscriptions.get(reply.id)
        if subscription is not None:
            subscription.error = reply.error
        return {"reply"}


def rows_of(mirror: Mirror, name: str) -> Ids:
    """Rows of all series of one name, ascending."""
    return np.array(sorted(row for row, info in mirror.series.items() if info.key.name == name), np.int32)


__all__ = ["MAX_EVENTS", "Change", "Floats", "Link", "LinkChanged", "Mirror", "Subscription", "rows_of"]
