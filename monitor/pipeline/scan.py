"""Looks through texts for what is nobody's business: which kinds may be there, and where they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import re2

from monitor.pipeline import addresses, credentials, names, numbers, phones
from monitor.pipeline.found import Found, PiiKind, Recogniser, byte_options, compiled

RECOGNISERS: tuple[Recogniser, ...] = (
    *credentials.RECOGNISERS,
    *numbers.RECOGNISERS,
    *addresses.RECOGNISERS,
    *phones.RECOGNISERS,
    *names.RECOGNISERS,
)
_TEXT_FOLLOWS = rb"[\\\"'\s]{0,3}[\x91-\x9f\xa0-\xbf\xd9-\xdd]"
"""Between a packed key and its value: the beginning of a text or of a list of them."""
_RANK = {kind: number for number, kind in enumerate(PiiKind)}


class Scanner:
    """Finds some of the kinds. One pass over a text tells which patterns are in it at all; most texts end there."""

    def __init__(self, kinds: Collection[PiiKind] = tuple(PiiKind)) -> None:
        self._recognisers = [recogniser for recogniser in RECOGNISERS if recogniser.kind in kinds]
        self._programs: list[Any] = [compiled(recogniser.pattern) for recogniser in self._recognisers]
        self._any = re2.Set.SearchSet(byte_options())
        for recogniser in self._recognisers:
            self._any.Add(recogniser.pattern)
        self._packed = re2.Set.SearchSet(byte_options())
        for recogniser in self._recognisers:
            # In MessagePack a length may stand before a text and look like a letter of it: no edges of words.
            self._packed.Add(recogniser.pattern.replace(rb"\b", b""))
            if recogniser.keys:
                self._packed.Add(rb"(?:" + recogniser.keys + rb")" + _TEXT_FOLLOWS)
        if self._recognisers:
            self._any.Compile()
            self._packed.Compile()

    def patterns_in(self, text: bytes) -> list[int]:
        """Numbers of the patterns with a candidate in the text; empty for most."""
        return self._any.Match(text) or [] if self._recognisers else []

    def may_be_in_packed(self, packed: bytes) -> bool:
        """False where no text within this MessagePack, and no value by its key, has a candidate."""
        return bool(self._recognisers and self._packed.Match(packed))

    def find(self, text: bytes) -> list[Found]:
        """What the text (UTF-8) holds, by place in bytes, none overlapping another."""
        candidates = self.patterns_in(text)
        return self.found_by(candidates, text) if candidates else []

    def found_by(self, patterns: list[int], text: bytes) -> list[Found]:
        """As `find`, with the patterns known that have a candidate."""
        found: list[Found] = []
        for number in patterns:
            recogniser = self._recognisers[number]
            for match in self._programs[number].finditer(text):
                found += [Found(recogniser.kind, start, end) for start, end in recogniser.check(text, match)]
        return found if len(found) < 2 else apart(found)


def apart(found: list[Found]) -> list[Found]:
    """Of those that overlap the longest, of equally long ones the most telling kind; in order of place."""
    found.sort(key=lambda each: (each.start, each.start - each.end, _RANK[each.kind]))
    kept: list[Found] = []
    for each in found:
        while kept and kept[-1].end > each.start and _beats(each, kept[-1]):
            kept.pop()
        if not kept or kept[-1].end <= each.start:
            kept.append(each)
    return kept


def _beats(one: Found, other: Found) -> bool:
    return (one.end - one.start, -_RANK[one.kind]) > (other.end - other.start, -_RANK[other.kind])
