"""What of the map is shown: the filter, only what fails, and the neighbourhood of a node."""

from __future__ import annotations

import numpy as np

from monitor.topology import graph as g
from ui.views import topologyfilter as filters
from ui.views.filter import MAX_FILTER
from ui.views.format import plural, sanitise
from ui.views.topologymap import KINDS, SHAPES, Now

MOST_HOPS = 3


class Narrowing:
    """Three ways to hide nodes; what is hidden keeps its place."""

    def __init__(self) -> None:
        self.text = ""
        self.error = ""
        """Why the text cannot be read; what was read last holds on."""
        self.failing = False
        self.near, self.hops = "", 0
        """Round whom, by whole name ("": whoever is not well), and how far; 0 shows everybody."""
        self._filter = filters.EVERYBODY

    @property
    def key(self) -> tuple[object, ...]:
        """Changes whenever what is shown may."""
        return self._filter, self.failing, self.near, self.hops

    @property
    def words(self) -> str:
        """Of whom only the neighbourhood is shown; "" when everybody is."""
        if not self.hops:
            return ""
        return f"{plural(self.hops, 'step')} round {sanitise(self.near, 40) if self.near else 'what is not well'}"

    def type(self, text: str) -> None:
        """Another filter is written."""
        self.text = text[:MAX_FILTER]
        self._filter, self.error = filters.attempt(self.text, self._filter)

    def next_hop(self, chosen: str) -> None:
        """Neighbours at one, two, three steps of the chosen node, then everybody; another node begins with one again."""
        if self.hops and chosen not in ("", self.near):
            self.near, self.hops = chosen, 1
        elif self.hops < MOST_HOPS:
            self.near, self.hops = self.near if self.hops else chosen, self.hops + 1
        else:
            self.everybody()

    def everybody(self) -> None:
        """No neighbourhood."""
        self.near, self.hops = "", 0

    def widen(self) -> bool:
        """Takes the newest narrowing back: neighbourhood, then what fails, then the filter; False when there is none."""
        if self.hops:
            self.everybody()
        elif self.failing:
            self.failing = False
        elif self.text:
            self.type("")
        else:
            return False
        return True

    def visible(self, now: Now) -> g.Flags:
        """bool[n]: the nodes that are shown."""
        n = len(now.found.names)
        shown = _failing(now) if self.failing else np.ones(n, np.bool_)
        if self.hops:
            start: g.Flags = now.health >= g.Health.WARNING
            if self.near in now.place:
                start = np.arange(n) == now.place[self.near]
            shown &= g.within(now.found, start, self.hops)
        return shown & self.passing(now)

    def passing(self, now: Now) -> g.Flags:
        """bool[n]: the nodes that pass the filter."""
        n = len(now.found.names)
        if not self._filter:
            return np.ones(n, np.bool_)
        return np.array([self._passes(now, i) for i in range(n)], np.bool_)

    def _passes(self, now: Now, i: int) -> bool:
        found, name = now.found, now.found.names[i]
        kind, health = KINDS[g.NodeKind(int(found.kinds[i]))], SHAPES[int(now.health[i])]
        own = {"service": name, "name": name, "kind": kind, "type": kind, "health": health, "state": health}

        def lookup(key: str) -> str | None:
            ends = {"calls": (found.clients, found.servers), "calledby": (found.servers, found.clients)}.get(key)
            return own.get(key) if ends is None else " ".join(found.names[j] for j in ends[1][ends[0] == i].tolist())

        p50, p95, p99 = now.nodes.quantiles[i].tolist()
        rate, errors = float(now.nodes.rate[i]), float(now.nodes.errors[i])
        figures = {"rate": rate, "errors": errors, "p50": p50, "p95": p95, "p99": p99}
        return self._filter.matches(f"{name} {kind} {health}".lower(), lookup, figures)


def _failing(now: Now) -> g.Flags:
    """Nodes that are not well, and both ends of edges that are not."""
    ill: g.Flags = now.health >= g.Health.WARNING
    broken = now.edge_health >= g.Health.WARNING
    ill[now.found.clients[broken]] = True
    ill[now.found.servers[broken]] = True
    return ill
