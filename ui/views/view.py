"""What a painter gets: immutable pictures of each page in words, numbers and arrays, without a toolkit.

Painters compare pictures with the last one and repaint what changed. Every text is already formatted, sanitised of control
characters and translated into plain words; every colour is a token name (`critical`, `series-1`, `accent`), never a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ui.views.queryview import QueriesView
    from ui.views.topologyview import TopologyView
    from ui.views.tracesview import TracesView

Floats = npt.NDArray[np.float64]
Shape = Literal["critical", "warning", "info", "ok", "unknown", "silenced", "acked", "pending"]
"""A state: painters look its silhouette, glyph, word and colour up in the tokens."""
Page = Literal["overview", "explore", "topology", "alerts", "rules", "traces"]


@dataclass(frozen=True, slots=True)
class Tab:
    page: Page
    key: str
    name: str
    badge: str = ""
    badge_shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A run of words; `strong` is the finding itself, the rest is context."""

    text: str
    strong: bool = False


Sentence = tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A number for people: `number` and `unit` apart, because the unit is set back. `shape` colours it when not fine."""

    number: str
    unit: str = ""
    shape: Shape | None = None

    def __str__(self) -> str:
        return f"{self.number} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Banner:
    """One at a time, the gravest. `action` is an action's name; `label` what its button says.

    `tone` "accent": painted in that colour and with the sign of the past, for it is no trouble.
    """

    shape: Shape
    title: str
    detail: str = ""
    action: str = ""
    label: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Toast:
    text: str
    undo: str = ""
    error: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class TimeView:
    """The time control. `strip`: 48 half hours, newest last: (shape or None, load 0..1, -1 where it is not known).

    `behind` says how far the view is behind and what returns. `ranges`: all that have data; `usual` the few that are offered
    at once. `day`: (start, end) of the strip in seconds; `window` what of it is shown, `changes` when somebody changed
    something and what. `load`: what the strip's height is. Rewound: `playing` at `speed`, and `progress` 0..1 with `awaited`
    in words while another moment is being built (None: it is not).
    """

    state: Literal["live", "paused", "stale", "rewound"]
    range_label: str
    ranges: tuple[str, ...]
    clock: str
    date: str
    behind: str = ""
    strip: tuple[tuple[Shape | None, float], ...] = ()
    usual: tuple[str, ...] = ()
    day: tuple[float, float] = (0.0, 0.0)
    window: tuple[float, float] = (0.0, 0.0)
    changes: tuple[tuple[float, str], ...] = ()
    load: str = ""
    playing: bool = False
    speed: str = ""
    speeds: tuple[str, ...] = ()
    progress: float | None = None
    awaited: str = ""


@dataclass(frozen=True, slots=True)
class StatusItem:
    text: str
    shape: Shape | None = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class KeyHint:
    key: str
    label: str
    action: str


@dataclass(frozen=True, slots=True)
class FrameView:
    """All that surrounds a page."""

    tabs: tuple[Tab, ...]
    page: Page
    subtitle: str
    collector: str
    who: str
    time: TimeView
    banner: Banner | None
    toast: Toast | None
    status: tuple[StatusItem, ...]
    hints: tuple[KeyHint, ...]
    connected: bool
    title: str = "Lightship"
    focus: str = ""
    """The text field that has the focus ("filter", "search", "palette", "silence.reason", "note", "goto", "rule"), or ""."""
    locked: str = ""
    """Why nothing can be changed here, "" when it can: buttons that act are off and say so."""


# ---------------------------------------------------------------- charts


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """`times` and `values` float64[n], seconds and the chart's unit; NaN breaks the line. `colour`: "series-1" … or a shape."""

    name: str
    times: Floats
    values: Floats
    colour: str
    last: Value
    dash: int = 0
    full_name: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    value: float
    label: str
    shape: Shape
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Marker:
    at: float
    label: str
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class ExemplarMark:
    """An observation with its trace, drawn as a diamond. `value` in data, within the axis; `key` chooses it; `words` say it
    whole: the trace, how much it was, and its labels.
    """

    at: float
    value: float
    colour: str
    key: str
    words: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, eq=False, slots=True)
