"""The Alerts page: groups, the list with marks and strips, and the alert under the cursor with its chart and its reasons."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, cut_at_word, width, wrap
from ui.terminal.chart import ChartStyle, paint_chart
from ui.terminal.ink import ink
from ui.terminal.parts import (
    ACCENT_STRONG,
    FRAME,
    PLAIN,
    QUIET,
    STRONG,
    paint_button,
    paint_field,
    paint_heading,
    paint_sentence,
    paint_sign,
)
from ui.terminal.rows import alert_columns, paint_alert_row, paint_events, row_back
from ui.terminal.silence import DRAWER, paint_drawer
from ui.terminal.stage import Stage
from ui.views.view import AlertDetail, AlertsView, SilenceDraftView, SilenceRow, WhyRow

SILENCES = "Silences"
WHY = 36


def paint_alerts(stage: Stage, page: Rect, view: AlertsView) -> None:
    """Paint the page into its region; a silence being written is docked at the right from 110 columns, below that over it."""
    draft = view.draft
    docked = draft is not None and stage.layout == "full"
    body = page.inner(right=DRAWER) if docked else page
    _paint_body(stage, body, view)
    if draft is None:
        return
    if docked:
        paint_drawer(stage, Rect(body.right, page.y, DRAWER, page.h), draft)
    elif stage.memory.focus.startswith("silence."):
        stage.canvas.fill(page, PLAIN)
        paint_drawer(stage, page, draft)
    else:
        _paint_kept_draft(stage.canvas, Rect(page.x, page.bottom - 1, page.w, 1), draft)


def _paint_body(stage: Stage, page: Rect, view: AlertsView) -> None:
    top = _paint_groups(stage, page, view)
    kept = view.draft is not None and stage.layout != "full"
    bottom = 1 if kept else _paint_marked(stage.canvas, page, view)
    rest = page.inner(top=top, bottom=bottom)
    if view.group == SILENCES:
        _paint_silences(stage, rest, view)
        return
    detail = _detail_height(stage, rest, view)
    _paint_list(stage, rest.inner(bottom=detail), view)
    if view.detail is not None and detail:
        _paint_detail(stage, Rect(rest.x, rest.bottom - detail, rest.w, detail), view.detail, view.prompt)


def _detail_height(stage: Stage, rest: Rect, view: AlertsView) -> int:
    """All that the list does not need. The list grows by four rows at a time, so that not every alert moves the detail."""
    if view.detail is None:
        return 0
    step = 4 if rest.h >= 24 else 1
    needed = -(-len(view.rows) // step) * step
    most = rest.h // 2 if stage.layout == "full" else rest.h * 2 // 5 if rest.h >= 16 else rest.h - 3
    return rest.h - min(needed, max(1, most))


def _paint_kept_draft(canvas: Canvas, rect: Rect, draft: SilenceDraftView) -> None:
    """One row for a draft that was left: it waits, and the list is free."""
    canvas.fill(rect, ink(back="accent-tint"))
    x = canvas.put(rect.x + 1, rect.y, f"Draft: {draft.button}", ink(back="accent-tint", bold=True), rect.w // 2) + 3
    x = paint_button(canvas, x, rect.y, "s", "go on", "alert.silence", "accent-tint") + 3
    paint_button(canvas, x, rect.y, "ctrl+d", "discard", "draft.discard", "accent-tint")


# ---------------------------------------------------------------- groups and filter


def _paint_groups(stage: Stage, page: Rect, view: AlertsView) -> int:
    canvas = stage.canvas
    x = page.x + 1
    narrow = stage.layout == "narrow"
    gap = 1 if narrow else 3
    for name, count in _groups_shown(view, page.w - 2, gap):
        chosen = name == view.group
        text = f"{name} {count:,}"
        end = canvas.put(x, page.y, text, ink("text-primary", bold=True, underline=True) if chosen else QUIET)
        canvas.hit(Rect(x, page.y, end - x, 1), "choose", "group", value=name)
        x = end + gap
    right = f"by {view.sort}" if view.sort else ""
    strips = page.w >= 60 and view.group != SILENCES
    if strips:
        label = "24 h" if page.w >= 76 else "8 h"
        canvas.right(page.right - 1, page.y, label, QUIET)
    if right and page.right - x > width(right) + 12:
        canvas.right(page.right - (8 if strips else 1), page.y, right, QUIET)
    if not (view.filter or view.filter_error or stage.memory.focus == "filter" or view.new_above):
        return 1
    return 1 + _paint_filter(stage, Rect(page.x + 1, page.y + 1, page.w - 2, 1), view)


def _groups_shown(view: AlertsView, room: int, gap: int) -> list[tuple[str, int]]:
    """As many groups as fit, the chosen one among them: the first ones give way to it."""
    sizes = [width(f"{name} {count:,}") + gap for name, count in view.groups]
    first = 0
    chosen = next((i for i, (name, _) in enumerate(view.groups) if name == view.group), 0)
    while first < chosen and sum(sizes[first : chosen + 1]) - gap > room:
        first += 1
    last = first
    while last < len(sizes) and sum(sizes[first : last + 1]) - gap <= room:
        last += 1
    return list(view.groups[first:last])


def _paint_filter(stage: Stage, rect: Rect, view: AlertsView) -> int:
    canvas = stage.canvas
    focused = stage.memory.focus == "filter"
    above = f"{view.new_above} new above, press Home" if view.new_above else ""
    room = rect.w - (width(above) + 2 if above else 0)
    if view.filter or focused or view.filter_error:
        field = Rect(rect.x, rect.y, room, 1)
        paint_field(canvas, field, "/", stage.memory.field("filter", view.filter), focused=focused, name="filter")
    if above:
        canvas.right(rect.right, rect.y, above, ink("accent"))
    if not view.filter_error:
        return 1
    canvas.put(rect.x + 2, rect.y + 1, view.filter_error, ink("critical"), rect.w - 2)
    return 2


# ---------------------------------------------------------------- lists


def _paint_list(stage: Stage, rect: Rect, view: AlertsView) -> None:
    canvas = stage.canvas
    if not view.rows:
        for i, line in enumerate(wrap(view.empty or "Nothing here.", rect.w - 6, max(1, rect.h - 2))):
            canvas.put(rect.x + 3, rect.y + 1 + i, line, QUIET)
        return
    first = stage.window(f"alerts-{view.group}", view.cursor, len(view.rows), rect.h)
    columns = alert_columns(rect, view.rows)
    for i, row in enumerate(view.rows[first : first + rect.h]):
        place = Rect(rect.x, rect.y + i, rect.w, 1)
        paint_alert_row(canvas, place, row, columns, cursor=first + i == view.cursor, hit="alerts", index=first + i)


def _paint_silences(stage: Stage, rect: Rect, view: AlertsView) -> None:
    canvas = stage.canvas
    if not view.silences:
        canvas.put(rect.x + 3, rect.y + 1, view.empty or "No silences. Press S on an alert to make one.", QUIET, rect.w - 4)
        return
    if rect.h >= 6:
        foot = rect.bottom - 1
        x = paint_button(canvas, rect.x + 3, foot, "shift+s", "edit", "silence.edit") + 3
        paint_button(canvas, x, foot, "delete", "end", "silence.expire")
        rect = rect.inner(bottom=2)
    first = stage.window("silences", view.cursor, len(view.silences), rect.h // 2)
    for i, row in enumerate(view.silences[first : first + rect.h // 2]):
        place = Rect(rect.x, rect.y + 2 * i, rect.w, 1)
        _paint_silence(canvas, place, row, cursor=first + i == view.cursor, index=first + i)


def _paint_silence(canvas: Canvas, rect: Rect, row: SilenceRow, *, cursor: bool, index: int) -> None:
    back = row_back(canvas, rect, cursor=cursor)
    canvas.hit(Rect(rect.x, rect.y, rect.w, 2), "row", "silences", index)
    paint_sign(canvas, rect.x + 3, rect.y, "silenced", back)
    end = canvas.right(rect.right - 1, rect.y, row.until, ink("text-secondary", back), 26)
    canvas.put(rect.x + 5, rect.y, row.matchers, ink(back=back), end - rect.x - 7)
    second = "  ".join(part for part in (row.state, row.matches, row.by, row.comment) if part)
    canvas.put(rect.x + 5, rect.y + 1, second, QUIET, rect.w - 6)


# ---------------------------------------------------------------- detail


def _paint_detail(stage: Stage, rect: Rect, detail: AlertDetail, prompt: str) -> None:
    canvas = stage.canvas
    keys = ("W why  N note  R runbook" if detail.runbook_url else "W why  N note") if rect.w >= 64 else ""
    title = f"{detail.title}, {detail.subtitle}" if detail.subtitle else detail.title
    title = cut_at_word(title, rect.w - width(keys) - 12)
    paint_heading(canvas, Rect(rect.x + 1, rect.y, rect.w - 2, 1), title, keys)
    y = rect.y + 1
    if prompt or stage.memory.focus == "note":
        edit = stage.memory.field("note")
        paint_field(canvas, Rect(rect.x + 2, y, rect.w - 4, 1), prompt or "Note", edit, focused=True, hint="", name="note")
        y += 1
    paint_sentence(canvas, rect.x + 2, y, detail.sentence, rect.w - 4)
    body = Rect(rect.x, y + 1, rect.w, rect.bottom - y - 1)
    beside = rect.w >= 72
    chart = Rect(body.x + 1, body.y, body.w - (WHY + 2 if beside else 2), body.h)
    if not beside:
        chart = Rect(chart.x, chart.y, chart.w, max(0, min(body.h, max(6, body.h // 2))))
    if chart.h >= 3:
        style = ChartStyle(boxed=False, head=False, say=False)
        paint_chart(stage, chart, detail.chart, style)
    if beside:
        why = Rect(chart.right + 1, body.y, WHY - 1, body.h)
    else:
        why = Rect(body.x + 2, chart.bottom, body.w - 3, body.bottom - chart.bottom)
    used = _paint_why(canvas, why, detail.why, detail.why_title)
    _paint_more(canvas, why.inner(top=used), detail)


def _paint_why(canvas: Canvas, rect: Rect, why: tuple[WhyRow, ...], title: str) -> int:
    """The steps from rule to notification in the order the engine decides; the step that stopped it is told in full."""
    if rect.h < 2 or not why:
        return 0
    canvas.put(rect.x, rect.y, title, STRONG)
    y = rect.y + 1
    why = _why_that_fits(why, rect.h - 1)
    spare = rect.h - 1 - len(why)
    roomy = spare >= 2 * len(why)
    for row in why:
        if y >= rect.bottom:
            break
        paint_sign(canvas, rect.x, y, row.shape)
        stopped = row.shape not in ("ok", "acked")
        lines = wrap(
            f"{row.title}: {row.detail}" if row.detail else row.title,
            rect.w - 2,
            1 + max(0, min(spare, 3) if stopped or roomy else min(1, spare // len(why))),
        )
        spare -= len(lines) - 1
        for i, line in enumerate(lines[: rect.bottom - y]):
            end = canvas.put(rect.x + 2, y + i, line, PLAIN if stopped else QUIET)
            if i == 0:
                canvas.put(rect.x + 2, y, line[: min(len(row.title), end - rect.x - 2)], PLAIN)
        if row.action:
            canvas.hit(Rect(rect.x, y, rect.w, len(lines)), "action", row.action)
        y += len(lines)
    return y - rect.y


def _why_that_fits(why: tuple[WhyRow, ...], room: int) -> tuple[WhyRow, ...]:
    """Where the step that stopped it would not be seen in full, the first of those that passed give way to their number."""
    passed = next((i for i, row in enumerate(why) if row.shape != "ok"), 0)
    folded = min(passed, len(why) + 3 - room)
    return (WhyRow("ok", f"{folded} steps passed", ""), *why[folded:]) if folded >= 2 else why


def _paint_more(canvas: Canvas, rect: Rect, detail: AlertDetail) -> None:
    """What happened to the alert and its labels, where a tall window leaves room."""
    y = rect.y + 1
    if rect.bottom - y >= 3 and detail.history:
        y += paint_events(canvas, Rect(rect.x, y, rect.w, min(6, rect.bottom - y)), "History", detail.history) + 1
    if rect.bottom - y >= 2 and detail.labels:
        canvas.put(rect.x, y, "Labels", STRONG)
        for i, (name, value) in enumerate(detail.labels[: rect.bottom - y - 1]):
            end = canvas.put(rect.x, y + 1 + i, f"{cut(name, 14)} ", QUIET)
            canvas.put(end, y + 1 + i, value, PLAIN, rect.right - end)


# ---------------------------------------------------------------- marks


def _paint_marked(canvas: Canvas, page: Rect, view: AlertsView) -> int:
    if not view.marked:
        return 0
    y = page.bottom - 2
    canvas.rule(page.x + 1, y, page.w - 2, FRAME)
    x = canvas.put(page.x + 2, y + 1, f"{view.marked:,} marked", ACCENT_STRONG) + 2
    for key, label, action in (
        ("a", "acknowledge", "alert.acknowledge"),
        ("s", "silence…", "alert.silence"),
        ("escape", "clear", "back"),
    ):
        if x + len(label) + 4 > page.right:
            break
        x = paint_button(canvas, x, y + 1, key, label, action) + 3
    return 2
