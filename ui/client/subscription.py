"""One wish for frames and what came of it: the latest values, and the recent past where it is tracked."""

from __future__ import annotations

import numpy as np

from monitor.model.batch import Floats, Ids
from monitor.wire import messages as m
from monitor.wire.messages import F64, I32
from ui.client.tracks import Tracks

HOUR = 3600.0
OVERLAP = 5.0
"""Seconds before the seam that are asked for again after a reconnect; what is held already is left out."""


class Subscription:
    """`rows` int32[n] ascending; `latest[field]` float64[n] aligned with them; `time` that of the newest frame (0: none yet).

    `error`: why the collector refused it, "" while it did not. `frames` counts frames, so that a view sees whether
    anything came; `skipped` those the collector left out because this client was slow.
    """

    def __init__(
        self,
        number: int,
        selector: str,
        fields: tuple[str, ...],
        window: float,
        backfill: float,
        step: float,
        limit: int,
        every: int,
        track: bool,
        keep: float,
        interval: float,
    ) -> None:
        self.id = number
        self.selector = selector
        self.fields = fields
        self.window = window
        self.backfill = backfill
        self.step = step
        self.limit = limit
        self.every = every
        self.keep = keep
        self.rows: Ids = np.empty(0, np.int32).view(I32)
        self.latest: dict[str, Floats] = {name: np.empty(0).view(F64) for name in fields}
        self.time = 0.0
        self.frames = 0
        self.skipped = 0
        self.error = ""
        # Up to an hour each frame is a point of its own.
        thinned = step if keep > HOUR else 0.0
        self.tracks = Tracks(fields, keep, interval * every, thinned) if track else None
        self.filled = False
        """Whether any of its past has come."""
        self._asked: set[int] = set()
        """Rows that joined late and whose past was asked for."""

    def lacks_past(self) -> bool:
        """Whether a row came in later, as the largest rows of a limited subscription do, whose past was not asked for yet."""
        return self.limit > 0 and self.backfill > 0 and self.tracks is not None and not self.tracks.joined <= self._asked

    def request(self) -> m.Subscribe:
        """The wish as it is sent now: backfill from the last time held, or as long as asked for where that is not enough."""
        since = 0.0
        last = self.tracks.last if self.tracks is not None else None
        whole = self.lacks_past()
        self._asked = set(self.tracks.joined) if self.tracks is not None else set()
        if last is not None and not whole and self.tracks is not None:
            since = last - OVERLAP * self.tracks.interval
        elif self.backfill > 0 and self.tracks is not None:
            since = -self.backfill
        return m.Subscribe(self.id, self.selector, self.fields, self.window, since, self.step, self.limit, self.every)

    def index(self, row: int) -> int | None:
        """Where `row` stands in `rows`; None when the subscription does not have it."""
        at = int(np.searchsorted(self.rows, row))
        return at if at < len(self.rows) and int(self.rows[at]) == row else None

    def value(self, row: int, field: str) -> float:
        """The latest value; NaN when there is none."""
        at = self.index(row)
        column = self.latest.get(field)
        return float(column[at]) if at is not None and column is not None and at < len(column) else float("nan")

    def track(self, row: int, field: str) -> tuple[Floats, Floats]:
        """Times and values float64[n] of the recent past, NaN where the line breaks. Views: valid until the next message."""
        return self.tracks.track(row, field) if self.tracks is not None else (np.empty(0), np.empty(0))

    def gaps(self) -> list[tuple[float, float]]:
        """Spans (last point before, first point after) in which nothing came."""
        return self.tracks.gaps() if self.tracks is not None else []

    # ------------------------------------------------------------ the mirror's own

    def set_interval(self, interval: float) -> None:
        if self.tracks is not None:
            self.tracks.interval = interval * self.every

    def take(self, frame: m.Frame) -> bool:
        """Takes a frame in; False when it does not fit what was asked for."""
        rows = frame.rows if frame.rows is not None else self.rows
        if len(frame.columns) != len(self.fields) or any(len(column) != len(rows) for column in frame.columns):
            return False
        self.rows = rows
        self.latest = dict(zip(self.fields, frame.columns, strict=True))
        self.time = frame.time
        self.frames += 1
        self.skipped += frame.skipped
        self.error = ""
        if self.tracks is not None:
            self.tracks.append(frame.time, rows, frame.columns)
        return True

    def fill(self, history: m.History) -> bool:
        """Takes backfill in; False when it does not fit, or nothing is tracked."""
        if self.tracks is None or len(history.columns) != len(self.fields):
            return False
        shape = (len(history.rows), len(history.times))
        self.filled = True
        columns = tuple(column.reshape(shape) for column in history.columns)
        self.tracks.merge(history.times, history.rows, columns, history.step)
        return True

    def move(self, moved: dict[int, int]) -> None:
        """Rows have other numbers (old to new); what is not named is gone."""
        new = np.array([moved.get(row, -1) for row in self.rows.tolist()], np.int32)
        order = np.argsort(new, kind="stable")[int((new < 0).sum()) :]
        self.rows = new[order].view(I32)
        self.latest = {name: column[order] for name, column in self.latest.items()}
        if self.tracks is not None:
            self.tracks.move(moved)

    def forget(self, row: int) -> None:
        """The row was given up: what it held belongs to another series than the next that gets it."""
        if self.tracks is not None:
            self.tracks.forget(row)
