"""Names of people, where a key says that one follows: `user=`, `"full_name": "…"`, `customer: …`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.pipeline.found import DIGITS, WORD, PiiKind, Recogniser, Span, compiled

_OF_PEOPLE = (
    rb"(?:full|first|last|given|family|middle|maiden|display|user|customer|client|patient|contact|account|owner|employee|member"
    rb"|card ?holder|holder|recipient|sender|author|person)[_. -]?name|surname|forename|nick(?:name)?|user|login|customer|patient"
    rb"|card ?holder|employee|passenger|recipient"
)
_GAP = rb"\\?[\"']?\s?[=:]\s?\\?[\"']?"
_SIGN = rb"[A-Za-z\x80-\xff]"
_KEYED = (
    rb"(?i:\b(?:"
    + _OF_PEOPLE
    + rb"|name))"
    + _GAP
    + rb"[A-Za-z\x80-\xff][^\s\"&;,<>\[\](){}|=\\\0][^\n\"&;,<>\[\](){}|=\\\0]{0,62}"
)
_JOIN = rb"(?:[ +]|%20)"
_CAPITAL = rb"(?:[A-Z]|[\xc3-\xd6][\x80-\xbf])(?:[a-z'\x80-\xff-]|[A-Z][a-z])+"
_PARTICLE = rb"(?:van|von|de|der|den|da|di|la|le|bin|al)\b"
_CAPITALISED = compiled(
    rb"(?:" + _CAPITAL + rb"|[A-Z]\.?)(?:" + _JOIN + rb"(?:" + _CAPITAL + rb"|[A-Z]\b\.?|" + _PARTICLE + rb")){0,4}"
)
_HANDLE = compiled(rb"[A-Za-z\x80-\xff][A-Za-z0-9\x80-\xff._'-]*")
_NOBODY = frozenset(
    b"root admin administrator system nobody daemon anonymous guest default unknown null none nil undefined true false test"
    b" service user name id ids agent postgres mysql redis nginx www-data www apache docker kube kubernetes systemd git jenkins"
    b" production staging development string login logout failed success created deleted updated not is has was for from with"
    b" the".split()
)


def _names(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    colon, equal = text.find(b":", start, end), text.find(b"=", start, end)
    sign = min(place for place in (colon, equal) if place >= 0)
    key = text[start:sign].rstrip(b"\\\"' ").lower()
    at = sign + 1
    while at < end and text[at] in b" \t\r\n\"'\\":
        at += 1
    before = text[start - 1 : start]
    if at >= end or text[at] in DIGITS or (before and (before in b"=:/" or (key == b"name" and before in b".-_"))):
        return
    quoted = text[at - 1] in b"\"'"
    if quoted:
        closing = text.find(text[at - 1 : at], at, at + 96)
        end = closing if closing >= 0 else end
    value = text[at:end].rstrip(b"\\")
    found = _CAPITALISED.match(value)
    if found is None and key != b"name":
        found = _HANDLE.match(value)
    if found is None:
        return
    reach = at + found.end()
    if quoted and _more_of_a_name(text, reach, at + len(value)) and key != b"name":
        reach = at + len(value)
    word = text[at:reach].rstrip(b".-'")
    reach = at + len(word)
    if len(word) < 2 or word.lower() in _NOBODY or word.isupper() or (reach < len(text) and text[reach] in WORD):
        return
    if text[reach : reach + 1] == b":" or (key == b"name" and text[reach : reach + 1] in (b"-", b"/", b".")):
        return  # a name of a thing: `name=Billing-api`, `user:profile:1`
    yield at, reach


def _more_of_a_name(text: bytes, reach: int, end: int) -> bool:
    """Whether what is left of a quoted value is nothing but more of a name."""
    rest = text[reach:end]
    return not any(sign in DIGITS or sign in b"@/:=_" for sign in rest)


RECOGNISERS = (Recogniser(PiiKind.NAME, _KEYED, _names, rb"(?i:" + _OF_PEOPLE + rb"|\xa4name)"),)
