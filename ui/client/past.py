"""The way to the past: a second line to the same collector with a mirror of its own, while the first one stays live."""

from __future__ import annotations

from collections.abc import Callable

from monitor.wire import messages as m
from monitor.wire.messages import Message, Request
from ui.client.line import Answer, Callback, Line
from ui.client.mirror import Change, LinkChanged, Mirror

PROGRESS = "rewind_progress"
BEATS = 4.0
"""Frames a second at most while it plays: so at high speeds points lie farther apart."""
LET_GO = ("nobody had asked", "closed to make room")
"""How the collector's reasons begin when it closes a connection that need not be opened again."""


class PastMirror(Mirror):
    """What a collector tells of a moment of the past, and on from there. Each moment it is moved to begins with nothing.

    `moment`: where it was last asked to be. `generation` rises with each moment that has come; `progress` is the share of
    the next one that is built, None while none is awaited. `error`: why the collector showed none.
    """

    def __init__(self, moment: float, speed: float = 0.0) -> None:
        super().__init__()
        self.moment = moment
        self.speed = speed
        self.generation = 0
        self.progress: float | None = 0.0
        self.error = ""
        self._resumed = 0

    @property
    def interval(self) -> float:
        """Seconds of then between two frames."""
        told = self.hello.interval if self.hello else 1.0
        return told * max(1.0, self.speed / min(BEATS, max(1.0, self.speed)))

    def pace(self, speed: float) -> None:
        """It plays at this speed from now on."""
        self.speed = speed
        for subscription in self.subscriptions.values():
            subscription.set_interval(self.interval)

    def opening(self, who: str = "", client: str = "") -> list[Request]:
        """On a new connection: to the moment it is to show, or to where it had come."""
        if self.progress is None and self.time:
            self.moment = self.time
        self.progress = 0.0
        self.take_wishes()
        self._resumed = self.next_id()
        return [m.Resume(self._resumed, client=client, who=who, at=self.moment, speed=self.speed)]

    def apply(self, message: Message | LinkChanged) -> set[Change]:
        """As a mirror; but what is told before the past has begun is of the present, and passed over."""
        match message:
            case m.Hello():
                if not message.rewound:
                    return set()
                self._begin()
            case m.Health() if PROGRESS in message.values:
                self.progress = min(1.0, max(0.0, message.values[PROGRESS]))
                return {"health"}
            case m.Reply() if message.error and message.id == self._resumed:
                self.progress, self.error = None, message.error
                return {"reply"}
        return super().apply(message)

    def _begin(self) -> None:
        """Nothing of another moment stays."""
        self.hello = self.rules = self.health = None
        self.time = self.alerts_time = 0.0
        self.series.clear()
        self._by_key.clear()
        self._whole = None
        self.alerts.clear()
        self.silences.clear()
        self.events.clear()
        self.subscriptions.clear()
        self.take_wishes()
        self.series_revision += 1
        self.generation += 1
        self.progress = None


OpenLine = Callable[[Mirror], Line]
"""A new line to the same collector, not started yet; it may be given only this mirror."""


class Past:
    """The second line of one user interface: there while it looks at the past. Of the front end's own thread."""

    def __init__(self, open_line: OpenLine | None) -> None:
        self._open_line = open_line
        self._line: Line | None = None
        self.mirror: PastMirror | None = None
        self.ended = ""
        """Why the collector ended it, once that has happened."""

    @property
    def possible(self) -> bool:
        """Whether there is a way to the past at all."""
        return self._open_line is not None

    def go(self, moment: float, speed: float = 0.0) -> None:
        """To this moment, and on from there at `speed` seconds a second."""
        if self._open_line is None:
            return
        if self.mirror is None or self._line is None:
            self.mirror = PastMirror(moment, speed)
            self._line = self._open_line(self.mirror)
            self._line.start()
            return
        self.mirror.moment, self.mirror.speed, self.mirror.progress, self.mirror.error = moment, speed, 0.0, ""
        if self.mirror.connected:
            self._line.submit(m.Seek(0, moment, speed), self._answered(self.mirror))

    def play(self, speed: float) -> None:
        """On at this speed from where it is; 0: stand still."""
        if self.mirror is not None and self._line is not None:
            self.mirror.pace(speed)
            if self.mirror.progress is not None:
                self.go(self.mirror.moment, speed)
            elif self.mirror.connected:
                self._line.submit(m.Seek(0, 0.0, speed), self._answered(self.mirror))

    def pump(self) -> set[Change]:
        """Takes in what has arrived; what changed."""
        if self.mirror is None or self._line is None:
            return set()
        changes = self._line.pump(self.mirror)
        state = self.mirror.state
        if state.state == "lost" and state.reason.startswith(LET_GO):
            self.ended = state.reason
        return changes

    def submit(self, request: Request, callback: Callback) -> None:
        """Asks the past."""
        if self._line is not None:
            self._line.submit(request, callback)

    def end(self) -> None:
        """Closes the line; the past is gone."""
        if self._line is not None:
            self._line.close()
        self._line, self.mirror, self.ended = None, None, ""

    @staticmethod
    def _answered(mirror: PastMirror) -> Callable[[Answer], None]:
        def answer(reply: Answer) -> None:
            if isinstance(reply, m.Reply) and reply.error:
                mirror.error, mirror.progress = reply.error, None

        return answer
