"""Mail reaches a real server, encrypted and signed in, and no label makes a header, a recipient or markup."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from collector.actions.letter import compose, mailbox
from collector.actions.mail import Mail, MailServer
from collector.actions.receiver import NotToldError
from monitor.alerting.notice import Notice
from monitor.settings.address import Address
from tests.collector.actions.notices import HOSTILE, NOW, notice, noticed
from tests.collector.actions.smtp_server import MailHost, mail_host, make_certificate, trusting

SENDER = mailbox("Lightship <lightship@example.com>")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


async def send(
    host: MailHost,
    certificate: Path | None,
    what: Notice | None = None,
    mail: Mail | None = None,
    to: str = "a@x.org",
    **more: Any,
) -> str | None:
    patience = more.pop("patience", 5.0)
    server = MailServer(Address("127.0.0.1", host.port), **more)
    trust = trusting(certificate) if certificate else None
    mail = mail or Mail(server, SENDER, [mailbox(one) for one in to.split()], patience, trust=trust)
    return await mail.tell(what or notice())


async def refused(host: MailHost, certificate: Path | None, **more: Any) -> NotToldError:
    with pytest.raises(NotToldError) as caught:
        await send(host, certificate, **more)
    return caught.value


async def test_a_mail_goes_over_starttls_with_name_and_password(certificate: Path) -> None:
    async with mail_host(certificate, password="pa55word") as host:
        await send(host, certificate, to="a@x.org b@x.org", user="mira", password="pa55word")
    (told,) = host.delivered
    assert (told.encrypted, told.user, told.sender, told.to) == (True, "mira", "lightship@example.com", ["a@x.org", "b@x.org"])
    mail = told.mail
    assert mail["Subject"] == "[FIRING] checkout is slow"
    assert mail["To"] == "a@x.org, b@x.org"
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "critical: checkout is slow" in text.get_content()
    assert "https://wiki.example.com/slow" in text.get_content()
    assert '<a href="https://wiki.example.com/slow">' in page.get_content()


async def test_without_tls_nothing_is_sent_where_it_is_required(certificate: Path) -> None:
    async with mail_host() as host:
        error = await refused(host, None)
        assert "offers no TLS" in str(error)
        assert not error.final
        await send(host, None, tls="offered")
        await send(host, None, tls="off")
        assert [told.encrypted for told in host.delivered] == [False, False]


async def test_where_tls_is_offered_it_is_taken_and_a_password_never_goes_without(certificate: Path) -> None:
    async with mail_host(certificate) as host:
        await send(host, certificate, tls="offered")
        assert host.delivered[0].encrypted
    async with mail_host(password="pa55word") as host:
        error = await refused(host, None, tls="offered", user="mira", password="pa55word")
        assert "not sent for everybody to read" in str(error)
        assert host.delivered == []


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(certificate: Path) -> None:
    async with mail_host(certificate) as host:
        error = await refused(host, None)
        assert "cannot be trusted" in str(error)
        assert not error.final


async def test_a_wrong_password_waits_for_a_better_one_and_is_not_told(certificate: Path, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("wr0ngword\n")
    async with mail_host(certificate, password="pa55word") as host:
        error = await refused(host, certificate, user="mira", password_file=str(secret))
        assert not error.final
        assert "wr0ngword" not in str(error)
        secret.write_text("pa55word\n")
        await send(host, certificate, user="mira", password_file=str(secret))
    assert len(host.delivered) == 1


@pytest.mark.parametrize(("said", "final"), [("451 later", False), ("554 spam", True)])
@pytest.mark.parametrize("where", [".", "MAIL", "a@x.org"])
async def test_4xx_is_tried_again_and_5xx_is_final(where: str, said: str, final: bool) -> None:
    async with mail_host(refused={where: said}) as host:
        assert (await refused(host, None, tls="off")).final is final


async def test_recipients_that_are_refused_are_named_and_the_others_have_the_mail() -> None:
    async with mail_host(refused={"b@x.org": "550 nobody here"}) as host:
        said = await send(host, None, to="a@x.org b@x.org", tls="off")
    assert said is not None
    assert "b@x.org (nobody here)" in said
    assert host.delivered[0].to == ["a@x.org"]


async def test_who_has_it_does_not_get_it_again_while_another_is_put_off() -> None:
    async with mail_host(refused={"b@x.org": "450 later!"}) as host:
        server = MailServer(Address("127.0.0.1", host.port), "off")
        mail = Mail(server, SENDER, [mailbox("a@x.org"), mailbox("b@x.org")], 5.0)
        assert not (await refused(host, None, mail=mail)).final
        await send(host, None, mail=mail)
    assert [told.to for told in host.delivered] == [["a@x.org"], ["b@x.org"]]
    assert host.delivered[0].mail["Message-ID"] == host.delivered[1].mail["Message-ID"]


async def test_a_server_that_talks_without_end_is_left_in_time() -> None:
    async with mail_host(silent=True) as host:
        began = time.monotonic()
        error = await refused(host, None, tls="off", patience=0.4)
    assert not error.final
    assert time.monotonic() - began < 3


def test_mails_of_a_group_thread_and_the_same_notice_has_the_same_id() -> None:
    to = [mailbox("a@x.org")]
    first, again = compose(notice(), SENDER, to), compose(notice(), SENDER, to)
    end = compose(notice(noticed(ended=NOW), key="shop:abc:1792506099999"), SENDER, to)
    assert first["Message-ID"] == again["Message-ID"] != end["Message-ID"]
    assert first["References"] == end["References"]
    assert end["Subject"] == "[RESOLVED] over: checkout is slow"


def test_no_label_makes_a_header_or_markup() -> None:
    told = noticed(HOSTILE, more={HOSTILE: HOSTILE, "big": "x" * 10_000}, runbook="javascript:alert(1)")
    mail = compose(notice(told, key=HOSTILE, receiver="a"), SENDER, [mailbox("a@x.org")])
    raw = mail.as_bytes()
    assert b"\nBcc" not in raw.partition(b"\r\n\r\n")[0]
    assert mail["Bcc"] is None
    page = mail.get_body(("html",))
    assert page is not None
    assert "<script" not in page.get_content()
    assert "javascript:alert" not in page.get_content()
    assert not any(char in page.get_content() for char in "\x1b\x00\u202e")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert len(raw) < 60_000


@pytest.mark.parametrize("text", ["", "a", "a@", "@b", "a@b\r\nBcc: c@d", "a b@c", "<a@b", "a@b, c@d", "a@b>"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        mailbox(text)
