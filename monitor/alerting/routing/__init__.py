"""Who is told of which alerts together, and when: routes, groups, inhibition and times of quiet, as Alertmanager has them."""

from monitor.alerting.routing.groups import Groups
from monitor.alerting.routing.inhibition import Inhibition, Inhibitor
from monitor.alerting.routing.state import GroupKey, GroupState, Step
from monitor.alerting.routing.times import TimeInterval, read_interval
from monitor.alerting.routing.tree import Route, Timing

__all__ = [
    "GroupKey",
    "GroupState",
    "Groups",
    "Inhibition",
    "Inhibitor",
    "Route",
    "Step",
    "TimeInterval",
    "Timing",
    "read_interval",
]
