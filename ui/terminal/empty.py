"""Empty and first-run states: what would be here, and the command that brings it."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import wrap
from ui.terminal.ink import ink
from ui.terminal.parts import PLAIN, QUIET, STRONG, sign
from ui.views.view import EmptyState


def paint_empty(canvas: Canvas, rect: Rect, empty: EmptyState) -> None:
    """Say what would be here and the shortest way to get it; commands stand alone on their line, to be copied."""
    room = min(rect.w - 4, 76)
    lines: list[tuple[str, int]] = [(line, STRONG) for line in wrap(empty.title, room, 2)]
    lines += [(line, QUIET) for line in wrap(empty.detail, room, 4)]
    for what, command in empty.commands:
        lines += [("", PLAIN), *((line, QUIET) for line in wrap(what, room, 2))]
        lines += [(line, ink("accent")) for line in wrap(command, room, 3)]
    if empty.working:
        working = wrap(f"{sign('ok', canvas.ascii)} {empty.working}", room, 2)
        lines += [("", PLAIN), *((line, ink("ok")) for line in working)]
    lines = lines[: rect.h]
    y = rect.y + max(0, min(3, (rect.h - len(lines)) // 2))
    for i, (text, colour) in enumerate(lines):
        canvas.put(rect.x + 2, y + i, text, colour, rect.w - 3)


def paint_invitation(canvas: Canvas, rect: Rect, empty: EmptyState) -> None:
    """The same where a table would be, beside what there is already: a sentence, and a command a line."""
    lines = [] if rect.h < 2 else [(f"{empty.title} {empty.detail}", PLAIN)]
    label = max((len(what) for what, _ in empty.commands), default=0) + 2
    for i, (text, colour) in enumerate(lines):
        canvas.put(rect.x + 3, rect.y + i, text, colour, rect.w - 4)
    for i, (what, command) in enumerate(empty.commands[: rect.h - len(lines)], len(lines)):
        canvas.put(rect.x + 3, rect.y + i, what, QUIET, label)
        canvas.put(rect.x + 3 + label, rect.y + i, command, ink("accent"), rect.w - label - 4)
