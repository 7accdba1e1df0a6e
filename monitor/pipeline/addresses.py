"""Addresses: of mail, and of the Internet Protocol in both versions."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from monitor.pipeline.found import DIGITS, WORD, PiiKind, Recogniser, Span, compiled, line_before, stands_free

_LETTERS = rb"A-Za-z0-9\x80-\xff"
_EMAIL = rb"[" + _LETTERS + rb"._%+-]+(?:@|%40)(?:[" + _LETTERS + rb"][" + _LETTERS + rb"-]*\.)+[A-Za-z\x80-\xff]{2,}"
_NO_DOMAIN = frozenset(
    b"png jpg jpeg gif svg webp ico css js mjs ts map py java go rs html json xml yaml yml toml lock txt md zip gz tar"
    b" service socket slice scope timer target mount device path swap local localdomain internal cluster".split()
)
"""Ends of file names (`icon@2x.png`), of units (`user@1000.service`) and of names no mail is sent to."""
_SERVICES = frozenset((b"git", b"hg", b"svn", b"gitea"))


def _emails(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    address = text[start:end].lstrip(b".%-")
    start = end - len(address)
    local = address.partition(b"@" if b"@" in address else b"%40")[0]
    if not local or local in _SERVICES or (end < len(text) and text[end] in DIGITS):
        return
    if address.rpartition(b".")[2].lower() not in _NO_DOMAIN:
        yield start, end


_IPV4 = rb"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"
_IS_VERSION = compiled(
    rb"(?i:\b(?:version|release|revision|build|firmware|driver|ver|rev)[\"']?(?: is)?[ :=\"']{1,3}|(?:^|[ \"(])[A-Z][A-Za-z]+/)$"
)
_NOBODYS = frozenset((b"0.0.0.0", b"127.0.0.1", b"127.0.1.1", b"127.0.0.53", b"255.255.255.255"))


def _ipv4s(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    if not stands_free(text, start, end, b".") or (start and text[start - 1] == 46):
        return
    parts = text[start:end].split(b".")
    if any(int(part) > 255 or (len(part) > 1 and part[0] == 48) for part in parts):
        return
    address = text[start:end]
    if address in _NOBODYS or address.startswith(b"255.255."):
        return
    if _IS_VERSION.search(line_before(text, start, 24)) is None:
        yield start, end


_QUAD = rb"[0-9A-Fa-f]{1,4}"
_MORE = rb"(?::" + _QUAD + rb"){0,6}"
_IPV6 = (
    rb"\b(?:" + _QUAD + rb":){7}" + _QUAD + rb"|\b" + _QUAD + _MORE + rb"::(?:" + _QUAD + _MORE + rb")?"
    rb"|::" + _QUAD + rb"(?::" + _QUAD + rb"){1,6}"
)  # fmt: skip
_IPV4_TAIL = compiled(rb"(?:\.\d{1,3}){3}")


def _ipv6s(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    tail = _IPV4_TAIL.match(text, end) if text[end : end + 1] == b"." else None
    end = tail.end() if tail else end
    before, after = text[start - 1 : start], text[end : end + 1]
    if (before and (before in b":." or before[0] in WORD)) or (after and (after == b":" or after[0] in WORD)):
        return
    address = text[start:end]
    groups = [group for group in address.split(b":") if group]
    if len(groups) < 2 or DIGITS.isdisjoint(address):
        return  # `::`, `::1`, `a::b`: nobody's, or a name of a program's
    if len(groups) == 8 and all(len(group) == 2 for group in groups):
        return  # a hardware address of 64 bits
    try:
        ipaddress.IPv6Address(address.decode("ascii"))
    except ValueError:
        return
    yield start, end


RECOGNISERS = (
    Recogniser(PiiKind.EMAIL, _EMAIL, _emails),
    Recogniser(PiiKind.IPV4, _IPV4, _ipv4s),
    Recogniser(PiiKind.IPV6, _IPV6, _ipv6s),
)
