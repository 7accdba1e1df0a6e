"""The functions of Prometheus' templates besides Go's own. Source: template/template.go of Prometheus."""

from __future__ import annotations

import functools
import ipaddress
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

import re2

from monitor.model.matchers import MAX_PATTERN
from monitor.query.durations import DurationError, parse_duration
from monitor.query.humanize import humanize, humanize_1024, humanize_duration, humanize_percentage, humanize_timestamp
from monitor.text.gotemplate.builtins import CallError, Known
from monitor.text.gotemplate.values import Struct, TextMap

_WORD = re.compile(r"[^\W_](?:\w)*|_\w*")
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))", re.ASCII)
_MOST_TEXT = 65_536


class Sample(Struct):
    """One series of an answer: `Labels` and `Value`."""

    of = "*template.sample"


def sample(labels: dict[str, str], value: float) -> Sample:
    return Sample(Labels=TextMap(labels), Value=value)


def _guarded(function: Callable[[Any], str]) -> Callable[[Any], str]:
    def called(value: Any) -> str:
        try:
            return function(value)
        except ValueError as error:
            raise CallError(str(error)) from None

    return called


def _first(samples: list[Sample]) -> Sample:
    if not samples:
        raise CallError("first() called on vector with no elements")
    return samples[0]


def _title(text: str) -> str:
    """The first letter of each word; what stands within a word stays."""
    return _WORD.sub(lambda found: found[0][0].upper() + found[0][1:], text)


@functools.lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        if len(text) > MAX_PATTERN:
            raise CallError(f"the pattern has {len(text)} characters (at most {MAX_PATTERN})")
        return re2.compile(text, options)
    except re2.error as error:
        raise CallError(f"error parsing regexp: {str(error)[:200]}") from None


def _replace_all(pattern: str, replacement: str, text: str) -> str:
    compiled = _pattern(pattern)
    parts, end, size = [], 0, 0
    for found in compiled.finditer(text):
        parts += [text[end : found.start()], _expanded(replacement, found, compiled)]
        end, size = found.end(), size + len(parts[-1])
        if size > _MOST_TEXT:
            raise CallError(f"it gives more than {_MOST_TEXT:,} characters")
    return "".join([*parts, text[end:]])


def _expanded(replacement: str, found: Any, compiled: Any) -> str:
    """`$1`, `${1}`, `$name`, `$$`; a reference to nothing is empty."""

    def reference(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        name = match[2] or match[3]
        known = int(name) if name.isdigit() and len(name) < 6 else compiled.groupindex.get(name, compiled.groups + 1)
        return (found.group(known) or "") if known <= compiled.groups else ""

    return _REFERENCE.sub(reference, replacement)


def _split(address: str) -> tuple[str, str] | None:
    """Host and port as Go's net.SplitHostPort takes them; None where it refuses."""
    found = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):([^:\[\]]*)", address)
    return None if found is None else (found[1] if found[1] is not None else found[2], found[3])


def _strip_port(address: str) -> str:
    parts = _split(address)
    return address if parts is None else parts[0]


def _strip_domain(address: str) -> str:
    host, port = _split(address) or (address, "")
    try:
        ipaddress.ip_address(host)
        return address
    except ValueError:
        host = host.partition(".")[0]
    return f"[{host}]:{port}" if port and ":" in host else f"{host}:{port}" if port else host


def _seconds(text: str) -> float:
    try:
        return 0.0 if text == "0" else parse_duration(text) / 1000
    except DurationError as error:
        raise CallError(str(error)) from None


def _link(tab: int) -> Callable[[str], str]:
    return lambda expression: f"/graph?g0.expr={urllib.parse.quote_plus(expression, safe='-_.~')}&g0.tab={tab}"


def _sorted_by(label: str, samples: list[Sample]) -> list[Sample]:
    return sorted(samples, key=lambda one: str(one["Labels"].get(label, "")))


_TEXT, _ANY = ("text",), ("any",)
FUNCTIONS: dict[str, Known] = {
    "first": Known(_first, ("samples",)),
    "label": Known(lambda name, one: one["Labels"].get(name, ""), ("text", "sample")),
    "value": Known(lambda one: one["Value"], ("sample",)),
    "strvalue": Known(lambda one: one["Labels"].get("__value__", ""), ("sample",)),
    "sortByLabel": Known(_sorted_by, ("text", "samples")),
    "args": Known(lambda *values: {f"arg{place}": value for place, value in enumerate(values)}, _ANY, more=True),
    "reReplaceAll": Known(_replace_all, ("text", "text", "text")),
    "match": Known(lambda pattern, text: _pattern(pattern).search(text) is not None, ("text", "text")),
    "safeHtml": Known(lambda text: text, _TEXT),
    "title": Known(_title, _TEXT),
    "toUpper": Known(lambda text: text.upper(), _TEXT),
    "toLower": Known(lambda text: text.lower(), _TEXT),
    "graphLink": Known(_link(0), _TEXT),
    "tableLink": Known(_link(1), _TEXT),
    "stripPort": Known(_strip_port, _TEXT),
    "stripDomain": Known(_strip_domain, _TEXT),
    "parseDuration": Known(_seconds, _TEXT),
    "urlQueryEscape": Known(lambda text: urllib.parse.quote_plus(text, safe="-_.~"), _TEXT),
    "humanize": Known(_guarded(humanize), _ANY),
    "humanize1024": Known(_guarded(humanize_1024), _ANY),
    "humanizeDuration": Known(_guarded(humanize_duration), _ANY),
    "humanizePercentage": Known(_guarded(humanize_percentage), _ANY),
    "humanizeTimestamp": Known(_guarded(humanize_timestamp), _ANY),
}
