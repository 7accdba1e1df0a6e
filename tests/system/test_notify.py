"""A whole collector tells groups of alerts by mail and webhook, in order, with the same key when it has to try again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.collector.actions.flaky import Flaky, flaky
from tests.collector.actions.smtp_server import MailHost, mail_host, make_certificate
from tests.running import Collector, collector, until

SETTINGS = """
[[receiver]]
name = "oncall"
type = "webhook"
url = "{hook}/h00k-path"
private = true
secret = "s1gning-key"
per_minute = "6000"

[[receiver]]
name = "mail"
type = "email"
smtp = "127.0.0.1:{smtp}"
sender = "lightship@example.com"
to = ["a@x.org"]
user = "mira"
password = "pa55word"

[[receiver]]
name = "closed"
type = "webhook"
url = "http://127.0.0.1:1/"
private = true

[[route]]
receiver = "oncall"
group_by = ["alertname"]
group_wait = "2s"
group_interval = "2s"

[[route]]
name = "to mail"
where = 'alertname="slow"'
receiver = "mail"

[[inhibit]]
source = 'alertname="slow"'
target = 'severity="info"'
"""
RULES = """
[[rule]]
id = "slow"
metric = "shop.slow"
condition = { type = "threshold", operator = "gt", value = 10, window = "1m", field = "last" }
actions = []

[[rule]]
id = "queue"
metric = "shop.queue"
condition = { type = "threshold", operator = "gt", value = 10, window = "1m", field = "last" }
severity = "critical"
actions = []
"""


@contextmanager
def peers(certificate: Path) -> Iterator[tuple[Flaky, MailHost]]:
    """Both servers in a loop of their own."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[tuple[Flaky, MailHost]] = []

    async def serve() -> None:
        async with flaky(["500", "reset"]) as hook, mail_host(certificate, password="pa55word") as mail:
            found.append((hook, mail))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, Flaky, MailHost]]:
    folder = tmp_path_factory.mktemp("notify")
    certificate = make_certificate(folder)
    (folder / "one" / "rules").mkdir(parents=True)
    (folder / "one" / "rules" / "shop.toml").write_text(RULES)
    with peers(certificate) as (hook, mail):
        settings = SETTINGS.format(hook=hook.url, smtp=mail.port)
        with collector(folder / "one", settings, {"SSL_CERT_FILE": str(certificate / "cert.pem")}) as one:
            yield one, hook, mail


def test_groups_arrive_together_and_a_retry_has_the_same_key(stage: tuple[Collector, Flaky, MailHost]) -> None:
    one, hook, mail = stage
    one.send(*(f"shop.slow:50|g|#host:{name}" for name in "ab"), *(f"shop.queue:50|g|#host:{name}" for name in "abc"))
    until(lambda: mail.delivered, "the mail has come")
    assert mail.delivered[0].encrypted
    assert mail.delivered[0].mail["Subject"].startswith("[FIRING:2]")
    until(lambda: len(hook.got) >= 3, "the webhook is told after a 500 and a reset", 40)
    assert len({got.headers["idempotency-key"] for got in hook.got}) == 1
    assert [alert["labels"]["host"] for alert in hook.got[-1].json["alerts"]] == ["a", "b", "c"]
    one.send(*(f"shop.queue:1|g|#host:{name}" for name in "abc"))
    until(lambda: len(hook.got) == 4, "its end is told")
    assert (hook.got[-1].json["status"], len(hook.got[-1].json["alerts"])) == ("resolved", 3)
    assert hook.got[-1].headers["idempotency-key"] != hook.got[0].headers["idempotency-key"]


def test_a_test_notice_says_in_a_sentence_how_it_ended(stage: tuple[Collector, Flaky, MailHost]) -> None:
    one, _, mail = stage
    before = len(mail.delivered)
    assert one.run("notify", "test", "mail").stdout == "mail was told.\n"
    assert mail.delivered[before].mail["Subject"] == "[TEST] This is a test by mira. Nothing is wrong."
    failed = one.run("notify", "test", "closed", check=False)
    assert failed.returncode == 1
    assert failed.stdout.startswith("closed could not be told: 127.0.0.1 cannot be reached")
    unknown = one.run("notify", "test", "nobody", check=False)
    assert (unknown.returncode, "Known are closed, mail, oncall." in unknown.stderr) == (4, True)


def test_a_preview_says_who_would_be_told_and_what_holds_it_back(stage: tuple[Collector, Flaky, MailHost]) -> None:
    one, _, _ = stage
    assert one.run("notify", "preview", 'alertname="slow", host="a"').stdout.splitlines() == [
        "mail, by the route to mail",
        "  told with others of: alertname=slow",
        "  first after 2 s, news after 2 s, again after 4 h",
    ]
    held = one.run("notify", "preview", "alertname=other", "severity=info", check=False)
    assert (held.returncode, held.stdout.splitlines()[-1]) == (5, "Nobody now: slow fires, which inhibits it")


def test_no_secret_shows_anywhere(stage: tuple[Collector, Flaky, MailHost]) -> None:
    one, _, _ = stage
    shown = one.run("status").stdout + one.log() + one.metrics() + (one.data / "state.sqlite3").read_bytes().decode("latin-1")
    assert not any(secret in shown for secret in ("h00k-path", "s1gning-key", "pa55word"))
