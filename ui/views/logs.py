"""The list of logs: newest first, followed while the view is live, with a bound; what comes while somebody reads waits above."""

from __future__ import annotations

from collections import deque

from monitor.wire import messages as m
from ui.views.context import Context
from ui.views.format import plural, sanitise
from ui.views.page import moved
from ui.views.tracesask import Asking
from ui.views.tracesfilter import LogFilter, attempt, parse_logs
from ui.views.tracesview import LogDetail, LogRow
from ui.views.traceswords import log_detail, log_row

MOST = 2_000
"""Records kept here."""
FIRST = 500
NEXT = 500
IDLE = 0.4
WARN = 13


class LogList:
    """Records newest first. The list holds its place while the cursor has left the first row."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.text, self.error = "", ""
        self.filter = LogFilter()
        self.failing = False
        self.opened = False
        self.held: list[tuple[m.LogInfo, LogRow]] = []
        self.waiting: deque[m.LogInfo] = deque(maxlen=MOST)
        """Those that came while somebody read, oldest first."""
        self.cursor = 0
        self.left_out = 0
        """Records let go because there were more than are kept."""
        self.skipped = 0
        """Records that came faster than they are taken in, and were never here."""
        self.warnings: tuple[str, ...] = ()
        self.started = False
        """Whether the collector has answered what is searched for now."""
        self.first: Asking[m.LogsFound] = Asking(ctx, m.LogsFound)
        self.tail: Asking[m.LogsFound] = Asking(ctx, m.LogsFound)
        self._after = 0
        self._seen_first = self._seen = 0
        self._beat = 0
        self._pausing = False
        self._typed = 0.0
        self._scope: object = None
        self._rows: tuple[object, tuple[LogRow, ...]] = (None, ())
        self._revision = 0

    # ------------------------------------------------------------ asking

    def type(self, text: str) -> None:
        """The search as typed; while it cannot be read the last good one holds."""
        self.text = text
        self.filter, self.error = attempt(parse_logs, text, self.filter)
        self._typed = self.ctx.now()

    def run(self) -> None:
        """What was typed is asked at once."""
        self._typed = 0.0

    def again(self) -> None:
        """Begin anew."""
        self._scope = None

    @property
    def live(self) -> bool:
        """Whether it follows what comes."""
        return not self.ctx.time.paused and not self.ctx.rewound

    @property
    def problem(self) -> str:
        return self.first.error or self.tail.error

    def ask(self) -> None:
        """The first page of another search, then what came since, once a second while the view is live."""
        now = self.ctx.now()
        if now - self._typed < IDLE and self.started:
            return
        start, end = self.ctx.span()
        scope = (self.filter, self.failing, self.ctx.time.range if self.live else (start, end), self.live)
        if scope != self._scope:
            if not self._goes_on(scope):
                self._begin()
            self._scope = scope
        if self.live and not self.tail.waiting:
            self._beat = int(now)
        if not self.started or (self.live and not self._after):  # without a cursor there was nothing yet to go on from
            self.first.want((scope, self._beat if self.started else 0), self._request(start, 0.0 if self.live else end))
            self._take_first()
        elif self.live:
            self._take_tail()  # before the next question, which goes on from there
            self.tail.want((scope, self._beat, self._after), self._request(0.0, 0.0, self._after))
            self._take_tail()

    def _goes_on(self, scope: tuple[object, ...]) -> bool:
        """Whether this only pauses what was followed, or follows on from there: what is there stays."""
        old = self._scope
        if not isinstance(old, tuple) or old[:2] != scope[:2] or not self.started:
            return False
        pauses = bool(old[3]) and not scope[3] and self.ctx.time.zoomed is None
        goes_on = self._pausing and bool(scope[3])
        self._pausing = pauses
        return pauses or goes_on

    def _request(self, start: float, end: float, after: int = 0) -> m.FindLogs:
        wanted = self.filter
        severity = max(wanted.severity, WARN) if self.failing else wanted.severity
        if wanted.trace:
            start = end = 0.0  # a trace's logs are shown whenever they were
        tags, limit = wanted.tags, NEXT if after else FIRST
        return m.FindLogs(0, wanted.service, severity, wanted.text, tags, wanted.trace, start, end, limit, after, skip=after > 0)

    def _begin(self) -> None:
        self.first.forget()
        self.tail.forget()
        self.started, self._after = False, 0
        self._seen_first, self._seen = self.first.number, self.tail.number
        self.held, self.warnings, self.cursor, self.opened = [], (), 0, False
        self.left_out = self.skipped = 0
        self.waiting.clear()
        self._revision += 1

    def _take_first(self) -> None:
        answer = self.first.answer
        if answer is None or self.first.number == self._seen_first:
            return
        self._seen_first = self.first.number
        self.held = [(log, log_row(self.ctx, log)) for log in answer.logs[:MOST]]
        self.started, self._after, self.warnings = True, answer.cursor, answer.warnings
        self._revision += 1

    def _take_tail(self) -> None:
        answer = self.tail.answer
        if answer is None or self.tail.number == self._seen:
            return
        self._seen = self.tail.number
        if answer.cursor > self._after:
            self._after = answer.cursor
            self.skipped += answer.skipped + max(0, len(self.waiting) + len(answer.logs) - MOST)
            self.waiting.extend(answer.logs)
        if self.cursor == 0 and not self.opened:
            self.merge()

    def merge(self) -> None:
        """What waits above joins the list."""
        if not self.waiting:
            return
        fresh = [(log, log_row(self.ctx, log)) for log in reversed(self.waiting)]
        self.waiting.clear()
        if self.cursor or self.opened:
            self.cursor += len(fresh)
        self.held = [*fresh, *self.held]
        self.left_out += max(0, len(self.held) - MOST)
        del self.held[MOST:]
        self._revision += 1

    # ------------------------------------------------------------ rows

    def rows(self) -> tuple[LogRow, ...]:
        """The records on one line each; the same object while nothing has changed."""
        if self._rows[0] != self._revision:
            self._rows = (self._revision, tuple(row for _, row in self.held))
        return self._rows[1]

    def place(self) -> int:
        """The row of the cursor."""
        self.cursor = moved(self.cursor, 0, len(self.held))
        return self.cursor

    def go(self, index: int) -> None:
        """Put the cursor on a row; the first one takes in what waits above."""
        self.cursor = moved(0, index, len(self.held))
        if index <= 0 and not self.opened:
            self.cursor = 0
            self.merge()

    def current(self) -> m.LogInfo | None:
        """The record under the cursor."""
        return self.held[self.place()][0] if self.held else None

    def detail(self) -> LogDetail | None:
        """The record that is open."""
        log = self.current() if self.opened else None
        return log_detail(self.ctx, log) if log is not None else None

    def found_words(self) -> str:
        """How many, and how many wait."""
        if not self.started:
            return "looking…" if self.first.waiting else ""
        count = len(self.held)
        return f"{'newest ' if self.left_out or count >= FIRST else ''}{plural(count, 'record')}" if count else ""

    def note(self) -> str:
        """What waits above or was left out."""
        if self.waiting:
            skipped = f", {self.skipped:,} skipped" if self.skipped else ""
            return f"{len(self.waiting):,} new above{skipped}, press Home"
        if self.skipped:
            return f"{self.skipped:,} came faster than they are shown and were skipped: a narrower search shows all"
        if self.left_out:
            return f"{MOST:,} are kept here, older ones were let go"
        return sanitise(" ".join(self.warnings), 300)