class ChartView:
    """One chart card. Ranges are fixed here; painters never range by themselves.

    `x` is (start, end) in seconds, `y` (low, high) in data (log10 of it when `log`); ticks carry their words, y ticks in the same
    space as `y`. `gaps`: hatched spans with their words; `broken`: spans in which a threshold was broken; `others`: (low, high)
    envelope of lines beyond the eighth. `revision` rises when anything to be drawn changed.
    """

    id: str
    title: str
    sentence: Sentence
    last: Value
    lines: tuple[Line, ...]
    x: tuple[float, float]
    y: tuple[float, float]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    log: bool = False
    threshold: tuple[Threshold, ...] = ()
    markers: tuple[Marker, ...] = ()
    exemplars: tuple[ExemplarMark, ...] = ()
    gaps: tuple[tuple[float, float, str], ...] = ()
    broken: tuple[tuple[float, float, Shape], ...] = ()
    others: tuple[Floats, Floats, Floats] | None = None
    others_count: int = 0
    note: str = ""
    empty: str = ""
    stale: bool = False
    revision: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Stat:
    """A number with its comparison in words. `spark` float64[≤ 60], NaN where there is no data."""

    label: str
    value: Value
    comparison: str
    spark: Floats
    shape: Shape | None = None
    action: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    time: str
    kind: str
    text: Sentence
    id: int = 0


@dataclass(frozen=True, slots=True)
class EmptyState:
    """What would be here and the shortest way to get it: `commands` as (what, command to copy)."""

    title: str
    detail: str
    commands: tuple[tuple[str, str], ...] = ()
    working: str = ""


# ---------------------------------------------------------------- alerts


@dataclass(frozen=True, slots=True)
class AlertRow:
    """`strip`: 24 blocks of an hour, newest last, None is quiet. `shape` is severity or state.

    `acked_by` is "" when nobody has it. `incident`: it stands for an incident, whose alerts follow where it is not folded.
    """

    id: str
    shape: Shape
    severity: Shape
    state: str
    name: str
    where: str
    value: Value
    limit: str
    age: str
    acked_by: str
    strip: tuple[Shape | None, ...]
    group: str = "Firing"
    marked: bool = False
    detail: str = ""
    incident: bool = False


@dataclass(frozen=True, slots=True)
class WhyRow:
    shape: Shape
    title: str
    detail: str
    action: str = ""


WHY = "Why was nobody told?"
"""Heads the steps from rule to notification where one of them stopped it."""


@dataclass(frozen=True, eq=False, slots=True)
class AlertDetail:
    id: str
    shape: Shape
    title: str
    subtitle: str
    sentence: Sentence
    chart: ChartView
    labels: tuple[tuple[str, str], ...]
    why: tuple[WhyRow, ...]
    history: tuple[EventRow, ...]
    runbook_url: str = ""
    can_acknowledge: bool = True
    acked: bool = False
    why_title: str = WHY


@dataclass(frozen=True, slots=True)
class SilenceDraftView:
    """The silence drawer. `error` is why it cannot be saved yet ("" when it can); `button` carries the count.

    `refused`: what the collector said to it; saving it once more means it. `editing`: it changes a silence that there is.
    """

    matchers: str
    duration: str
    until: str
    end_when_resolved: bool
    reason: str
    chips: tuple[str, ...]
    preview_title: str
    preview: tuple[AlertRow, ...]
    preview_note: str
    button: str
    error: str = ""
    field: Literal["matchers", "duration", "reason", "end"] = "reason"
    refused: str = ""
    editing: bool = False


@dataclass(frozen=True, slots=True)
class SilenceRow:
    id: str
    state: str
    matchers: str
    until: str
    by: str
    comment: str
    matches: str


@dataclass(frozen=True, eq=False, slots=True)
class AlertsView:
    groups: tuple[tuple[str, int], ...]
    group: str
    rows: tuple[AlertRow, ...]
    cursor: int
    marked: int
    filter: str
    filter_error: str
    sort: str
    detail: AlertDetail | None
    draft: SilenceDraftView | None
    silences: tuple[SilenceRow, ...]
    new_above: int = 0
    prompt: str = ""
    empty: str = ""
    lately: tuple[EventRow, ...] = ()
    """What happened last, while no alert is shown in full."""


# ---------------------------------------------------------------- overview


