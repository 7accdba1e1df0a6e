"""Names, times, filters and bodies are read as Alertmanager reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.server.alertmanager.filters import FilterError, meets, read_filters, read_receiver
from collector.server.alertmanager.moments import moment_text, read_moment
from collector.server.alertmanager.names import fingerprint_of, legal_labels, silence_name, silence_uuid
from collector.server.alertmanager.reading import PostedError, read_alerts, read_silence
from monitor.model.matchers import Matcher


@given(st.integers(1, 4_000_000_000_000))
def test_a_time_written_is_read_again(milliseconds: int) -> None:
    found = read_moment(moment_text(milliseconds / 1000))
    assert found is not None
    assert abs(found - milliseconds / 1000) < 0.0011


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-24T17:24:44.999Z", 1795541084.999),
        ("2026-11-24T18:24:44.999123456+01:00", 1795541084.999123),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00.000Z", None),
        ("", None),
    ],
)
def test_times_of_go_are_read(text: str, seconds: float | None) -> None:
    assert read_moment(text) == seconds


def test_a_time_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="write it as"):
        read_moment("nope")


def test_the_fingerprint_is_that_of_a_real_alertmanager() -> None:
    assert fingerprint_of((("alertname", "A"),)) == "d2c6efc389df0927"


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=3)), max_size=8, unique_by=lambda pair: pair[0]))
def test_labels_become_legal_and_none_is_lost(pairs: list[tuple[str, str]]) -> None:
    found = legal_labels(tuple(pairs))
    assert len({name for name, _ in found}) == len(found) == sum(1 for _, value in pairs if value)
    assert all(name.isascii() and name.isidentifier() for name, _ in found)
    assert legal_labels(found) == found


def test_legal_names_stay_and_others_make_way() -> None:
    given_labels = (("1a", "w"), ("a.b", "x"), ("a_b", "y"), ("c", ""))
    assert legal_labels(given_labels) == (("_1a", "w"), ("a_b", "y"), ("exported_a_b", "x"))


@given(st.integers(0, 2**64 - 1))
def test_a_silence_has_a_uuid_and_its_own_name_again(number: int) -> None:
    name = f"silence-{number:016x}"
    assert len(silence_uuid(name)) == 36
    assert silence_name(silence_uuid(name)) == name
    assert silence_name(name) == name


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("a=b", Matcher("a", "=", "b")),
        ('a!="b c"', Matcher("a", "!=", "b c")),
        (' a =~ "x|y" ', Matcher("a", "=~", "x|y")),
        ('"http.method"!~GET', Matcher("http.method", "!~", "GET")),
        ('a="say \\"x\\"\\n"', Matcher("a", "=", 'say "x"\n')),
        ("a=", Matcher("a", "=", "")),
    ],
)
def test_a_filter_is_one_matcher(text: str, matcher: Matcher) -> None:
    assert read_filters([text]) == (matcher,)


@pytest.mark.parametrize("text", ["foo", "", "=b", "a=~(", "{a=b}"])
def test_what_is_no_matcher_is_told(text: str) -> None:
    with pytest.raises(FilterError, match="bad matcher format"):
        read_filters([text])


def test_an_empty_value_asks_whether_there_is_such_a_label() -> None:
    with_it, without = {"a": "x"}, {"b": "x"}
    assert [meets(read_filters(["a="]), labels) for labels in (with_it, without)] == [False, True]
    assert [meets(read_filters(["a!="]), labels) for labels in (with_it, without)] == [True, False]


def test_a_pattern_of_receivers_that_is_none_is_told() -> None:
    with pytest.raises(FilterError, match="failed to parse receiver param"):
        read_receiver("(")


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"", 422, "alerts in body is required"),
        (b'[{"annotations": {}}]', 422, "0.labels in body is required"),
        (b"{}", 400, "parsing alerts body"),
        (b'[{"labels": {"a": 1}}]', 400, "parsing alerts body"),
        (b'[{"labels": {"a": "\xff"}}]', 400, "parsing alerts body"),
        (b'[{"labels": {"a": "b"}, "startsAt": "soon"}]', 400, "write it as"),
        (b"[" * 100_000, 400, "parsing alerts body"),
    ],
)
def test_a_broken_body_of_alerts_is_told(body: bytes, status: int, why: str) -> None:
    with pytest.raises(PostedError, match=why) as refused:
        read_alerts(body)
    assert refused.value.status == status


def test_a_silence_without_matchers_is_told() -> None:
    body = b'{"matchers": [], "startsAt": "", "endsAt": "", "createdBy": "me", "comment": "c"}'
    with pytest.raises(PostedError, match="matchers in body should have at least 1 items"):
        read_silence(body)
