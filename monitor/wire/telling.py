"""Messages of who is told of alerts: a test of a receiver, and where an alert would go."""

from __future__ import annotations

from monitor.wire.base import Request, tag


class TryReceiver(Request, frozen=True, tag=tag):
    """Tell a receiver a notice that says it is a test, by the way that all notices take. Answered when that has ended.

    Result: {"told": whether, "text": a sentence}.
    """

    receiver: str
    who: str


class PreviewRoutes(Request, frozen=True, tag=tag):
    """Who would be told of an alert with these labels now. Nobody is.

    Result: {"routes": [{"route", "receiver", "group", "group_wait", "group_interval", "repeat_interval", "ends", "quiet"}],
    "silenced_by": [{"id", "who", "comment"}], "inhibited_by": [{"alert", "rule"}]}. `group`: the labels it is grouped by;
    `ends`: whether the receiver hears of its end; `quiet`: names of times because of which nobody is told now.
    """

    labels: tuple[tuple[str, str], ...]
