"""What the pages of one user interface share: data, time, words, requests, toasts and undo."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Generic, Protocol, TypeVar

from monitor.wire.messages import History, HistoryQuery, Reply, Request
from ui.client.line import Answer, Callback
from ui.client.mirror import Mirror
from ui.client.past import OpenLine, Past
from ui.views.drafts import Desk, DraftStore, MemoryDrafts
from ui.views.feeds import Detail, Feed, Wish
from ui.views.format import THIN, Words, duration, sanitise
from ui.views.lines import Span
from ui.views.sight import Sight
from ui.views.timecontrol import TimeControl
from ui.views.view import Page, Toast

Send = Callable[[Request, Callback], object]
MAX_UNDO = 20
TOAST_SECONDS = 5.0
LATE_INTERVALS = 3.0
HOUR = 3600.0
DAY = 86_400.0
MOST_POINTS = 1_200
"""Points of a long range that are asked for."""
COARSE = 10.0
"""Seconds between points from which on a closer look may show more."""
MOST_CLOSE = 512
"""Series of which it is asked for."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a painter has room for. `points`: at most so many a line; `ticks` on the time axis, `y_ticks` on the other."""

    charts: int = 4
    points: int = 1200
    stats: int = 6
    rows: int = 12
    ascii: bool = False
    thin_space: bool = True
    ticks: int = 7
    y_ticks: int = 6


DESKTOP = Profile()
TERMINAL = Profile(points=240, rows=10, thin_space=False, ticks=7, y_ticks=4)
PHONE = Profile(charts=2, points=400, stats=4, rows=8, ticks=4, y_ticks=4)


@dataclass(frozen=True, slots=True)
class Undo:
    """How to take the last act back, and what it was called."""

    label: str
    act: Callable[[], None]


@dataclass
class Hooks:
    """What only a painter can do."""

    quit: Callable[[], None] = lambda: None
    open_url: Callable[[str], None] = lambda url: None
    copy: Callable[[str], None] = lambda text: None
    notify: Callable[[str, str, str], None] = lambda title, text, severity: None
    retry: Callable[[], None] = lambda: None


F = TypeVar("F")


