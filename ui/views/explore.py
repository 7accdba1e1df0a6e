"""Explore: find any series, chart up to eight of them over any window and field, read values under the crosshair."""

from __future__ import annotations

import math
from collections.abc import Callable

from monitor.model.series import Kind, SeriesInfo, SeriesKey
from monitor.windows.frame import is_field
from ui.views import filter as filters
from ui.views.context import Context
from ui.views.exemplars import Exemplars
from ui.views.explore_chart import Pick, PickedChart
from ui.views.explore_view import MAX_LISTED, ExplorePicture
from ui.views.exploredeck import Deck
from ui.views.export import Exports
from ui.views.format import short_range
from ui.views.lines import Track
from ui.views.page import PageModel, moved
from ui.views.querykept import KeptQueries
from ui.views.querytext import query_of
from ui.views.view import ExploreView

MAX_PICKED = 8
FIELDS: dict[Kind, tuple[str, ...]] = {
    Kind.GAUGE: ("value", "last", "min", "max", "mean", "count", "age"),
    Kind.COUNTER: ("value", "rate", "per_minute", "sum", "count"),
    Kind.DISTRIBUTION: ("value", "p50", "p90", "p95", "p99", "mean", "min", "max", "rate", "count"),
    Kind.SET: ("value", "unique", "count", "rate"),
}
"""Fields that mean something for a kind; "value" is the kind's own."""
REGIONS = ("results", "picked", "queries")
RESTING = 0.3
"""Seconds between two previews: a key held down does not ask the collector for each series it passes."""


