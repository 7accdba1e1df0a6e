"""What is shown, as a file: CSV from here, a picture from the painter; where it goes is the painter's to say."""

from __future__ import annotations

from collections.abc import Callable

from ui.views.context import Context
from ui.views.exploredeck import Deck
from ui.views.format import plural, sanitise
from ui.views.lines import Track
from ui.views.page import Handler
from ui.views.querycsv import file_name, histogram_csv, moment_csv, series_csv, tracks_csv

SaveFile = Callable[[str, bytes], str]
"""Writes a new file of about this name; where it is, in words. Raises `OSError`."""


class Exports:
    """The actions that save what Explore shows. `save_file` and `picture` (PNG) are the painter's; None: it has none."""

    def __init__(self, ctx: Context, deck: Deck, tracks: Callable[[], tuple[Track, ...]]) -> None:
        self.ctx = ctx
        self.deck = deck
        self.tracks = tracks
        self.save_file: SaveFile | None = None
        self.picture: Callable[[], bytes] | None = None
        self.handlers: dict[str, Handler] = {"export.csv": self.csv, "export.picture": self.png}

    def why_off(self, action: str) -> str:
        """Why nothing can be saved; "" when it can."""
        if action == "export.picture" and self.picture is None:
            return "A terminal has no picture to save. S saves the figures."
        if self.deck:
            return (
                ""
                if any(one.held is not None and len(one.held.labels) for one in self.deck.shown())
                else "There is no answer yet."
            )
        return "" if any(len(track.times) for track in self.tracks()) else "Nothing is on the chart."

    def csv(self) -> None:
        """The figures; into the clipboard where no file can be written."""
        text = self._csv()
        rows = max(0, text.count("\r\n") - 1)
        if self.save_file is None:
            self.ctx.hooks.copy(text)
            self.ctx.say(f"{plural(rows, 'row')} copied as CSV.")
            return
        self._save(".csv", text.encode(), plural(rows, "row"))

    def _csv(self) -> str:
        if not self.deck:
            return tracks_csv(self.tracks())
        shown = self.deck.shown()
        bars = self.deck.of_histograms(shown)
        if bars and len(bars) == len(shown):
            return histogram_csv(bars)
        return moment_csv(shown) if self.deck.view_name == "instant" else series_csv(shown)

    def png(self) -> None:
        """The chart as it is seen."""
        if self.picture is not None:
            self._save(".png", self.picture(), "picture")

    def _save(self, ending: str, content: bytes, what: str) -> None:
        current = self.deck.queries.current
        words = current.text if current is not None else next((t.name for t in self.tracks()), "explore")
        try:
            where = self.save_file(file_name(words, self.ctx.present(), ending), content) if self.save_file is not None else ""
        except OSError as error:
            self.ctx.say(f"Not saved: {sanitise(error.strerror or str(error), 120)}.", error=True)
            return
        if where:
            self.ctx.say(f"Saved {what} to {sanitise(where, 200)}.")
