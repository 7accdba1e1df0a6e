"""The query editor: text and caret, offers, the signature at the caret, the problem and its fix, and the keys that act in it."""

from __future__ import annotations

from monitor.query.format import pretty
from monitor.query.scan import tokens as scan_tokens
from ui.views.context import Context
from ui.views.queries import Queries, Query
from ui.views.queryanswers import Held
from ui.views.querycomplete import Completer, signature_view
from ui.views.querytext import MAX_QUERY, Parsed, parsed
from ui.views.queryview import QueryEditorView, Token
from ui.views.view import ProblemRow

FOCUS, NAME_FOCUS = "query", "query.name"


class QueryEditor:
    """Writes the query under the cursor. Holds the caret, and nothing that is not also in the drafts."""

    def __init__(self, ctx: Context, queries: Queries) -> None:
        self.ctx = ctx
        self.queries = queries
        self.completer = Completer(ctx)
        self.caret = 0
        self.name: str | None = None
        """The name under which the query is to be kept, while it is typed."""

    @property
    def writing(self) -> Query | None:
        """The query being written, None when nobody types in it."""
        return self.queries.current if self.ctx.focus == FOCUS else None

    def open(self, query: Query | None = None) -> None:
        """The caret into the query under the cursor, at its end; a first one is begun where there is none."""
        if query is not None and query in self.queries.items:
            self.queries.cursor = self.queries.items.index(query)
        found = self.queries.current or self.queries.put()
        if found is not None:
            self.ctx.focus = FOCUS
            self._place(found.text, len(found.text))

    def set_text(self, text: str, caret: int) -> None:
        """What is written now, and where the caret stands."""
        query = self.queries.current or self.queries.put()
        if query is not None:
            self.queries.write(query, text)
            self._place(query.text, caret)

    def _place(self, text: str, caret: int) -> None:
        self.caret = max(0, min(caret, len(text)))
        self.completer.moved_to(text, self.caret)

    def _replace(self, query: Query, text: str, caret: int | None = None) -> None:
        self.queries.write(query, text)
        self._place(query.text, len(text) if caret is None else caret)

    # ------------------------------------------------------------ keys

    def key(self, key: str) -> bool:
        """A key while the query has the caret; True where it did something that is not the editor's own."""
        query = self.writing
        if query is None:
            return False
        if self.completer.offers(query.text, self.caret)[0]:
            return self._in_list(query, key)
        if key == "enter":
            self.run(query)
        elif key in ("up", "down"):
            return self._walk_with(query, key)
        else:
            return False
        return True

    def _in_list(self, query: Query, key: str) -> bool:
        steps = {"down": 1, "up": -1, "pagedown": 8, "pageup": -8, "ctrl+n": 1, "ctrl+p": -1}
        if key in steps:
            self.completer.move(steps[key], query.text, self.caret)
        elif key == "tab" or (key == "enter" and self.completer.meant(query.text, self.caret)):
            self.take()
        elif key == "enter":
            self.run(query)
        elif key == "escape":
            self.completer.close(query.text, self.caret)
        else:
            return False
        return True

    def _walk_with(self, query: Query, key: str) -> bool:
        """Up on the first line is older, down on the last is newer: within a text of several lines they move the caret."""
        before, after = query.text[: self.caret], query.text[self.caret :]
        if "\n" in (before if key == "up" else after):
            return False
        self.walk(1 if key == "up" else -1)
        return True

    def take(self, row: int | None = None) -> None:
        """Write the chosen offer, or that of a row."""
        query = self.queries.current
        taken = self.completer.taken(query.text, self.caret, row) if query is not None else None
        if query is not None and taken is not None:
            self._replace(query, *taken)

    def complete(self) -> None:
        """Show what may be written here."""
        self.completer.open()

    def run(self, query: Query) -> None:
        """Answer it now, and remember it."""
        if self.queries.run(query):
            return
        problem = parsed(query.text).problem
        if problem is not None:
            self.ctx.say(problem.text)

    def walk(self, by: int) -> None:
        """Through the history."""
        query = self.queries.current
        if query is None:
            return
        if not self.queries.walk(query, by):
            self.ctx.say("No older query." if by > 0 else "This is what you wrote.")
            return
        self._place(query.text, len(query.text))
        self.completer.close(query.text, self.caret)

    def lay_out(self) -> None:
        """The query over several lines, as Prometheus lays it out."""
        query = self.queries.current
        tree = parsed(query.text).expr if query is not None else None
        if query is not None and tree is not None:
            text = pretty(tree)
            self._replace(query, text[:MAX_QUERY])
            self.completer.close(query.text, self.caret)

    def fixed(self) -> str:
        """The corrected text, where a machine can correct it; "" where not."""
        query = self.queries.current
        return parsed(query.text).fixed if query is not None else ""

    def fix(self) -> None:
        """Write the correction."""
        query, text = self.queries.current, self.fixed()
        if query is not None and text:
            self._replace(query, text)
            self.completer.close(query.text, self.caret)

    # ------------------------------------------------------------ pictures

    def problem(self, query: Query, held: Held | None) -> ProblemRow | None:
        """What is wrong with the text: what the parser says, else what the collector said of just this text."""
        found: Parsed = parsed(query.text)
        if found.problem is not None:
            return found.problem
        if held is not None and held.question.text == query.text:
            return held.problem
        return None

    def view(self, held: Held | None) -> QueryEditorView | None:
        """The editor; None while nobody types in it."""
        query = self.writing
        if query is None:
            return None
        completion = self.completer.view(query.text, self.caret)
        problem = self.problem(query, held) if completion is None else None
        return QueryEditorView(query.text, self.caret, problem, completion, signature_view(query.text, self.caret))


def coloured(text: str) -> tuple[Token, ...]:
    """The parts of a query that have a colour."""
    return tuple(scan_tokens(text))
