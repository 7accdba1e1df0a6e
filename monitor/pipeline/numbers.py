"""Numbers that carry their own proof: payment cards (Luhn), IBANs (mod 97), US social security numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.pipeline.found import PiiKind, Recogniser, Span, stands_free

_LUHN = (bytes.maketrans(b"0123456789", bytes(range(10))), bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9))))

_ISSUERS: tuple[tuple[int, int, int, int], ...] = (
    (400000, 499999, 13, 19),  # Visa
    (510000, 559999, 16, 16),  # Mastercard
    (222100, 272099, 16, 16),  # Mastercard
    (340000, 349999, 15, 15),  # American Express
    (370000, 379999, 15, 15),  # American Express
    (300000, 305999, 14, 19),  # Diners Club
    (309500, 309599, 14, 19),  # Diners Club
    (360000, 369999, 14, 19),  # Diners Club
    (380000, 399999, 14, 19),  # Diners Club
    (350000, 359999, 16, 19),  # JCB
    (213100, 213199, 15, 15),  # JCB, old
    (180000, 180099, 15, 15),  # JCB, old
    (601100, 601199, 16, 19),  # Discover
    (644000, 659999, 16, 19),  # Discover
    (620000, 629999, 16, 19),  # UnionPay
    (810000, 819999, 16, 19),  # UnionPay
    (220000, 220499, 16, 19),  # Mir
    (979200, 979299, 16, 16),  # Troy
    (500000, 509999, 12, 19),  # Maestro, RuPay, Elo
    (560000, 589999, 12, 19),  # Maestro
    (600000, 609999, 16, 19),  # RuPay
    (630000, 639999, 12, 19),  # Maestro
    (670000, 679999, 12, 19),  # Maestro
)


def luhn(digits: bytes) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    plain, doubled = digits[::-2].translate(_LUHN[0]), digits[-2::-2].translate(_LUHN[1])
    return (sum(plain) + sum(doubled)) % 10 == 0


def is_card(digits: bytes) -> bool:
    """Whether an issuer gives out numbers that begin like this and are as long, and the check digit is right."""
    if not 12 <= len(digits) <= 19 or digits.count(digits[:1]) == len(digits):
        return False
    issuer = int(digits[:6])
    return any(low <= issuer <= high and least <= len(digits) <= most for low, high, least, most in _ISSUERS) and luhn(digits)


_CARD = (
    rb"\b(?:[3-6]\d{11,18}|(?:2[2-7]\d\d|1800|2131|81\d\d|9792)\d{8,15}"
    rb"|\d{4}(?: \d{4}){3}(?: \d{1,3})?|\d{4}(?:-\d{4}){3}(?:-\d{1,3})?|\d{4}[ -]\d{6}[ -]\d{4,5})\b"
)


def _cards(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    if not stands_free(text, start, end, b".,"):
        return
    digits = text[start:end].translate(None, b" -")
    if len(digits) == 12 and text[start - 1 : start] == b"-":
        return  # the end of a UUID
    if is_card(digits):
        yield start, end
    elif end - start > 19 and len(digits) > 16 and is_card(digits[:16]):
        yield start, start + 19  # the last group was not part of it


_BY_LENGTH = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST",
    26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
    30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_IBAN_LENGTHS = {country: length for length, countries in _BY_LENGTH.items() for country in countries.split()}
"""Characters of an IBAN by country, from the registry of ISO 13616."""

_COUNTRIES = "|".join(sorted(_IBAN_LENGTHS)).encode()
_IBAN = rb"\b(?i:" + _COUNTRIES + rb")\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,4})?\b"
_HEX = frozenset(b"0123456789abcdef")


def is_iban(compact: bytes) -> bool:
    """Whether letters and digits without spaces are an IBAN: its country's length, and 1 modulo 97 (ISO 7064)."""
    upper = compact.upper()
    if _IBAN_LENGTHS.get(upper[:2].decode("ascii", "replace")) != len(upper) or not upper.isalnum():
        return False
    return int("".join(str(int(chr(sign), 36)) for sign in upper[4:] + upper[:4])) % 97 == 1


def _ibans(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    length = _IBAN_LENGTHS[text[start : start + 2].decode("ascii").upper()]
    at, signs = start, 0
    while at < end and signs < length:  # words behind it may have been taken for groups of it
        signs += text[at] != 32
        at += 1
    if signs < length or not stands_free(text, start, at):
        return
    compact = text[start:at].translate(None, b" ")
    if not (compact.islower() and _HEX.issuperset(compact)) and is_iban(compact):
        yield start, at


_SSN = (
    rb"\b\d{3}-\d{2}-\d{4}\b"
    rb"|(?i:\bssn|social[ _-]?security|\btax[ _-]?id)[^\d\n\0]{0,40}\d{3}[ -]?\d{2}[ -]?\d{4}\b"
)
_NEVER_GIVEN = {b"078051120", b"219099999"}
"""Printed on cards in wallets and in an advertisement; the administration declared them void."""


def is_ssn(digits: bytes) -> bool:
    """Whether nine digits can be a US social security number: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    area = digits[:3]
    impossible = area in (b"000", b"666") or area[:1] == b"9" or digits[3:5] == b"00" or digits[5:] == b"0000"
    return len(digits) == 9 and not impossible and digits not in _NEVER_GIVEN


def _ssns(text: bytes, match: Any) -> Iterator[Span]:
    start, end = match.span()
    while not 48 <= text[start] <= 57:
        start += 1
    if stands_free(text, start, end, b".-") and is_ssn(text[start:end].translate(None, b" -")):
        yield start, end


RECOGNISERS = (
    Recogniser(PiiKind.CARD, _CARD, _cards),
    Recogniser(PiiKind.IBAN, _IBAN, _ibans),
    Recogniser(PiiKind.SSN, _SSN, _ssns),
)
