"""The subscriptions a user interface holds: asked for by name when a page is drawn, given up when nothing asks any more."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from monitor.model.batch import Ids
from monitor.wire.messages import History
from ui.client.mirror import Mirror
from ui.client.subscription import Subscription
from ui.views.view import Floats

GRACE = 20.0
"""Seconds a feed outlives the last picture that asked for it: leaving a page and coming back costs nothing."""
MAX_FEEDS = 24
PATIENCE = 3.0
"""Seconds that the feed of another range stands in until the past of the new one has come."""
_EMPTY: Floats = np.empty(0)


@dataclass(frozen=True, slots=True)
class Detail:
    """A stretch of the past and the step it is wanted in, seconds."""

    start: float
    end: float
    step: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What a page wants to be fed with; equal wishes share one subscription."""

    selector: str
    fields: tuple[str, ...]
    window: float = 60.0
    backfill: float = 0.0
    step: float = 1.0
    limit: int = 0
    every: int = 1
    track: bool = False


class Feed:
    """One subscription as a page reads it: the present, or what was there when the view was stopped."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.used = 0.0
        self.born = 0.0
        self.before: Feed | None = None
        """The same over another range: shown until this one has its past, so that a chart does not blink."""
        self._held: tuple[Ids, dict[str, Floats]] | None = None
        self._tracks: dict[tuple[int, str], tuple[Floats, Floats]] = {}
        self._read: set[tuple[int, str]] = set()
        self._hold = 0
        self.wanted: Detail | None = None
        """The closer look that was asked for last; None: none is wanted."""
        self._closer: History | None = None

    def look_closer(self, wanted: Detail | None) -> bool:
        """A part of the past is wanted more finely than it is tracked (None: no more); whether it is to be asked for."""
        if wanted == self.wanted:
            return False
        self.wanted, self._closer = wanted, None
        self._hold += 1
        return wanted is not None

    def take_closer(self, wanted: Detail, history: History) -> None:
        """The answer to it, unless something else is wanted by now."""
        if wanted == self.wanted and len(history.columns) == len(self.subscription.fields):
            self._closer = history
            self._hold += 1

    def _close_track(self, row: int, field: str) -> tuple[Floats, Floats] | None:
        found = self._closer
        if found is None or field not in self.subscription.fields:
            return None
        at = int(found.rows.searchsorted(row))
        if at >= len(found.rows) or int(found.rows[at]) != row:
            return None
        column = found.columns[self.subscription.fields.index(field)]
        return found.times, column.reshape(len(found.rows), len(found.times))[at]

    @property
    def version(self) -> tuple[int, int, int]:
        """Changes whenever what is read here may have changed."""
        if self._held is not None:
            return (self.subscription.id, -1, self._hold)
        tracks = self.subscription.tracks
        return (self.subscription.id, self.subscription.frames, (tracks.version if tracks is not None else 0) + self._hold)

    @property
    def ready(self) -> bool:
        """Whether anything has come yet."""
        return self.subscription.frames > 0

    @property
    def whole(self) -> bool:
        """Whether its past has come too, where it was asked for and there are rows to have one."""
        subscription = self.subscription
        return subscription.filled or not subscription.backfill or (self.ready and not len(subscription.rows))

    @property
    def rows(self) -> Ids:
        return self._held[0] if self._held is not None else self.subscription.rows

    def column(self, field: str) -> Floats:
        """The latest values, aligned with `rows`."""
        latest = self._held[1] if self._held is not None else self.subscription.latest
        return latest.get(field, _EMPTY)

    def value(self, row: int, field: str) -> float:
        """The latest value of a row; NaN when there is none."""
        rows, column = self.rows, self.column(field)
        at = int(rows.searchsorted(row))
        return float(column[at]) if at < len(column) and int(rows[at]) == row else float("nan")

    def track(self, row: int, field: str) -> tuple[Floats, Floats]:
        """Times and values of the recent past; while the view is stopped a copy made at that moment."""
        closer = self._close_track(row, field)
        if closer is not None:
            return closer
        if self._held is None:
            if len(self._read) < 512:
                self._read.add((row, field))
            return self.subscription.track(row, field)
        found = self._tracks.get((row, field))
        if found is None:
            times, values = self.subscription.track(row, field)
            found = self._tracks[row, field] = (times.copy(), values.copy())
        return found

    def hold(self) -> None:
        """Keep what is there now; what was read before is copied at once, the rest when it is first asked for."""
        if self._held is not None:
            return
        self._hold += 1
        self._held = (self.subscription.rows, dict(self.subscription.latest))
        for row, field in self._read:
            times, values = self.subscription.track(row, field)
            self._tracks[row, field] = (times.copy(), values.copy())

    def release(self) -> None:
        """Follow the present again."""
        self._held = None
        self._tracks.clear()
        self._read.clear()


def _kin(wish: Wish) -> Wish:
    return replace(wish, backfill=0.0, step=0.0)


class Feeds:
    """All feeds of one user interface."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._feeds: dict[Wish, Feed] = {}
        self._holding = False

    def __len__(self) -> int:
        return len(self._feeds)

    @property
    def version(self) -> tuple[tuple[int, int, int], ...]:
        """Changes whenever what any feed gives may have changed: not while all are held."""
        return tuple(feed.version for feed in self._feeds.values())

    def want(self, wish: Wish, now: float) -> Feed:
        """The feed for a wish, subscribed at the first asking."""
        feed = self._feeds.get(wish)
        if feed is None:
            before = self._like(wish)
            feed = self._feeds[wish] = Feed(self._subscribe(wish))
            feed.born, feed.before = now, before
            self._bound(wish)
        elif self._holding and feed.ready and feed.whole:
            feed.hold()
        feed.used = now
        if feed.before is not None and (feed.whole or not 0.0 <= now - feed.born < PATIENCE):
            feed.before = None
        if feed.before is not None:
            feed.before.used = now
            return feed.before
        return feed

    def _like(self, wish: Wish) -> Feed | None:
        """The feed asked for last that differs only in how far back and how finely it reaches."""
        same = [f for w, f in self._feeds.items() if _kin(w) == _kin(wish) and f.ready]
        return max(same, key=lambda f: f.used, default=None)

    @property
    def ready(self) -> bool:
        """Whether all that was asked for has come."""
        return all(feed.ready and feed.whole for feed in self._feeds.values())

    def _subscribe(self, wish: Wish) -> Subscription:
        return self._mirror.subscribe(
            wish.selector,
            wish.fields,
            wish.window,
            backfill=wish.backfill,
            step=wish.step,
            limit=wish.limit,
            every=wish.every,
            track=wish.track,
            keep=max(3600.0, wish.backfill),
        )

    def _bound(self, newest: Wish) -> None:
        while len(self._feeds) > MAX_FEEDS:
            oldest = min((w for w in self._feeds if w != newest), key=lambda w: self._feeds[w].used)
            self._mirror.unsubscribe(self._feeds.pop(oldest).subscription)

    def keep(self, now: float) -> None:
        """A picture made of all of them is shown again: none of them is given up."""
        for feed in self._feeds.values():
            feed.used = now

    def sweep(self, now: float) -> None:
        """Ends subscriptions that no picture has asked for lately."""
        for wish in [w for w, feed in self._feeds.items() if now - feed.used > GRACE]:
            self._mirror.unsubscribe(self._feeds.pop(wish).subscription)

    def hold(self, on: bool) -> None:
        """Stop (True) or follow (False) the present in all feeds. One that begins later is held from its first answer on."""
        if on == self._holding:
            return
        self._holding = on
        for feed in self._feeds.values():
            if on:
                feed.hold()
            else:
                feed.release()
