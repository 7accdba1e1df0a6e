"""The actions of the time control."""

from __future__ import annotations

from ui.views.context import Context
from ui.views.page import Handler


class TimeHandlers:
    """Handlers of `time.*`."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.handlers: dict[str, Handler] = {
            "time.pause": self.pause,
            "time.live": self.live,
            "time.shorter": lambda: self._step(-1),
            "time.longer": lambda: self._step(1),
            "time.earlier": lambda: self._shift(-1),
            "time.later": lambda: self._shift(1),
        }

    def why_off(self, action: str) -> str:
        """Why a step in time is off; "" when it is on."""
        if action == "time.live" and not self.ctx.time.paused:
            return "This is live already."
        if action == "time.later" and not self.ctx.time.paused:
            return "This is the newest there is."
        return ""

    def pause(self) -> None:
        """Hold the view still, or let it go on."""
        time = self.ctx.time
        if time.paused:
            time.live()
        else:
            time.pause(self.ctx.present())

    def live(self) -> None:
        """The newest data again."""
        self.ctx.time.live()

    def _step(self, by: int) -> None:
        if not self.ctx.time.step(by):
            self.ctx.say("This is the longest range." if by > 0 else "This is the shortest range.")

    def _shift(self, by: int) -> None:
        present = self.ctx.present()
        if not self.ctx.time.shift(by, present, present - self.ctx.recent):
            kept = self.ctx.words.moment(present - self.ctx.recent, present)
            self.ctx.say(f"Nothing is kept before {kept}." if by < 0 else "This is the newest there is.")
