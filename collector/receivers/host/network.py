"""Traffic of network interfaces from /proc/net/dev."""

from __future__ import annotations

from collector.receivers.host.files import HostCounters, KeptFile, read_once
from collector.receivers.host.samples import Section, plain_text
from monitor.model.series import Tags

MAX_INTERFACES = 32
_VIRTUAL = ("veth", "cali", "lxc", "tap", "vnet", "ifb", "dummy", "cni", "flannel", "br-")
_LOOK_AGAIN = 10.0
_COLUMNS = (
    ("host.net.received_bytes", 0, "bytes"),
    ("host.net.received_packets", 1, ""),
    ("host.net.receive_errors", 2, ""),
    ("host.net.receive_drops", 3, ""),
    ("host.net.sent_bytes", 8, "bytes"),
    ("host.net.sent_packets", 9, ""),
    ("host.net.send_errors", 10, ""),
    ("host.net.send_drops", 11, ""),
)


def report_interface(out: Section, tags: Tags, readings: tuple[float, ...]) -> None:
    """Counters of one interface, `readings` in the order received bytes, packets, errors, drops, then sent."""
    for (name, _, unit), reading in zip(_COLUMNS, readings, strict=True):
        out.counter(name, reading, tags, unit)


def chosen_interfaces(names: list[str], counters: HostCounters) -> dict[str, Tags]:
    """At most `MAX_INTERFACES` of `names` with their tags: real ones before those that containers and bridges bring."""
    ranked = sorted(names, key=lambda name: name.startswith(_VIRTUAL))
    counters.left_out["interface"] = max(0, len(ranked) - MAX_INTERFACES)
    return {name: (("interface", plain_text(name)),) for name in ranked[:MAX_INTERFACES]}


class NetworkReader:
    """`host.net.*` of the interfaces that are not down."""

    def __init__(self, root: str, proc: str, sys: str, counters: HostCounters) -> None:
        # Under another root (the host's, seen from a container) the interfaces are those of its first process.
        self._dev = KeptFile(f"{proc}/net/dev" if root == "/" else f"{proc}/1/net/dev", counters)
        self._sys_net = f"{sys}/class/net"
        self._counters = counters
        self._names: list[str] = []
        self._chosen: dict[str, Tags] = {}
        self._look_at = 0.0

    def read(self, out: Section, now: float) -> bool:
        """Report one reading."""
        content = self._dev.read()
        if content is None:
            return True
        rows: dict[str, list[bytes]] = {}
        for line in content.split(b"\n")[2:]:
            name, colon, rest = line.rpartition(b":")
            if colon:
                rows[name.strip().decode("utf-8", "surrogateescape")] = rest.split()
        self._choose(list(rows), now)
        for interface, tags in self._chosen.items():
            row = rows[interface]
            report_interface(out, tags, tuple([float(row[column]) for _, column, _ in _COLUMNS]))
        return True

    def _choose(self, names: list[str], now: float) -> None:
        if names == self._names and abs(now - self._look_at) < _LOOK_AGAIN:
            return
        self._names, self._look_at = names, now
        self._chosen = chosen_interfaces([name for name in names if self._is_up(name)], self._counters)

    def _is_up(self, name: str) -> bool:
        state = read_once(f"{self._sys_net}/{name}/operstate", 32)
        return state is None or state.strip() != b"down"
