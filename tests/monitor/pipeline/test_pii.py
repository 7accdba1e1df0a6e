"""The filter: what becomes of what it finds, that nothing of it stays, and that no text can make it slow."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.pipeline.found import PiiKind
from monitor.pipeline.pii import PiiFilter, PiiPolicy

KEY = b"0123456789abcdef"
EVERYTHING = PiiFilter(dict.fromkeys(PiiKind, PiiPolicy.REDACT))
HASHING = PiiFilter(dict.fromkeys(PiiKind, PiiPolicy.HASH), KEY)


def only(kind: PiiKind, policy: PiiPolicy, key: bytes = KEY) -> PiiFilter:
    return PiiFilter({kind: policy}, key)


def test_redacting_puts_the_kind_in_its_place() -> None:
    assert EVERYTHING.text("bob@example.com, 203.0.113.9!") == "[email], [ipv4]!"


def test_a_kind_that_is_off_stays() -> None:
    assert only(PiiKind.EMAIL, PiiPolicy.REDACT).text("bob@example.com 203.0.113.9") == "[email] 203.0.113.9"
    assert PiiFilter({}).text("bob@example.com") == "bob@example.com"
    assert not PiiFilter({PiiKind.EMAIL: PiiPolicy.OFF}).active


def test_a_hash_is_short_stable_and_depends_on_the_key() -> None:
    one, other = only(PiiKind.EMAIL, PiiPolicy.HASH), only(PiiKind.EMAIL, PiiPolicy.HASH, b"another key of 24 bytes!")
    said = one.text("bob@example.com")
    assert said == one.text("bob@example.com") != one.text("eve@example.com")
    assert said != other.text("bob@example.com")
    assert len(said) == len("[email:]") + 12


def test_hashing_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"email cannot be hashed with a key of 3 bytes: set pii.key to 16 or more"):
        only(PiiKind.EMAIL, PiiPolicy.HASH, b"abc")


def test_dropping_takes_the_whole_value() -> None:
    dropping = PiiFilter({PiiKind.CARD: PiiPolicy.DROP, PiiKind.EMAIL: PiiPolicy.REDACT})
    assert dropping.all_kept(["a 4111111111111111", "bob@example.com", "x"]) == [None, "[email]", "x"]
    assert dropping.texts(["a 4111111111111111"]) == [""]
    assert dropping.dropped == 2


def test_it_counts_by_kind_and_tells_no_value() -> None:
    counting = PiiFilter(dict.fromkeys(PiiKind, PiiPolicy.REDACT))
    counting.texts(["bob@example.com and eve@example.com", "203.0.113.9", "nothing"])
    assert counting.counts[PiiKind.EMAIL] == 2
    assert counting.counts[PiiKind.IPV4] == 1
    assert "bob" not in repr(vars(counting))


def test_a_key_tells_what_its_value_is() -> None:
    assert EVERYTHING.value("customer", "Ada Lovelace") == "[name]"
    assert EVERYTHING.value("db.password", "hunter2") == "[secret]"
    assert EVERYTHING.value("phone", "5403926876") == "[phone]"
    assert EVERYTHING.value("order", "5403926876") == "5403926876"
    assert EVERYTHING.value("bob@example.com", "1") == "1"


def test_texts_that_hold_nothing_come_back_as_they_are() -> None:
    texts = [f"line {number} is harmless" for number in range(100)]
    assert all(kept is text for kept, text in zip(EVERYTHING.texts(texts), texts, strict=True))


def test_neighbours_in_a_list_do_not_touch() -> None:
    assert EVERYTHING.texts(["phone:", "451 5986", "password=", "hunter2"]) == ["phone:", "451 5986", "password=", "hunter2"]


def test_a_broken_character_survives() -> None:
    assert EVERYTHING.text("\ud800 bob@example.com \udfff") == "\ud800 [email] \udfff"


VALUES = """bob@example.com|203.0.113.9|fe80::1:2|4111111111111111|4111 1111 1111 1111|GB82 WEST 1234 5698 7654 32|536-90-4399
+44 20 7946 0958|(579)888-3058|07700 900 123|token=9f86d081884c7d659a2feaa0c55ad015|eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc|hunter2
phone |call |office|password=|name=|customer: |Ada Lovelace|://u:|@|.|-|1| |:|é|[|]|x|"|\0"""
PIECES = st.sampled_from(["\n", *VALUES.replace("\n", "|").split("|")])
TEXTS = st.lists(PIECES | st.text("0123456789 .-:+()@ax", max_size=6), max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_what_was_found_is_gone_and_a_second_pass_finds_nothing(text: str) -> None:
    for cleaner in (EVERYTHING, HASHING):
        clean = cleaner.text(text)
        assert cleaner.find(clean) == []
        assert cleaner.text(clean) == clean


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_finds_are_apart_in_order_and_within_the_text(text: str) -> None:
    found = EVERYTHING.find(text)
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, max_size=20))
def test_many_at_once_are_as_each_alone(texts: list[str]) -> None:
    assert EVERYTHING.texts(texts) == [EVERYTHING.text(text) for text in texts]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_taken(text: str) -> None:
    EVERYTHING.text(text)


HOSTILE = [
    "1-",
    "@",
    ":",
    "a@",
    "a@b.cc.",
    "1.",
    "+1 ",
    "eyJa.",
    "pass=a ",
    "PASS=",
    "call ",
    "4111 ",
    "GB29 ",
    "://a:",
    'name="A',
    "a:",
    "::1",
]


def seconds(text: str) -> float:
    began = time.process_time()
    EVERYTHING.text(text)
    return time.process_time() - began


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_makes_it_slow(piece: str) -> None:
    seconds(piece * 1000)
    assert seconds(piece * (100_000 // len(piece))) < 2.0
