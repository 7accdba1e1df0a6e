"""DogStatsD's events become events of the product: one line of safe text, a time, how bad, and whether it was a deploy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.receivers.statsd.events import MAX_TEXT, MAX_TITLE, MAX_WORD, MAX_WORDS, read_event
from collector.receivers.statsd.grammar import MalformedLineError
from monitor.alerting.model import Event

NOW = 1_700_000_000.0


def event(title: str, text: str = "", rest: str = "") -> Event:
    lengths = f"_e{{{len(title.encode())},{len(text.encode())}}}"
    return read_event(f"{lengths}:{title}|{text}{rest}".encode(), NOW)


def test_title_text_and_tags_are_told_in_one_line() -> None:
    found = event(
        "Cache cleared", "by\\nanna|bert", "|d:1656581400|h:web1|k:x|p:low|s:cron|t:warning|#env:prod,canary|c:ci-1|card:low"
    )
    assert found == Event(1656581400.0, "event", "Cache cleared: by anna|bert host:web1 env:prod canary", severity="warning")


@pytest.mark.parametrize(
    ("written", "severity"),
    [("error", "critical"), ("warning", "warning"), ("success", "info"), ("info", "info"), ("odd", "info")],
)
def test_an_alert_type_is_a_severity(written: str, severity: str) -> None:
    assert event("t", "", f"|t:{written}").severity == severity


@pytest.mark.parametrize(
    ("written", "at"), [("1656581400", 1656581400.0), ("999999999999", NOW), ("x", NOW), ("-5", NOW), ("", NOW)]
)
def test_nothing_happened_later_than_now(written: str, at: float) -> None:
    assert event("t", "", f"|d:{written}").at == at


@pytest.mark.parametrize(
    ("title", "tags", "kind"),
    [
        ("Deployed shop 1.4.2", "", "deploy"),
        ("shop: deployment finished", "", "deploy"),
        ("Rolled back shop", "", "deploy"),
        ("Released v2", "", "deploy"),
        ("shop 1.4.2", "event_type:deploy", "deploy"),
        ("shop 1.4.2", "env:prod,Deployment", "deploy"),
        ("Lock released", "", "event"),
        ("Pod restarted", "kube_deployment:shop,deployment:shop", "event"),
        ("Redeployable", "", "event"),
    ],
)
def test_a_deploy_is_told_by_title_or_tag(title: str, tags: str, kind: str) -> None:
    assert event(title, "", f"|#{tags}").kind == kind


def test_hostile_text_is_safe_and_bounded() -> None:
    found = event("\x1b[2J\u202e" + "t" * 5000, "x" * 5000, "|#" + ",".join(f"tag{i}:{'v' * 500}" for i in range(100)))
    assert found.text.isprintable()
    assert len(found.text) <= MAX_TITLE + 2 + MAX_TEXT + MAX_WORDS * (MAX_WORD + 1)


@given(st.text(min_size=1, max_size=30), st.text(max_size=30), st.text(max_size=60))
@settings(deadline=None)
def test_any_text_is_told_in_printable_words(title: str, text: str, rest: str) -> None:
    found = event(title, text, "|" + rest)
    assert found.text.isprintable()
    assert found.severity in ("critical", "warning", "info")
    assert found.at <= NOW


@given(st.binary(max_size=40))
@settings(deadline=None)
def test_noise_is_an_event_or_malformed(noise: bytes) -> None:
    for line in (b"_e{" + noise, b"_e{5,4}:" + noise, b"_e{" + noise + b"}:title|text"):
        try:
            found = read_event(line, NOW)
        except MalformedLineError:
            continue
        assert found.text.isprintable()
