"""The alert console in the terminal: silences that are edited or refused, and reasons that do not fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.ui.terminal import pictures
from tests.ui.terminal.test_pages import contents, focused, screen
from ui.views.view import Picture, WhyRow

REFUSED = "This would silence 30 of 40 firing alerts. Narrow the matchers, or confirm that you mean it."
SIZES = ((120, 40), (80, 24), (45, 30))


def drawer(**more: object) -> Picture:
    draft = replace(pictures.silence_draft(), error="", **more)  # type: ignore[arg-type]
    return focused(pictures.alerts(draft), "silence.duration")


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_a_refused_silence_says_why_in_full_above_its_button(w: int, h: int) -> None:
    text = contents(drawer(refused=REFUSED, button="Silence 30 alerts anyway"), w, h)
    said = " ".join(part for line in text.splitlines() for part in line.rpartition("│")[2].split())
    assert REFUSED in said
    assert "Silence 30 alerts anyway" in text


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_a_silence_that_is_edited_says_so(w: int, h: int) -> None:
    text = contents(drawer(editing=True, button="Change the silence"), w, h)
    assert "─ Change the silence " in text
    assert "Ctrl S Change the silence" in text


def test_what_stopped_it_is_seen_in_full_though_many_steps_passed_before() -> None:
    picture = pictures.alerts()
    assert picture.alerts is not None
    assert picture.alerts.detail is not None
    passed = tuple(WhyRow("ok", f"Step {number}", "") for number in range(12))
    stop = WhyRow("warning", "Waiting with its group", "The group of all is looked at in 20 s.")
    detail = replace(picture.alerts.detail, why=(*passed, stop))
    rows = screen(replace(picture, alerts=replace(picture.alerts, detail=detail)), 80, 24)
    text = " ".join(" ".join(row[43:].split()) for row in rows)
    assert "steps passed" in text
    assert "looked at in 20 s." in text
