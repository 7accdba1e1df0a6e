"""The filter for personal data and credentials: what it finds is replaced, hashed, or takes the whole value with it."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from monitor.pipeline.found import Found, PiiKind
from monitor.pipeline.scan import Scanner

MAX_ROUNDS = 8
"""A replacement can bring two things together that look like a third: texts are looked through until nothing is found. One that
still holds something then was made to, and goes whole."""
TOGETHER = 8
"""Texts that are asked about in one call: a call costs as much as reading 300 bytes."""
MAX_DEPTH = 16
_HASH_LETTERS = "abcdefghijklmnop"


class PiiPolicy(enum.StrEnum):
    """What is done with a kind."""

    OFF = "off"
    REDACT = "redact"
    HASH = "hash"
    DROP = "drop"


class PiiFilter:
    """Replaces what it finds by `[email]`, or by `[email:jkdmbnaicfgh]` where the kind is hashed: equal values stay equal.

    `policies` names what is done by kind; a kind left out is off. `key` (any length, at least 16 bytes) is needed where a
    kind is hashed: BLAKE2b keyed with it, 48 bits told. Values never stand in an error or a counter. Raises `ValueError`.
    """

    def __init__(self, policies: Mapping[PiiKind, PiiPolicy], key: bytes = b"") -> None:
        self._policies = {kind: policy for kind, policy in policies.items() if policy is not PiiPolicy.OFF}
        hashed = [kind.value for kind, policy in self._policies.items() if policy is PiiPolicy.HASH]
        if hashed and len(key) < 16:
            raise ValueError(
                f"pii: {', '.join(hashed)} cannot be hashed with a key of {len(key)} bytes: set pii.key to 16 or more"
            )
        self._key = hashlib.blake2b(key, digest_size=32).digest()
        self._scanner = Scanner(self._policies)
        self.counts: dict[PiiKind, int] = dict.fromkeys(PiiKind, 0)
        """How often each kind was found and dealt with."""
        self.dropped = 0
        """Values that were dropped whole."""

    @property
    def active(self) -> bool:
        """Whether any kind is looked for."""
        return bool(self._policies)

    def find(self, text: str) -> list[Found]:
        """What a text holds, by place in characters, none overlapping another. Counts nothing."""
        data = _encoded(text)
        found = self._scanner.find(data)
        if not found or len(data) == len(text):
            return found
        places, at, characters = [], 0, 0
        for place in sorted({place for each in found for place in (each.start, each.end)}):
            characters += len(data[at:place].decode("utf-8", "surrogatepass"))
            at = place
            places.append((place, characters))
        moved = dict(places)
        return [Found(each.kind, moved[each.start], moved[each.end]) for each in found]

    def text(self, text: str) -> str:
        """The text without what was found; "" where it held something that is to be dropped."""
        return self.kept(text) or ""

    def texts(self, texts: Sequence[str]) -> list[str]:
        """As `text`, of each."""
        return [kept or "" for kept in self.all_kept(texts)]

    def all_kept(self, texts: Sequence[str]) -> list[str | None]:
        """As `kept`, of each; the same object where nothing was found."""
        search = self._scanner.patterns_in
        kept: list[str | None] = list(texts)
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        for begin in range(0, len(texts), TOGETHER):
            together = encoded[begin : begin + TOGETHER]
            if not search(b"\0".join(together)):
                continue
            for place, data in enumerate(together, begin):
                if patterns := search(data):
                    kept[place] = self._cleaned(texts[place], data, patterns)
        return kept

    def kept(self, text: str) -> str | None:
        """The text without what was found; None where it held something that is to be dropped."""
        data = _encoded(text)
        patterns = self._scanner.patterns_in(data)
        return self._cleaned(text, data, patterns) if patterns else text

    def value(self, key: str, value: str) -> str | None:
        """As `kept`, of a tag's or attribute's value: its key tells too, as in `customer` and `password`."""
        beginning = _encoded(key + "=")
        data = beginning + _encoded(value)
        patterns = self._scanner.patterns_in(data)
        return self._cleaned(value, data, patterns, len(beginning)) if patterns else value

    def packed(self, details: bytes) -> bytes:
        """MessagePack of a map without what its texts held; the same object where nothing was found.

        Keys tell too, as for `value`; a value that is to be dropped goes with its key. What is nested more than 16 deep is
        dropped. Raises `msgspec.DecodeError` where it is not MessagePack.
        """
        if not self._scanner.may_be_in_packed(details):
            return details
        before = msgspec.msgpack.decode(details)
        after = self._walked("", before, 0)
        return details if after == before else msgspec.msgpack.encode(after)

    def _walked(self, key: str, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.value(key, value)
        if depth > MAX_DEPTH and isinstance(value, dict | list):
            return None
        if isinstance(value, dict):
            walked = {name: self._walked(str(name), each, depth + 1) for name, each in value.items()}
            return {name: each for name, each in walked.items() if each is not None or value[name] is None}
        if isinstance(value, list):
            return [self._walked(key, each, depth + 1) for each in value]
        return value

    def _cleaned(self, text: str, data: bytes, patterns: list[int], skipped: int = 0) -> str | None:
        for _ in range(MAX_ROUNDS):
            found = [each for each in self._scanner.found_by(patterns, data) if each.end > skipped]
            if not found:
                return text
            for each in found:
                self.counts[each.kind] += 1
            if any(self._policies[each.kind] is PiiPolicy.DROP for each in found):
                self.dropped += 1
                return None
            data = self._replaced(data, found, skipped)
            text = data[skipped:].decode("utf-8", "surrogatepass")
            patterns = self._scanner.patterns_in(data)
        if any(each.end > skipped for each in self._scanner.found_by(patterns, data)):
            return self._token(found[0].kind, data[skipped:]).decode("ascii")
        return text

    def _replaced(self, data: bytes, found: Sequence[Found], skipped: int) -> bytes:
        pieces: list[bytes] = []
        at = 0
        for kind, start, end in found:
            start = max(start, skipped)
            pieces += (data[at:start], self._token(kind, data[start:end]))
            at = end
        return b"".join((*pieces, data[at:]))

    def _token(self, kind: PiiKind, value: bytes) -> bytes:
        if self._policies[kind] is not PiiPolicy.HASH:
            return f"[{kind.value}]".encode()
        digest = hashlib.blake2b(value, key=self._key, digest_size=6, person=kind.value.encode()).hexdigest()
        return f"[{kind.value}:{''.join(_HASH_LETTERS[int(sign, 16)] for sign in digest)}]".encode()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