class Slot(Generic[F]):
    """A hook of the session that a painter sets like an attribute."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, session: HasContext, owner: type | None = None) -> F:
        hook: F = getattr(session.ctx.hooks, self._name)
        return hook

    def __set__(self, session: HasContext, hook: F) -> None:
        setattr(session.ctx.hooks, self._name, hook)


class HasContext(Protocol):
    """What a slot stands in."""

    ctx: Context


@dataclass
class Context:
    """Shared by the pages; holds no page's own state."""

    mirror: Mirror
    send: Send
    now: Callable[[], float]
    who: str
    store: DraftStore | None = None
    zone: tzinfo | None = None
    profile: Profile = DESKTOP
    hooks: Hooks = field(default_factory=Hooks)
    go: Callable[[Page], None] = lambda page: None
    open_line: OpenLine | None = None
    """A second line to the same collector, for its past; None: there is no way there."""

    def __post_init__(self) -> None:
        self.words = Words(self.zone or UTC, THIN if self.profile.thin_space else " ")
        self.time = TimeControl()
        self.past = Past(self.open_line)
        self.live = Sight(self.mirror)
        """What the live mirror says, whatever is looked at."""
        self.version = 0
        """Rises with every input and every change: as long as it stands still, so does the picture."""
        self.turn(self.live)
        self.desk = Desk(self.store or MemoryDrafts())
        self.undo: list[Undo] = []
        self.focus = ""
        self.touched = 0.0
        """When a cursor was last moved by hand."""
        self.hovering = False
        self._toast: Toast | None = None
        self._toast_until = 0.0
        self._toasts = 0
        self._heard = (0.0, self.now())

    def resize(self, profile: Profile) -> None:
        """Another painter's room."""
        self.profile = profile
        self.words = Words(self.words.zone, THIN if profile.thin_space else " ")

    def turn(self, sight: Sight) -> None:
        """Look at what another mirror tells; page, cursors, picks and drafts stay."""
        self.sight = sight
        self.mirror, self.feeds, self.index = sight.mirror, sight.feeds, sight.index
        self.book, self.charts, self.rates = sight.book, sight.charts, sight.rates
        self.version += 1

    @property
    def rewound(self) -> bool:
        """Whether all that pages show is of a moment of the past."""
        return self.sight is not self.live

    # ------------------------------------------------------------ time

    @property
    def interval(self) -> float:
        return self.mirror.interval

    def present(self) -> float:
        """The newest moment of what is looked at, in the collector's whole seconds."""
        return math.floor(self.mirror.time) if self.rewound else self.live_present()

    def live_present(self) -> float:
        """The collector's clock in whole seconds: its last word, or later by as long as it has been silent."""
        mirror = self.live.mirror
        told, at = self._heard
        now = self.now()
        if mirror.time != told:
            self._heard = told, at = mirror.time, now
        if not told:
            return math.floor(now)
        silent = now - at
        return math.floor(told + (silent if silent > LATE_INTERVALS * mirror.interval else 0.0))

    def silent_for(self) -> float:
        """Seconds since the collector last said anything (0 while it is on time)."""
        self.live_present()
        silent = self.now() - self._heard[1]
        return silent if silent > LATE_INTERVALS * self.live.mirror.interval else 0.0

    def span(self) -> Span:
        """(start, end) of what is shown."""
        return self.time.span(self.present())

    def settled(self) -> bool:
        """Whether lists may put themselves in order: nobody rests in them."""
        return not self.hovering and self.now() - self.touched > 10.0

    @property
    def window(self) -> float:
        """The shortest window the collector keeps."""
        return self.mirror.hello.windows[0] if self.mirror.hello and self.mirror.hello.windows else 60.0

    @property
    def kept(self) -> float:
        """Seconds of data there are by now, at most `recent`."""
        hello = self.mirror.hello
        return min(self.recent, max(0.0, self.present() - hello.since)) if hello else self.recent

    @property
    def recent(self) -> float:
        """How many seconds of the past can be asked for: what the collector's memory holds, or all its history."""
        return _reaching_back(self.mirror, self.present())

    @property
    def recent_live(self) -> float:
        """How many seconds before the present can be gone back to."""
        return _reaching_back(self.live.mirror, self.live_present())

    def reach(self, seconds: float = 0.0) -> tuple[float, float]:
        """How far back a chart of the present range (or of so many seconds) is to be filled, and in what steps."""
        wanted = max(seconds, self.time.range)
        if wanted <= HOUR:
            return min(HOUR, self.recent), 1.0
        step = 10.0 * math.ceil(wanted / min(self.profile.points, MOST_POINTS) / 10.0)
        return min(wanted, self.recent) + step, step

    def feed(self, wish: Wish) -> Feed:
        """The feed for a wish; where a zoom shows more than it holds, that is asked for."""
        feed = self.feeds.want(wish, self.now())
        if wish.track:
            self._look_closer(feed, wish)
        return feed

    def _look_closer(self, feed: Feed, wish: Wish) -> None:
        detail: Detail | None = None
        if self.time.zoomed is not None and wish.step >= COARSE:
            start, end = self.time.zoomed
            step = float(max(1, math.ceil((end - start) / min(self.profile.points, MOST_POINTS))))
            if 2.0 * step <= wish.step:
                detail = Detail(start, end, step)
        if not feed.look_closer(detail) or detail is None:
            return
        query = HistoryQuery(0, wish.selector, wish.fields, detail.start, detail.end, wish.window, detail.step, MOST_CLOSE)

        def take(answer: Answer) -> None:
            if isinstance(answer, History):
                feed.take_closer(detail, answer)
                self.version += 1

        (self.past.submit if self.rewound else self.send)(query, take)

    # ------------------------------------------------------------ words to the person

    @property
    def collector(self) -> str:
        hello = self.mirror.hello
        return sanitise(hello.name, 40) if hello and hello.name else sanitise(self.mirror.state.url, 60) or "the collector"

    def say(self, text: str, undo: str = "", error: bool = False) -> None:
        """One toast; errors stay until they are dismissed."""
        self._toasts += 1
        self.version += 1
        self._toast = Toast(text, undo, error, self._toasts)
        self._toast_until = math.inf if error else self.now() + TOAST_SECONDS

    def toast(self) -> Toast | None:
        """The toast that is still to be seen."""
        if self._toast is not None and self.now() >= self._toast_until:
            self._toast = None
        return self._toast

    def dismiss(self) -> bool:
        """Takes the toast away; whether there was one."""
        had, self._toast = self.toast() is not None, None
        return had

    # ------------------------------------------------------------ requests

    def refusal(self) -> str:
        """Why nothing can be asked of the collector now; "" when it can."""
        if self.rewound:
            return f"You are looking at {self.words.moment(self.present(), self.live_present())}. Go live to act."
        if not self.mirror.connected:
            silent = max(0.0, self.now() - self.mirror.state.since) if self.mirror.state.since else 0.0
            waited = f" for {duration(silent)}" if silent >= 1.0 else ""
            return f"Lightship is blind: {self.collector} has not answered{waited}. Drafts are kept."
        if self.mirror.hello is not None and self.mirror.hello.read_only:
            return "You can look but not act here: this connection is read-only."
        return ""

    def request(self, request: Request, done: Callable[[object], None], failed: Callable[[str], None] | None = None) -> None:
        """Send a request; `done` gets the result, an error becomes a toast (and goes to `failed` where given)."""

        def answer(reply: Answer) -> None:
            if not isinstance(reply, Reply):
                done(reply)
            elif reply.error:
                (failed or (lambda error: self.say(error, error=True)))(sanitise(reply.error))
            else:
                done(reply.result)

        self.send(request, answer)

    def remember(self, label: str, act: Callable[[], None]) -> None:
        """Something that can be undone."""
        self.undo.append(Undo(label, act))
        del self.undo[:-MAX_UNDO]


def _reaching_back(mirror: Mirror, present: float) -> float:
    hello = mirror.hello
    if hello is None:
        return HOUR
    kept = present - hello.since if hello.since > 0 else 0.0
    return max(min(hello.recent, DAY), kept)
