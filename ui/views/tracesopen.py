"""A trace that is open: its tree with a cursor, what is folded, the waterfall's and the flame's rows, and what it says."""

from __future__ import annotations

from dataclasses import replace

from monitor.wire import messages as m
from ui.views.axis import linear
from ui.views.context import Context
from ui.views.format import plural, sanitise
from ui.views.page import moved
from ui.views.tracesask import Asking
from ui.views.tracesflame import flame_notes, flame_of, neighbour, widest_child, zoomed_words
from ui.views.traceslay import Laid, laid_out
from ui.views.tracessay import notes_of, sentence_of, shares_of
from ui.views.tracesspan import span_detail
from ui.views.tracesview import FlameView, Form, SpanDetail, SpanRow, TraceView
from ui.views.traceswords import Colours, lasted, moment, name_of, operation_of
from ui.views.traceszoom import Zooms
from ui.views.units import SECONDS
from ui.views.view import Tick

LIMIT = 5_000
"""Spans of a trace that are asked for."""


class OpenTrace:
    """One trace by its id. Places are those of `Laid`, in the order of the tree."""

    def __init__(self, ctx: Context, trace: str, colours: Colours, form: Form = "Waterfall", span: str = "") -> None:
        self.ctx, self.trace, self.colours, self.form = ctx, trace, colours, form
        self.asking: Asking[m.TraceFound] = Asking(ctx, m.TraceFound)
        self.folded: set[int] = set()
        self.chosen = 0
        """The place of the span under the cursor."""
        self._span = span
        self._stepped = -1
        """Where the last step along the critical path led."""
        self._seen = 0
        self.laid: Laid | None = None
        self.spans: tuple[SpanRow, ...] = ()
        self.failed: tuple[bool, ...] = ()
        self.zooms = Zooms()
        self._rows: tuple[object, tuple[int, ...]] = (None, ())
        self._folds = 0
        self._view: tuple[object, TraceView | None] = (None, None)
        self._detail: tuple[object, SpanDetail | None] = (None, None)
        self._flame: tuple[object, FlameView | None] = (None, None)

    # ------------------------------------------------------------ what was answered

    def ask(self) -> None:
        """Asks for it once, and anew where that failed."""
        self.asking.want(self.trace, m.GetTrace(0, self.trace, LIMIT))
        if self.asking.answer is not None and self.asking.number != self._seen:
            self._seen = self.asking.number
            self._take(self.asking.answer)

    def again(self) -> None:
        """It may have grown."""
        self.asking.again()

    def _take(self, answer: m.TraceFound) -> None:
        before = self.laid.spans[self.chosen].span if self.laid is not None and self.chosen < len(self.laid) else self._span
        self.laid = laid_out(answer.spans)
        if self.laid is None:
            return
        self.spans = tuple(self._row(self.laid, place) for place in range(len(self.laid)))
        self.folded = {place for place in self.folded if place < len(self.laid) and self.laid.below[place]}
        self.chosen = next((place for place, span in enumerate(self.laid.spans) if span.span == before), 0)
        self.failed = tuple(row.failed for row in self.spans)
        self.zooms = Zooms()
        self._folds += 1

    def _row(self, laid: Laid, place: int) -> SpanRow:
        span = laid.spans[place]
        return SpanRow(
            service=name_of(span.service),
            operation=operation_of(span.operation),
            colour=self.colours.of(span.service),
            failed=span.status == "error",
            depth=laid.depths[place],
            start=float(laid.starts[place]),
            end=float(laid.ends[place]),
            duration=self.ctx.words.text(lasted(span.duration)),
            below=laid.below[place],
            own=laid.own.get(place, ()),
            moved=bool(laid.shifts[place]),
            kind=sanitise(span.kind, 16),
        )

    def opening(self) -> str:
        """What is said in place of the trace; "" once it is there."""
        if self.laid is not None:
            return ""
        if self.asking.error:
            return f"This trace cannot be shown: {self.asking.error}"
        if self.asking.answer is None:
            return "Looking for the trace…"
        return f"Nothing is known of trace {sanitise(self.trace, 32)}: it is older than what is kept, or was never sent here."

    # ------------------------------------------------------------ walking

    def rows(self) -> tuple[int, ...]:
        """Places that are not folded away."""
        laid = self.laid
        if laid is None:
            return ()
        if self._rows[0] != self._folds:
            shown: list[int] = []
            place = 0
            while place < len(laid):
                shown.append(place)
                place += 1 + (laid.below[place] if place in self.folded else 0)
            self._rows = (self._folds, tuple(shown))
        return self._rows[1]

    def cursor(self) -> int:
        """The row of the span under the cursor; where that is folded away, of what hides it."""
        rows = self.rows()
        low, high = 0, len(rows)
        while low < high:  # rows rise
            middle = (low + high) // 2
            low, high = (middle + 1, high) if rows[middle] <= self.chosen else (low, middle)
        return max(0, low - 1)

    def move(self, by: int) -> None:
        """Down or up the rows that are shown; in the flame to the caller, or to the child that took the most."""
        if self.form == "Flame":
            self._climb(by)
            return
        rows = self.rows()
        if rows:
            self.chosen = rows[moved(self.cursor(), by, len(rows))]

    def go(self, row: int) -> None:
        """To a row that is shown."""
        rows = self.rows()
        if rows:
            self.chosen = rows[moved(0, row, len(rows))]

    def seek(self, place: int) -> None:
        """To a span wherever it is: what hides it is unfolded."""
        laid = self.laid
        if laid is None or not 0 <= place < len(laid):
            return
        self.chosen = place
        above = laid.parents[place]
        while above >= 0:
            if above in self.folded:
                self.folded.discard(above)
                self._folds += 1
            above = laid.parents[above]

    def left(self) -> None:
        """Fold the span, or go to its parent; in the flame to the span before it."""
        laid = self.laid
        if laid is None:
            return
        place = self.rows()[self.cursor()]
        if self.form == "Flame":
            self._aside(-1)
        elif laid.below[place] and place not in self.folded:
            self.fold(place)
        elif laid.parents[place] >= 0:
            self.chosen = laid.parents[place]

    def right(self) -> None:
        """Unfold the span, or go to its first child; in the flame to the span behind it."""
        laid = self.laid
        if laid is None:
            return
        place = self.rows()[self.cursor()]
        if self.form == "Flame":
            self._aside(1)
        elif place in self.folded:
            self.fold(place)
        elif laid.below[place]:
            self.seek(place + 1)

    def fold(self, place: int) -> None:
        """Hide what hangs under a span, or show it again."""
        if self.laid is not None and 0 <= place < len(self.laid) and self.laid.below[place]:
            self.folded ^= {place}
            self._folds += 1
            if self.chosen in self.laid.children(place) and place in self.folded:
                self.chosen = place

    # ------------------------------------------------------------ the flame

    def _climb(self, by: int) -> None:
        """In the flame: up to the caller, down to the child that took the most."""
        laid = self.laid
        if laid is not None:
            for _ in range(min(abs(by), len(laid))):
                self.seek(widest_child(laid, self.chosen) if by > 0 else max(0, laid.parents[self.chosen]))

    def _aside(self, by: int) -> None:
        if (flame := self.flame()) is not None:
            self.seek(neighbour(flame, self.chosen, by))

    def zoom(self, place: int) -> None:
        """Let a span fill the width; where it does already, one step back."""
        if self.laid is not None and 0 <= place < len(self.laid):
            self.seek(place)
            self.zooms.onto(self.laid, place)

    def flame(self) -> FlameView | None:
        """The stretch that is looked at; the same object while nothing has changed."""
        laid, zoom = self.laid, self.zooms.now
        if laid is None:
            return None
        key = (self._seen, zoom, self.ctx.words)
        if self._flame[0] != key:
            self._flame = (
                key,
                replace(flame_of(laid, zoom), title=zoomed_words(self.ctx, laid, zoom) if self.zooms.steps else ""),
            )
        return self._flame[1]

    # ------------------------------------------------------------ jumps

    def fold_all(self) -> None:
        """All below the root's children folded, or everything shown again."""
        laid = self.laid
        if laid is None:
            return
        deep = {place for place in range(len(laid)) if laid.depths[place] == 1 and laid.below[place]}
        self.folded = set() if self.folded else deep
        self._folds += 1
        self.chosen = self.rows()[self.cursor()]

    def next_error(self) -> bool:
        """To the next span that failed; False where none did."""
        laid = self.laid
        failed = [place for place, row in enumerate(self.spans) if row.failed] if laid is not None else []
        if failed:
            self.seek(next((place for place in failed if place > self.chosen), failed[0]))
        return bool(failed)

    def next_on_path(self) -> None:
        """To the span that took the next most of the critical path."""
        laid = self.laid
        if laid is not None and laid.shares:
            ranked = sorted(laid.shares, key=lambda place: (-laid.shares[place], place))
            at = ranked.index(self.chosen) if self.chosen == self._stepped and self.chosen in ranked else -1
            self._stepped = ranked[(at + 1) % len(ranked)]
            self.seek(self._stepped)

    def current(self) -> m.SpanInfo | None:
        """The span under the cursor."""
        return self.laid.spans[self.chosen] if self.laid is not None and self.chosen < len(self.laid) else None

    # ------------------------------------------------------------ picture

    def view(self) -> TraceView | None:
        """The trace in words, rows and columns of numbers; None until it is there."""
        laid = self.laid
        if laid is None:
            return None
        flame = self.flame() if self.form == "Flame" else None
        key = (self._seen, self._folds, self.cursor(), self.chosen, flame, self.ctx.words, self.ctx.present() // 60)
        if self._view[0] != key:
            self._view = (key, self._make(laid, flame))
        return self._view[1]

    def _make(self, laid: Laid, flame: FlameView | None) -> TraceView:
        rows = self.rows()
        cursor = self.cursor()
        root = laid.spans[0]
        failed = sum(row.failed for row in self.spans)
        answer = self.asking.answer
        assert answer is not None
        counts = [plural(len(laid), "span"), plural(len({span.service for span in laid.spans}), "service")]
        counts += [plural(failed, "error")] if failed else []
        _, ticks = linear(0.0, laid.length, SECONDS, 6)
        place = rows[cursor]
        detail_key = (self._seen, place, self.ctx.words)
        if self._detail[0] != detail_key:
            self._detail = (detail_key, span_detail(self.ctx, laid, place, answer.logs))
        return TraceView(
            trace=sanitise(self.trace, 32),
            title=f"{name_of(root.service)}  {operation_of(root.operation)}",
            subtitle=f"{moment(self.ctx, laid.begin)} · {', '.join(counts)}",
            shape="critical" if failed else "ok",
            sentence=sentence_of(self.ctx, laid),
            duration=lasted(laid.length),
            spans=self.spans,
            rows=rows,
            folded=frozenset(self.folded),
            cursor=cursor,
            form=self.form,
            flame=flame,
            failed=self.failed,
            ticks=tuple(Tick(tick.at / laid.length, tick.label) for tick in ticks if 0 <= tick.at <= laid.length),
            services=shares_of(self.ctx, laid, self.colours),
            notes=(*flame_notes(flame), *notes_of(self.ctx, laid, answer)),
            detail=self._detail[1],
        )
