"""What surrounds every page: tab row, time row, banner, status row, toast."""

from __future__ import annotations

import re

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, width, wrap
from ui.terminal.ink import ink
from ui.terminal.parts import PLAIN, key_cap, paint_button, paint_sign, sign
from ui.terminal.stage import SMALLEST, Stage
from ui.views.actions import BY_NAME
from ui.views.theme import GLYPHS
from ui.views.view import Banner, FrameView, KeyHint, StatusItem, Tab, TimeView, Toast

RAISED = ink(back="raised")
RAISED_QUIET = ink("text-secondary", "raised")
ACTIVE = ink("on-accent", "accent", bold=True)
_SECONDS = re.compile(r"(\d\d:\d\d):\d\d")


def paint_frame(stage: Stage, frame: FrameView) -> Rect:
    """Paint the frame; returns the region that is left for the page."""
    canvas = stage.canvas
    canvas.locked = bool(frame.locked)
    stage.block("tabs", Rect(0, 0, canvas.w, 1), (frame.tabs, frame.page, frame.collector), lambda: _paint_tabs(stage, frame))
    _paint_time(stage, frame.time)
    top = 2
    if frame.banner is not None:
        top += _paint_banner(canvas, 2, frame.banner)
    _paint_status(stage, frame)
    return Rect(0, top, canvas.w, max(0, canvas.h - top - 1))


