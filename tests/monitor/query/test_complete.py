"""What may stand at the cursor of an unfinished query, whose arguments it is among, and what is coloured how."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.query.complete import Expectation, Place, expected, signature_at
from monitor.query.scan import scan, tokens
from tests.monitor.query.grammar import expressions, newer

OPERAND = ("metric", "function", "aggregation")


def at(marked: str) -> Expectation:
    """What is expected at the ‖ in a text."""
    return expected(marked.replace("‖", ""), marked.index("‖"))


def replaced(marked: str) -> str:
    found = at(marked)
    return marked.replace("‖", "")[found.start : found.end]


def selector(marked: str) -> str:
    return ", ".join(map(str, at(marked).selector))


@pytest.mark.parametrize(
    "text", ["‖", "su‖", "sum(‖", "sum(ra‖", "rate(foo‖", "(‖", "a, ‖", "topk(5, ‖", "sum by (x) (‖", "a * -‖"]
)
def test_operands_are_metrics_functions_and_aggregations(text: str) -> None:
    assert at(text).kinds[:3] == OPERAND


def test_the_whole_word_under_the_cursor_is_replaced() -> None:
    assert replaced("sum(ra‖te(x[5m]))") == "rate"
    assert at("sum(ra‖te(x[5m]))").word == "ra"
    assert replaced("sum(‖rate)") == ""
    assert replaced('x{job="ap‖i", a="b"}') == "api"
    assert replaced("x{jo‖b='a'}") == "job"
    assert replaced("rate(x[5‖m])") == "5m"


def test_a_name_with_dots_is_one_word() -> None:
    found = at("sum(rate(foundation.serv‖ice.error[5m]))")
    assert (found.kinds[0], found.word) == ("metric", "foundation.serv")
    assert replaced("sum(rate(foundation.serv‖ice.error[5m]))") == "foundation.service.error"
    assert replaced("a + foundation.‖") == "foundation."
    assert (at("x{http.me‖").kinds, at("x{http.me‖").word) == (("label",), "http.me")
    assert (at("sum by (http.‖").kinds, at("sum by (http.‖").word) == (("grouping",), "http.")
    assert at("x{a='b.c‖").word == "b.c"
    assert selector("rate(foundation.service.count{job='a', ‖") == '__name__="foundation.service.count", job="a"'
    assert selector("sum(a.b) by (‖") == '__name__="a.b"'
    assert at("1.‖").kinds == at("# a.b‖").kinds == ()


def test_behind_an_operator_its_modifiers_may_stand_too() -> None:
    assert at("a + ‖").words == ("on", "ignoring", "fill", "fill_left", "fill_right")
    assert at("a == ‖").words[0] == "bool"
    assert at("a / on (x) ‖").words[:2] == ("group_left", "group_right")
    assert at("a / on (x) ‖").kinds == (*OPERAND, "keyword")
    assert at("(‖").words == ()


def test_behind_an_operand_stand_operators_and_what_it_may_take() -> None:
    assert at("x ‖").kinds == at("x o‖").kinds == ("keyword",)
    assert {"offset", "anchored", "and", "or", "unless", "atan2"} <= set(at("x ‖").words)
    assert "offset" not in at("sum(x) ‖").words
    assert "offset" not in at("(x) ‖").words
    assert "offset" in at("x{a='b'}[5m] ‖").words
    assert "offset" in at("sum(x)[5m:] ‖").words
    assert at("sum(x) ‖").words[:2] == ("by", "without")
    assert {"by", "without"} <= set(at("sum b‖").words)
    assert not {"by", "without"} & {*at("sum(x) by (a) ‖").words, *at("sum by (a) (x) ‖").words, *at("abs(x) ‖").words}


def test_labels_know_the_selector_they_narrow() -> None:
    assert at("x{‖").kinds == at("x{jo‖").kinds == at("x{a='b', ‖}").kinds == ("label",)
    assert selector("x{‖") == '__name__="x"'
    assert selector("x{a='b', jo‖, c=~'d'}") == '__name__="x", a="b", c=~"d"'
    assert selector("{'x.y', ‖") == '__name__="x.y"'
    assert at("x{job ‖").kinds == at("x{job='a'‖").kinds == ()


def test_values_know_their_label_and_the_other_matchers() -> None:
    found = at('x{a!="b", job=~"ap‖i", c="d"}')
    assert (found.kinds, found.label, found.quote, found.word) == (("value",), "job", '"', "ap")
    assert selector('x{a!="b", job=~"ap‖i", c="d"}') == '__name__="x", a!="b", c="d"'
    assert at("x{job=‖").quote == ""
    assert at("x{job=‖").kinds == ("value",)
    assert at("sum(rate(x{job='‖").label == "job"
    assert at("{'quoted.label'='‖").label == "quoted.label"


def test_a_quote_that_is_not_closed_swallows_nothing() -> None:
    assert replaced('x{job="ap‖, c="d"}') == "ap"
    assert selector('x{job="ap‖, c="d"}') == '__name__="x", c="d"'
    assert replaced("x{job='ap‖") == "ap"


def test_a_pattern_being_written_is_left_out_until_it_can_be_read() -> None:
    assert selector("x{a=~'(', b='‖'}") == '__name__="x"'


def test_grouping_labels_are_those_of_what_is_grouped() -> None:
    assert at("sum by (‖").kinds == at("sum(x) without (a, ‖").kinds == at("a + on (‖").kinds == ("grouping",)
    assert selector("sum by (‖) (rate(x{a='b'}[5m]))") == '__name__="x", a="b"'
    assert selector("sum(rate(x{a='b'}[5m])) by (le, ‖") == '__name__="x", a="b"'
    assert selector("y + sum(x) by (‖)") == '__name__="x"'
    assert selector("x{a='b'} / on (‖") == '__name__="x", a="b"'
    assert selector("x / on (a) group_left (‖) y{b='c'}") == '__name__="y", b="c"'
    assert replaced("sum by (in‖st) (x)") == "inst"
    assert at("sum by ('a.‖").quote == "'"


def test_durations_stand_in_brackets_and_behind_offset() -> None:
    marked = ["x[‖", "x[5‖", "x[5m:‖", "x[5m + ‖", "x offset ‖", "x offset -5‖"]
    assert [at(text).kinds for text in marked] == [("duration",)] * len(marked)
    assert at("x[5m ‖").kinds == ()
    assert "step()" in at("x[‖").words


def test_times_stand_behind_at() -> None:
    assert at("x @ ‖").words == at("x @ st‖").words == ("start()", "end()")
    assert at("x @ end() ‖").kinds == ("keyword",)
    assert at("x @ 5 ‖").kinds == ("keyword",)


def test_labels_are_offered_where_a_function_takes_their_names() -> None:
    found = at("label_replace(x{a='b'}, 'd‖st', '$1', 'src', '.*')")
    assert (found.kinds, found.word, found.quote) == (("label",), "d", "'")
    assert selector("label_replace(x{a='b'}, 'd‖") == '__name__="x", a="b"'
    assert at("label_replace(x, 'dst', '‖").kinds == ()
    assert at("sort_by_label(x, 'a', 'b', '‖").kinds == ("label",)


def test_a_number_is_offered_functions_that_give_one() -> None:
    assert at("clamp(x, ‖").kinds == at("topk(‖").kinds == ("function",)
    assert at("time(‖").kinds == ()


def test_nothing_is_offered_in_comments_numbers_and_texts() -> None:
    assert [at(text).kinds for text in ("# no‖", "x # no‖te", "5‖", "1.5‖", "'te‖xt", "x + fill(‖")] == [()] * 6


@pytest.mark.parametrize(
    ("marked", "name", "argument", "start"),
    [
        ("rate(‖", "rate", 0, 0),
        ("sum(rate(x[5m]), ‖", "sum", 0, 0),
        ("clamp(x, (1 + 2), ‖", "clamp", 2, 0),
        ("clamp((a, ‖", "clamp", 0, 0),
        ("1 + histogram_quantile(0.9, sum by (le) (rate(x[‖", "rate", 0, 41),
        ("1 + histogram_quantile(0.9, sum by (le) (rate(x[5m])), ‖", "histogram_quantile", 1, 4),
        ("topk by (a) (5, ‖", "topk", 1, 0),
        ("label_join(x, 'a', 'b', 'c', 'd', ‖", "label_join", 3, 0),
        ("abs(x{a='‖", "abs", 0, 0),
        ("min_of(1, ‖", "min_of", 1, 0),
    ],
)
def test_the_call_whose_arguments_the_cursor_is_among(marked: str, name: str, argument: int, start: int) -> None:
    place = signature_at(marked.replace("‖", ""), marked.index("‖"))
    assert place is not None
    assert (place.signature.name, place.argument, place.start) == (name, argument, start)


@pytest.mark.parametrize("marked", ["‖", "x‖", "rate(x[5m])‖", "(‖", "unheard_of(‖", "rate‖(x)"])
def test_outside_of_calls_there_is_no_signature(marked: str) -> None:
    place: Place | None = signature_at(marked.replace("‖", ""), marked.index("‖"))
    assert place is None


def coloured(text: str) -> list[str]:
    return [f"{kind} {text[start:end]}" for start, end, kind in tokens(text)]


def test_colours() -> None:
    assert coloured("sum by (job, 'x.y') (rate(http_total{a='b', 'c.d'=~\"e\"}[5m] offset 1h)) > bool 1.5 # end") == [
        *["aggregation sum", "keyword by", "label job", "label 'x.y'", "function rate", "metric http_total"],
        *["label a", "operator =", "string 'b'", "label 'c.d'", "operator =~", 'string "e"', "duration 5m", "keyword offset"],
        *["duration 1h", "operator >", "keyword bool", "number 1.5", "comment # end"],
    ]
    assert coloured("{'m.n'} @ end() / on (x) group_left y unless z") == [
        *["metric 'm.n'", "operator @", "function end", "operator /", "keyword on", "label x", "keyword group_left", "metric y"],
        *["keyword unless", "metric z"],
    ]


def test_keywords_are_metrics_where_an_operand_is_due() -> None:
    assert coloured("sum(sum) by (by) + by and and") == [
        *["aggregation sum", "metric sum", "keyword by", "label by", "operator +", "metric by", "keyword and", "metric and"],
    ]


def test_what_cannot_be_read_is_an_error_and_the_rest_keeps_its_colours() -> None:
    assert coloured("smu(x) ) + 5x ~ rate(y[5m])") == [
        *["error smu", "metric x", "error )", "operator +", "error 5x", "error ~", "function rate", "metric y", "duration 5m"],
    ]
    assert coloured("x{a='b\n} + sum(y)") == [
        *["metric x", "label a", "operator =", "string 'b", "operator +", "aggregation sum", "metric y"],
    ]
    assert coloured("'open")[0] == "string 'open"


WORDS = ("sum", "rate", "x", "by", "on", "group_left", "fill(", "offset", "end", "start()", "bool", "topk(", "and", "by (")
pieces = st.sampled_from([*"(){}[],=~!<>+-*/^@:\"'`\\# \n.5", *WORDS, "é", "\ud800", "0x", "1e", "{a=", "'a'", "5m"])


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces, max_size=15).map("".join), st.integers(0, 60))
def test_nothing_that_can_be_typed_raises(text: str, cursor: int) -> None:
    found = expected(text, cursor)
    assert 0 <= found.start <= min(cursor, len(text)) <= found.end <= len(text)
    assert text[found.start : min(cursor, len(text))] == found.word or not found.kinds
    signature_at(text, cursor)
    last = 0
    for start, end, _ in tokens(text):
        assert last <= start < end <= len(text)
        last = end


@settings(max_examples=200, deadline=None)
@given(st.one_of(expressions(), newer()), st.data())
def test_what_is_well_written_has_no_error_in_it(text: str, data: st.DataObject) -> None:
    assert not [token for token in scan(text) if token.kind in ("error", "open string")]
    assert "error" not in {kind for _, _, kind in tokens(text)}
    expected(text, data.draw(st.integers(0, len(text))))


@pytest.mark.parametrize("text", ["(" * 70_000, "x{" * 10_000, "'" * 20_001, "a+" * 10_000, "[5m:]" * 4_000])
def test_long_texts_are_no_trouble(text: str) -> None:
    expected(text, len(text))
    signature_at(text, len(text))
    assert tokens(text) is not None
