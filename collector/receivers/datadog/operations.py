"""What a Datadog span's type and resource say: the kind of span, and the name of its operation without what varies."""

from __future__ import annotations

import re

from collector.receivers.statsd.grammar import printable
from monitor.model.spans import SpanKind

MAX_NAME = 256

KINDS = {kind.name.lower(): kind for kind in SpanKind if kind is not SpanKind.UNSPECIFIED}
"""By the tag span.kind."""
SQL = frozenset({"sql", "cassandra"})
_KEY_VALUE = frozenset({"redis", "valkey", "memcached"})
STORES = SQL | _KEY_VALUE | {"cache", "mongodb", "elasticsearch", "opensearch", "aerospike", "dynamodb"}
_BY_TYPE = {"web": SpanKind.SERVER, "http": SpanKind.CLIENT, **dict.fromkeys(STORES, SpanKind.CLIENT)}
_LITERAL = re.compile(r"'(?:[^'\\]|\\.|'')*'|(?<![\w$.])[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)")
_SAME = re.compile(r"\?(?:\s*,\s*\?)+")


def kind_of(said: str | None, span_type: str) -> SpanKind:
    """By the tag span.kind, or where that is missing by the span's type."""
    return KINDS.get(said or "", SpanKind.UNSPECIFIED) or _BY_TYPE.get(span_type, SpanKind.UNSPECIFIED)


def operation(resource: str, span_type: str) -> str:
    """The operation's name: the resource as safe text of at most `MAX_NAME` characters.

    Tracers leave it to the agent to take out what differs with each call: literals of SQL become `?`, lists of them one,
    and of a key-value store's command its first word stays.
    """
    text = resource[: 16 * MAX_NAME]
    if span_type in SQL:
        text = _SAME.sub("?", _LITERAL.sub("?", " ".join(text.split())))
    elif span_type in _KEY_VALUE:
        text = text.split(None, 1)[0] if text.strip() else text
    return bounded(text, MAX_NAME)


def bounded(text: str, limit: int) -> str:
    """Safe text of at most `limit` characters."""
    safe = printable(text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
