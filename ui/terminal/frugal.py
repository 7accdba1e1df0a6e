"""Updates for slow lines: only the cells that changed, and colours set only where they change.

Textual sends a widget's row from its left edge up to the last changed cell and sets every colour anew for every run.
Here each span is cut exactly, and what the terminal has set already is not said again.
"""

from __future__ import annotations

import re

from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from ui.terminal.canvas import Canvas, Span
from ui.terminal.cells import width
from ui.terminal.ink import InkBook

_PLAIN = ("", "", "")
_DOUBTFUL = re.compile(r"([^\x00-\u02ff\u2000-\u2bff]+)")
"""Beyond Latin and the product's own signs: scripts that are shaped, wide characters, pictures."""


class Pen:
    """What the terminal has set, and the shortest way to another style."""

    def __init__(self, book: InkBook) -> None:
        self._book = book
        self._set = _PLAIN
        self.out: list[str] = []

    def move(self, x: int, y: int) -> None:
        self.out.append(f"\x1b[{y + 1};{x + 1}H")

    def write(self, text: str, style: Style | None) -> None:
        """Text in a style."""
        wanted = self._book.codes(style) if style is not None else _PLAIN
        if wanted != self._set:
            self.out.append(self._change(wanted, blank=not text.strip()))
        self.out.append(text)

    def _change(self, wanted: tuple[str, str, str], blank: bool) -> str:
        fore, back, attributes = wanted
        had_fore, had_back, had_attributes = self._set
        if blank and back == had_back and attributes == had_attributes == "":
            return ""  # spaces show no foreground
        codes: list[str] = []
        if attributes != had_attributes or (had_fore and not fore) or (had_back and not back):
            codes.append("0")
            had_fore = had_back = ""
            if attributes:
                codes.append(attributes)
        if fore != had_fore:
            codes.append(fore)
        if back != had_back:
            codes.append(back)
        self._set = wanted
        return f"\x1b[{';'.join(codes)}m"

    def finish(self) -> str:
        """All that was written, with the terminal's colours reset at the end."""
        if self._set != _PLAIN:
            self.out.append("\x1b[0m")
        return "".join(self.out)


def spans_text(canvas: Canvas, spans: list[Span], book: InkBook) -> str:
    """What brings the changed cells of a canvas to a terminal that shows the rest already."""
    pen = Pen(book)
    for y, start, end in spans:
        pen.move(start, y)
        x = start
        for text, colour in canvas.runs(y, start, end):
            x = _write_surely(pen, x, y, text, book.style(colour))
    return pen.finish()


def _write_surely(pen: Pen, x: int, y: int, text: str, style: Style) -> int:
    """Text of which terminals may think otherwise how wide it is: after such signs the cursor is put where it belongs."""
    if text.isascii() or _DOUBTFUL.search(text) is None:
        pen.write(text, style)
        return x + len(text)
    for piece in _DOUBTFUL.split(text):
        if piece:
            pen.write(piece, style)
            x += width(piece)
            if _DOUBTFUL.match(piece):
                pen.move(x, y)
    return x


class FrugalUpdate(CompositorUpdate):
    """Takes the place of Textual's updates when they are sent."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate, book: InkBook) -> None:
        self._update = update
        self._book = book

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return self._update.__rich_console__(console, options)

    def render_segments(self, console: Console) -> str:
        pen = Pen(self._book)
        if isinstance(self._update, ChopsUpdate):
            _write_spans(pen, self._update)
        else:
            _write_layout(pen, self._update)
        return pen.finish()


def _write_spans(pen: Pen, update: ChopsUpdate) -> None:
    for y, start, end in update.spans:
        at = -1
        for edge, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= end or edge <= start:
                continue
            left, right = max(x, start), min(edge, end)
            if at != left:
                pen.move(left, y)
            _write_strip(pen, strip if left == x and right >= edge else strip.crop(left - x, right - x))
            at = right


def _write_layout(pen: Pen, update: LayoutUpdate) -> None:
    for y, line in enumerate(update.strips, update.region.y):
        pen.move(update.region.x, y)
        for strip in line:
            _write_strip(pen, strip)


def _write_strip(pen: Pen, strip: Strip) -> None:
    for text, style, control in strip:
        if not control:
            pen.write(text, style)
