"""The actions of the time control."""

from __future__ import annotations

from collections.abc import Callable

from ui.views.context import DAY, HOUR, Context
from ui.views.page import Handler
from ui.views.rewinding import SPEEDS, Rewinding

NOT_BACK = "This is live; it plays only in the past. Press , or @ to go there."


class TimeHandlers:
    """Handlers of `time.*`. `ask`: lets the person write a time."""

    def __init__(self, ctx: Context, rewinding: Rewinding, ask: Callable[[], None]) -> None:
        self.ctx = ctx
        self.rewinding = rewinding
        self.handlers: dict[str, Handler] = {
            "time.pause": self.pause,
            "time.live": self.live,
            "time.shorter": lambda: self._step(-1),
            "time.longer": lambda: self._step(1),
            "time.earlier": lambda: self._shift(-1),
            "time.later": lambda: self._shift(1),
            "time.goto": ask,
            "time.faster": lambda: self._speed(1),
            "time.slower": lambda: self._speed(-1),
        }

    def why_off(self, action: str) -> str:
        """Why a step in time is off; "" when it is on."""
        standing = self.ctx.time.paused or self.rewinding.active
        if action == "time.live" and not standing:
            return "This is live already."
        if action == "time.later" and not standing:
            return "This is the newest there is."
        if action in ("time.faster", "time.slower") and not self.ctx.rewound:
            return NOT_BACK
        return ""

    def pause(self) -> None:
        """Hold the view still, or let it go on; in the past: play on, or stand."""
        time = self.ctx.time
        if self.ctx.rewound:
            self.rewinding.play()
        elif time.paused:
            time.live()
        else:
            time.pause(self.ctx.present())

    def live(self) -> None:
        """The newest data again."""
        self.rewinding.live()

    def _step(self, by: int) -> None:
        if not self.ctx.time.step(by, self.ctx.recent):
            self.ctx.say("There are no data for a longer range." if by > 0 else "This is the shortest range.")

    def _speed(self, by: int) -> None:
        at = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - self.rewinding.speed)) + by
        if 0 <= at < len(SPEEDS):
            self.rewinding.set_speed(SPEEDS[at])
        else:
            self.ctx.say("It plays no faster." if by > 0 else "It plays no slower.")

    def _shift(self, by: int) -> None:
        """One window back or forward: within what the collector has at hand the view moves, beyond it everything does."""
        ctx, rewinding = self.ctx, self.rewinding
        present = ctx.live_present()
        start, end = ctx.span()
        width = end - start
        if rewinding.active:
            if rewinding.progress is not None:
                end = rewinding.moment
            if by > 0 and end + width >= present:
                rewinding.live()
            else:
                rewinding.go(max(end + by * width, min(end - 1, rewinding.oldest + 60)))
            return
        hello = ctx.mirror.hello
        memory = min(hello.recent, DAY) if hello is not None and ctx.recent <= hello.recent else HOUR
        if by < 0 and ctx.past.possible and start - width < present - memory - 1 and end - width > rewinding.oldest:
            rewinding.go(end - width)
        elif not ctx.time.shift(by, present, present - ctx.recent):
            kept = ctx.words.moment(present - ctx.recent, present)
            ctx.say(f"Nothing is kept before {kept}." if by < 0 else "This is the newest there is.")
