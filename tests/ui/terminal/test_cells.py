"""Text is measured by cells, cut so that it fits, and can neither move the cursor nor turn the reading order."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ui.terminal.cells import clean, cut, cut_at_word, cut_middle, to_ascii, width, wrap

HOSTILE = "\x1b[2J\x1b]0;pwned\x07a\u202eb\u2066c\u200dd\x00e\x9bf\r\ng\u0301"


def test_escape_sequences_bidi_and_joiners_are_gone() -> None:
    assert clean(HOSTILE) == "[2J]0;pwnedabcdef  ǵ"


def test_signs_whose_width_terminals_disagree_about_are_gone() -> None:
    assert clean("a\u1160\u1161b 👍🏽 🇩🇪") == "ab 👍 DE"


@given(st.text(max_size=60))
def test_every_sign_of_clean_text_has_a_width(text: str) -> None:
    assert all(width(c) > 0 for c in clean(text))


@given(st.text(max_size=60))
def test_clean_text_holds_nothing_that_controls(text: str) -> None:
    assert not {unicodedata.category(c) for c in clean(text)} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me", "Mc"}


@given(st.text(max_size=60), st.integers(0, 30))
def test_cut_text_fits_its_room(text: str, room: int) -> None:
    assert width(cut(text, room)) <= room
    assert width(cut_middle(text, room)) <= max(room, 0)
    assert width(cut_at_word(text, room)) <= room


@given(st.text(max_size=80), st.integers(4, 30), st.integers(1, 5))
def test_wrapped_lines_fit_and_are_not_more_than_wanted(text: str, room: int, lines: int) -> None:
    out = wrap(text, room, lines)
    assert len(out) <= lines
    assert all(width(line) <= room for line in out)


def test_a_sentence_is_shortened_at_a_word() -> None:
    assert cut_at_word("1 in 57 requests fails; above 1 %", 24) == "1 in 57 requests fails…"


def test_a_name_is_cut_in_the_middle_so_that_its_end_tells_it_apart() -> None:
    assert cut_middle("http.request.duration.42", 15) == "http.re…tion.42"


def test_wide_characters_count_twice() -> None:
    assert width("日本") == 4
    assert cut("日本語", 5) == "日本…"


@given(st.text(max_size=40))
def test_ascii_text_is_ascii_and_takes_one_cell_a_character(text: str) -> None:
    plain = to_ascii(clean(text))
    assert plain.isascii()
    assert len(plain) == len(clean(text))
