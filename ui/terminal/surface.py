"""The one widget all pages are painted on: it holds the last canvas and has only cells that changed sent."""

from __future__ import annotations

from typing import Protocol

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from ui.terminal.canvas import Canvas, Span, differences
from ui.terminal.ink import InkBook


class Stagehand(Protocol):
    """Who is told what a person does on the surface, and who may take changes straight to the terminal."""

    def send(self, canvas: Canvas, spans: list[Span]) -> bool:
        """Send the changed cells now; False when Textual has to do it."""
        ...

    def type_key(self, event: events.Key) -> bool: ...

    def paste(self, text: str) -> None: ...

    def press(self, x: int, y: int, twice: bool) -> None: ...

    def wheel(self, x: int, y: int, by: int) -> None: ...


class Surface(Widget, can_focus=True, inherit_bindings=False):
    """A canvas as a widget. `show` takes the next frame; rows become strips only when Textual asks for them."""

    DEFAULT_CSS = """
    Surface { width: 100%; height: 100%; }
    """

    def __init__(self, book: InkBook, heard: Stagehand) -> None:
        super().__init__(id="surface")
        self._input = heard
        self.canvas = Canvas(0, 0)
        self._book = book
        self._strips: dict[int, Strip] = {}

    def paint_with(self, book: InkBook) -> None:
        """Other colours from the next frame on."""
        self._book = book
        self._strips.clear()
        self.refresh()

    def show(self, canvas: Canvas) -> int:
        """The next frame; returns how many cells changed. A frame of another size is painted whole."""
        old, self.canvas = self.canvas, canvas
        if (old.w, old.h) != (canvas.w, canvas.h):
            self._strips.clear()
            self.refresh()
            return canvas.w * canvas.h
        spans = differences(old, canvas)
        if not spans:
            return 0
        for span in spans:
            self._strips.pop(span.y, None)
        if not self._input.send(canvas, spans):
            self.refresh(*(Region(start, y, end - start, 1) for y, start, end in spans))
        return sum(end - start for _, start, end in spans)

    def render_line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            strip = self.canvas.strip(y, self._book) if y < self.canvas.h else Strip.blank(self.size.width)
            self._strips[y] = strip
        return strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows as they are: the surface has neither border nor margin for which Textual's style cache would be needed."""
        whole = crop.x == 0 and crop.width == self.canvas.w
        rows = [self.render_line(y) for y in crop.line_range]
        if whole:
            return rows
        return [_fit(row.crop(crop.x, crop.right), crop.width) for row in rows]

    # ------------------------------------------------------------ input

    def _on_key(self, event: events.Key) -> None:  # type: ignore[override]
        event.stop()
        event.prevent_default()
        self._input.type_key(event)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._input.paste(event.text)

    async def _on_click(self, event: events.Click) -> None:
        event.stop()
        self._input.press(event.x, event.y, event.chain > 1)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._input.wheel(event.x, event.y, 1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._input.wheel(event.x, event.y, -1)


def _fit(strip: Strip, width: int) -> Strip:
    missing = width - strip.cell_length
    return strip if missing <= 0 else Strip([*strip, Segment(" " * missing)], width)
