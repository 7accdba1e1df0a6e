"""What the stream needs of a collector: the engine's answers and the lists that carry revisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from monitor.alerting.model import Alert, Event, Silence
from monitor.model.batch import Floats, Ids
from monitor.model.matchers import Selector
from monitor.model.series import SeriesInfo
from monitor.windows.frame import History
from monitor.wire.messages import Health, Hello, Rules


class Table(Protocol):
    """The series table as the stream reads it."""

    @property
    def revision(self) -> int:
        """Rises whenever a row is given out or given up; above 0 as soon as there is a row."""

    def select(self, selector: Selector) -> Ids:
        """Rows of the live series that are selected, int32, ascending."""

    def info(self, row: int) -> SeriesInfo | None:
        """The series of a row; None when the row is free."""

    def added_since(self, revision: int) -> tuple[Iterable[SeriesInfo], Iterable[int]]:
        """Series that got a row after this revision and are live, and rows given up after it (0: all live series, none)."""


class Engine(Protocol):
    """The engine as the stream reads it."""

    @property
    def table(self) -> Table: ...

    def column(self, field: str, window: float, rows: Ids) -> Floats:
        """float64[rows] of one field over one window, NaN where there is none."""

    def history(self, rows: Ids, field: str, window: float, start: float, end: float, step: float) -> History:
        """The field at step ends within (start, end]."""


class Archive(Protocol):
    """What is kept beyond the engine's hour. `history` may take its time: the stream calls it from another thread."""

    @property
    def since(self) -> float:
        """Time of the oldest data kept, seconds; infinity while there are none. Cheap."""

    @property
    def seam(self) -> float:
        """From this time on the engine was told everything: its start, or what a restart brought back."""

    def history(self, series: Sequence[SeriesInfo], field: str, window: float, start: float, end: float, step: float) -> History:
        """The field over `window` at the multiples of `step` (whole seconds) in (start, end], as the engine would have had it.

        `rows` are those of `series`, in order; values NaN where there is nothing. A coarser `step` than asked for may be
        answered and is then said. A field that cannot be had from what is kept is all NaN. Raises `ValueError` with a sentence.
        """


class Source(Protocol):
    """Everything that a session reads. All of it is cheap and none of it waits, but for the archive."""

    @property
    def engine(self) -> Engine: ...

    @property
    def archive(self) -> Archive | None:
        """None: nothing is kept beyond what the engine has."""

    def hello(self) -> Hello: ...

    def alerts_since(self, revision: int) -> tuple[int, Iterable[Alert], Iterable[Silence], Iterable[str]]:
        """The revision now, alerts and silences changed after `revision` (0: all), and ids of alerts forgotten since."""

    def rules(self) -> Rules: ...

    def events_since(self, event: int) -> Iterable[Event]:
        """Events with ids above this one, oldest first; a bounded number of the newest."""

    def health(self) -> Health: ...
