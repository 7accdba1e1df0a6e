"""The receivers of the settings: [[receiver]] tables made into ways to tell somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.actions.receiver import Receiver
from monitor.alerting.routing.reader import RoutingError

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Receivers:
    """By their names, with how many notices a minute each may get."""

    by_name: Mapping[str, Receiver] = field(default_factory=dict)
    per_minute: Mapping[str, float] = field(default_factory=dict)

    async def close(self) -> None:
        """Let go of all connections."""
        await asyncio.gather(*(receiver.close() for receiver in self.by_name.values()), return_exceptions=True)


def receivers_of(tables: Sequence[Table], folder: Path) -> Receivers:
    """From the settings. `folder`: the data folder, for what is written there. Raises `RoutingError` where one makes no sense."""
    made: dict[str, Receiver] = {}
    paces: dict[str, float] = {}
    for table in tables:
        name = table["name"]
        made[name] = _make(table, folder)
        paces[name] = _per_minute(name, table["per_minute"])
    return Receivers(made, paces)


def _make(table: Table, folder: Path) -> Receiver:
    raise RoutingError(f"[[receiver]] {table['name']!r}: the type {table['type']} is not there yet")


def _per_minute(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 6000:
        raise RoutingError(f"[[receiver]] {name!r}: per_minute is a number above 0, up to 6000")
    return value
