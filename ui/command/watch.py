"""`lightship watch`: a line a series at each tick, as the collector sends it."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from typing import Any

from monitor.wire.messages import Frame, Reply, Resume
from ui.client.mirror import Mirror
from ui.client.subscription import Subscription
from ui.command.ask import Conversation
from ui.command.exits import OK, REFUSED, CommandError
from ui.command.show import complain
from ui.command.values import row_of

MOST_TICKS_MISSED = 5.0
"""So many ticks without a frame are silence, if they are longer than the patience asked for."""


def watch(talk: Conversation, arguments: argparse.Namespace, fields: tuple[str, ...], window: float) -> int:
    """Print until `--count` ticks have come. Raises `CommandError` when the collector refuses or falls silent."""
    mirror = Mirror()
    mirror.apply(talk.hello)
    subscription = mirror.subscribe(arguments.selector, fields, window, limit=arguments.limit)
    talk.send(Resume(id=talk.number() + subscription.id, client="command"))
    talk.send(subscription.request())
    for ticks, _ in enumerate(_frames(talk, mirror, subscription), 1):
        stamp = time.strftime("%H:%M:%S", time.localtime(subscription.time))
        entries = _entries(mirror, subscription, fields)
        if ticks == 1 and not entries:
            complain(f"No series matches {arguments.selector} yet.")
        for entry in entries:
            if arguments.json:
                print(json.dumps({"time": stamp, **entry}, ensure_ascii=False))
            else:
                print(stamp, *row_of(entry, fields), sep="  ")
        print(end="", flush=True)
        if ticks == arguments.count:
            break
    return OK


def _frames(talk: Conversation, mirror: Mirror, subscription: Subscription) -> Iterator[Frame]:
    """The subscription's frames, with the mirror brought up to each."""
    patience = max(talk.timeout, MOST_TICKS_MISSED * talk.hello.interval)
    while True:
        message = talk.receive(patience)
        mirror.apply(message)
        if isinstance(message, Reply) and message.error:
            raise CommandError(message.error, REFUSED)
        if isinstance(message, Frame) and message.sub == subscription.id:
            yield message


def _entries(mirror: Mirror, subscription: Subscription, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    """As `lightship get --json` tells them, by name."""
    infos = [mirror.series[row] for row in subscription.rows.tolist() if row in mirror.series]
    entries = [
        {
            "name": info.key.name,
            "tags": dict(info.key.tags),
            "fields": {field: _finite(subscription.value(info.row, field)) for field in fields},
        }
        for info in infos
    ]
    return sorted(entries, key=lambda entry: (entry["name"], sorted(entry["tags"].items())))


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None
