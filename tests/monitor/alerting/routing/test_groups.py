from __future__ import annotations

import pytest

from monitor.alerting.routing import Groups, Timing
from tests.monitor.alerting.routing.alerts import TIMING, Stage, inhibition, names, route


def test_the_first_notice_waits_for_company_and_tells_all_of_the_group() -> None:
    stage = Stage(route(group_by=("team",)))
    stage.fire(team="shop", service="a")
    assert stage.until(20) == []
    stage.fire(team="shop", service="b")
    (notice,) = stage.until(30)
    assert names(notice) == (["a", "b"], [])
    assert (notice.reason, notice.group, notice.at) == ("first", (("team", "shop"),), 30)


def test_what_ended_while_the_group_waited_is_never_told() -> None:
    stage = Stage(route())
    name = stage.fire(service="a")
    stage.until(10)
    stage.end(name)
    assert stage.until(3600) == []
    assert len(stage.groups) == 0


def test_news_wait_for_the_groups_interval() -> None:
    stage = Stage(route())
    stage.fire(service="a")
    stage.until(60)
    stage.fire(service="b")
    (notice,) = stage.until(400)
    assert (notice.reason, notice.at, names(notice)) == ("grown", 330, (["a", "b"], []))


def test_an_end_is_told_to_who_heard_of_the_beginning() -> None:
    stage = Stage(route())
    first, _ = stage.fire(service="a"), stage.fire(service="b")
    stage.until(60)
    stage.end(first)
    (notice,) = stage.until(400)
    assert (notice.reason, names(notice)) == ("changed", (["b"], ["a"]))


def test_the_last_end_ends_the_group() -> None:
    stage = Stage(route())
    name = stage.fire(service="a")
    stage.until(60)
    stage.end(name)
    (notice,) = stage.until(400)
    assert (notice.reason, notice.status, names(notice)) == ("resolved", "resolved", ([], ["a"]))
    assert len(stage.groups) == 0
    assert stage.kept == {}


def test_a_receiver_that_does_not_want_ends_hears_of_none() -> None:
    stage = Stage(route(), silent_ends=("all",))
    name = stage.fire(service="a")
    stage.until(60)
    stage.end(name)
    assert stage.until(4000) == []


def test_what_goes_on_is_repeated_at_the_first_interval_after_the_repeat_time() -> None:
    stage = Stage(route(timing=Timing(30, 300, 1000)))
    stage.fire(service="a")
    stage.until(60)
    assert [(notice.reason, notice.at) for notice in stage.until(3000)] == [("repeat", 1230), ("repeat", 2430)]


def test_one_that_fires_again_before_its_end_was_told_is_no_news() -> None:
    stage = Stage(route())
    name = stage.fire(service="a")
    stage.until(60)
    stage.end(name)
    stage.until(100)
    stage.fire(service="a")
    assert stage.until(1000) == []


def test_an_acknowledged_alert_is_not_told_and_its_release_is_told_at_once() -> None:
    stage = Stage(route())
    name = stage.fire(service="a")
    stage.until(60)
    stage.acknowledge(name)
    assert stage.until(8000) == []
    stage.release(name)
    (notice,) = stage.until(8010)
    assert (notice.reason, notice.at) == ("changed", 8000)


def test_a_new_alert_in_an_acknowledged_group_is_told() -> None:
    stage = Stage(route())
    stage.acknowledge(stage.fire(service="a"))
    assert stage.until(60) == []
    stage.fire(service="b")
    (notice,) = stage.until(400)
    assert names(notice) == (["b"], [])


def test_what_was_silenced_from_the_start_is_told_at_once_when_the_silence_ends() -> None:
    stage = Stage(route())
    name = stage.fire(service="a")
    stage.silence(name)
    assert stage.until(60) == []
    stage.release(name)
    (notice,) = stage.until(70)
    assert (notice.reason, notice.at) == ("first", 60)


def test_a_silence_that_ends_within_the_groups_wait_does_not_shorten_it() -> None:
    stage = Stage(route())
    name = stage.fire(service="a")
    stage.silence(name)
    stage.until(10)
    stage.release(name)
    (notice,) = stage.until(100)
    assert notice.at == 30


def test_one_that_got_worse_is_told_again_at_once() -> None:
    stage = Stage(route(group_by=("service",)))
    stage.fire(service="a")
    stage.until(60)
    stage.fire(service="a", severity="critical")
    (notice,) = stage.until(100)
    assert (notice.reason, notice.at) == ("changed", 60)