def paint_tiny(canvas: Canvas) -> None:
    """What is said when nothing fits."""
    text = f"Make this window larger ({SMALLEST[0]} x {SMALLEST[1]})"
    y = canvas.h // 2
    for i, line in enumerate(
        [text] if canvas.w >= width(text) else ["Make this", "window larger", f"({SMALLEST[0]} x {SMALLEST[1]})"]
    ):
        canvas.put(max(0, (canvas.w - width(line)) // 2), y + i, line, PLAIN)


# ---------------------------------------------------------------- tabs


def _paint_tabs(stage: Stage, frame: FrameView) -> None:
    canvas = stage.canvas
    canvas.fill(Rect(0, 0, canvas.w, 1), RAISED)
    x = 0
    if stage.layout == "full":
        x = canvas.put(1, 0, "Lightship", ink("accent", "raised", bold=True)) + 3
    elif stage.layout == "narrow":
        x = 1
    for tab in frame.tabs:
        x = _paint_tab(stage, x, tab, tab.page == frame.page)
    room = canvas.w - x - 3
    if room >= 6:
        canvas.right(canvas.w - 1, 0, frame.collector, RAISED_QUIET, min(room, 40))


def _paint_tab(stage: Stage, x: int, tab: Tab, active: bool) -> int:
    canvas, start = stage.canvas, x
    pad = " " if stage.layout == "full" else ""
    word = ink("on-accent", "accent", bold=True) if active else RAISED
    digit = word if active else RAISED_QUIET
    x = canvas.put(x, 0, f"{pad}{tab.key}", digit)
    if stage.layout != "narrow" or active:
        x = canvas.put(x, 0, f" {tab.name}", word)
    if tab.badge and tab.badge_shape is not None:
        badge = word if active else ink(tab.badge_shape, "raised", bold=True)
        x = canvas.put(x, 0, f"{sign(tab.badge_shape, canvas.ascii)}{tab.badge}", badge)
    x = canvas.put(x, 0, pad, word)
    canvas.hit(Rect(start, 0, x - start, 1), "action", f"page.{tab.page}")
    return x + (0 if pad else 2 if stage.layout == "narrow" and active else 1)


# ---------------------------------------------------------------- time


def _paint_time(stage: Stage, time: TimeView) -> None:
    """State, range and clock. Rewound, the whole row has the accent's ground: with the row of keys below it frames the page."""
    canvas = stage.canvas
    back = _ground(time)
    canvas.fill(Rect(0, 1, canvas.w, 1), ink(back=back))
    x = _paint_state(canvas, time, back)
    canvas.hit(Rect(0, 1, x, 1), "action", "time.live" if time.state == "rewound" else "time.pause")
    if time.state == "rewound":
        x = _paint_speed(canvas, x + 2, time, back)
    start = x + 2
    x = canvas.put(start, 1, time.range_label, ink(back=back))
    canvas.hit(Rect(start, 1, x - start, 1), "action", "time.longer")
    clock = _clock(stage, time)
    left = canvas.right(canvas.w - 1, 1, clock, ink(back=back, bold=time.state == "rewound"), max(0, canvas.w - x - 3))
    told_below = stage.layout == "narrow" and time.state == "rewound"  # by the banner, which has room for it
    behind = _awaited(time) or ("" if told_below else time.behind)
    if behind:
        colour = ink("accent" if time.awaited or time.state == "rewound" else "warning", back)
        x = canvas.put(x + 2, 1, behind, colour, max(0, left - x - 4))
    if stage.layout == "full" and time.strip:
        ago = "24 h ago " if time.state != "rewound" else ""
        x = canvas.put(x + 2, 1, ago, ink("text-disabled", back))
        room = left - 3 - x
        if room >= 12:
            _paint_day(stage, x, time, room, back)


def _ground(time: TimeView) -> str:
    return "accent-tint" if time.state == "rewound" else "canvas"


def _awaited(time: TimeView) -> str:
    """Where it is going, and how far that is prepared."""
    if time.progress is None:
        return ""
    return f"{time.awaited} {round(100 * time.progress)} %" if time.progress > 0 else time.awaited


def _paint_speed(canvas: Canvas, x: int, time: TimeView, back: str) -> int:
    """Whether it plays or stands, and how fast it would play."""
    sign = (">" if canvas.ascii else "▶") if time.playing else ("||" if canvas.ascii else "‖")
    end = canvas.put(x, 1, f"{sign} {time.speed}", ink("accent", back, bold=time.playing))
    canvas.hit(Rect(x, 1, end - x, 1), "action", "time.pause")
    return end


def _clock(stage: Stage, time: TimeView) -> str:
    clock = _SECONDS.sub(r"\1", time.clock) if stage.memory.minutes_only else time.clock
    date, _, zone = time.date.partition(" · ")
    shown = (clock, zone) if stage.layout == "narrow" else (date, clock, zone)
    return " ".join(part for part in shown if part)


_STATES: dict[str, tuple[str, str, int]] = {
    "live": ("● LIVE", "* LIVE", ink("accent", bold=True)),
    "paused": ("‖ PAUSED", "|| PAUSED", ink("canvas", "text-primary", bold=True)),
    "stale": ("? STALE", "? STALE", ink("unknown", bold=True)),
    "rewound": ("◀ REWOUND", "<< REWOUND", ink("on-accent", "accent", bold=True)),
}
_LOAD = "▁▂▃▄"
"""Heights of a calm half hour's load, below those of alerts."""


def _paint_state(canvas: Canvas, time: TimeView, back: str) -> int:
    words, ascii_words, colour = _STATES[time.state]
    text = ascii_words if canvas.ascii else words
    boxed = time.state in ("paused", "rewound")
    return canvas.put(0, 1, f" {text} ", colour) - 1 if boxed else canvas.put(1, 1, text, colour)


def _paint_day(stage: Stage, x: int, time: TimeView, room: int, back: str) -> None:
    """The day: height and colour are severity, calm half hours show their load; a click rewinds to there."""
    canvas, strip = stage.canvas, time.strip
    cells = min(room, 2 * len(strip))
    start, end = time.day
    each = (end - start) / max(1, cells)
    shown = range(int((time.window[0] - start) // each), int(-(-(time.window[1] - start) // each))) if each else range(0)
    elsewhere = time.state in ("paused", "rewound")

    def paint() -> None:
        for i in range(cells):
            shape, load = strip[i * len(strip) // cells]
            calm = shape is None or shape == "ok"
            glyph = GLYPHS["ok" if shape is None else shape]
            block = glyph.ascii_block if canvas.ascii else glyph.term_block
            if calm:
                block = "_" if canvas.ascii else _LOAD[max(0, min(3, int(load * 4)))]
            inside = elsewhere and i in shown
            tone = "line-control" if calm or shape is None else shape
            canvas.put(x + i, 1, block or "▅", ink("on-accent" if calm else tone, "accent") if inside else ink(tone, back))
            canvas.hit(Rect(x + i, 1, 1, 1), "rewind", "day", value=f"{start + (i + 1) * each:.0f}")
        canvas.put(x + cells, 1, "|" if canvas.ascii else "▕", ink("accent", back))

    key = (strip, cells, back, shown.start if elsewhere else -1, shown.stop if elsewhere else -1)
    stage.block("day", Rect(x, 1, cells + 1, 1), key, paint)


# ---------------------------------------------------------------- banner, status, toast


def _paint_banner(canvas: Canvas, y: int, banner: Banner) -> int:
    back = f"{banner.tone or banner.shape}-tint"
    canvas.fill(Rect(0, y, canvas.w, 1), ink(back=back))
    if banner.tone:
        canvas.put(1, y, "<" if canvas.ascii else "◀", ink("accent", back, bold=True))
    else:
        paint_sign(canvas, 1, y, banner.shape, back)
    end = canvas.w - 1
    if banner.action and banner.label:
        action = BY_NAME.get(banner.action)
        key = key_cap(action.keys[0]) if action and action.keys else ""
        end -= width(f"{key} {banner.label}")
        paint_button(canvas, end, y, key, banner.label, banner.action, back)
    room = end - 5
    title = wrap(banner.title, room, 2) or [""]
    x = canvas.put(3, y, title[0], ink(back=back, bold=True))
    if banner.detail and len(title) == 1 and width(banner.title) + width(banner.detail) + 2 <= room:
        canvas.put(x + 2, y, banner.detail, ink("text-secondary", back))
        return 1
    below = [*((line, ink(back=back, bold=True)) for line in title[1:]), (banner.detail, ink("text-secondary", back))]
    below = [line for line in below if line[0]]
    for i, (text, colour) in enumerate(below, 1):
        canvas.fill(Rect(0, y + i, canvas.w, 1), ink(back=back))
        canvas.put(3, y + i, text, colour, canvas.w - 4)
    return 1 + len(below)


def _paint_status(stage: Stage, frame: FrameView) -> None:
    canvas = stage.canvas
    y = canvas.h - 1
    ground = "accent-tint" if frame.time.state == "rewound" else "raised"
    canvas.fill(Rect(0, y, canvas.w, 1), ink(back=ground))
    hints = _hints(stage, frame)
    sizes = [width(key_cap(hint.key)) + width(hint.label) + 3 for hint in hints]
    keep = canvas.w // 2
    while hints and sum(sizes) > keep:
        last = -2 if len(hints) > 1 and hints[-1].action == "help.open" else -1
        del hints[last], sizes[last]
    x = start = canvas.w - sum(sizes) + 1
    for hint in hints:
        x = paint_button(canvas, x, y, hint.key, hint.label, hint.action, ground) + 2
    _paint_health(canvas, y, frame.status, start - 2, ground)


_FIND = (KeyHint("Enter", "to the list", ""), KeyHint("Esc", "leave", "back"))
_FIELD_HINTS: dict[str, tuple[KeyHint, ...]] = {
    "search": _FIND,
    "find": (KeyHint("Tab", "take", ""), *_FIND),
    "filter": _FIND,
    "note": (KeyHint("Enter", "save", ""), KeyHint("Esc", "discard", "back")),
    "palette": (KeyHint("Enter", "open", ""), KeyHint("Esc", "close", "back")),
    "rule": (KeyHint("Ctrl S", "save", "draft.save"), KeyHint("Esc", "leave", "back")),
    "query": (KeyHint("Enter", "run", ""), KeyHint("Ctrl Space", "complete", "query.complete"), KeyHint("Esc", "leave", "back")),
}


def _hints(stage: Stage, frame: FrameView) -> list[KeyHint]:
    """The keys that mean something now: in a field the page's letters are text."""
    if stage.memory.focus == "query.name":
        return [KeyHint("Enter", "keep", ""), KeyHint("Esc", "leave", "back")]
    focus = stage.memory.focus.partition(".")[0]
    if focus == "silence":
        return [KeyHint("Tab", "next", ""), KeyHint("Enter", "save", "draft.save"), KeyHint("Esc", "leave", "back")]
    if focus in _FIELD_HINTS:
        return list(_FIELD_HINTS[focus])
    return sorted(frame.hints, key=lambda hint: hint.action == "help.open")  # it is the last to give way


def _paint_health(canvas: Canvas, y: int, items: tuple[StatusItem, ...], end: int, back: str) -> None:
    x = 1
    for item in items:
        sized = width(item.text) + (2 if item.shape is not None else 0)
        if x + sized > end:
            break
        if item.shape is not None:
            paint_sign(canvas, x, y, item.shape, back)
            x += 2
        x = canvas.put(x, y, item.text, ink("text-secondary", back)) + 2


def paint_toast(canvas: Canvas, toast: Toast) -> None:
    """One short message at the bottom left, with the key that takes it back."""
    y = canvas.h - 2
    undo = f"   {key_cap('ctrl+z')} {toast.undo}" if toast.undo else ""
    text = cut(toast.text, canvas.w - 8 - width(undo))
    back = "critical-tint" if toast.error else "accent-tint"
    w = width(text) + width(undo) + 5
    canvas.fill(Rect(0, y, canvas.w, 1), PLAIN)
    canvas.fill(Rect(1, y, w, 1), ink(back=back))
    paint_sign(canvas, 2, y, "critical" if toast.error else "ok", back)
    canvas.put(4, y, text, ink(back=back, bold=True))
    if undo:
        canvas.put(4 + width(text), y, undo, ink("accent", back))
        canvas.hit(Rect(1, y, w, 1), "action", "undo")