@dataclass(frozen=True, eq=False, slots=True)
class SeriesRow:
    """A series in a table. `picked`: colour it is drawn in, or "". `spark` float64[≤ 60]."""

    row: int
    name: str
    tags: str
    kind: str
    value: Value
    rate: Value
    spark: Floats
    shape: Shape = "ok"
    picked: str = ""
    strip: tuple[Shape | None, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessRow:
    name: str
    pid: str
    cpu: Value
    memory: Value


@dataclass(frozen=True, eq=False, slots=True)
class OverviewView:
    """`headline`: the incident banner of the page, None when nothing fires. `quiet`: the sentence shown instead."""

    headline: Banner | None
    quiet: str
    stats: tuple[Stat, ...]
    charts: tuple[ChartView, ...]
    busiest: tuple[SeriesRow, ...]
    firing: tuple[AlertRow, ...]
    firing_title: str
    events: tuple[EventRow, ...]
    processes: tuple[ProcessRow, ...]
    cores: tuple[float, ...]
    cores_title: Sentence
    collector: tuple[tuple[str, Value], ...]
    empty: EmptyState | None
    cursor: int = 0
    region: str = "firing"
    """Which list the cursor is in: "firing" or "busiest"."""


# ---------------------------------------------------------------- explore


@dataclass(frozen=True, eq=False, slots=True)
class ExploreView:
    """`readout`: (time words, (line name, colour, value) …) under the crosshair; `frozen`: zoomed, the view stands still."""

    search: str
    search_error: str
    results: tuple[SeriesRow, ...]
    found: str
    cursor: int
    picked: tuple[SeriesRow, ...]
    window: str
    windows: tuple[str, ...]
    field: str
    fields: tuple[str, ...]
    chart: ChartView
    table: tuple[tuple[str, str, Value, Value, Value, Value], ...]
    crosshair: float | None
    readout: tuple[str, tuple[tuple[str, str, Value], ...]] | None
    frozen: bool
    note: str = ""
    empty: EmptyState | None = None
    region: str = "results"
    """Which list the cursor is in: "results", "picked" or "queries"."""
    preview: bool = False
    """Nothing is picked: the chart shows the series under the cursor."""
    queries: QueriesView | None = None
    """Queries take the picked series' place as soon as there is one."""
    exemplar: str = ""
    """The exemplar that is chosen, in words; "" while none is."""


# ---------------------------------------------------------------- rules


@dataclass(frozen=True, slots=True)
class RuleRow:
    id: str
    name: str
    file: str
    shape: Shape
    enabled: bool
    firing: int
    summary: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem in the text being edited: 0-based `line` within the editor and `column`.

    `fix` is the label of the suggested fix or "".
    """

    line: int
    column: int
    length: int
    text: str
    fix: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class RuleEditorView:
    """`text` is the draft.

    `text_revision` rises only when the text changed from outside the editor, so typing is never overwritten.

    `changed_lines` are 0-based. `button` says which line is in the way when it cannot be saved.
    """

    file: str
    rule_id: str
    text: str
    text_revision: int
    cursor_line: int
    changed_lines: tuple[int, ...]
    problems: tuple[ProblemRow, ...]
    sentence: Sentence
    now: Value
    now_note: str
    chart: ChartView
    dirty: bool
    can_save: bool
    button: str
    conflict: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class RulesView:
    rows: tuple[RuleRow, ...]
    cursor: int
    filter: str
    title: str
    editor: RuleEditorView | None
    editing: bool
    empty: EmptyState | None = None
    filter_error: str = ""


# ---------------------------------------------------------------- overlays


@dataclass(frozen=True, slots=True)
class PaletteRow:
    title: str
    detail: str
    key: str
    target: str
    shape: Shape | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class PaletteView:
    query: str
    rows: tuple[PaletteRow, ...]
    cursor: int = 0


@dataclass(frozen=True, slots=True)
class HelpView:
    """`sections`: (title, ((keys, what, help) …)) for this page first."""

    page: str
    sections: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """Everything to be painted now. Exactly one of the page views is there; overlays lie above it."""

    frame: FrameView
    overview: OverviewView | None = None
    explore: ExploreView | None = None
    topology: TopologyView | None = None
    alerts: AlertsView | None = None
    rules: RulesView | None = None
    traces: TracesView | None = None
    palette: PaletteView | None = None
    help: HelpView | None = None
    dirty: frozenset[str] = field(default_factory=frozenset)