@pytest.mark.parametrize("kept", ["a time of quiet", "a silence"])
def test_the_end_of_what_was_told_is_told_whatever_keeps_quiet(kept: str) -> None:
    stage = Stage(route(mute=("night",)))
    name = stage.fire(service="a")
    stage.until(60)
    if kept == "a silence":
        stage.silence(name)
    else:
        stage.quiet_times = ("night",)
    stage.until(100)
    stage.end(name)
    (notice,) = stage.until(500)
    assert (notice.reason, names(notice)) == ("resolved", ([], ["a"]))


def test_nobody_is_told_in_a_time_of_quiet_and_the_rest_after_it() -> None:
    stage = Stage(route(mute=("night",)))
    stage.quiet_times = ("night",)
    stage.fire(service="a")
    assert stage.until(1000) == []
    stage.quiet_times = ()
    (notice,) = stage.until(1300)
    assert notice.reason == "first"


def test_with_active_times_people_are_told_only_then() -> None:
    stage = Stage(route(active=("office",)))
    stage.fire(service="a")
    assert stage.until(1000) == []
    stage.quiet_times = ("office",)
    assert len(stage.until(1300)) == 1


def test_what_follows_from_another_alert_is_not_told_while_that_fires() -> None:
    stage = Stage(route(group_by=("alertname",)), inhibition('alertname="Down"', 'alertname="Slow"', "host"))
    down = stage.fire(alertname="Down", host="a")
    stage.fire(alertname="Slow", host="a")
    stage.fire(alertname="Slow", host="b")
    told = stage.until(60)
    assert [
        [dict(each.alert.labels)["alertname"] + dict(each.alert.labels)["host"] for each in notice.firing] for notice in told
    ] == [
        ["Downa"],
        ["Slowb"],
    ]
    stage.end(down)
    slow = next(notice for notice in stage.until(500) if notice.firing)
    assert (slow.reason, len(slow.firing)) == ("grown", 2)


def test_a_forgotten_alert_ends_without_a_notice() -> None:
    stage = Stage(route())
    name = stage.fire(service="a")
    stage.until(60)
    stage.forget(name)
    assert stage.until(4000) == []
    assert stage.kept == {}


def test_an_alert_goes_to_several_receivers_where_a_route_goes_on() -> None:
    log, team = route("log", go_on=True), route("team", 'team="shop"')
    stage = Stage(route(routes=(log, team)))
    stage.fire(team="shop")
    stage.fire(team="other")
    told = {notice.receiver: [dict(each.alert.labels)["team"] for each in notice.firing] for notice in stage.until(60)}
    assert told == {"log": ["shop", "other"], "team": ["shop"]}


def test_an_alert_whose_labels_change_takes_along_what_was_told() -> None:
    stage = Stage(route(group_by=("severity",)))
    stage.fire(service="a", severity="critical")
    stage.until(60)
    stage.fire(service="a", severity="warning")
    assert stage.until(1000) == []


def test_one_that_fires_again_rejoins_the_group_it_has_left_and_the_one_it_has_not() -> None:
    quick = route("quick", go_on=True, timing=Timing(0, 10, 3600))
    stage = Stage(route(routes=(quick, route("slow"))))
    name = stage.fire(service="a")
    stage.until(60)
    stage.end(name)
    assert [notice.receiver for notice in stage.until(80)] == ["quick"]
    stage.fire(service="a")
    assert [(notice.receiver, notice.status) for notice in stage.until(1000)] == [("quick", "firing")]


def test_more_alerts_than_a_notice_holds_are_counted() -> None:
    stage = Stage(route())
    for number in range(1005):
        stage.fire(service=str(number))
    (notice,) = stage.until(60)
    assert (len(notice.alerts), notice.truncated) == (1000, 5)


def test_beyond_the_bound_alerts_share_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.alerting.routing.groups.MAX_GROUPS", 3)
    stage = Stage(route(group_by=("service",)))
    for number in range(10):
        stage.fire(service=str(number))
    assert sorted(len(notice.firing) for notice in stage.until(60)) == [1, 1, 1, 7]
    assert stage.groups.crowded == 7


def test_two_notices_never_have_the_same_key() -> None:
    stage = Stage(route(group_by=("service",)))
    name = stage.fire(service="a")
    told = stage.until(60)
    stage.end(name)
    told += stage.until(700)
    stage.fire(service="a")
    told += stage.until(1500)
    assert len({notice.key for notice in told}) == len(told) == 3


def test_routes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="unique"):
        Groups(route("x", routes=(route("x"),)))


def test_after_a_restart_under_other_routes_what_was_told_is_not_told_again() -> None:
    stage = Stage(route(group_by=("service",), timing=TIMING))
    stage.fire(service="a")
    stage.until(60)
    stage.root = route(group_by=("team",), timing=TIMING)
    stage.restart()
    assert stage.until(1000) == []
