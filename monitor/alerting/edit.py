"""Small edits to the text of a rule file that leave every other character, comments and order included, as it was."""

from __future__ import annotations

import re

from monitor.alerting.model import Rule
from monitor.alerting.rules import parse_rules
from monitor.text.toml_map import Place, TomlMap

_COMMENT = re.compile(r"[ \t]*#")


class EditError(ValueError):
    """The text cannot be edited that way; the message says what to do by hand."""


def set_enabled(text: str, rule_id: str, enabled: bool) -> str:
    """The text with the rule switched on or off: its `enabled` changed, or added below its `id`.

    Raises `RulesError` when the text is not a valid rule file, `EditError` when the rule is not in it.
    """
    number = _number(text, rule_id)
    places = TomlMap(text)
    word = "true" if enabled else "false"
    place = places.places.get(("rule", number, "enabled"))
    if place is not None:
        edited = text[: place.value_start] + word + text[place.value_end :]
    else:
        edited = _insert_below_id(text, places, number, f"enabled = {word}")
    return _checked(edited, rule_id, {rule.id: rule.enabled for rule in parse_rules(text, "")} | {rule_id: enabled})


def delete_rule(text: str, rule_id: str) -> str:
    """The text without the rule, its sub-tables and the comment lines right above it. Raises as `set_enabled`."""
    number = _number(text, rule_id)
    places = TomlMap(text)
    header = places.places.get(("rule", number))
    if header is None or not text.startswith("[[", header.key_start):
        raise _by_hand(rule_id)
    start = _with_comments_above(text, places.line_start(header.key_start))
    limit = len(text)
    last = header.value_end
    for path, place in places.places.items():
        if path[:2] == ("rule", number):
            last = max(last, place.value_end)
        elif place.key_start > header.key_start and _is_header(text, place):
            limit = min(limit, _with_comments_above(text, places.line_start(place.key_start)))
    end = _past_comments(text, places.line_end(last), limit)
    edited = text[:start] + text[end:].lstrip("\r\n")
    if not text[end:].strip():
        edited = edited.rstrip() + "\n" * bool(edited.strip())
    expected = {rule.id: rule.enabled for rule in parse_rules(text, "") if rule.id != rule_id}
    return _checked(edited, rule_id, expected)


def _number(text: str, rule_id: str) -> int:
    for number, rule in enumerate(parse_rules(text, "")):
        if rule.id == rule_id:
            return number
    raise EditError(f'The rule "{rule_id}" is not in this file.')


def _insert_below_id(text: str, places: TomlMap, number: int, line: str) -> str:
    place = places.places.get(("rule", number, "id"))
    header = places.places.get(("rule", number))
    if place is None or header is None or not text.startswith("[[", header.key_start):
        raise _by_hand("" if place is None else text[place.value_start : place.value_end])
    indent = text[places.line_start(place.key_start) : place.key_start]
    end = places.line_end(place.value_end)
    newline = "\r\n" if "\r\n" in text else "\n"
    before = text[:end] if text[:end].endswith("\n") else text[:end] + newline
    return before + indent + line + newline + text[end:]


def _is_header(text: str, place: Place) -> bool:
    return text[place.key_start] == "[" and place.key_start == place.value_start


def _with_comments_above(text: str, start: int) -> int:
    """Where the block of comment lines begins that stands right above the line at `start`; a blank line ends it."""
    while start > 0:
        above = text.rfind("\n", 0, start - 1) + 1
        if not _COMMENT.match(text, above, start):
            return start
        start = above
    return start


def _past_comments(text: str, start: int, limit: int) -> int:
    """Where the comment lines end that follow directly at `start`."""
    while start < limit and _COMMENT.match(text, start):
        newline = text.find("\n", start)
        start = limit if newline < 0 else newline + 1
    return min(start, limit)


def _checked(edited: str, rule_id: str, expected: dict[str, bool]) -> str:
    found: dict[str, bool] = {rule.id: rule.enabled for rule in _parsed(edited, rule_id)}
    if found != expected:
        raise _by_hand(rule_id)
    return edited


def _parsed(edited: str, rule_id: str) -> tuple[Rule, ...]:
    try:
        return parse_rules(edited, "")
    except ValueError:
        raise _by_hand(rule_id) from None


def _by_hand(rule_id: str) -> EditError:
    return EditError(f'The rule "{rule_id}" is written in a way that is not edited by machine; change the file itself.')
