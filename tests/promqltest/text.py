"""Small pieces of the test language: durations, numbers, labels. The parser of the product is not used: it is what is tested."""

from __future__ import annotations

import re

from monitor.query.history import Labels

_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
_UNITS = (365 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)
_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class BadTestError(ValueError):
    """Text that is no test."""


def duration(text: str) -> int:
    """Milliseconds of `1h30m`, `0`, `-30s`."""
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if body == "0":
        return 0
    found = _DURATION.fullmatch(body)
    if not body or found is None:
        raise BadTestError(f"not a duration: {text!r}")
    return sign * sum(int(count) * unit for count, unit in zip(found.groups(), _UNITS, strict=True) if count)


def number(text: str) -> float:
    """A float as Go's strconv reads it."""
    if re.fullmatch(r"[+-]?0[xX][0-9a-fA-F]+", text):
        return float(int(text, 16))
    if "_" in text:
        raise BadTestError(f"not a number: {text!r}")
    try:
        return float(text)
    except ValueError:
        raise BadTestError(f"not a number: {text!r}") from None


def unquote(text: str) -> str:
    """What a quoted string stands for, as Go reads it."""
    if _QUOTED.fullmatch(text) is None:
        raise BadTestError(f"not a quoted string: {text!r}")
    if text.startswith("`"):
        return text[1:-1]

    def plain(found: re.Match[str]) -> str:
        code = found.group(1)
        if code[0] in "xuU" and len(code) > 1:
            return chr(int(code[1:], 16))
        if code.isdigit() and len(code) == 3:
            return chr(int(code, 8))
        return _PLAIN.get(code, code)

    return _ESCAPE.sub(plain, text[1:-1])


def metric(text: str) -> tuple[Labels, str]:
    """Labels of `name{label="value"}` and the text that follows it."""
    labels: dict[str, str] = {}
    name = _NAME.match(text)
    position = name.end() if name else 0
    if name:
        labels["__name__"] = name.group()
    if position < len(text) and text[position] == "{":
        position = _braces(text, position + 1, labels)
    elif name is None:
        raise BadTestError(f"no metric at the beginning of {text!r}")
    return tuple(sorted((label, value) for label, value in labels.items() if value)), text[position:]


def _braces(text: str, position: int, labels: dict[str, str]) -> int:
    while True:
        position = _skip(text, position)
        if text.startswith("}", position):
            return position + 1
        quoted, bare = _QUOTED.match(text, position), _LABEL.match(text, position)
        found = quoted or bare
        if found is None:
            raise BadTestError(f"no label at {text[position:]!r}")
        label = unquote(found.group()) if quoted else found.group()
        position = _skip(text, found.end())
        if quoted and not text.startswith("=", position):
            labels["__name__"] = label
        else:
            value = _QUOTED.match(text, _skip(text, position + 1))
            if not text.startswith("=", position) or value is None:
                raise BadTestError(f"no value of the label {label} at {text[position:]!r}")
            labels[label] = unquote(value.group())
            position = _skip(text, value.end())
        if text.startswith(",", position):
            position += 1
        elif not text.startswith("}", position):
            raise BadTestError(f"neither a comma nor a brace at {text[position:]!r}")


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t":
        position += 1
    return position
