"""Webhooks: what is sent, how it is signed, and what each answer means."""

from __future__ import annotations

import hashlib
import hmac
import time

import pytest

from collector.actions.posting import retry_after
from collector.actions.receiver import NotToldError
from monitor.alerting.notice import Notice
from tests.collector.actions.flaky import Flaky, flaky
from tests.collector.actions.making import receiver
from tests.collector.actions.notices import HOSTILE, NOW, notice, noticed


async def told(server: Flaky, more: str = "", path: str = "/hook", what: Notice | None = None) -> None:
    one = receiver(f'type = "webhook"\nurl = "{server.url}{path}"\nprivate = true\n{more}')
    try:
        await one.tell(what or notice())
    finally:
        await one.close()


async def refused(script: str, more: str = 'timeout = "500ms"') -> NotToldError:
    async with flaky([script]) as server:
        with pytest.raises(NotToldError) as caught:
            await told(server, more)
        assert len(server.got) == 1
    return caught.value


async def test_a_notice_is_posted_with_its_alerts_and_its_key() -> None:
    async with flaky() as server:
        await told(server, 'headers = { X-Team = "shop" }\ntoken = "abcdef"', what=notice(noticed(), noticed(ended=NOW)))
    (got,) = server.got
    assert got.headers["idempotency-key"] == "shop:abc:1792506096000"
    assert (got.headers["x-team"], got.headers["authorization"]) == ("shop", "Bearer abcdef")
    body = got.json
    assert (body["status"], body["key"], body["group_key"]) == ("firing", "shop:abc:1792506096000", "shop:abc")
    assert [alert["status"] for alert in body["alerts"]] == ["firing", "resolved"]
    assert body["alerts"][0]["labels"] == {"alertname": "slow", "service": "cart", "severity": "critical"}
    assert body["alerts"][1]["ended"] == "2026-10-20T14:21:36.000Z"


async def test_a_receiver_that_has_the_key_can_check_who_wrote_the_body_and_when() -> None:
    async with flaky() as server:
        await told(server, 'secret = "k3y"')
    stamp, _, seal = server.got[0].headers["x-lightship-signature"].partition(",")
    at = stamp.removeprefix("t=")
    assert abs(int(at) - time.time()) < 5
    assert seal == "v1=" + hmac.new(b"k3y", at.encode() + b"." + server.got[0].body, hashlib.sha256).hexdigest()


