"""Parse errors for people: one plain sentence, and the corrected text where it is obvious."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from monitor.query.history import ParseError
from monitor.query.lexer import AGGREGATIONS as AGGREGATION_WORDS
from monitor.query.lexer import KEYWORDS, OPERATORS, WORD_OPERATORS
from monitor.query.parse import parse
from monitor.query.scan import scan
from monitor.query.signatures import AGGREGATIONS, FUNCTIONS

DEFAULT_RANGE = "1m"

_CALL = re.compile(r'in call to (?:function )?"(\w+)"')
_EXPECTED = re.compile(r"expected type (.+?) in (.+), got (.+)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_Rule = Callable[[ParseError], tuple[str, str]]


def explain(error: ParseError) -> str:
    """One sentence on what is wrong and what to do. Where a correction is obvious the whole corrected text is in `error.fix`
    afterwards: it parses, or gets further than the text did.
    """
    for mark, rule in _RULES:
        if mark in error.message:
            sentence, fix = rule(error)
            if fix and not error.fix and _gets_further(fix, error):
                error.fix = fix
            return sentence
    return _plain(error)


def _gets_further(fix: str, error: ParseError) -> bool:
    try:
        parse(fix)
    except ParseError as other:
        return other.start > error.start
    return True


def _plain(error: ParseError) -> str:
    message = error.message[:1].upper() + error.message[1:]
    return f"{message} (column {error.column})." if error.line == 1 else f"{message} (line {error.line}, column {error.column})."


def _part(error: ParseError) -> str:
    return error.text[error.start : error.end]


def _replaced(error: ParseError, new: str) -> str:
    return error.text[: error.start] + new + error.text[error.end :]


def _wrong_type(error: ParseError) -> tuple[str, str]:
    found = _EXPECTED.search(error.message)
    if found is None:
        return _plain(error), ""
    wanted, context, got = found.groups()
    called = _CALL.search(f"in {context}")
    name = f"`{called[1]}`" if called else "An aggregation" if "parameter" not in context else "The aggregation's first argument"
    part = _part(error)
    if wanted == "range vector" and got == "instant vector":
        return _needs_range(error, name, part)
    if wanted == "instant vector" and got == "range vector":
        return _needs_no_range(error, name, part)
    if wanted == "instant vector" and got == "scalar":
        return f"{name} takes series, not a number. Write vector({part}).", _replaced(error, f"vector({part})")
    if wanted == "scalar" and got == "instant vector":
        return f"{name} takes a number here, not series. scalar({part}) is the value of a single series.", ""
    if wanted == "string":
        return f"{name} takes a text here. Put it in quotes.", ""
    return f"{name} takes {_a(wanted)} here, not {_a(got)}.", ""


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _needs_range(error: ParseError, name: str, part: str) -> tuple[str, str]:
    tokens = scan(part)
    modifier = next((token.start for token in tokens if token.kind in ("offset", "@")), len(part))
    selector = part[:modifier].rstrip()
    if not any(token.kind == "(" or token.kind in OPERATORS for token in tokens if token.start < modifier):
        new = f"{selector}[{DEFAULT_RANGE}]{part[len(selector) :]}"
        return f"{name} needs a range. Write {new}.", _replaced(error, new)
    new = f"{part}[1h:1m]" if part.endswith(")") else f"({part})[1h:1m]"
    return f"{name} needs a range. Over an expression write a subquery: {new}.", _replaced(error, new)


def _needs_no_range(error: ParseError, name: str, part: str) -> tuple[str, str]:
    if part.endswith("]") and ":" not in part[part.rfind("[") :]:
        new = part[: part.rfind("[")]
        return f"{name} takes no range. Write {new}, or a function over the range such as rate({part}).", _replaced(error, new)
    return f"{name} takes no range. Put a function round it, such as avg_over_time({part}).", ""


def _unknown_function(error: ParseError) -> tuple[str, str]:
    name = _part(error)
    known = list(FUNCTIONS) + list(AGGREGATIONS)
    lower = name.lower()
    close = [lower] if lower in known else difflib.get_close_matches(lower, known, 1, 0.7)
    if not close:
        return f"There is no function `{name}`.", ""
    return f"There is no function `{name}`. Did you mean {close[0]}?", _replaced(error, close[0])


def _count(error: ParseError) -> tuple[str, str]:
    found = _CALL.search(error.message)
    signature = FUNCTIONS.get(found[1]) if found else None
    return (f"`{signature.name}` is written {signature}." if signature else _plain(error)), ""


def _aggregation_count(error: ParseError) -> tuple[str, str]:
    word = re.match(r"\w+", _part(error))
    signature = AGGREGATIONS.get(word[0].lower()) if word else None
    return (f"`{signature.name}` is written {signature}." if signature else _plain(error)), ""


def _unclosed_parenthesis(error: ParseError) -> tuple[str, str]:
    return "A ( is never closed with ).", _closed(error.text)


def _closed(text: str) -> str:
    """The text with the brackets closed that are open, "" where that would not do."""
    missing: list[str] = []
    for token in scan(text):
        if token.kind in ("(", "[", "{"):
            missing.append({"(": ")", "[": "]", "{": "}"}[token.kind])
        elif missing and token.kind == missing[-1]:
            missing.pop()
        elif token.kind in ("error", "open string", "comment"):
            return ""
    return text.rstrip() + "".join(reversed(missing)) if missing else ""


def _unclosed_bracket(error: ParseError) -> tuple[str, str]:
    opened = error.text.rstrip().endswith("[")
    if opened:
        return f"A duration is missing after [, such as [{DEFAULT_RANGE}].", _closed(error.text.rstrip() + DEFAULT_RANGE)
    return "A [ is never closed with ].", _closed(error.text)


def _unclosed_brace(error: ParseError) -> tuple[str, str]:
    return "A { is never closed with }.", _closed(error.text)


def _extra_parenthesis(error: ParseError) -> tuple[str, str]:
    return "This ) closes nothing. Take it away.", _replaced(error, "")


def _open_string(error: ParseError) -> tuple[str, str]:
    mark = error.text[error.start : error.start + 1]
    return f"A text begins with {mark} and never ends with {mark}.", ""


def _empty(error: ParseError) -> tuple[str, str]:
    if error.message.startswith("no expression"):
        return "Nothing is asked yet. Write a metric, such as up.", ""
    return "A selector must name something: a metric, or a label with a value that is not empty.", ""


def _trailing_comma(error: ParseError) -> tuple[str, str]:
    return "An argument is missing after this comma.", _replaced(error, "")


def _scalars(error: ParseError) -> tuple[str, str]:
    operator = _part(error)
    return f"Two numbers are compared with {operator} bool, which gives 0 or 1.", _replaced(error, f"{operator} bool")


def _bool(error: ParseError) -> tuple[str, str]:
    return f"`bool` goes with comparisons (==, !=, <, <=, >, >=), not with {_part(error)}.", ""


def _set_operator(error: ParseError) -> tuple[str, str]:
    found = _QUOTED.search(error.message)
    return f"`{found[1] if found else 'and'}` takes series on both sides; vector(1) makes a series of a number.", ""


def _matching(error: ParseError) -> tuple[str, str]:
    return "on and ignoring match series with series; one side here is a number.", ""


def _unquoted_value(error: ParseError) -> tuple[str, str]:
    part = _part(error)
    if re.fullmatch(r"[A-Za-z_]\w*", part):
        return f'A label\'s value stands in quotes. Write "{part}".', _replaced(error, f'"{part}"')
    if part == "=":
        return "A matcher is written with one =.", _replaced(error, "")
    return 'A label\'s value stands in quotes, as in job="api".', ""


def _range_on_expression(error: ParseError) -> tuple[str, str]:
    part = _part(error)
    new = f"{part[:-1]}:]"
    return f"A range over an expression is a subquery, written with a colon: {new}.", _replaced(error, new)


def _range_after_modifier(error: ParseError) -> tuple[str, str]:
    word = "offset" if "offset" in error.message else "@"
    return f"The range goes before {word}: x{_part(error)} {word} ….", ""


def _duration(error: ParseError) -> tuple[str, str]:
    return f"`{_part(error)}` is no duration. Write 30s, 5m, 1h30m or 7d: largest unit first, each once.", ""


def _bad_number(error: ParseError) -> tuple[str, str]:
    return f"`{_part(error)}` is neither a number nor a duration such as 30s, 5m or 1h30m.", ""


def _pattern(error: ParseError) -> tuple[str, str]:
    reason = error.message.removeprefix("error parsing regexp: ")
    return f"The regular expression cannot be read: {reason}.", ""


def _dotted_name(error: ParseError) -> tuple[str, str]:
    """`foo.bar`: a name with dots has to stand in quotes."""
    left = re.search(r"[A-Za-z_:][\w:.\-/]*$", error.text[: error.start])
    right = re.match(r"[\w:.\-/]*", error.text[error.start :])
    if _part(error) in (".", "/", "-") and left and right and right.end() > 1:
        name = left[0] + right[0]
        rest = error.text[error.start + right.end() :]
        quoted = f'{{"{name}"}}'
        if rest.lstrip().startswith("{"):
            rest, quoted = rest.lstrip()[1:], f'{{"{name}", '
        return f'A name with dots stands in quotes and braces. Write {{"{name}"}}.', error.text[: left.start()] + quoted + rest
    return f"This character means nothing here: {_part(error)}.", ""


def _unexpected_end(error: ParseError) -> tuple[str, str]:
    if ", expected " in error.message:
        return f"The expression ends too early: {error.message.rpartition(', expected ')[2]} should follow.", ""
    return "The expression ends too early: something should follow.", ""


def _unexpected_name(error: ParseError) -> tuple[str, str]:
    part = _part(error)
    words = sorted(KEYWORDS | WORD_OPERATORS | AGGREGATION_WORDS)
    close = difflib.get_close_matches(part.lower(), words, 1, 0.75)
    if close and close[0] != part.lower():
        return f"`{part}` cannot stand here. Did you mean {close[0]}?", _replaced(error, close[0])
    return f"An operator is missing before `{part}`.", ""


def _set_twice(error: ParseError) -> tuple[str, str]:
    return "The metric's name stands both before and within the braces. Leave one.", ""


_RULES: list[tuple[str, _Rule]] = [
    ("expected type", _wrong_type),
    ("unknown function", _unknown_function),
    ("for aggregate expression provided", _aggregation_count),
    ("argument(s) in call to", _count),
    ("unclosed left parenthesis", _unclosed_parenthesis),
    ("unclosed left bracket", _unclosed_bracket),
    ("end of input in duration expression", _unclosed_bracket),
    ("end of input inside braces", _unclosed_brace),
    ("unexpected right parenthesis", _extra_parenthesis),
    ("unterminated", _open_string),
    ("no expression found", _empty),
    ("at least one non-empty matcher", _empty),
    ("trailing commas", _trailing_comma),
    ("comparisons between scalars", _scalars),
    ("bool modifier can only", _bool),
    ("not allowed in binary scalar expression", _set_operator),
    ("vector matching only allowed", _matching),
    ("in label matching, expected string", _unquoted_value),
    ("ranges only allowed", _range_on_expression),
    ("modifiers allowed before range", _range_after_modifier),
    ("not a valid duration string", _duration),
    ("unknown unit", _duration),
    ("bad number or duration", _bad_number),
    ("error parsing regexp", _pattern),
    ("unexpected character: ", _dotted_name),
    ("unexpected end of input", _unexpected_end),
    ("metric name must not be set twice", _set_twice),
    ("unexpected identifier", _unexpected_name),
]
