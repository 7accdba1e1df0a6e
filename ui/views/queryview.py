"""What a painter gets of Explore's queries: the list, the editor, tables and histograms; immutable, in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ui.views.view import ChartView, Floats, ProblemRow, Tick, Value

View = Literal["chart", "table", "instant"]
VIEWS: dict[str, View] = {"Chart": "chart", "Table": "table", "Moment": "instant"}
"""By their words: lines over the range, their figures over the range, or the values at one moment."""

Token = tuple[int, int, str]
"""Start and end (characters) and kind of a part of a query that has a colour."""

TOKEN_COLOURS: dict[str, str] = {
    "function": "series-1",
    "aggregation": "series-8",
    "keyword": "series-8",
    "metric": "text-primary",
    "label": "text-secondary",
    "string": "series-2",
    "number": "series-3",
    "duration": "series-3",
    "operator": "text-secondary",
    "comment": "text-disabled",
    "error": "critical",
}
"""Colour of each kind of token, by its name in the theme."""


@dataclass(frozen=True, slots=True)
class CompletionRow:
    """One thing that may be written here: `text` as shown, `kind` and `detail` beside it."""

    text: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CompletionView:
    """What may be written at the caret. `start` is where the word begins that an offer replaces; `help` speaks of the row under
    the cursor; `note` of what is not listed.
    """

    rows: tuple[CompletionRow, ...]
    cursor: int
    start: int
    help: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SignatureView:
    """The call the caret stands in: what is before, the argument it is at, what is after; and what the function does."""

    before: str
    argument: str
    after: str
    help: str


@dataclass(frozen=True, slots=True)
class QueryEditorView:
    """The query being written; `caret` in characters. `problem` is underlined and explained below."""

    text: str
    caret: int
    problem: ProblemRow | None = None
    completion: CompletionView | None = None
    signature: SignatureView | None = None


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One query. `note`: how many series and how long it took, or what is wrong (`wrong`); `waiting`: an answer is under way."""

    letter: str
    colour: str
    text: str
    tokens: tuple[Token, ...]
    hidden: bool
    note: str
    wrong: bool = False
    waiting: bool = False
    problem: ProblemRow | None = None


@dataclass(frozen=True, slots=True)
class TableRow:
    """`cells` under the label columns, `values` under the value columns. `colour` "": it has no line of its own."""

    letter: str
    colour: str
    cells: tuple[str, ...]
    values: tuple[Value, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    """`shared`: labels that all rows have in common; `columns`: those in which they differ; `heads` of the values.

    `more`: what is not listed; `at`: the moment or the range.
    """

    columns: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[TableRow, ...]
    shared: str = ""
    more: str = ""
    at: str = ""
    letters: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class HistogramView:
    """A native histogram. `edges` float64[n + 1] in log10 (where `log`) or plain; `counts` float64[n]; ticks in the space of the
    edges. `marks`: where the median and p99 lie.
    """

    name: str
    colour: str
    count: Value
    total: Value
    median: Value
    high: Value
    edges: Floats
    counts: Floats
    ticks: tuple[Tick, ...]
    marks: tuple[Tick, ...] = ()
    log: bool = True


@dataclass(frozen=True, eq=False, slots=True)
class QueriesView:
    """All of Explore's queries. `cursor`: the one under the cursor, or being edited. `naming`: the name being typed, None when
    none is. `step`: in words. `note`: what the answers have to be read with. `hint` says what could be done by `action`.
    """

    rows: tuple[QueryRow, ...]
    cursor: int
    view: View
    step: str
    editor: QueryEditorView | None = None
    table: TableView | None = None
    charts: tuple[ChartView, ...] = ()
    """Besides the page's own chart: one for each further unit."""
    histograms: tuple[HistogramView, ...] = ()
    note: str = ""
    naming: str | None = None
    hint: str = ""
    action: str = ""
