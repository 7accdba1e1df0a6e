from __future__ import annotations

import pytest

from monitor.alerting.routing.reader import Routing, RoutingError, read_routing
from monitor.alerting.routing.tree import ALL, Timing
from monitor.settings.load import load_settings

WHOLE = """
[[receiver]]
name = "log"
type = "log"
[[receiver]]
name = "team"
type = "webhook"
url = "https://example.com/hook"
send_resolved = false
[[route]]
receiver = "log"
group_wait = "10s"
[[route]]
name = "shop"
where = 'team="shop"'
receiver = "team"
group_by = ["alertname"]
repeat_interval = "1h"
mute = ["nights"]
[[route]]
under = "shop"
where = 'severity="critical"'
group_interval = "1m"
continue = true
[[inhibit]]
source = 'alertname="Down"'
target = 'severity="warning"'
equal = ["host"]
[[times]]
name = "nights"
times = ["22:00-24:00"]
"""


def read(text: str) -> Routing:
    return read_routing(load_settings(text, "lightship.toml").tables)


def test_routes_are_read_with_what_they_have_from_above() -> None:
    routing = read(WHOLE)
    root = routing.root
    assert root is not None
    assert (root.name, root.receiver, root.group_by, root.timing) == ("root", "log", ALL, Timing(10, 300, 14_400))
    (shop,) = root.routes
    assert (shop.receiver, shop.group_by, shop.timing, shop.mute) == ("team", ("alertname",), Timing(10, 300, 3600), ("nights",))
    (critical,) = shop.routes
    assert (critical.name, critical.receiver, critical.timing, critical.go_on) == ("route 3", "team", Timing(10, 60, 3600), True)
    assert critical.mute == (), "times of quiet are not handed down, as with Alertmanager"
    assert [node.name for node in root.find({"team": "shop", "severity": "critical"})] == ["route 3"]
    assert len(routing.inhibitions) == 1
    assert routing.silent_ends == {"team"}
    assert routing.quiet_times(22.5 * 3600) == {"nights"}


def test_without_routes_there_is_no_tree() -> None:
    assert read('[[receiver]]\nname = "a"\ntype = "log"\n').root is None


def test_all_alerts_of_a_route_may_be_one_group() -> None:
    routing = read(WHOLE.replace('group_wait = "10s"', 'group_by = ["none"]'))
    assert routing.root is not None
    assert routing.root.group_by == ()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('receiver = "log"', 'receiver = "nobody"', "known are log, team"),
        ('receiver = "log"', "", "needs a receiver"),
        ('receiver = "log"', 'receiver = "log"\nwhere = \'a="b"\'', "leave out its where"),
        ('under = "shop"', 'under = "shopp"', "no route that stands before it"),
        ('name = "shop"', 'name = "root"', "stands twice"),
        ('name = "team"', 'name = "log"', "stands twice"),
        ('mute = ["nights"]', 'mute = ["night"]', "no [[times]]"),
        ('team="shop"\'', 'team~"shop"\'', "where: expected"),
        ('repeat_interval = "1h"', 'repeat_interval = "1 hour"', "repeat_interval"),
        ('repeat_interval = "1h"', 'repeat_interval = "1m"', "never be kept"),
        ('group_interval = "1m"', 'group_interval = "1ms"', "below a second"),
        ('times = ["22:00-24:00"]', 'times = ["22-24"]', "09:00-17:30"),
        ('group_by = ["alertname"]', 'group_by = ["alertname", "..."]', "stands alone"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(old: str, new: str, words: str) -> None:
    assert old in WHOLE
    with pytest.raises(RoutingError) as raised:
        read(WHOLE.replace(old, new, 1))
    assert words in str(raised.value)


def test_an_inhibition_that_inhibits_itself_is_refused() -> None:
    with pytest.raises(RoutingError, match="inhibit nothing"):
        read("[[inhibit]]\nsource = 'a=\"b\"'\ntarget = 'a=\"b\"'\n")
