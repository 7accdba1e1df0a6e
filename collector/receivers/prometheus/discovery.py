"""Groups of targets as service discovery finds them: one form in files and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

MOST_FOUND = 20_000
"""Targets of one file or answer."""
MOST_TEXT = 2048
_MOST_LABELS = 64


class Group(NamedTuple):
    """Targets (`host:port`) that share `labels`."""

    targets: tuple[str, ...]
    labels: dict[str, str]


class DiscoveryError(Exception):
    """A file or answer that holds no groups of targets; the message says what is wrong."""


def groups_of(found: Any, meta: Mapping[str, str]) -> list[Group]:
    """Groups of `[{"targets": ["host:port"], "labels": {"name": "value"}}]`, with the labels of `meta`.

    Raises `DiscoveryError`.
    """
    if found is None:
        return []
    if not isinstance(found, list):
        raise DiscoveryError('expected a list of groups like {"targets": ["host:port"], "labels": {"env": "prod"}}')
    groups: list[Group] = []
    left = MOST_FOUND
    for number, entry in enumerate(found, 1):
        if not isinstance(entry, dict) or not entry.keys() <= {"targets", "labels"}:
            raise DiscoveryError(f"group {number} is no table of targets and labels")
        targets, labels = entry.get("targets"), entry.get("labels")
        targets, labels = [] if targets is None else targets, {} if labels is None else labels
        if not isinstance(targets, list):
            raise DiscoveryError(f"the targets of group {number} are no list of texts")
        left -= len(targets) + 1
        if left < 0:
            raise DiscoveryError(f"there are more than {MOST_FOUND} targets and groups")
        if not all(map(_is_text, targets)):
            raise DiscoveryError(f"the targets of group {number} are no list of texts")
        if not isinstance(labels, dict) or len(labels) > _MOST_LABELS:
            raise DiscoveryError(f"the labels of group {number} are no table of texts, or more than {_MOST_LABELS}")
        if not all(map(_is_text, (*labels, *labels.values()))) or "" in labels:
            raise DiscoveryError(f"the labels of group {number} are no table of texts")
        groups.append(Group(tuple(targets), labels | dict(meta)))
    return groups


def _is_text(found: object) -> bool:
    # Half a surrogate, which JSON can write, is no text.
    return isinstance(found, str) and len(found) <= MOST_TEXT and not any("\ud800" <= sign <= "\udfff" for sign in found)
