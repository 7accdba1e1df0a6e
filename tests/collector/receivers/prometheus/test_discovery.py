"""Groups of targets, and files that hold them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from collector.receivers.prometheus.discovery import MOST_FOUND, DiscoveryError, Group, groups_of
from collector.receivers.prometheus.file_sd import FileDiscovery


def test_groups_get_where_they_come_from_as_a_label() -> None:
    found = groups_of([{"targets": ["a:1", "b:2"], "labels": {"env": "x"}}, {"targets": ["c:3"]}], {"__meta_url": "u"})
    assert found == [Group(("a:1", "b:2"), {"env": "x", "__meta_url": "u"}), Group(("c:3",), {"__meta_url": "u"})]


@pytest.mark.parametrize(
    "found",
    [
        {"targets": ["a"]},
        ["a"],
        [{"targets": "a:1"}],
        [{"targets": [1]}],
        [{"targets": ["a"], "labels": ["x"]}],
        [{"targets": ["a"], "labels": {"x": 1}}],
        [{"targets": ["a"], "labels": {"": "1"}}],
        [{"targets": ["a\ud800"]}],
        [{"targets": ["a"], "further": 1}],
        [{"targets": ["x" * 5000]}],
        [{"targets": ["a"] * (MOST_FOUND + 1)}],
    ],
)
def test_what_is_no_group_of_targets_is_refused(found: Any) -> None:
    with pytest.raises(DiscoveryError):
        groups_of(found, {})


def write(path: Path, text: str, stamp: int) -> None:
    """The file with a time of its own, however coarse the file system's clock is."""
    path.write_text(text)
    os.utime(path, (stamp, stamp))


def addresses(files: FileDiscovery) -> list[str]:
    return [address for group in files.groups() for address in group.targets]


def test_a_file_is_read_again_when_it_changed_and_forgotten_when_it_went(tmp_path: Path) -> None:
    files = FileDiscovery((f"{tmp_path}/*.json", f"{tmp_path}/*.yml"))
    assert not files.look()
    write(tmp_path / "one.json", json.dumps([{"targets": ["a:1"]}]), 1)
    write(tmp_path / "two.yml", "- targets: ['b:2']\n  labels: {env: x}\n", 1)
    assert files.look()
    assert addresses(files) == ["a:1", "b:2"]
    assert files.groups()[1].labels == {"env": "x", "__meta_filepath": str(tmp_path / "two.yml")}
    assert not files.look()
    write(tmp_path / "one.json", json.dumps([{"targets": ["a:1", "c:3"]}]), 2)
    assert files.look()
    assert addresses(files) == ["a:1", "c:3", "b:2"]
    (tmp_path / "two.yml").unlink()
    assert files.look()
    assert addresses(files) == ["a:1", "c:3"]


def test_a_broken_file_keeps_the_targets_it_last_had_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    files = FileDiscovery((str(file),))
    write(file, json.dumps([{"targets": ["a:1"]}]), 1)
    files.look()
    write(file, "[{", 2)
    assert not files.look()
    assert addresses(files) == ["a:1"]
    assert "one.json: it cannot be read" in files.problems()[0]
    write(file, json.dumps([{"targets": ["b:1"]}]), 3)
    assert files.look()
    assert files.problems() == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yml", "- targets: [*x]"),
        ("a.yml", "!!python/object/apply:os.system [true]"),
        ("a.yml", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]"),
        ("a.json", "[" * 100_000),
        ("a.json", '[{"targets": ["\\ud800"]}]'),
        ("a.txt", "[]"),
    ],
)
def test_a_hostile_file_is_a_problem_and_nothing_else(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    files = FileDiscovery((f"{tmp_path}/*",))
    files.look()
    assert files.groups() == []
    assert len(files.problems()) == 1
