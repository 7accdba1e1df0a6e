"""The groups that were pushed: what replaces what, what contradicts what, and how much there may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from collector.receivers.pushgateway.families import Family, InconsistentError, Series, own_series
from monitor.query.history import Labels


class Group(msgspec.Struct, frozen=True, array_like=True):
    """What one grouping key holds. Times of its last push and last refused one in seconds since the epoch, 0: never."""

    labels: Labels
    families: tuple[Family, ...] = ()
    pushed: float = 0.0
    failed: float = 0.0

    def series(self) -> Iterator[Series]:
        """All its series, with what the gateway says of the group itself."""
        for family in self.families:
            yield from family.series
        yield from own_series(self.labels, self.pushed, self.failed)

    @property
    def size(self) -> int:
        return sum(len(family.series) for family in self.families)


class PushLimits(msgspec.Struct, frozen=True):
    """Most groups, series of one group and of all, bytes of one push, and characters of all that is kept (about bytes)."""

    groups: int = 10_000
    group_series: int = 20_000
    series: int = 200_000
    body_bytes: int = 16 << 20
    kept_bytes: int = 128 << 20


class FullError(Exception):
    """No more than what is there is kept; the message says which bound and what to do."""


class Groups:
    """Groups by their labels, with the types and the series that they have among them."""

    def __init__(self, limits: PushLimits) -> None:
        self._limits = limits
        self._groups: dict[Labels, Group] = {}
        self._types: dict[str, dict[str, int]] = {}
        self._owners: dict[tuple[str, Labels], Labels] = {}
        self._bytes = 0
        self.revision = 0
        """Rises with every change."""

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[Group]:
        return iter(list(self._groups.values()))

    @property
    def series(self) -> int:
        return len(self._owners)

    def get(self, labels: Labels) -> Group | None:
        return self._groups.get(labels)

    def pushed(self, labels: Labels, families: Sequence[Family], replace: bool, now: float) -> Group:
        """The group as it would be. `replace`: nothing else of it stays, else only metrics of the same name are replaced.

        Raises `InconsistentError` and `FullError`.
        """
        before = self._groups.get(labels) or Group(labels)
        names = {family.name for family in families}
        kept = () if replace else tuple(family for family in before.families if family.name not in names)
        group = Group(labels, (*kept, *families), now, before.failed)
        self._check_room(before, group)
        self._check(before, group)
        return group

    def refused(self, labels: Labels, now: float) -> Group | None:
        """The group after a push that was refused; None where there is no room for another."""
        before = self._groups.get(labels)
        if before is None and len(self) >= self._limits.groups:
            return None
        return msgspec.structs.replace(before or Group(labels), failed=now)

    def put(self, group: Group) -> None:
        """Takes the place of what its labels held."""
        self.drop(group.labels)
        self._groups[group.labels] = group
        self._bytes += _bytes(group)
        for family in group.families:
            held = self._types.setdefault(family.name, {})
            held[family.type] = held.get(family.type, 0) + 1
            for series in family.series:
                self._owners[series.name, series.labels] = group.labels
        self.revision += 1

    def drop(self, labels: Labels) -> Group | None:
        """The group that was there, if any."""
        group = self._groups.pop(labels, None)
        if group is None:
            return None
        self._bytes -= _bytes(group)
        for family in group.families:
            held = self._types[family.name]
            held[family.type] -= 1
            if not held[family.type]:
                del held[family.type]
            if not held:
                del self._types[family.name]
            for series in family.series:
                self._owners.pop((series.name, series.labels), None)
        self.revision += 1
        return group

    def expired(self, before: float) -> list[Labels]:
        """Groups that were not pushed to since."""
        return [labels for labels, group in self._groups.items() if max(group.pushed, group.failed) < before]

    def _check(self, before: Group, group: Group) -> None:
        own = {family.name: family.type for family in before.families}
        for family in group.families:
            held = dict(self._types.get(family.name, {}))
            if family.name in own:
                held[own[family.name]] -= 1
            others = [name for name, count in held.items() if count and name != family.type]
            if others:
                raise InconsistentError(
                    f"the metric {family.name[:100]!r} is a {family.type} here and a {others[0]} in another group; "
                    "push one type everywhere, or delete the other group"
                )
            for series in family.series:
                owner = self._owners.get((series.name, series.labels))
                if owner is not None and owner != group.labels:
                    raise InconsistentError(f"the series {series.name[:100]!r} with these labels is in another group already")

    def _check_room(self, before: Group, group: Group) -> None:
        limits = self._limits
        if group.labels not in self._groups and len(self) >= limits.groups:
            raise FullError(f"there are {limits.groups} groups already; delete those that are no longer needed")
        if group.size > limits.group_series:
            raise FullError(f"a group may have {limits.group_series} series, this one would have {group.size}")
        if self.series - before.size + group.size > limits.series:
            raise FullError(f"all groups may have {limits.series} series; delete those that are no longer needed")
        if self._bytes - _bytes(before) + _bytes(group) > limits.kept_bytes:
            raise FullError(f"all groups may have {limits.kept_bytes} bytes; delete those that are no longer needed")


def _bytes(group: Group) -> int:
    """About what it takes: its texts, its native histograms, and a hundred bytes a series."""
    return _texts(group.labels) + sum(
        100 + len(family.name) + len(family.help) + sum(_series_bytes(one) for one in family.series) for family in group.families
    )


def _series_bytes(one: Series) -> int:
    return 100 + len(one.name) + _texts(one.labels) + (one.native.size if one.native is not None else 0)


def _texts(labels: Iterable[tuple[str, str]]) -> int:
    return sum(len(name) + len(value) for name, value in labels)
