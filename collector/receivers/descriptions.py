"""What senders say of their metrics: type, help and unit, by name.

The history knows a metric's kind and unit by its series; this is what only the sender knows. Senders tell it again and again, so
it is not kept over a restart.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from monitor.query.history import Metadata

MOST = 50_000
"""Metrics that something is remembered of; of further ones nothing is."""
LONGEST_NAME, LONGEST_HELP, LONGEST_UNIT = 512, 1000, 64
_PARTS = ("_bucket", "_count", "_sum", "_total", "_info")


class Descriptions:
    """May be told and asked from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: dict[str, Metadata] = {}
        self.dropped = 0
        """How often a metric was told for which there was no room."""

    def __len__(self) -> int:
        return len(self._known)

    def tell(self, name: str, said: Metadata) -> None:
        """The latest of a name holds, but what says less does not take away what was known."""
        before = self._known.get(name)
        if before == said:
            return
        if before is None and (len(self._known) >= self._most or not name or len(name) > LONGEST_NAME):
            self.dropped += 1
            return
        whole = Metadata(said.type, said.help[:LONGEST_HELP], said.unit[:LONGEST_UNIT])
        self._known[name] = over(before, whole) if before is not None else whole

    def tell_all(self, said: Mapping[str, Metadata]) -> None:
        """As `tell`, of many."""
        for name, one in said.items():
            self.tell(name, one)

    def added_to(self, known: Mapping[str, Metadata]) -> dict[str, Metadata]:
        """What is known of metrics that have series, with what their senders say. The family of such metrics (`x` of `x_bucket`)
        is named too, as in Prometheus; its parts get its help.
        """
        found = dict(known)
        for name, said in list(self._known.items()):
            parts = [name + part for part in _PARTS if name + part in known]
            if name in known:
                found[name] = over(known[name], said)
            elif parts:
                found[name] = said
            for part in parts:
                if not found[part].help:
                    found[part] = msgspec.structs.replace(found[part], help=said.help)
        return found

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        return {"described_metrics": float(len(self._known)), "descriptions_dropped_total": float(self.dropped)}


def over(before: Metadata, said: Metadata) -> Metadata:
    """What is said where something is, else what was known before."""
    kind = said.type if said.type != "unknown" else before.type
    return Metadata(kind, said.help or before.help, said.unit or before.unit)