async def test_in_the_form_of_alertmanager_it_is_what_its_receivers_read() -> None:
    async with flaky() as server:
        await told(server, 'format = "alertmanager"')
    body = server.got[0].json
    assert set(body) == {
        *("version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "commonAnnotations"),
        *("externalURL", "alerts"),
    }
    assert (body["version"], body["groupLabels"], body["alerts"][0]["endsAt"]) == (
        "4",
        {"service": "cart"},
        "0001-01-01T00:00:00Z",
    )
    assert len(body["alerts"][0]["fingerprint"]) == 16


async def test_a_template_of_json_stays_json_whatever_labels_hold() -> None:
    async with flaky() as server:
        template = """template = '{"text": "{status}: {labels.x}|{labels.gone}", "n": {"a": "{other}"}}'"""
        await told(server, template, what=notice(noticed(x='"}, "evil": {"')))
    assert server.got[0].json == {"text": 'firing: "}, "evil": {"|', "n": {"a": "{other}"}}


def test_a_template_that_is_no_json_once_filled_in_is_refused_when_the_settings_are_read() -> None:
    with pytest.raises(ValueError, match="stand within quotes"):
        receiver("""type = "webhook"\nurl = "https://example.com"\ntemplate = '{"text": {summary}}'""")


@pytest.mark.parametrize("script", ["500", "503", "502", "504", "408", "425", "429 7", "silence", "reset"])
async def test_what_may_pass_is_tried_again(script: str) -> None:
    error = await refused(script)
    assert not error.final
    assert error.after == (7.0 if script == "429 7" else None)


@pytest.mark.parametrize("script", ["400", "401", "403", "404", "410", "413", "422"])
async def test_a_refusal_is_final(script: str) -> None:
    assert (await refused(script)).final


async def test_a_redirect_is_not_followed() -> None:
    async with flaky() as inside:
        error = await refused(f"302 {inside.url}/metadata")
    assert error.final
    assert inside.got == []
    assert "elsewhere" in str(error)


async def test_an_endless_body_costs_no_more_than_a_second() -> None:
    began = time.monotonic()
    assert not (await refused("drip", 'timeout = "5s"')).final
    assert time.monotonic() - began < 3


async def test_no_error_says_a_secret_even_where_the_server_does() -> None:
    async with flaky(["body 400 you sent s3cr3t-token to /hook/T0KEN?k=qu3ry with user:pa55word"]) as server:
        address = server.url.replace("//", "//user:pa55word@")
        one = receiver(f'type = "webhook"\nprivate = true\ntoken = "s3cr3t-token"\nurl = "{address}/hook/T0KEN?k=qu3ry"')
        with pytest.raises(NotToldError) as caught:
            await one.tell(notice())
        await one.close()
    for secret in ("s3cr3t-token", "T0KEN", "qu3ry", "pa55word"):
        assert secret not in str(caught.value)


async def test_name_and_password_of_the_address_are_sent_as_a_header() -> None:
    async with flaky() as server:
        server.url = server.url.replace("//", "//mira:pass%3Aword@")
        await told(server)
    assert server.got[0].headers["authorization"] == "Basic bWlyYTpwYXNzOndvcmQ="


async def test_hostile_labels_and_keys_make_no_header() -> None:
    async with flaky() as server:
        await told(server, what=notice(noticed(HOSTILE, x=HOSTILE), key=HOSTILE))
    assert "bcc" not in server.got[0].headers
    assert len(server.got[0].headers["idempotency-key"]) == 64
    assert server.got[0].json["alerts"][0]["labels"]["x"] == HOSTILE


async def test_a_body_is_bounded_and_says_what_it_leaves_out() -> None:
    many = tuple(noticed("s" * 4000, x="y" * 4000) for _ in range(1000))
    async with flaky() as server:
        await told(server, what=notice(*many, truncated=5))
    assert len(server.got[0].body) <= 1 << 20
    body = server.got[0].json
    assert body["truncated"] == 1005 - len(body["alerts"])
    assert len(body["alerts"]) > 50


async def test_an_alertmanager_is_told_alerts_with_names_it_takes() -> None:
    async with flaky() as server:
        one = receiver(f'type = "alertmanager"\nurl = "{server.url}/"\nprivate = true')
        await one.tell(notice(noticed(more={"__name__": "m", "http.status": "5", "9x": "z"}), noticed(ended=NOW)))
        await one.close()
    assert server.got[0].path == "/api/v2/alerts"
    firing, ended = server.got[0].json
    assert firing["labels"]["http_status"] == "5"
    assert (firing["labels"]["metric"], firing["labels"]["_9x"]) == ("m", "z")
    assert (firing["endsAt"], ended["endsAt"]) == ("2026-10-21T14:21:36.000Z", "2026-10-20T14:21:36.000Z")


def test_retry_after_may_be_seconds_or_a_date_and_is_bounded() -> None:
    assert retry_after("30", 0.0) == 30.0
    assert retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 30.0) == 30.0
    assert retry_after("Thu, 01 Jan 1970 00:00:00 GMT", 30.0) == 0.0
    assert retry_after("1e99", 0.0) == 3600.0
    assert [retry_after(text, 0.0) for text in ("nan", "soon", "", None)] == [None] * 4


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('type = "webhook"', "needs a url"),
        ('type = "webhook"\nurl = "http://10.0.0.1/"', "private = true"),
        ('type = "webhook"\nurl = "https://e.com"\nheaders = { X = "a\\nb" }', "what no header can"),
        ('type = "webhook"\nurl = "https://e.com"\nheaders = { "X Y" = "a" }', "no name of a header"),
        ('type = "pagerduty"', "routing key"),
        ('type = "ntfy"\nurl = "https://ntfy.sh/"', "topic"),
        ('type = "email"\nsmtp = "m:25"\nsender = "a@b"', "needs to"),
        ('type = "email"\nsmtp = "m:25"\nsender = "a@b"\nto = ["a@b\\r\\nBcc: c@d"]', "no address of a person"),
        ('type = "exec"', "needs a command"),
        ('type = "log"\ntimeout = "10m"', "at most"),
    ],
)
def test_settings_that_make_no_sense_say_why(more: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        receiver(more)
