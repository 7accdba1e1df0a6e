"""What a collector has after all, compared with what senders were told that it took."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monitor.wire import messages as m
from tests.killing.senders import PLACES, SPANS_OF_A_TRACE, Sender, span_of, trace_of
from tests.running import Collector
from ui.command.ask import conversation


@dataclass
class Found:
    """Points or spans: `sent` ones that were acknowledged, `missing`, `twice`, and `wrong`, which nobody sent like that."""

    sent: int = 0
    missing: int = 0
    twice: int = 0
    wrong: int = 0

    @property
    def is_whole(self) -> bool:
        return self.sent > 0 and not (self.missing or self.twice or self.wrong)

    def told(self) -> dict[str, int]:
        return {"acknowledged": self.sent, "missing": self.missing, "twice": self.twice, "wrong": self.wrong}


def asked(one: Collector, query: str) -> list[dict[str, Any]]:
    """The result of an instant query."""
    with urllib.request.urlopen(f"{one.url}/api/v1/query?query={urllib.parse.quote(query)}", timeout=60) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
    return found


def points(one: Collector, name: str, senders: Sequence[Sender], over: str) -> Found:
    """Raw samples of the history by query: each (time, value) of each series is to be there once, and no other."""
    found = Found()
    for sender in senders:
        kept = {each["metric"]["place"]: each["values"] for each in asked(one, f'{name}{{sender="{sender.name}"}}[{over}]')}
        counted = {
            each["metric"]["place"]: float(each["value"][1])
            for each in asked(one, f'count_over_time({name}{{sender="{sender.name}"}}[{over}])')
        }
        expected = [(at, float(number)) for number, at in enumerate(sender.times)]
        for place in map(str, range(PLACES)):
            there = [(round(float(at) * 1000), float(value)) for at, value in kept.get(place, [])]
            found.sent += len(expected)
            found.missing += len(set(expected) - set(there))
            found.twice += len(there) - len(set(there))
            found.wrong += len(set(there) - set(expected)) + (counted.get(place, 0.0) != len(there))
    return found


def traced(one: Collector, senders: Sequence[Sender]) -> Found:
    """Spans as whoever opens their traces sees them."""
    found = Found()
    with conversation(one.url, 30.0) as talk:
        for sender in senders:
            found.sent += len(sender.times)
            for first in range(0, len(sender.times), SPANS_OF_A_TRACE):
                expected = {span_of(number) for number in range(first, min(first + SPANS_OF_A_TRACE, len(sender.times)))}
                talk.send(m.GetTrace(id=talk.number(), trace=trace_of(sender.name, first)))
                while not isinstance(opened := talk.receive(), m.TraceFound):
                    assert not isinstance(opened, m.Reply), opened
                there = [span.span for span in opened.spans]
                found.missing += len(expected - set(there))
                found.twice += len(there) - len(set(there))
                found.wrong += len(set(there) - expected)
    return found


def windowed(one: Collector, name: str, senders: Sequence[Sender]) -> tuple[int, int]:
    """How many points the windows of an hour counted, and how many were acknowledged.

    A kill costs windows what came in the second that was not written yet, as `docs/architecture.md` has it; they never count a
    point twice.
    """
    counted = one.get(name, "count", "1h")
    return round(sum(value or 0.0 for value in counted.values())), PLACES * sum(len(sender.times) for sender in senders)
