"""What a person does with pointer, fields and choices, handed to whom it concerns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from ui.views.alerts import Alerts
from ui.views.context import Context
from ui.views.explore import Explore
from ui.views.navigation import Navigation
from ui.views.page import PageModel
from ui.views.palette import Palette
from ui.views.rewinding import Rewinding
from ui.views.rules import Rules
from ui.views.view import Page


class Gestures:
    """The half of a session that a pointer and a keyboard in a field speak to."""

    ctx: Context
    pages: Mapping[Page, PageModel]
    explore: Explore
    alerts: Alerts
    rules: Rules
    palette: Palette
    navigation: Navigation
    rewinding: Rewinding
    theme: str

    @property
    @abstractmethod
    def current(self) -> PageModel:
        """The page that is shown."""

    @abstractmethod
    def perform(self, action: str) -> bool:
        """Do an action by name; False when it is off here (a toast says why)."""

    @abstractmethod
    def close_palette(self) -> None:
        """The palette is done with."""

    def point(self, what: str, index: int) -> None:
        """Put a cursor: "alerts", "silences", "group", "explore", "picked", "rules", "palette", "overview", "firing", "busiest".

        What another page has is put there without going to it.
        """
        self.ctx.version += 1
        if what == "palette":
            self.palette.cursor = 0
            self.palette.move(index)
            return
        if not self.current.point(what, index):
            for page in self.pages.values():
                if page is not self.current and page.point(what, index):
                    break

    def open(self, what: str, index: int) -> None:
        """Point and open."""
        self.point(what, index)
        if what == "palette":
            self.submit("palette")
        elif what != "group":
            self.perform("rule.edit" if what == "rules" else "open")

    def mark(self, index: int) -> None:
        """Mark or unmark a row of the present page."""
        self.ctx.version += 1
        self.ctx.touched = self.ctx.now()
        self.current.mark(index)

    def set_text(self, what: str, text: str, cursor: int = 0) -> None:
        """Text typed into a field; `cursor` is the caret's character position."""
        self.ctx.version += 1
        if what == "palette":
            self.palette.type(text)
        elif what == "goto":
            self.navigation.goto_text = text
        elif what.startswith(("silence.", "note")):
            self.alerts.set_text(what, text, cursor)
        elif what == "rule":
            self.rules.set_text(what, text, cursor)
        elif what == "search":
            self.explore.set_text(what, text, cursor)
        else:
            self.current.set_text(what, text, cursor)

    def set_flag(self, what: str, on: bool) -> None:
        """A check box."""
        self.ctx.version += 1
        self.alerts.set_flag(what, on)

    def submit(self, what: str) -> None:
        """Enter in a field."""
        self.ctx.version += 1
        if what == "palette":
            row = self.palette.chosen()
            if row is not None:
                self.close_palette()
                self.navigation.follow(row)
        elif what == "goto":
            self.navigation.submit_goto()
        elif what.startswith(("silence.", "note")):
            self.alerts.submit(what)
        elif what == "search":
            self.explore.submit(what)
        else:
            self.current.submit(what)

    def focus(self, what: str) -> None:
        """The painter's text focus is in this field now ("" in none)."""
        self.ctx.version += 1
        self.ctx.focus = what

    def choose(self, what: str, value: str) -> None:
        """A choice by its words: "range", "window", "field", "theme", "sort", "group"."""
        self.ctx.version += 1
        if what == "range":
            self.ctx.time.choose(value)
        elif what == "speed":
            self.rewinding.set_speed(float(value.rstrip("x")))
        elif what == "theme":
            self.theme = value
        elif what in ("sort", "group"):
            self.alerts.choose(what, value)
        elif not self.current.choose(what, value):
            self.explore.choose(what, value)

    def zoom(self, start: float, end: float) -> None:
        """A chart gesture chose this span: the view stands still, data keep coming."""
        self.ctx.version += 1
        present = self.ctx.present()
        oldest = present - self.ctx.recent
        self.rewinding.stand()
        self.ctx.time.zoom(max(oldest, start), min(present, end), present)

    def rewind(self, at: float) -> None:
        """A gesture on the strip of the day chose this moment: everything is to be as it was then."""
        self.ctx.version += 1
        self.navigation.to_time(at)

    def crosshair(self, at: float | None) -> None:
        """The crosshair is at this moment, or gone."""
        self.ctx.version += 1
        self.explore.at = at

    def move(self, by: int) -> None:
        """Move the present list's cursor."""
        self.ctx.version += 1
        self.current.move(by)

    def copy(self, text: str) -> None:
        """Hand text to the clipboard, and say so."""
        self.ctx.hooks.copy(text)
        self.ctx.say("Copied.")

    def dismiss(self) -> None:
        """Take the toast away."""
        self.ctx.version += 1
        self.ctx.dismiss()