class Explore(PageModel):
    name = "explore"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.search = ""
        self.cursor = 0
        self.region = "results"
        self.picked: list[Pick] = []
        self.window = 0.0
        self.field = "value"
        self.at: float | None = None
        self.make_rule: Callable[[SeriesInfo, str, float], None] = lambda info, field, window: None
        self._filter = filters.Filter()
        self.error = ""
        self.hint: tuple[object, str] = (None, "")
        self._preview: tuple[Pick | None, float] = (None, -math.inf)
        self.exemplars = Exemplars(ctx)
        self.deck = Deck(ctx, lambda: self.at, self.exemplars)
        self.kept = KeptQueries(self.deck)
        self.exports = Exports(ctx, self.deck, self._picked_tracks)
        self.handlers = {
            "cursor.down": lambda: self.move(1),
            "cursor.up": lambda: self.move(-1),
            "open": self.open,
            "mark": self._mark,
            "region.next": self._next_region,
            "region.previous": self._next_region,
            "explore.window": self._next_window,
            "explore.field": self._next_field,
            "explore.clear": self._clear,
            "explore.rule": self._rule,
            "exemplar.next": lambda: self.exemplars.step(1),
            "exemplar.previous": lambda: self.exemplars.step(-1),
            "crosshair.left": lambda: self._step_crosshair(-1),
            "crosshair.right": lambda: self._step_crosshair(1),
            "zoom.in": lambda: self._zoom(0.5),
            "zoom.out": lambda: self._zoom(2.0),
            "query.edit": self._edit,
            **self.deck.handlers,
            **self.exports.handlers,
            "query.new": self._new_query,
        }
        if self.deck:
            self.region = "queries"

    # ------------------------------------------------------------ state

    def results(self) -> list[SeriesInfo]:
        """Series the search lets pass."""
        return self.ctx.index.search(self._filter)

    @property
    def regions(self) -> tuple[str, str]:
        """The lists the cursor may be in: what is on the chart are queries as soon as there is one, else the series picked."""
        return ("results", "queries" if self.deck else "picked")

    def _count(self) -> int:
        if self.region == "results":
            return min(MAX_LISTED, len(self.results()))
        return len(self.deck.queries) if self.deck else len(self.picked)

    def place(self) -> int:
        """Index of the cursor in its list."""
        return moved(self.cursor, 0, self._count())

    def move(self, by: int) -> None:
        if self.region == "queries":
            self.deck.queries.move(by)
        self.cursor = moved(self.cursor, by, self._count())

    def _next_region(self) -> None:
        self.region = self.regions[self.region == "results"]
        self.cursor = self.deck.queries.cursor if self.region == "queries" else 0

    def point(self, what: str, index: int) -> bool:
        """ "explore" or "results": a found series; "picked": one on the chart; "queries": a query."""
        if what not in ("explore", *REGIONS):
            return False
        self.region = what if what in ("picked", "queries") else "results"
        if what == "queries":
            self.deck.queries.move(index - self.deck.queries.cursor)
        self.cursor = moved(0, index, self._count())
        return True

    def mark(self, index: int) -> None:
        self.point("explore", index)
        self.open()

    def open(self) -> None:
        """Puts the series under the cursor on the chart, or takes it off; a query is written in.

        While an exemplar is chosen its trace opens.
        """
        if self.exemplars.current is not None:
            self.exemplars.open()
            return
        if self.region == "queries":
            self._edit()
            return
        info = self.under_cursor()
        if info is not None and self.deck:
            self.deck.queries.toggle_series(info, "value", 300.0)
        elif info is not None:
            self.toggle(info.key)

    def _mark(self) -> None:
        if self.region != "queries":
            self.open()
        elif self.deck.queries.current is not None:
            self.deck.queries.toggle(self.deck.queries.current)

    def _new_query(self) -> None:
        self.deck.begin()
        self.region, self.cursor = "queries", self.deck.queries.cursor

    def _edit(self) -> None:
        """Write in a query; where there is none yet, what the chart shows becomes queries first."""
        infos = [info for info in self._infos() if info is not None]
        self.deck.edit(infos, self.shown_field(), self.chosen_window())
        self.picked, self.region = ([], "queries") if self.deck else (self.picked, self.region)

    def under_cursor(self) -> SeriesInfo | None:
        """The series the cursor is on."""
        if self.region == "queries":
            return None
        if self.region == "picked":
            pick = self.picked[self.cursor] if self.cursor < len(self.picked) else None
            row = self.ctx.mirror.row_of(pick.key) if pick else None
            return self.ctx.mirror.series.get(row) if row is not None else None
        found = self.results()
        return found[moved(self.cursor, 0, len(found))] if found else None

    def drawn(self) -> list[Pick]:
        """What the chart shows: the series picked; as long as there is none, the one under the cursor."""
        if self.picked:
            return self.picked
        found = self.results() if self.region == "results" else []
        info = found[moved(self.cursor, 0, len(found))] if found else None
        held, since = self._preview
        now = self.ctx.now()
        if info is None:
            self._preview = (None, -math.inf)
        elif held is None or (held.key != info.key and abs(now - since) >= RESTING):
            self._preview = (Pick(info.key, 1), now)
        shown = self._preview[0]
        return [shown] if shown is not None else []

    def toggle(self, key: SeriesKey) -> None:
        """On or off the chart; colours go by the order of picking, a freed one is used again."""
        held = next((p for p in self.picked if p.key == key), None)
        if held is not None:
            self.picked.remove(held)
            self.cursor = moved(self.cursor, 0, len(self.picked)) if self.region == "picked" else self.cursor
            return
        if len(self.picked) >= MAX_PICKED:
            self.ctx.say(f"{MAX_PICKED} series are on the chart. Take one off first.")
            return
        used = {p.colour for p in self.picked}
        self.picked.append(Pick(key, next(i for i in range(1, MAX_PICKED + 1) if i not in used)))
        self._mend_field()

    def show(self, key: SeriesKey, field: str = "value", window: float = 0.0) -> None:
        """Only this series, with this field and window; with queries on the chart as one more of them."""
        if self.deck:
            row = self.ctx.mirror.row_of(key)
            info = self.ctx.mirror.series.get(row) if row is not None else None
            if info is not None:
                self.deck.show(query_of(info, self.ctx.index.selector(info), field, window or 300.0))
            return
        self.picked = [Pick(key, 1)]
        self.field, self.window = field, window or self.window
        self._mend_field()

    def set_text(self, what: str, text: str, cursor: int) -> bool:
        if what not in ("search", "filter"):
            return self.deck.set_text(what, text, cursor)
        self.search, self.cursor, self.region = text[: filters.MAX_FILTER], 0, "results"
        self._filter, self.error = filters.attempt(self.search, self._filter)
        return True

    def submit(self, what: str) -> bool:
        if what == "query.name":
            self.deck.keep_name()
            return True
        if what not in ("search", "filter"):
            return False
        self.region = "results"
        self.open()
        return True

    def choose(self, what: str, value: str) -> bool:
        if what == "window":
            found = next((w for w in self.windows() if value in (short_range(w), f"{w:g}")), None)
            self.window = found if found is not None else self.window
        elif what == "field" and is_field(value):
            self.field = value
        elif what == "exemplar":
            if self.exemplars.choose(value):
                self.exemplars.open()
        else:
            return self.deck.choose(what, value)
        return True

    def back(self) -> bool:
        """The exemplar chosen, the crosshair, then the search."""
        if self.exemplars.forget():
            return True
        if self.at is not None:
            self.at = None
        elif self.search:
            self.set_text("search", "", 0)
        else:
            return False
        return True

    def why_off(self, action: str) -> str:
        if action in self.exports.handlers:
            return self.exports.why_off(action)
        if action.startswith("exemplar."):
            return self.exemplars.why_off()
        if action == "open" and self.exemplars.current is not None:
            return ""
        if action.startswith("query.") and action != "query.edit":
            return self.deck.why_off(action)
        if self.deck:
            return self._why_off_with_queries(action)
        if action == "explore.clear" and not self.picked:
            return "No series is picked."
        if action in ("explore.rule", "crosshair.left", "crosshair.right") and not self.drawn():
            return "No series is on the chart. Pick one with X."
        if action in ("open", "mark") and self.under_cursor() is None:
            return "No series is found." if self.search else "No series have come yet."
        return ""

    def _why_off_with_queries(self, action: str) -> str:
        if action in ("explore.window", "explore.field"):
            return "A query says itself what it looks back over. C takes all queries away."
        if action == "explore.rule":
            return "A rule is made of a series: take the queries away with C and pick one."
        if action in ("open", "mark") and self.region == "results" and self.under_cursor() is None:
            return "No series is found." if self.search else "No series have come yet."
        return ""

    # ------------------------------------------------------------ actions

    def windows(self) -> tuple[float, ...]:
        """The windows the collector keeps."""
        hello = self.ctx.mirror.hello
        return hello.windows if hello and hello.windows else (60.0, 300.0, 900.0, 3600.0)

    def chosen_window(self) -> float:
        return self.window if self.window in self.windows() else self.windows()[0]

    def fields(self) -> tuple[str, ...]:
        """Fields that mean something for all series on the chart."""
        kinds = {info.kind for info in self._infos() if info is not None} or {Kind.GAUGE, Kind.COUNTER}
        lists = [FIELDS[kind] for kind in sorted(kinds)]
        shared = tuple(f for f in lists[0] if all(f in other for other in lists[1:]))
        field = self.shown_field()
        return shared if field in shared else (*shared, field)

    def shown_field(self) -> str:
        """The field chosen; a series that is only looked at, and has no such field, shows its own."""
        kinds = {info.kind for info in self._infos() if info is not None}
        return self.field if self.picked or not kinds or any(self.field in FIELDS[kind] for kind in kinds) else "value"

    def _mend_field(self) -> None:
        kinds = {info.kind for info in self._infos() if info is not None}
        if kinds and not any(self.field in FIELDS[kind] for kind in kinds):
            self.field = "value"

    def _infos(self) -> list[SeriesInfo | None]:
        rows = [self.ctx.mirror.row_of(p.key) for p in self.drawn()]
        return [self.ctx.mirror.series.get(row) if row is not None else None for row in rows]

    def _next_window(self) -> None:
        windows = self.windows()
        self.window = windows[(windows.index(self.chosen_window()) + 1) % len(windows)]

    def _next_field(self) -> None:
        fields = self.fields()
        self.field = fields[(fields.index(self.field) + 1) % len(fields)] if self.field in fields else fields[0]

    def _clear(self) -> None:
        if self.deck:
            self.deck.queries.clear()
            self.region, self.cursor, self.at = "results", 0, None
            return
        self.picked, self.at = [], None

    def _rule(self) -> None:
        info = next((i for i in self._infos() if i is not None), None)
        if info is not None:
            self.make_rule(info, self.shown_field(), self.chosen_window())

    def _step_crosshair(self, by: int) -> None:
        start, end = self.ctx.span()
        step = max(self.ctx.interval, (end - start) / 120.0)
        at = end if self.at is None else self.at
        self.at = min(end, max(start, at + by * step))

    def _zoom(self, factor: float) -> None:
        if not self.ctx.time.zoom_by(factor, self.at, self.ctx.present(), self.ctx.recent):
            self.ctx.say("This is as close as it goes." if factor < 1 else "This is all that is kept.")

    # ------------------------------------------------------------ picture

    def view(self) -> ExploreView:
        """The page now."""
        if self.region not in self.regions:
            self.region, self.cursor = self.regions[1] if self.deck else "results", 0
        return ExplorePicture(self).view()

    def _picked_tracks(self) -> tuple[Track, ...]:
        return PickedChart(self.ctx, self.drawn(), self.shown_field(), self.chosen_window(), self.at).tracks()
