"""What a push says and where it goes."""

from __future__ import annotations

import pytest

from monitor.wire.push import OPENMETRICS_TYPE, TEXT_TYPE, PushError, content_type_of, exposition, group_url


def test_values_become_text_with_types_by_their_names() -> None:
    assert exposition(["backup_bytes=1024", 'backup_files_total{kind="new"}=7', 'backup_bytes{of="b"}=1e3']) == (
        b'# TYPE backup_bytes gauge\nbackup_bytes 1024\nbackup_bytes{of="b"} 1e3\n'
        b'# TYPE backup_files_total counter\nbackup_files_total{kind="new"} 7\n'
    )


@pytest.mark.parametrize("pair", ["backup", "=1", "a=b", "a b=1", "1a=2", "a=1_000"])
def test_what_is_no_pair_is_refused_with_a_sentence(pair: str) -> None:
    with pytest.raises(PushError, match=r"no name=value|no number"):
        exposition([pair])


def test_a_group_is_a_path() -> None:
    assert group_url("http://g:9091/", "a b", {"a": "x/y"}) == "http://g:9091/metrics/job/a%20b/a@base64/eC95"
    assert group_url("http://g:9091/under/metrics", "j", {"a": ""}) == "http://g:9091/under/metrics/job/j/a@base64/="


@pytest.mark.parametrize(("job", "grouping"), [("", {}), ("j", {"a-b": "c"})])
def test_groups_that_cannot_be_are_refused(job: str, grouping: dict[str, str]) -> None:
    with pytest.raises(PushError, match="cannot name a group"):
        group_url("http://g:9091", job, grouping)


def test_openmetrics_is_known_by_its_end() -> None:
    assert content_type_of(b"a 1\n# EOF\n") == OPENMETRICS_TYPE
    assert content_type_of(b"a 1\n# EOF\nb 2\n") == TEXT_TYPE
