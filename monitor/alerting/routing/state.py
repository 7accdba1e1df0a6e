"""What is kept of groups, and what one judgement of them brings."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from monitor.alerting.model import Alert
from monitor.alerting.notice import Notice, Noticed, Pairs

Words = Callable[[Alert, float | None], Noticed]
"""What is said of an alert, and when it ended (None: it fires)."""


class GroupKey(NamedTuple):
    """A group: the node of the tree and the labels that its alerts have in common."""

    route: str
    labels: Pairs


class GroupState(msgspec.Struct, frozen=True):
    """What a restart must bring back of a group. `told`: ids of alerts whose beginning was told and whose end was not.

    `again`: those of them that are to be told once more, because what kept them quiet has ended or they have got worse.
    `due`: when it is looked at next. `told_at`: of the last notice, None before the first.
    """

    route: str
    labels: Pairs
    due: float
    told: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    told_at: float | None = None


class Step(msgspec.Struct, frozen=True):
    """What one judgement brought: notices to send, and what is to be stored with them in one transaction."""

    notices: tuple[Notice, ...] = ()
    states: tuple[GroupState, ...] = ()
    removed: tuple[GroupKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.notices or self.states or self.removed)
