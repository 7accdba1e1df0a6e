"""Explore's queries: up to eight, A to H, each with a colour of its own; those run before; those kept under a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from monitor.model.series import SeriesInfo
from ui.views.context import Context
from ui.views.drafts import QueryDesk, QueryDraft, SavedQuery
from ui.views.format import plural, sanitise
from ui.views.page import moved
from ui.views.querytext import LETTERS, MAX_QUERY, parsed, query_of, shortened

MOST = len(LETTERS)
MAX_HISTORY = 100
MAX_SAVED = 200
IDLE = 0.7
"""Seconds after the last key until a query that can be read is run by itself."""


@dataclass
class Query:
    """One query. `running` is the text that was last meant to be answered; `typed` when its text was last changed by hand."""

    slot: int
    text: str = ""
    hidden: bool = False
    running: str = ""
    typed: float = 0.0

    @property
    def letter(self) -> str:
        return LETTERS[self.slot]

    @property
    def colour(self) -> str:
        return f"series-{self.slot + 1}"


class Queries:
    """The list and what a person does with it. Kept with the drafts, so that it outlives a restart."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        desk = ctx.desk.queries
        self.items = _restored(desk)
        self.cursor = 0
        self.walked: int | None = None
        """Where in the history the editor is, from the newest; None: it shows what was written."""
        self._written = ""
        self.gone: Callable[[int], None] = lambda slot: None
        """Told the slot of a query that was taken away."""

    # ------------------------------------------------------------ the list

    def __bool__(self) -> bool:
        return bool(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def current(self) -> Query | None:
        """The query under the cursor."""
        return self.items[moved(self.cursor, 0, len(self.items))] if self.items else None

    @property
    def shown(self) -> list[Query]:
        """Those that are on the chart."""
        return [q for q in self.items if not q.hidden and q.running]

    def put(self, text: str = "", hidden: bool = False) -> Query | None:
        """One more query, under the cursor; None (and a word why) where there are eight."""
        free = [slot for slot in range(MOST) if slot not in {q.slot for q in self.items}]
        if not free:
            self.ctx.say(f"There are {MOST} queries. Remove one first.")
            return None
        query = Query(free[0], text[:MAX_QUERY], hidden)
        self.items.append(query)
        self.cursor = len(self.items) - 1
        self._leave_history()
        if text:
            self.run(query, remember=False)
        self.keep()
        return query

    def remove(self, query: Query) -> None:
        """Take a query away; undo brings it back."""
        if query not in self.items:
            return
        at = self.items.index(query)
        self.items.remove(query)
        self.cursor = moved(self.cursor, 0, len(self.items))
        self._leave_history()
        self.gone(query.slot)
        self.keep()
        if query.text.strip():
            self.ctx.remember("remove", lambda: self._restore(at, query))
            self.ctx.say(f"{query.letter} removed: {shortened(query.text, 60)}", undo="Undo")

    def _restore(self, at: int, query: Query) -> None:
        if len(self.items) < MOST and query.slot not in {q.slot for q in self.items}:
            self.items.insert(at, query)
            self.cursor = at
            self.keep()

    def clear(self) -> None:
        """Take all away; undo brings them back."""
        held, self.items, self.cursor = self.items, [], 0
        self._leave_history()
        for query in held:
            self.gone(query.slot)
        self.keep()
        if any(query.text.strip() for query in held):
            self.ctx.remember("clear", lambda: self._all_back(held))
            self.ctx.say(f"{plural(len(held), 'query', 'queries')} removed.", undo="Undo")

    def _all_back(self, held: list[Query]) -> None:
        self.items = held
        self.keep()

    def duplicate(self, query: Query) -> None:
        """The same text once more, to be changed."""
        self.put(query.text)

    def toggle(self, query: Query) -> None:
        """On the chart or off it."""
        query.hidden = not query.hidden
        self.keep()

    def move(self, by: int) -> None:
        self.cursor = moved(self.cursor, by, len(self.items))
        self._leave_history()

    def toggle_series(self, info: SeriesInfo, field: str, window: float) -> None:
        """The query of a series on the chart, or off it again."""
        text = query_of(info, self.ctx.index.selector(info), field, window)
        held = next((q for q in self.items if q.text.strip() == text), None)
        if held is not None:
            self.remove(held)
        else:
            self.put(text)

    # ------------------------------------------------------------ writing and running

    def write(self, query: Query, text: str) -> None:
        """Text typed by hand."""
        text = text[:MAX_QUERY]
        if text != query.text:
            query.text, query.typed = text, self.ctx.now()
            self._leave_history()
            self.keep()

    def settle(self) -> None:
        """Run what was typed a moment ago and can be read."""
        now = self.ctx.now()
        for query in self.items:
            if query.text != query.running and not 0.0 <= now - query.typed < IDLE:
                self.run(query, remember=False)

    def run(self, query: Query, remember: bool = True) -> bool:
        """From now on this text is answered; False where it cannot be read."""
        text = query.text
        if not text.strip():
            query.running = ""
            return True
        if parsed(text).expr is None:
            return False
        query.running = text
        if remember:
            self._leave_history()
            self._remember(text)
        return True

    def _remember(self, text: str) -> None:
        desk = self.ctx.desk.queries
        if desk.history[-1:] != (text,):
            kept = (*(t for t in desk.history if t != text), text)[-MAX_HISTORY:]
            self.ctx.desk.queries = msgspec.structs.replace(desk, history=kept)

    def walk(self, query: Query, by: int) -> bool:
        """An older (1) or a newer (-1) query of the history into the editor; False where there is none."""
        history = self.ctx.desk.queries.history
        at = (-1 if self.walked is None else self.walked) + by
        if at >= len(history) or at < -1 or not history:
            return False
        if self.walked is None:
            self._written = query.text
        text = self._written if at < 0 else history[len(history) - 1 - at]
        if at == 0 and by > 0 and text == query.text and len(history) > 1:
            at, text = 1, history[-2]
        query.text, query.typed = text, self.ctx.now()
        self.walked = at if at >= 0 else None
        self.keep()
        return True

    def _leave_history(self) -> None:
        self.walked = None

    # ------------------------------------------------------------ kept under a name

    @property
    def saved(self) -> tuple[SavedQuery, ...]:
        """By name, in the order of saving."""
        return self.ctx.desk.queries.saved

    def save(self, name: str, text: str) -> None:
        """Keep a text under a name; another text of that name is replaced."""
        name = sanitise(name.strip(), 80)
        others = tuple(s for s in self.saved if s.name != name)
        if len(others) >= MAX_SAVED:
            self.ctx.say(f"{MAX_SAVED} queries are kept. Forget one first.")
            return
        desk = self.ctx.desk.queries
        self.ctx.desk.queries = msgspec.structs.replace(desk, saved=(*others, SavedQuery(name, text)))
        self.ctx.say(f"Kept as {name}. The palette finds it by its name.")

    def forget(self, name: str) -> None:
        """A name less; undo brings it back."""
        desk = self.ctx.desk.queries
        held = next((s for s in desk.saved if s.name == name), None)
        if held is None:
            return
        self.ctx.desk.queries = msgspec.structs.replace(desk, saved=tuple(s for s in desk.saved if s.name != name))
        self.ctx.remember("forget", lambda: self.save(held.name, held.text))
        self.ctx.say(f"{sanitise(name, 60)} is forgotten.", undo="Undo")

    # ------------------------------------------------------------ keeping

    @property
    def view(self) -> str:
        """How answers are looked at: chart, table or instant."""
        return self.ctx.desk.queries.view

    @view.setter
    def view(self, name: str) -> None:
        self.ctx.desk.queries = msgspec.structs.replace(self.ctx.desk.queries, view=name)

    def keep(self) -> None:
        """Into the drafts."""
        kept = tuple(QueryDraft(q.text, q.slot, q.hidden) for q in self.items)
        self.ctx.desk.queries = msgspec.structs.replace(self.ctx.desk.queries, queries=kept)


def _restored(desk: QueryDesk) -> list[Query]:
    """The queries of the drafts; what does not fit is left out."""
    found: list[Query] = []
    for draft in desk.queries[:MOST]:
        if 0 <= draft.slot < MOST and draft.slot not in {q.slot for q in found}:
            text = draft.text[:MAX_QUERY]
            query = Query(draft.slot, text, draft.hidden)
            query.running = text if parsed(text).expr is not None else ""
            found.append(query)
    return found
