"""What becomes of a [[scrape]]: its targets before and after relabelling."""

from __future__ import annotations

from typing import Any

import pytest

from collector.receivers.prometheus.discovery import Group
from collector.receivers.prometheus.job import MOST_TARGETS, ScrapeJob


def urls(job: ScrapeJob, *groups: Group) -> list[str]:
    return [target.url for target in job.scraped([*job.static(), *groups])[0]]


def test_a_url_stays_as_it_was_written() -> None:
    job = ScrapeJob(url="http://u:p%40@host/federate?match[]=a&match[]=b", labels={"env": "x"})
    (target,), dropped = job.scraped([])
    assert target.url == "http://u:p%40@host/federate?match[]=a&match[]=b"
    assert target.tags == {"job": "host", "instance": "host:80", "env": "x"}
    assert (target.access.user, target.access.password) == ("u", "p@")
    assert not dropped
    assert "p%40" not in str(dict(target.discovered))


def test_targets_and_groups_get_scheme_path_and_parameters() -> None:
    job = ScrapeJob(targets=("a:1",), scheme="https", metrics_path="/probe", params={"module": "icmp"}, job="j")
    found = Group(("b:2",), {"__metrics_path__": "/other", "__param_module": "tcp", "__param_target": "x y", "env": "e"})
    assert urls(job, found) == ["https://a:1/probe?module=icmp", "https://b:2/other?module=tcp&target=x+y"]
    assert job.scraped([found])[0][0].tags == {"job": "j", "instance": "b:2", "env": "e"}


def test_relabelling_makes_the_address_the_time_and_the_tags() -> None:
    job = ScrapeJob(
        targets=("web.example",),
        job="blackbox",
        relabel=[
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": "127.0.0.1:9115"},
            {"target_label": "__scrape_interval__", "replacement": "1m"},
            {"action": "labelmap", "regex": "__meta_(.+)"},
        ],
    )
    (target,), _ = job.scraped([Group(("web.example",), {"__meta_zone": "b"})])
    assert target.url == "http://127.0.0.1:9115/metrics?target=web.example"
    assert target.tags == {"job": "blackbox", "instance": "web.example", "zone": "b"}
    assert target.interval == 60.0
    assert target.discovered["__address__"] == "web.example"


def test_dropped_targets_are_told_with_their_discovered_labels() -> None:
    job = ScrapeJob(targets=("a:1", "b:2"), relabel=[{"source_labels": ["__address__"], "regex": "b.*", "action": "drop"}])
    targets, dropped = job.scraped(job.static())
    assert [target.instance for target in targets] == ["a:1"]
    assert [(target.discovered["__address__"], target.reason) for target in dropped] == [("b:2", "")]


@pytest.mark.parametrize("address", ["", "a:1/path", "u:p@a:1", "a b", "a:99999", "[::1", "a:1?x", "a:1#x", "a\\b"])
def test_what_is_no_address_is_left_out_with_a_reason(address: str) -> None:
    targets, dropped = ScrapeJob(targets=("ok:1",)).scraped([Group((address, "ok:2"), {})])
    assert [target.instance for target in targets] == ["ok:2"]
    assert dropped[0].reason


def test_targets_that_became_one_are_scraped_once_and_there_is_a_bound() -> None:
    job = ScrapeJob(targets=("a:1",))
    assert len(urls(job, Group(("a:1",), {}))) == 1
    many = Group(tuple(f"host{number}:1" for number in range(MOST_TARGETS + 5)), {})
    targets, dropped = ScrapeJob(file_sd=("x.json",)).scraped([many])
    assert (len(targets), len(dropped)) == (MOST_TARGETS, 5)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, "needs a url, targets, file_sd or http_sd"),
        ({"targets": ("a",), "scheme": "ftp"}, "http or https"),
        ({"targets": ("a",), "user": "u", "bearer_token": "t"}, "not both"),
        ({"targets": ("a",), "bearer_token_file": "f", "bearer_token": "t"}, "not both"),
        ({"targets": ("a",), "key_file": "k"}, "needs cert_file"),
        ({"targets": ("a",), "relabel": [{"action": "keep"}]}, "relabel, rule 1"),
        ({"targets": ("a",), "metric_relabel": [{"action": "?"}]}, "metric_relabel, rule 1"),
        ({"url": "host:1"}, "no address to scrape"),
    ],
)
def test_a_job_that_cannot_be_is_refused_with_a_sentence(keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ScrapeJob(**keys)


def test_secrets_do_not_stand_in_what_is_written_of_a_job() -> None:
    job = ScrapeJob(targets=("a:1",), user="me", password="hush")
    other = ScrapeJob(targets=("a:1",), bearer_token="hush")
    (target,), _ = job.scraped(job.static())
    assert "hush" not in repr((job, other, target, job.policy, dict(target.discovered)))
