"""Credentials: web tokens, keys with a known beginning, and what stands behind `password=` and the like."""

from __future__ import annotations

import binascii
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from monitor.pipeline.found import PiiKind, Recogniser, Span, compiled

_JWT = rb"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"


def _jwts(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    header = text[start:end].partition(b".")[0][:64]
    try:
        opened = binascii.a2b_base64(header[: len(header) // 4 * 4].replace(b"-", b"+").replace(b"_", b"/"))
    except binascii.Error:
        return
    if opened.startswith(b'{"'):
        yield start, end


_KNOWN = rb"|".join(
    (
        rb"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z2-7]{16}\b",  # Amazon Web Services
        rb"\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_[A-Za-z0-9_]{22,255}\b",
        rb"\bglpat-[A-Za-z0-9_-]{20,64}",  # GitLab
        rb"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}|\bxapp-\d-[A-Za-z0-9-]{10,250}|\bhooks\.slack\.com/services/[A-Za-z0-9/]{20,80}",
        rb"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,247}\b|\bwhsec_[A-Za-z0-9+/]{24,64}",  # Stripe
        rb"\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{28}",  # Google
        rb"\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,200}",
        rb"\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}",  # SendGrid
        rb"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[A-Za-z0-9_-]{50,}|\bdop_v1_[a-f0-9]{64}\b|\bhf_[A-Za-z0-9]{30,40}\b",
        rb"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b|\bSK[0-9a-f]{32}\b|\bkey-[0-9a-f]{32}\b",  # Shopify, Twilio, Mailgun
        rb"\bdd[paw]_[A-Za-z0-9]{30,60}\b|\bglsa_[A-Za-z0-9_]{40,60}\b|\bhv[sb]\.[A-Za-z0-9_-]{24,}",  # Datadog, Grafana, Vault
        rb"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[A-Za-z0-9+/=\s\\,:-]*(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?",
    )
)


def _known(text: bytes, match: Any) -> Iterator[Span]:
    yield match.span()


_VALUE_GAP = rb"\\?[\"']?\s?(?:[=:]|=>)\s?\\?[\"']?"
_PASSWORD_KEY = rb"(?i:pass(?:word|wd|phrase|code)?|pwd|passwort|mot[_-]?de[_-]?passe)"
_PASSWORD = _PASSWORD_KEY + _VALUE_GAP + rb"[^\s\"'&;,<>\[\](){}\\\0][^\s\"'&;,<>\\\0]{2,}"
_PLACEHOLDERS = frozenset(
    b"null none nil undefined true false yes no required missing invalid incorrect wrong expired changed reset empty unset"
    b" redacted hidden masked filtered removed failed ok error string secret password for not the was is and has must"
    b" should".split()
)


def _value_start(text: bytes, start: int, end: int) -> int:
    """Where the value of `key = "value"` begins in a match of the two together."""
    at = min(found for sign in (b"=", b":") if (found := text.find(sign, start, end)) >= 0) + 1
    while at < end and text[at] in b"> \t\r\n\"'\\":
        at += 1
    return at


def _passwords(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    if text[max(0, start - 3) : start + 5].lower().endswith((b"bypass=", b"bypass:", b"compass=", b"compass:")):
        return
    at = _value_start(text, start, end)
    value = text[at:end]
    if value.lower().rstrip(b".!?:") not in _PLACEHOLDERS and set(value) - set(b"*xX.-_#"):
        yield at, end


_TOKEN_KEY = rb"(?i:key|token|secret|credentials?|signature|authorization|auth|session[_-]?id|sid|cookie)"
_TOKEN = _TOKEN_KEY + _VALUE_GAP + rb"(?i:bearer |basic |token )?[A-Za-z0-9+/_~.=%-]{16,}"
_SCHEME = compiled(rb"(?i:bearer |basic |token )")
_BEARER = rb"(?i:\bbearer\s|\bauthorization:\s?basic\s)[A-Za-z0-9+/_~.=-]{8,}"
_IN_ADDRESS = rb"://[^\s/@:\"'\[\]\0]{0,64}:[^\s/@\"'\[\]\0]{1,128}@"
_UUID = compiled(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def entropy(value: bytes) -> float:
    """Bits a character, by how often each occurs (Shannon)."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values()) if value else 0.0


def looks_random(value: bytes) -> bool:
    """Whether a value was drawn and not named: long, of letters and digits mixed, each character a surprise."""
    if len(value) < 16 or not any(48 <= sign <= 57 for sign in value) or not any(chr(sign).isalpha() for sign in value):
        return False
    words = [part for part in value.replace(b"/", b"-").replace(b".", b"-").replace(b"_", b"-").split(b"-") if part]
    if max(len(part) for part in words or [b""]) < 12 and _UUID.fullmatch(value) is None:
        return False  # `cache-user-0001-profile`: a name of parts
    return entropy(value) >= 3.0


def _tokens(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    at = _value_start(text, start, end)
    scheme = _SCHEME.match(text, at, end)
    at = scheme.end() if scheme else at
    value = text[at:end].rstrip(b".")
    if looks_random(value):
        yield at, at + len(value)


def _bearers(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    at = start + max(text[start:end].rfind(sign) for sign in (b" ", b"\t", b"\n")) + 1
    value = text[at:end]
    if any(48 <= sign <= 57 for sign in value) or len(value) >= 24:
        yield at, end


def _in_addresses(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    at = text.find(b":", start + 3) + 1
    if at < end - 1:
        yield at, end - 1


RECOGNISERS = (
    Recogniser(PiiKind.JWT, _JWT, _jwts),
    Recogniser(PiiKind.SECRET, _KNOWN, _known),
    Recogniser(PiiKind.SECRET, _PASSWORD, _passwords, _PASSWORD_KEY),
    Recogniser(PiiKind.SECRET, _TOKEN, _tokens, _TOKEN_KEY),
    Recogniser(PiiKind.SECRET, _BEARER, _bearers),
    Recogniser(PiiKind.SECRET, _IN_ADDRESS, _in_addresses),
)
