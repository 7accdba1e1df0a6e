"""What the painters of traces and logs get: rows of words, bars as shares of a trace, and what is open; immutable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ui.views.queryview import CompletionView
from ui.views.view import EmptyState, Floats, Sentence, Shape, Tick, Value

Kind = Literal["Traces", "Logs"]
KINDS: tuple[Kind, ...] = ("Traces", "Logs")
Order = Literal["Newest", "Longest"]
ORDERS: tuple[Order, ...] = ("Newest", "Longest")
Form = Literal["Waterfall", "Flame"]
FORMS: tuple[Form, ...] = ("Waterfall", "Flame")
Pairs = tuple[tuple[str, str], ...]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TraceRow:
    """A trace of the list. `share`: its duration of the longest listed, 0..1. `colour`: that of its root's service.

    `shape` None and `errors` "" where nothing failed. `note`: what is odd about it ("its root is missing").
    """

    trace: str
    shape: Shape | None
    service: str
    operation: str
    colour: str
    duration: Value
    share: float
    spans: str
    errors: str
    services: str
    age: str
    time: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class SpanRow:
    """A span of a trace that is open. `start` and `end` as shares of the trace, 0..1; `own`: the stretches of the critical path
    that are its own. `below`: how many spans hang under it. `moved`: it lies elsewhere than told, for clocks disagree.
    """

    service: str
    operation: str
    colour: str
    failed: bool
    depth: int
    start: float
    end: float
    duration: str
    below: int
    own: tuple[tuple[float, float], ...] = ()
    moved: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class LogRow:
    """A log record of a list. `body` on one line. `shape` None: nothing to look at (debug and below)."""

    shape: Shape | None
    level: str
    time: str
    service: str
    body: str
    traced: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of a span: when after its start, its name, and its attributes."""

    after: str
    name: str
    attributes: Pairs


@dataclass(frozen=True, slots=True)
class SpanDetail:
    """The span under the cursor. `sections`: (title, names and values). `facts`: sentences on it. `links`: (words, trace)."""

    title: str
    subtitle: str
    shape: Shape
    facts: tuple[str, ...]
    message: str
    sections: tuple[tuple[str, Pairs], ...]
    events: tuple[Happening, ...]
    links: tuple[tuple[str, str], ...]
    logs: tuple[LogRow, ...]
    logs_title: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Neighbours of one level that are too narrow to be drawn one by one. `place`: the first; shares as in `FlameView`."""

    lane: int
    start: float
    end: float
    place: int
    count: int
    failed: int


@dataclass(frozen=True, eq=False, slots=True)
class Frames:
    """A flame at one width: `wide` places in the flame's columns of spans drawn by themselves, and the others joined."""

    wide: Places
    joined: tuple[Joined, ...]


@dataclass(frozen=True, eq=False, slots=True)
class FlameView:
    """m spans of a trace from `begin` to `end` (shares of the trace), which fill the width.

    `places` int64[m] in the trace's spans; `starts`, `ends` float64[m] shares of the width, cut at its edges; `lanes` int64[m]
    the level of each, `levels` of them, the first `above` for the callers of what is looked at. `outside`: spans under it that
    ran at other times. `ticks` at shares of the width. `title`: what fills it, "" for the whole trace.
    """

    places: Places
    starts: Floats
    ends: Floats
    lanes: Places
    above: int
    levels: int
    begin: float
    end: float
    outside: int
    ticks: tuple[Tick, ...]
    title: str = ""

    def within(self, start: float, end: float) -> tuple[float, float]:
        """A stretch of the trace as shares of the width, cut at its edges."""
        width = self.end - self.begin
        return min(1.0, max(0.0, (start - self.begin) / width)), min(1.0, max(0.0, (end - self.begin) / width))


@dataclass(frozen=True, eq=False, slots=True)
class TraceView:
    """A trace that is open, n spans in the order of its tree.

    `rows`: places in `spans` that are not folded away, `cursor` a place in `rows`; `folded` those whose children are hidden.
    `flame`: None unless that is the form.
    `ticks` at shares of the trace. `services`: (name, colour, share of the critical path in words), the greatest first.
    """

    trace: str
    title: str
    subtitle: str
    shape: Shape
    sentence: Sentence
    duration: Value
    spans: tuple[SpanRow, ...]
    rows: tuple[int, ...]
    folded: frozenset[int]
    cursor: int
    form: Form
    flame: FlameView | None
    failed: tuple[bool, ...]
    ticks: tuple[Tick, ...]
    services: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    detail: SpanDetail | None

    @property
    def place(self) -> int:
        """The place in `spans` of the span under the cursor; -1 where there is none."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else -1


@dataclass(frozen=True, slots=True)
class LogDetail:
    """A log record in full: `lines` of its body. `trace` "" where it belongs to none."""

    shape: Shape | None
    title: str
    subtitle: str
    lines: tuple[str, ...]
    sections: tuple[tuple[str, Pairs], ...]
    trace: str
    span: str


@dataclass(frozen=True, eq=False, slots=True)
class TracesView:
    """The page. `found`: how much is listed; `note`: what is left out or held back; `problem`: why the collector has no answer.

    `opened`: a trace takes the list's place; `opening`: words while it is on its way or cannot be shown.
    """

    kind: Kind
    search: str
    search_error: str
    completion: CompletionView | None
    failing: bool
    order: Order
    traces: tuple[TraceRow, ...]
    logs: tuple[LogRow, ...]
    cursor: int
    found: str
    note: str
    problem: str
    opened: TraceView | None = None
    opening: str = ""
    log: LogDetail | None = None
    live: bool = False
    empty: EmptyState | None = None
