"""What a person sees on each page at 120x40, 80x24 and 45x30."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len

from tests.ui.terminal import pictures
from tests.ui.terminal.test_canvas import BOOK
from tests.ui.terminal.test_cells import HOSTILE
from ui.terminal.overlays import _help_lines, _help_split
from ui.terminal.paint import paint, profile_for
from ui.terminal.stage import Memory
from ui.views.help import help_view
from ui.views.view import Banner, EmptyState, HelpView, Page, PaletteRow, PaletteView, Picture, Shape, Text, Toast, Value

SIZES = ((120, 40), (80, 24), (45, 30), (44, 16), (109, 20), (200, 70))


def screen(picture: Picture, w: int, h: int, *, ascii_only: bool = False) -> list[str]:
    return paint(picture, w, h, Memory(), ascii_only=ascii_only).canvas.lines()


def contents(picture: Picture, w: int, h: int) -> str:
    return "\n".join(screen(picture, w, h))


PAGES: dict[str, Callable[[], Picture]] = {
    "overview": pictures.overview,
    "alerts": pictures.alerts,
    "silence": lambda: focused(pictures.alerts(pictures.silence_draft()), "silence.reason"),
    "explore": pictures.explore,
    "rules": pictures.rules,
    "editing": lambda: pictures.rules(editing=True, problem=True),
}


def focused(picture: Picture, field: str) -> Picture:
    return replace(picture, frame=replace(picture.frame, focus=field))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("w", "h"), SIZES)
def test_every_row_fits_at_every_size(page: str, w: int, h: int) -> None:
    canvas = paint(PAGES[page](), w, h, Memory()).canvas
    assert all(cell_len(canvas.strip(y, BOOK).text) == w for y in range(h))
    assert "Lightship" in canvas.text(0) or "4" in canvas.text(0)
    assert "LIVE" in canvas.text(1)


@pytest.mark.parametrize(("w", "h"), [(43, 30), (120, 15), (10, 4), (1, 1)])
def test_a_window_too_small_says_what_it_needs(w: int, h: int) -> None:
    text = " ".join(contents(pictures.overview(), w, h).split())
    if w >= 30:
        assert text == "Make this window larger (44 x 16)"


def test_the_frame_of_a_wide_terminal_has_tabs_time_and_health() -> None:
    rows = screen(pictures.overview(), 120, 40)
    assert rows[0].startswith(" Lightship    1 Overview  2 Explore  4 Alerts◆7  5 Rules")
    assert rows[0].endswith("harbour-1")
    assert rows[1].startswith(" ● LIVE  30 m  24 h ago ▁")
    assert rows[1].endswith("▇▕  Wed 14 Oct 14:21:36 UTC")
    assert rows[39].startswith(" ✓ 1 Hz  41 ms behind  9,412 series  late 3  dropped 0  ? stale 2")
    assert rows[39].endswith("Space pause  / filter  : commands  ? keys")


def test_a_narrow_frame_keeps_the_page_name_and_the_digits() -> None:
    rows = screen(pictures.overview(), 45, 30)
    assert rows[0].startswith(" 1 Overview  2 4◆7 5")
    assert rows[1] == " ● LIVE  30 m                   14:21:36 UTC"


def test_the_overview_says_first_what_is_wrong() -> None:
    rows = screen(pictures.overview(), 120, 40)
    assert rows[2].startswith(" ◆ Checkout is failing 1 in 5 orders because orders-db holds locks")
    assert rows[2].endswith("Enter open   S silence")
    assert rows[5].startswith(" Requests            ◆ Errors            ◆ Latency p99")
    assert rows[6].startswith(" 1,284 /s            1.75 %")
    assert rows[8].startswith("╭─ Requests ── line1 line2 line3 line4 ─")
    assert rows[8].endswith("1.75 % ─╮")
    assert rows[17].startswith("╰──")
    assert rows[9].startswith("│ 1 in 57 requests fails; above 1 % for 15 min 12 s.")
    assert "limit 1 %" in rows[13]
    assert any("Changes and people" in row for row in rows)
    assert any("Jonas: rolling back" in row for row in rows)


def test_the_overview_at_80_columns_keeps_headline_figures_a_chart_and_lists() -> None:
    text = contents(pictures.overview(), 80, 24)
    for words in ("Checkout is failing", "1,284 /s", "Requests  line1", "Queries are slow", "Busiest series"):
        assert words in text


def test_the_overview_at_45_columns_is_one_column() -> None:
    rows = screen(pictures.overview(), 45, 30)
    assert rows[2] == " ◆ Checkout is failing 1 in 5 orders because"
    assert rows[3] == "   orders-db holds locks"
    text = "\n".join(rows)
    for words in ("Requests", "1,284 /s", "was 0.11 %", "3 %┤", "Checkout fails", "http.reque"):
        assert words in text


def test_a_calm_overview_is_a_sentence() -> None:
    picture = pictures.overview()
    assert picture.overview is not None
    calm = replace(picture.overview, headline=None, quiet="Nothing is firing. 84 rules judged every 1 s.", firing=())
    assert screen(replace(picture, overview=calm), 80, 24)[2] == " ✓ Nothing is firing. 84 rules judged every 1 s."


def test_alerts_at_80_columns_are_a_list_with_its_detail() -> None:
    rows = screen(pictures.alerts(), 80, 24)
    assert rows[2].startswith(" Firing 7   Pending 1   Silenced 4   Resolved 12")
    assert rows[3].startswith("   ◆ Queries are slow")
    assert rows[3].endswith("12 min ▁▁▁▅▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▅▇")
    assert "18.4 %" in rows[4]
    assert rows[4].startswith(" x ◆ Checkout fails")
    assert rows[7].startswith("▐x ▲ Error ratio")
    text = "\n".join(rows)
    for words in (
        "─ Error ratio, edge ─",
        "W why  N note  R runbook",
        "Why was nobody told?",
        "✓ no silence matches",
        "3 marked  A acknowledge",
    ):
        assert words in text


def test_the_silence_drawer_is_docked_beside_the_list_on_wide_terminals() -> None:
    rows = screen(focused(pictures.alerts(pictures.silence_draft()), "silence.reason"), 120, 40)
    assert "Queries are slow" in rows[3]
    assert "─ Silence ─" in rows[2]
    assert "Silences 2 alerts firing now" in "\n".join(rows)
    assert rows[38].endswith("Ctrl S Silence 2 alerts  Ctrl D discard")


def test_the_silence_drawer_covers_the_page_on_small_terminals_until_it_is_left() -> None:
    writing = contents(focused(pictures.alerts(pictures.silence_draft()), "silence.reason"), 80, 24)
    left = contents(pictures.alerts(pictures.silence_draft()), 80, 24)
    assert "Queries are slow" not in writing
    assert "Because" in writing
    assert "Queries are slow" in left
    assert "Draft: Silence 2 alerts" in left


def test_explore_shows_results_chart_readout_and_figures() -> None:
    rows = screen(pictures.explore(), 120, 40)
    text = "\n".join(rows)
    assert rows[2].startswith(" http")
    assert rows[2].endswith("14 of 9,412 series")
    assert "▐━ http.request.duration.1" in text
    assert "14:06:36  http.request.duration.0 1.2 ms" in text
    assert "On the chart" in text


def test_a_rule_that_does_not_parse_says_where() -> None:
    text = contents(pictures.rules(editing=True, problem=True), 120, 40)
    assert "◆ Line 4: `oprator` is not a key of a condition." in text
    assert "Alt Enter operator" in text


def test_the_rule_being_edited_leaves_room_for_the_text_area() -> None:
    stage = paint(pictures.rules(editing=True), 80, 24, Memory())
    assert stage.editor is not None
    assert stage.editor.h >= 3
    assert all(not stage.canvas.text(y) for y in range(stage.editor.y, stage.editor.bottom))


@pytest.mark.parametrize("state", ["live", "paused", "stale"])
def test_old_data_never_pass_for_new(state: str) -> None:
    picture = pictures.overview()
    time = replace(picture.frame.time, state=state, behind="" if state == "live" else "94 s behind")  # type: ignore[arg-type]
    stage = paint(replace(picture, frame=replace(picture.frame, time=time)), 80, 24, Memory())
    words = {"live": "● LIVE", "paused": "‖ PAUSED", "stale": "? STALE"}[state]
    assert words in stage.canvas.text(1)
    assert ("94 s behind" in stage.canvas.text(1)) is (state != "live")


def test_a_banner_takes_its_row_and_the_page_moves_down() -> None:
    banner = Banner("unknown", "Lightship is blind: harbour-1 has not answered for 18 s.", "What you see ends at 14:21:18.")
    rows = screen(replace(pictures.alerts(), frame=pictures.frame("alerts", banner)), 120, 40)
    assert rows[2].startswith(" ? Lightship is blind: harbour-1 has not answered for 18 s.  What you see ends at 14:21:18.")
    assert rows[3].startswith(" Firing 7")


def test_an_empty_page_says_how_to_fill_it_and_its_command_is_whole() -> None:
    command = 'echo "demo.hits:1|c" | nc -u -w0 127.0.0.1 8125'
    empty = EmptyState("Listening. This machine is already here.", "Send something.", (("StatsD", command),))
    picture = pictures.overview()
    assert picture.overview is not None
    bare = replace(picture, overview=replace(picture.overview, empty=empty, charts=()))
    assert command in contents(bare, 80, 24)
    assert all(word in contents(bare, 45, 30) for word in command.split())


def test_a_machine_to_which_nothing_is_sent_is_shown_with_the_way_to_send() -> None:
    command = 'echo "demo.hits:1|c" | nc -u -w0 127.0.0.1 8125'
    empty = EmptyState("Listening. This machine is already here.", "Send something.", (("StatsD", command),))
    picture = pictures.overview()
    assert picture.overview is not None
    shown = contents(replace(picture, overview=replace(picture.overview, empty=empty, busiest=(), firing=())), 80, 24)
    assert picture.overview.charts[0].title in shown
    assert command in shown


def test_a_toast_offers_the_way_back() -> None:
    picture = pictures.alerts()
    toast = Toast("3 alerts silenced until 15:06.", undo="Undo")
    rows = screen(replace(picture, frame=replace(picture.frame, toast=toast)), 80, 24)
    assert rows[22] == "  ✓ 3 alerts silenced until 15:06.   Ctrl Z Undo"


def test_the_palette_says_what_each_row_is_and_its_key() -> None:
    rows = (
        PaletteRow("Acknowledge", "Say that you have it", "A", "action:x"),
        PaletteRow("Undo", "Nothing to undo.", "", "action:y", enabled=False),
    )
    text = contents(focused(replace(pictures.alerts(), palette=PaletteView("ac", rows)), "palette"), 80, 24)
    assert ": ac" in text
    assert "▐  Acknowledge  Say that you have it" in text
    assert "Undo  Nothing to undo." in text


def test_help_lists_this_pages_keys() -> None:
    view = HelpView(
        "Alerts", (("Alerts", (("A", "Acknowledge", "Say that you have it"),)), ("Time", (("Space", "Pause", "Stand still"),)))
    )
    for w, h in ((120, 40), (80, 24), (45, 30)):
        text = contents(replace(pictures.alerts(), help=view), w, h)
        assert "Keys: Alerts" in text
        assert "A          Say that you have it" in text


@pytest.mark.parametrize("page", ["overview", "explore", "alerts", "rules"])
@pytest.mark.parametrize("room", [24, 45, 60])
def test_help_tells_everything_whole(page: Page, room: int) -> None:
    view = help_view(page)
    told = " ".join(text for _, text in _help_lines(view, room) if text)
    assert [text for _, keys in view.sections for _, _, text in keys if text not in told] == []


def test_help_in_two_columns_breaks_between_sections() -> None:
    lines = [("A", ""), ("a", "b"), ("", ""), ("B", ""), ("c", "d"), ("e", "f")]
    assert _help_split(lines, 4) == 3
    assert _help_split([("a", "b")] * 9, 4) == 4


def test_the_chosen_group_is_seen_in_a_narrow_window() -> None:
    picture = pictures.alerts()
    assert picture.alerts is not None
    groups = tuple((name, 1000) for name in ("Firing", "Pending", "Silenced", "Resolved", "Silences"))
    for chosen, _ in groups:
        text = screen(replace(picture, alerts=replace(picture.alerts, groups=groups, group=chosen)), 45, 30)[2]
        assert f"{chosen} 1,000" in text


def test_a_banner_is_told_whole_in_a_narrow_window() -> None:
    picture = pictures.alerts()
    title = "Lightship is blind: harbour-1 has not answered for 3 s."
    banner = Banner("unknown", title, "What you see ends at 21:09:31.", "connection.retry", "Retry now")
    rows = screen(replace(picture, frame=replace(picture.frame, banner=banner)), 45, 30)
    told = " ".join(" ".join(rows[2:5]).replace("Retry now", "").split())
    assert title in told
    assert banner.detail in told


def test_a_field_says_how_to_leave_it() -> None:
    assert "Enter to the list  Esc leave" in screen(focused(pictures.explore(), "search"), 120, 40)[-1]
    assert "Esc leave" in screen(focused(pictures.alerts(pictures.silence_draft()), "silence.reason"), 80, 24)[-1]


def test_the_detail_of_an_alert_has_what_the_list_leaves() -> None:
    picture = pictures.alerts()
    assert picture.alerts is not None
    few = replace(picture.alerts, rows=picture.alerts.rows[:1], cursor=0)
    rows = screen(replace(picture, alerts=few), 120, 40)
    assert rows[7].startswith(" ─ ")
    assert rows[-2].strip()


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_hostile_text_cannot_break_the_screen(w: int, h: int) -> None:
    evil = HOSTILE + "日本語" * 30
    picture = pictures.alerts()
    assert picture.alerts is not None
    assert picture.alerts.detail is not None
    row = replace(picture.alerts.rows[0], name=evil, where=evil, acked_by=evil, age=evil, value=Value(evil, evil))
    detail = replace(
        picture.alerts.detail, title=evil, subtitle=evil, sentence=(Text(evil, strong=True),), labels=((evil, evil),)
    )
    view = replace(picture.alerts, rows=(row,) * 3, detail=detail, filter=evil, filter_error=evil)
    banner = Banner("critical", evil, evil, "open", evil)
    frame = replace(pictures.frame("alerts", banner), collector=evil, toast=Toast(evil, undo=evil))
    canvas = paint(Picture(frame, alerts=view), w, h, Memory()).canvas
    for y in range(h):
        text = canvas.strip(y, BOOK).text
        assert cell_len(text) == w
        assert all(c.isprintable() for c in text)


@pytest.mark.parametrize("page", PAGES)
def test_ascii_terminals_get_ascii(page: str) -> None:
    rows = screen(PAGES[page](), 120, 40, ascii_only=True)
    assert all(row.isascii() for row in rows)
    assert rows[1].startswith(" * LIVE")


SHAPES: tuple[Shape, ...] = ("critical", "warning", "info", "ok", "unknown", "silenced", "pending")


def test_every_state_has_its_own_sign_without_colour() -> None:
    picture = pictures.alerts()
    assert picture.alerts is not None
    rows = tuple(pictures.alert(i, f"alert{i}", "here", "1 %", shape) for i, shape in enumerate(SHAPES))
    view = replace(picture.alerts, rows=rows, detail=None, marked=0, cursor=99)
    seen = screen(replace(picture, alerts=view), 80, 24)[3 : 3 + len(SHAPES)]
    assert len({row[3] for row in seen}) == len(SHAPES)


def test_a_frame_that_did_not_change_is_painted_the_same_from_memory() -> None:
    memory, picture = Memory(), pictures.overview()
    first = paint(picture, 120, 40, memory).canvas
    second = paint(picture, 120, 40, memory).canvas
    assert (first.chars == second.chars).all()
    assert (first.inks == second.inks).all()
    assert len(first.hits) == len(second.hits)


def test_the_profile_follows_the_room() -> None:
    assert profile_for(120, 40).charts == 4
    assert profile_for(45, 30).charts == 1
    assert profile_for(45, 30).stats == 4
    assert not profile_for(120, 40).thin_space
