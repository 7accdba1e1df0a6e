"""Queries that are kept by name, and those run before, as the palette finds them."""

from __future__ import annotations

from ui.views.exploredeck import Deck
from ui.views.filter import Filter
from ui.views.format import sanitise
from ui.views.querytext import shortened
from ui.views.view import PaletteRow

MOST = 8


class KeptQueries:
    """Rows of the palette, and what following one does."""

    def __init__(self, deck: Deck) -> None:
        self.deck = deck

    def rows(self, wanted: Filter) -> list[PaletteRow]:
        """Those kept first, with their forgetting where the words name that; then what was run before."""
        queries = self.deck.queries
        found, forgets, before = [], [], []
        for saved in queries.saved:
            text = f"{saved.name} {saved.text} query kept".lower()
            title, detail = sanitise(saved.name, 80), f"query, {shortened(saved.text, 80)}"
            if wanted.matches(text, lambda key: None):
                found.append(PaletteRow(title, detail, "", f"query:{saved.text}"))
            elif wanted.matches(f"forget delete {text}", lambda key: None):
                forgets.append(PaletteRow(f"Forget {title}", detail, "", f"forget:{saved.name}"))
        known = {saved.text for saved in queries.saved}
        for text in reversed(self.deck.ctx.desk.queries.history):
            if text not in known and wanted.matches(f"{text} query history".lower(), lambda key: None):
                before.append(PaletteRow(shortened(text, 80), "query, run before", "", f"query:{text}"))
                if len(before) == MOST:
                    break
        return found[:MOST] + before + forgets[:MOST]

    def follow(self, kind: str, target: str) -> bool:
        """Show a query, or forget one; whether there is something to be seen on Explore."""
        if kind == "forget":
            self.deck.queries.forget(target)
            return False
        self.deck.show(target)
        return True
