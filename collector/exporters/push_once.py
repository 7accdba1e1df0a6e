"""Pushing to a Pushgateway, once: what a job that is about to end has to say.

Source: prometheus/pushgateway, README (API). Groups are named in the path; a value that has a slash or is empty goes as base64.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from collector.exporters.exporter import Patience
from collector.storage.remote.request import Answered, Reply, plain, post, settled
from collector.storage.remote.target import RemoteTarget, shown

if TYPE_CHECKING:
    import aiohttp

Method = Literal["PUT", "POST", "DELETE"]
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_PAIR = re.compile(r"(?P<name>[^={}\s]+)(?P<labels>\{[^\n]*\})?=(?P<value>\S+)")
MOST_BYTES = 16 << 20


class PushError(Exception):
    """Nothing was pushed; the message says why and what to do."""


def group_url(base: str, job: str, grouping: Mapping[str, str]) -> str:
    """`base/metrics/job/…`: where the group of these labels is. Raises `PushError` for a label that there cannot be."""
    root = base.rstrip("/")
    path = "" if root.endswith("/metrics") else "/metrics"
    for name, value in (("job", job), *grouping.items()):
        if _LABEL.fullmatch(name) is None or (name == "job" and not value):
            raise PushError(f"{name[:60]!r}={value[:60]!r} cannot name a group; use letters, digits and underscores, and a job")
        if "/" in value or not value or value in (".", ".."):
            packed = base64.urlsafe_b64encode(value.encode("utf-8", "replace")).decode() or "="
            path += f"/{name}@base64/{packed}"
        else:
            path += f"/{name}/{quote(value, safe='', errors='replace')}"
    return root + path


def exposition(pairs: Sequence[str]) -> bytes:
    """Text of `name=value` and `name{label="value"}=value`: names ending with `_total` are counters, others gauges. Raises
    `PushError`.
    """
    found: dict[str, list[str]] = {}
    for pair in pairs:
        read = _PAIR.fullmatch(pair.strip())
        if read is None or _NAME.fullmatch(read["name"]) is None:
            raise PushError(
                f"{pair[:60]!r} is no name=value; write backup_bytes=1024, letters, digits and underscores in the name"
            )
        try:
            float(read["value"].replace("_", "x"))
        except ValueError:
            raise PushError(f"{pair[:60]!r} has no number behind the equals sign") from None
        found.setdefault(read["name"], []).append(f"{read['name']}{read['labels'] or ''} {read['value']}\n")
    parts = []
    for name, lines in found.items():
        parts.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}\n")
        parts += lines
    return "".join(parts).encode()


async def push(
    session: aiohttp.ClientSession,
    target: RemoteTarget,
    url: str,
    body: bytes,
    *,
    method: Method = "PUT",
    content_type: str = _TEXT,
    patience: float = 30.0,
    now: float = 0.0,
) -> Reply:
    """One push to a group of `target`. PUT replaces the group, POST only metrics of the same names, DELETE ends it."""
    headers = {**target.all_headers(target.write_url), "Content-Type": content_type}
    answered = await post(session, url, headers, body, patience=patience, method=method)
    return settled(answered, now) if isinstance(answered, Answered) else answered


def push_once(
    base: str,
    body: bytes,
    *,
    job: str,
    grouping: Mapping[str, str] | None = None,
    method: Method = "PUT",
    headers: Mapping[str, str] | None = None,
    attempts: int = 4,
    patience: Patience | None = None,
) -> None:
    """Pushes an exposition to the Pushgateway at `base` and returns when it is there; tries again a few times while it is away.

    Raises `PushError` with a sentence. For a program that runs no loop.
    """
    if len(body) > MOST_BYTES:
        raise PushError(f"the exposition has {len(body)} bytes, at most {MOST_BYTES} are pushed; push fewer metrics")
    try:
        target = RemoteTarget(base, base, dict(headers or {}))
    except ValueError as error:
        raise PushError(str(error)) from None
    url = group_url(base, job, grouping or {})
    patient = patience or Patience(answer=10.0, least=0.5, longest=5.0)
    reply = asyncio.run(_tried(target, url, body, method, attempts, patient))
    if reply.kind == "refused":
        raise PushError(f"{shown(base)} refused it ({reply.reason}); look at the names and types that other groups pushed")
    if reply.kind != "done":
        raise PushError(f"{shown(base)} did not take it in {attempts} attempts ({reply.reason}); is a Pushgateway running there?")


async def _tried(target: RemoteTarget, url: str, body: bytes, method: Method, attempts: int, patience: Patience) -> Reply:
    import random

    from collector.storage.remote.sender import client_session

    reply = Reply("again")
    async with client_session() as session:
        for attempt in range(attempts):
            reply = await push(session, target, url, body, method=method, patience=patience.answer, now=time.time())
            if reply.kind != "again":
                return reply
            if attempt + 1 < attempts:
                await asyncio.sleep(patience.after(attempt, random.random(), reply.wait))
    return reply._replace(reason=plain(reply.reason))
