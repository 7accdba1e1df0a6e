"""The one-line text field."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ui.terminal.cells import width
from ui.terminal.fields import MAX_TEXT, LineEdit

KEYS = ("left", "right", "home", "end", "ctrl+left", "ctrl+right", "backspace", "delete", "ctrl+w", "ctrl+u", "ctrl+a", "ctrl+e")


def test_typing_goes_where_the_caret_is() -> None:
    edit = LineEdit("ac")
    edit.key("left")
    edit.insert("b")
    assert (edit.text, edit.caret) == ("abc", 2)


def test_a_word_is_taken_back_at_once() -> None:
    edit = LineEdit("severity=critical service=edge ")
    edit.key("ctrl+w")
    assert edit.text == "severity=critical "


def test_pasted_lines_become_one_and_escapes_are_gone() -> None:
    edit = LineEdit()
    edit.insert("a\nb\x1b[31mc")
    assert edit.text == "a b[31mc"


def test_text_from_outside_leaves_the_caret() -> None:
    edit = LineEdit("abcdef")
    edit.caret = 2
    edit.replace("abcdefgh")
    assert edit.caret == 2


@given(st.text(max_size=30), st.lists(st.sampled_from(KEYS), max_size=30), st.integers(3, 12))
def test_the_caret_is_always_within_the_text_and_the_window(text: str, keys: list[str], room: int) -> None:
    edit = LineEdit()
    edit.insert(text)
    for key in keys:
        assert edit.key(key)
        assert 0 <= edit.caret <= len(edit.text)
        shown, caret = edit.window(room)
        assert width(shown) <= room
        assert 0 <= caret <= room


def test_its_length_is_bounded() -> None:
    edit = LineEdit()
    edit.insert("x" * (3 * MAX_TEXT))
    edit.insert("more")
    assert len(edit.text) == MAX_TEXT
