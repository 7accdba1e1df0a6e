"""Spans written as v0.4 has them, packed in every version that tracers send."""

from __future__ import annotations

from typing import Any

import msgspec

Chunks = list[list[dict[str, Any]]]

NUMBERS = ("trace_id", "span_id", "parent_id", "start", "duration", "error")


def plain(chunks: Chunks) -> bytes:
    return msgspec.msgpack.encode(chunks)


def as_json(chunks: Chunks) -> bytes:
    return msgspec.json.encode(chunks)


def packed(chunks: Chunks) -> bytes:
    """v0.5: a list of texts, and places in it."""
    places: dict[str, int] = {"": 0}

    def place(text: str | None) -> int:
        return places.setdefault(text or "", len(places))

    def row(span: dict[str, Any]) -> list[Any]:
        texts = [place(span.get(name)) for name in ("service", "name", "resource")]
        meta = {place(name): place(value) for name, value in (span.get("meta") or {}).items()}
        metrics = {place(name): value for name, value in (span.get("metrics") or {}).items()}
        return [*texts, *(span.get(name) or 0 for name in NUMBERS), meta, metrics, place(span.get("type"))]

    rows = [[row(span) for span in chunk] for chunk in chunks]
    return msgspec.msgpack.encode([list(places), rows])


def tracer_payload(chunks: Chunks, **said: str) -> bytes:
    """v0.7."""
    return msgspec.msgpack.encode({**said, "chunks": [{"priority": 1, "origin": "", "spans": chunk} for chunk in chunks]})
