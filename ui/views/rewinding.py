"""Looking at the past: going there, playing on, coming back; and what is said of it."""

from __future__ import annotations

import math

from ui.views.context import Context
from ui.views.format import duration, plural, sanitise
from ui.views.lines import Span
from ui.views.sight import Sight

SPEEDS = (1.0, 2.0, 5.0, 10.0, 60.0)
NEAR = 3.0
"""Seconds from the present that are the present."""
SETTLE = 1.5
"""Seconds for which the old picture stays at most, until that of the other time is whole."""


class Rewinding:
    """The past as one user interface looks at it. Live, a moment is awaited, or one is shown (standing or playing)."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.speed = SPEEDS[0]
        self.playing = False
        self.went_back = 0.0
        """The live clock when the person left the present."""
        self._generation = 0
        self._zoom: Span | None = None
        self._settle_until = -math.inf

    # ------------------------------------------------------------ what there is

    @property
    def active(self) -> bool:
        """Whether the past is shown or awaited."""
        return self.ctx.past.mirror is not None

    @property
    def progress(self) -> float | None:
        """The share of the moment awaited that is built; None: none is awaited."""
        return self.ctx.past.mirror.progress if self.ctx.past.mirror is not None else None

    @property
    def moment(self) -> float:
        """The moment that is shown, or that is awaited."""
        mirror = self.ctx.past.mirror
        if mirror is None:
            return self.ctx.live_present()
        return mirror.moment if mirror.progress is not None else math.floor(mirror.time or mirror.moment)

    @property
    def oldest(self) -> float:
        """The oldest moment of which anything is kept."""
        hello = self.ctx.live.mirror.hello
        if hello is None:
            return self.ctx.live_present()
        return hello.since if hello.since > 0 else self.ctx.live_present() - hello.recent

    @property
    def settling(self) -> bool:
        """Whether what is looked at has changed so lately that its data are still coming."""
        if self.ctx.now() >= self._settle_until:
            return False
        # Of what a connection is told at first, health comes last.
        return self.ctx.mirror.health is None or not self.ctx.feeds.ready

    @property
    def fresh_alerts(self) -> int:
        """How many alerts have begun to fire since the person went back."""
        return sum((alert.fired_at or alert.since) > self.went_back for alert in self.ctx.live.book.firing)

    # ------------------------------------------------------------ what a person does

    def go(self, at: float, zoom: Span | None = None) -> bool:
        """To a moment, the span shown within what led to it; False (and a word why) where there is nothing."""
        ctx, at = self.ctx, math.floor(at)
        present = ctx.live_present()
        if not ctx.past.possible:
            ctx.say("The past cannot be looked at from here.")
            return False
        if at >= present - NEAR and zoom is None:
            self.live()
            return True
        if at <= self.oldest:
            ctx.say(f"Nothing is kept before {ctx.words.moment(self.oldest, present)}.")
            return False
        if not self.active:
            self.went_back = present
        self.playing, self._zoom = False, zoom
        ctx.past.go(min(at, present - 1))
        ctx.version += 1
        return True

    def live(self) -> None:
        """The newest data again, at once: the live line was never given up."""
        ctx = self.ctx
        ctx.past.end()
        if ctx.rewound:
            ctx.turn(ctx.live)
        self._settle_until = -math.inf
        self.playing, self._generation = False, 0
        ctx.time.live()
        ctx.version += 1

    def play(self) -> None:
        """Play on from here, or stand still."""
        self.playing = not self.playing
        if self.playing:
            self.ctx.time.live()  # a zoom stands still
        self.ctx.past.play(self.speed if self.playing else 0.0)
        self.ctx.version += 1

    def stand(self) -> None:
        """Stop playing."""
        if self.playing:
            self.play()

    def set_speed(self, speed: float) -> None:
        """Play at this speed from now on."""
        self.speed = speed
        if self.playing:
            self.ctx.past.play(speed)
        self.ctx.version += 1

    # ------------------------------------------------------------ what arrives

    def pump(self) -> set[str]:
        """Takes in what came of the past; what of it changed, for the pages that show it."""
        ctx = self.ctx
        mirror = ctx.past.mirror
        if mirror is None:
            return set()
        what = {str(change) for change in ctx.past.pump()}
        if what:
            ctx.version += 1
        if ctx.past.ended:
            reason = ctx.past.ended
            self.live()
            ctx.say(f"Live again: {sanitise(reason, 120)}.")
            return set()
        if mirror.error:
            self._refused(mirror.error)
            return what
        if mirror.generation != self._generation:
            self._generation = mirror.generation
            self._turn()
            what |= {"hello", "series", "alerts", "rules", "events", "health"}
        if what and ctx.rewound:
            ctx.sight.changed(what)
            if self.playing and mirror.progress is None and mirror.time >= ctx.live_present() - NEAR:
                self.live()
                ctx.say("This is the present: live again.")
                return set()
        return what if ctx.rewound else set()

    def _turn(self) -> None:
        ctx = self.ctx
        if ctx.past.mirror is None:
            return
        ctx.turn(Sight(ctx.past.mirror))
        ctx.time.live()
        if ctx.focus in ("rule", "note") or ctx.focus.startswith("silence."):
            ctx.focus = ""  # what would be written there cannot be saved from here
        if self._zoom is not None:
            ctx.time.zoom(*self._zoom, ctx.present())
        self._settle_until = ctx.now() + SETTLE

    def _refused(self, error: str) -> None:
        ctx, mirror = self.ctx, self.ctx.past.mirror
        text = sanitise(error, 200)
        ctx.say(f"{text[:1].upper()}{text[1:].rstrip('.')}.", error=True)
        if mirror is not None:
            mirror.error = ""
        if not ctx.rewound:
            ctx.past.end()
        ctx.version += 1

    # ------------------------------------------------------------ words

    def title(self) -> str:
        """`You are looking at 03:31, 10 h 50 min ago.`"""
        ctx = self.ctx
        present, moment = ctx.live_present(), ctx.present()
        return f"You are looking at {ctx.words.moment(moment, present, seconds=True)}, {self.ago()} ago."

    def ago(self) -> str:
        """How long before the present the moment is that is shown: in whole minutes, so that it does not tick."""
        minutes = (self.ctx.live_present() - self.ctx.present()) // 60
        return duration(60.0 * minutes) if minutes > 0 else "less than 1 min"

    def detail(self, note: str = "") -> str:
        """What has happened since, and what is of that moment: a note of the collector where it left something out."""
        fresh = self.fresh_alerts
        since = f"{plural(fresh, 'alert')} began to fire since you went back. " if fresh else ""
        return f"{since}{note or 'Alerts and rules are of then, too.'} Nothing can be changed."

    def awaited(self) -> str:
        """`Going to 03:31 …`"""
        return f"Going to {self.ctx.words.moment(self.moment, self.ctx.live_present())} …"

    def speed_label(self) -> str:
        """`10x`."""
        return f"{self.speed:g}x"
