"""Values as templates see them, and how Go shows them (`%v`).

A value is text, a float, an int, a flag, None, a list, a `TextMap` (a missing key is ""), a dict, or a `Struct`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MISSING = "<no value>"


class TextMap(dict[str, str]):
    """A map of text: what is not in it is ""."""


class Struct(dict[str, Any]):
    """Fields by name; one that is not there is a mistake. `of` is the type's name in errors."""

    of = "struct"


def type_name(value: Any) -> str:
    """The type as Go names it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, TextMap):
        return "map[string]string"
    if isinstance(value, Struct):
        return value.of
    for kind, name in ((str, "string"), (float, "float64"), (int, "int"), (list, "template.queryResult")):
        if isinstance(value, kind):
            return name
    return "map[string]interface {}"


def truth(value: Any) -> bool:
    """Whether `if` takes it for true: not for 0, "", nil and what is empty."""
    return True if isinstance(value, Struct) else bool(value)


def show(value: Any) -> str:
    """What `{{ value }}` writes. May grow with the value; the caller bounds its output."""
    if isinstance(value, str):
        return value
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + " ".join(map(show, value)) + "]"
    if isinstance(value, Struct):
        return "{" + " ".join(map(show, value.values())) + "}"
    assert isinstance(value, Mapping)
    return "map[" + " ".join(f"{name}:{show(value[name])}" for name in sorted(value)) + "]"


def number(value: float) -> str:
    """A float in the fewest digits that say it, with an exponent below -4 and from 6 on, as Go's `%v` writes it."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign = "-" if value < 0 else ""
    said = repr(abs(value)).partition("e")
    digits = said[0].replace(".", "").strip("0")
    power = int(f"{abs(value):.{len(digits) - 1}e}".partition("e")[2])
    if power < -4 or power >= 6:
        rest = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{rest}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    digits = digits.ljust(power + 1, "0")
    rest = "." + digits[power + 1 :] if len(digits) > power + 1 else ""
    return f"{sign}{digits[: power + 1]}{rest}"
