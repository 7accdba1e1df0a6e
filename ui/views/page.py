"""What every page can be asked: its actions, why one is off, text that is typed, and its picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ui.views.context import Context
from ui.views.view import Page

Handler = Callable[[], object]


class PageModel:
    """The state of one page. Handlers are looked up by action name; what is off says why."""

    name: ClassVar[Page]

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.handlers: dict[str, Handler] = {}

    def why_off(self, action: str) -> str:
        """Why this action does nothing here and now; "" when it is on."""
        return "" if action in self.handlers else "This does nothing on this page."

    def set_text(self, what: str, text: str, cursor: int) -> bool:
        """Text typed into a field of this page; False when it has no such field."""
        return False

    def set_flag(self, what: str, on: bool) -> bool:
        return False

    def submit(self, what: str) -> bool:
        return False

    def choose(self, what: str, value: str) -> bool:
        return False

    def point(self, what: str, index: int) -> bool:
        """Put a cursor of this page."""
        return False

    def open(self) -> None:
        """Open what the cursor is on."""

    def mark(self, index: int) -> None:
        """Mark or unmark a row."""

    def back(self) -> bool:
        """Close, clear or go back one step; False when there is nothing to close."""
        return False

    def move(self, by: int) -> None:
        """Move the cursor by so many rows; ±`FAR` goes to the end."""

    def changed(self, what: set[str]) -> None:
        """The mirror has changed."""


FAR = 1 << 30


def moved(cursor: int, by: int, count: int) -> int:
    """A cursor moved within `count` rows."""
    return max(0, min(count - 1, cursor + by)) if count else 0
