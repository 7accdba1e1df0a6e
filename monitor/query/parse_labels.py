"""Label matchers in braces and label lists in parentheses."""

from __future__ import annotations

from monitor.model.matchers import NAME_TAG, Matcher, Operator, SelectorError, compile_pattern
from monitor.query.lexer import AGGREGATIONS, KEYWORDS, SPECIAL_CALLS, WORD_OPERATORS, Token
from monitor.query.parse_cursor import Cursor
from monitor.query.quoting import go_quote, unquote

_LABEL_WORDS = AGGREGATIONS | WORD_OPERATORS | SPECIAL_CALLS | KEYWORDS | {"identifier", "metric identifier"}
_MATCH_OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "=~": "=~", "!~": "!~"}


def matchers(cursor: Cursor) -> tuple[Matcher, ...]:
    """`{a="b", "quoted.name"=~"c", "metric.name"}`; stands at the opening brace, ends behind the closing one."""
    cursor.need("{")
    found: list[Matcher] = []
    while cursor.take_if("}") is None:
        found.append(_matcher(cursor))
        if cursor.kind == ",":
            cursor.take()
        elif cursor.kind != "}":
            cursor.unexpected("label matching", '"," or "}"')
    return tuple(found)


def _matcher(cursor: Cursor) -> Matcher:
    label = cursor.take_if("identifier", "string")
    if label is None:
        cursor.unexpected("label matching", 'identifier or "}"')
    name = unquote(label.text) if label.kind == "string" else label.text
    operator = _MATCH_OPERATORS.get(cursor.kind)
    if operator is None:
        if label.kind == "string":
            return Matcher(NAME_TAG, "=", name)
        cursor.unexpected("label matching", "label matching operator")
    cursor.take()
    value = cursor.need("string", "label matching", "string")
    matcher = Matcher(name, operator, unquote(value.text))
    _check_pattern(cursor, matcher, label, value)
    return matcher


def _check_pattern(cursor: Cursor, matcher: Matcher, label: Token, value: Token) -> None:
    if matcher.op not in ("=~", "!~"):
        return
    try:
        compile_pattern(matcher.value)
    except SelectorError as error:
        reason = str(error).removeprefix("not a valid pattern: ")
        raise cursor.error(f"error parsing regexp: {reason}", label.start, value.end) from None


def label_list(cursor: Cursor) -> tuple[str, ...]:
    """`(a, "quoted.name")` of by, on, group_left and the like; keywords may be labels, a trailing comma may stand."""
    cursor.need("(", "grouping opts", '"("')
    labels: list[str] = []
    while cursor.take_if(")") is None:
        token = cursor.take_if("string", *_LABEL_WORDS)
        if token is None:
            cursor.unexpected("grouping opts", "label")
        name = unquote(token.text) if token.kind == "string" else token.text
        if not name:
            raise cursor.error(f"invalid label name for grouping: {go_quote(name)}", token.start, token.end)
        labels.append(name)
        if cursor.kind == ",":
            cursor.take()
        elif cursor.kind != ")":
            cursor.unexpected("grouping opts", '"," or ")"')
    return tuple(labels)
