"""What is wrong with a query is said in Prometheus' words, at the guilty place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.query.history import ParseError
from monitor.query.parse import parse


def wrong(marked: str) -> tuple[str, ParseError]:
    """The part between « and » in a text, and the error the text (without the marks) is refused with."""
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(ParseError) as raised:
        parse(text)
    assert (raised.value.start, raised.value.end) == (start, end), raised.value.text[raised.value.start : raised.value.end]
    return text[start:end], raised.value


PRECEDED = "must be preceded by an instant vector selector or range vector selector or a subquery"
SYNTAX = [
    ("«»", "no expression found in input"),
    ("a +«»", "unexpected end of input"),
    ("«*» 1", "unexpected <op:*>"),
    ("-«=»", 'unexpected "="'),
    ("a «b»", 'unexpected identifier "b"'),
    ("a «c:d»", 'unexpected metric identifier "c:d"'),
    ("a + «group_left» (x) b", "unexpected <group_left>"),
    ("a == on (x) group_left (y) «bool» b", "unexpected <bool>"),
    ("(a «,» b)", 'unexpected ","'),
    ("sum «x» by (a)", 'unexpected identifier "x"'),
    ("sum(x «y»)", 'unexpected identifier "y" in aggregation'),
    ("sum by (a) «x»", 'unexpected identifier "x" in aggregation'),
    ("sum(rate(x[5m]) «5»)", 'unexpected number "5" in aggregation'),
    ("sum(x) without (a) «by» (b)", "unexpected <by>"),
    ("sum(x) by «y»", 'unexpected identifier "y" in grouping opts, expected "("'),
    ("sum by (a «b») (x)", 'unexpected identifier "b" in grouping opts, expected "," or ")"'),
    ("sum by (a,«,») (x)", 'unexpected "," in grouping opts, expected label'),
    ("sum by («==») (x)", "unexpected <op:==> in grouping opts, expected label"),
    ('sum by («""») (x)', 'invalid label name for grouping: ""'),
    ("abs(x«,»)", "trailing commas not allowed in function call args"),
    ("«unheard_of»(x)", 'unknown function with name "unheard_of"'),
    ("sum(abs(x)«»", "unclosed left parenthesis"),
    ("(1)«)»", "unexpected right parenthesis ')'"),
    ("a«]»", "unexpected right bracket ']'"),
    ("a«}»", "unexpected character: '}'"),
    ("a «~» b", "unexpected character: '~'"),
    ("a «!~» b", "unexpected character after '!': '~'"),
    ("a «=~» b", "unexpected character after '=': '~'"),
    ("«1.2.3»", 'bad number or duration syntax: "1.2.3"'),
    ("«0b101»", 'bad number or duration syntax: "0b101"'),
    ("«1e999»", 'error parsing number: strconv.ParseFloat: parsing "1e999": value out of range'),
    ("a + fill(«x») b", 'unexpected identifier "x"'),
]
BRACES = [
    ("a{«»", "unexpected end of input inside braces"),
    ("a{«,»}", 'unexpected "," in label matching, expected identifier or "}"'),
    ("a{b«}»", 'unexpected "}" in label matching, expected label matching operator'),
    ("a{b=«}»", 'unexpected "}" in label matching, expected string'),
    ("a{b=«c»}", 'unexpected identifier "c" in label matching, expected string'),
    ("a{b=«=»'c'}", 'unexpected "=" in label matching, expected string'),
    ("a{b='c' «d»='e'}", 'unexpected identifier "d" in label matching, expected "," or "}"'),
    ("a{b«>»'c'}", "unexpected character inside braces: '>'"),
    ("a{«{»", "unexpected left brace '{'"),
    ("a{«b=~'('»}", "error parsing regexp: missing ): ("),
    ("«{}»", "vector selector must contain at least one non-empty matcher"),
    ("rate(«{a=''}[5m]»)", "vector selector must contain at least one non-empty matcher"),
    ("«{a=~'.*', b!='c'}»", "vector selector must contain at least one non-empty matcher"),
    ("«a{__name__='b'}»", 'metric name must not be set twice: "a" or "b"'),
]
BRACKETS = [
    ("a[«»", "unexpected end of input in duration expression"),
    ("a[5m«»", "unclosed left bracket"),
    ("abs(a[5m«»", "unclosed left parenthesis"),
    ("a[«]»", 'unexpected "]" in subquery or range selector, expected number, duration, step(), or range()'),
    ("a[step«]»", 'unexpected "]" in subquery or range selector, expected number, duration, step(), or range()'),
    ("a[5m:1m «3m»]", 'unexpected duration "3m" in subquery selector, expected "]"'),
    ("a[5m:«*»]", 'unexpected <op:*> in subquery selector, expected number, duration, step(), range(), or "]"'),
    ("a[5m «1m»]", 'unexpected duration "1m" in subquery or range, expected ":" or "]"'),
    ("a[5m «x»]", "unexpected character: 'x', expected ':'"),
    ("a[«x»]", "unexpected character in duration expression: 'x'"),
    ("a[«:»5m]", "unexpected colon before duration in duration expression"),
    ("a[5m:1m«:»]", "unexpected colon ':'"),
    ("a[step():«:»]", "unexpected repeated colon in duration expression"),
    ("a[5m «[»", "unexpected left bracket '['"),
    ("a[«5mm»]", 'bad number or duration syntax: "5mm"'),
    ("a[«5m1h»]", 'not a valid duration string: "5m1h"'),
    ("a[«5hs»]", 'unknown unit "hs" in duration "5hs"'),
    ("a[«300y»]", "duration out of range"),
    ("a[«9.5e10»]", "duration out of range"),
    ("a[«0»]", "duration must be greater than 0"),
    ("a[«-5m»]", "duration must be greater than 0"),
    ("a[5m:«0s»]", "duration must be greater than 0"),
    ("a[5m «/» 0]", "division by zero"),
    ("a[5m «%» 0s]", "modulo by zero"),
    ("(a + b)«[5m]»", "ranges only allowed for vector selectors"),
    ("a[5m]«[5m]»", "ranges only allowed for vector selectors"),
    ("a offset 5m «[5m]»", "no offset modifiers allowed before range"),
    ("a @ start() «[5m]»", "no @ modifiers allowed before range"),
]
MODIFIERS = [
    ("a offset«»", "unexpected end of input in offset, expected number, duration, step(), or range()"),
    ("a offset «b»", 'unexpected identifier "b" in offset, expected number, duration, step(), or range()'),
    ("a @«»", "unexpected end of input in @, expected timestamp"),
    ("a @ start«»", "unexpected end of input in @, expected timestamp"),
    ("«a» @ -Inf", "timestamp out of bounds for @ modifier: -Inf"),
    ("«a» @ NaN", "timestamp out of bounds for @ modifier: NaN"),
    ("«a» @ 1e19", "timestamp out of bounds for @ modifier: 10000000000000000000.000000"),
    (
        "«abs(a)» offset 5m",
        f"offset modifier {PRECEDED}",
    ),
    ("«(a)» @ 5", f"@ modifier {PRECEDED}"),
    ("«a offset 5m» offset 5m", "offset may not be set multiple times"),
    ("«a @ 5» @ 5", "@ <timestamp> may not be set multiple times"),
    ("«a anchored» smoothed", "anchored and smoothed modifiers cannot be used together"),
    ("«a[5m:]» anchored", "anchored modifier is not supported for subqueries"),
    ("«1» smoothed", "smoothed modifier not implemented"),
]
STRINGS = [
    ("«'abc»", "unterminated quoted string"),
    ("«`abc»", "unterminated raw string"),
    ("«'\\c'»", "unknown escape sequence U+0063 'c'"),
    ("«'\\x.'»", "illegal character U+002E '.' in escape sequence"),
    ("«'\\400'»", "escape sequence is an invalid Unicode code point"),
    ("«'\\ud800'»", "escape sequence is an invalid Unicode code point"),
    ("«'\\»", "escape sequence not terminated"),
]
TYPES = [
    ("rate(«x»)", 'expected type range vector in call to function "rate", got instant vector'),
    ("abs(«x[5m]»)", 'expected type instant vector in call to function "abs", got range vector'),
    ("abs(«1»)", 'expected type instant vector in call to function "abs", got scalar'),
    ("label_join(x, «1», 'b', 'c')", 'expected type string in call to function "label_join", got scalar'),
    ("label_join(x, 'a', 'b', 'c', «d»)", 'expected type string in call to function "label_join", got instant vector'),
    ("«abs()»", 'expected 1 argument(s) in call to "abs", got 0'),
    ("«hour(x, x)»", 'expected at most 1 argument(s) in call to "hour", got 2'),
    ("«label_join(x)»", 'expected at least 3 argument(s) in call to "label_join", got 1'),
    ("«sum()»", "no arguments for aggregate expression provided"),
    ("«topk(x) by (a)»", "wrong number of arguments for aggregate expression provided, expected 2, got 1"),
    ("topk(«x», y)", "expected type scalar in aggregation parameter, got instant vector"),
    ("count_values(«5», y)", "expected type string in aggregation parameter, got scalar"),
    ("sum(«1»)", "expected type instant vector in aggregation expression, got scalar"),
    ("a + «b[5m]»", "binary expression must contain only scalar and instant vector types"),
    ("«'a'» + 1", "binary expression must contain only scalar and instant vector types"),
    ("1 «==» 1", "comparisons between scalars must use BOOL modifier"),
    ("a «+» bool b", "bool modifier can only be used on comparison operators"),
    ("a «+» on (x, y) group_left (y) b", 'label "y" must not occur in ON and GROUP clause at once'),
    ("«a + on (x) 1»", "vector matching only allowed between instant vectors"),
    ("«a + fill(0) 1»", "filling in missing series only allowed between instant vectors"),
    ("«a and fill(0) b»", "filling in missing series not allowed for set operators"),
    ("«a and on (x) group_left b»", 'no grouping allowed for "and" operation'),
    ("«a unless 1»", 'set operator "unless" not allowed in binary scalar expression'),
    ("«rate(x[5m])[5m:][1h:]»", "subquery is only allowed on instant vector, got matrix instead"),
    ("info(x, «y{a='b'}»)", "expected label selectors only, got vector selector instead"),
    ("info(x, «abs({a='b'})»)", "expected label selectors only"),
]


@pytest.mark.parametrize(("marked", "message"), [*SYNTAX, *BRACES, *BRACKETS, *MODIFIERS, *STRINGS, *TYPES])
def test_an_error_says_what_is_wrong_and_where(marked: str, message: str) -> None:
    _, error = wrong(marked)
    assert error.message == message


def test_a_sign_needs_a_number_or_series() -> None:
    _, error = wrong("«-'a'»")
    expected = 'unary expression only allowed on expressions of type scalar or instant vector, got "string"'
    assert error.message == expected


def test_the_first_error_in_reading_order_is_told() -> None:
    assert wrong("abs(«1») + rate(2)")[0] == "1"
    assert wrong("sum(rate(«x»)) / abs(1)")[0] == "x"
    assert wrong("unheard_of(1 + «*» 2) !")[0] == "*"


def test_lines_and_columns_count_from_one() -> None:
    with pytest.raises(ParseError) as raised:
        parse("sum(\n  rate(é)\n)")
    assert (raised.value.line, raised.value.column) == (2, 8)
    with pytest.raises(ParseError, match=r"^2:8: parse error: expected type range vector in call to function"):
        parse("sum(\n  rate(x)\n)")


def test_long_words_are_cut_in_messages() -> None:
    assert wrong("a «'a string of some length'»")[1].message == 'unexpected string "\'a string "...'


WORDS = ("sum(", "rate(", "x", "by (", "on (a)", "group_left", "fill(0)", "offset 5m", "@ end()", "bool", "and", "5m", "{a='b'}")
pieces = st.one_of(st.sampled_from([*"(){}[],=~!<>+-*/^@:\"'`\\# \n.5_", *WORDS, "0x", "1e", "\ud800", "\x00"]), st.characters())


@settings(max_examples=1000, deadline=None)
@given(st.lists(pieces, max_size=15).map("".join))
def test_whatever_is_written_is_read_or_refused_at_a_place_within_it(text: str) -> None:
    start, end = place(text)
    assert 0 <= start <= end <= len(text)


def place(text: str) -> tuple[int, int]:
    try:
        return parse(text).span
    except ParseError as error:
        return error.start, error.end
