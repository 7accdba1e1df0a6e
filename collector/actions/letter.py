"""A notice as an e-mail: text and HTML, threaded by its group, with nothing of a label where a header could be made of it."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from collector.actions import words
from collector.actions.chats import link_of
from monitor.alerting.model import Severity
from monitor.alerting.notice import Notice, Noticed

_COLOURS: dict[Severity, str] = {"critical": "#b42318", "warning": "#8a5a00", "info": "#1f5fb0"}
_OVER = "#067647"
_SHOWN = 50


def mailbox(text: str) -> Address:
    """`oncall@example.com` or `On call <oncall@example.com>`. Raises `ValueError`."""
    name, bracket, rest = text.rpartition("<")
    address = rest.removesuffix(">").strip() if bracket else text.strip()
    user, at, domain = address.rpartition("@")
    strange = any(char.isspace() or not char.isprintable() or char in '<>()[],;:\\"' for char in address)
    if not (user and at and domain) or strange or (bracket and not rest.rstrip().endswith(">")) or len(address) > 254:
        raise ValueError(f"{words.plain(text, 80)!r} is no address of a person; write oncall@example.com")
    return Address(words.plain(name.strip().strip('"'), 100), user, domain)


def compose(notice: Notice, sender: Address, to: Sequence[Address], template: str = "") -> EmailMessage:
    """The mail. Sent again it has the same Message-ID; all mails of a group have the same References, so that they thread."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = tuple(to)
    mail["Subject"] = words.title(notice)
    when = _date(notice.at)
    if when:
        mail["Date"] = when
    mail["Message-ID"] = _id("notice", notice.key, sender)
    thread = _id("group", words.group_key(notice), sender)
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    text = words.filled(template, notice) if template else words.text(notice, _SHOWN)
    mail.set_content(_sound(text), cte="quoted-printable")
    if not template:
        mail.add_alternative(_sound(page(notice)), subtype="html", cte="quoted-printable")
    return mail


def page(notice: Notice) -> str:
    """The notice as HTML; loads nothing from anywhere."""
    alerts = "".join(_alert(noticed) for noticed in (notice.firing + notice.resolved)[:_SHOWN])
    group = f"<p>Group: {_escaped(words.pairs_text(notice.group))}</p>" if notice.group else ""
    more = words.left_out(notice, _SHOWN)
    return (
        '<!DOCTYPE html><html><body style="font: 15px/1.45 sans-serif; color: #1d2129; margin: 16px">'
        f'<h2 style="font-size: 18px">{_escaped(words.title(notice))}</h2>{group}{alerts}'
        f"{f'<p>{_escaped(more)}</p>' if more else ''}</body></html>"
    )


def _alert(noticed: Noticed) -> str:
    alert = noticed.alert
    colour = _COLOURS[alert.severity] if noticed.ended is None else _OVER
    state = alert.severity if noticed.ended is None else "over"
    until = f", until {words.moment(noticed.ended)}" if noticed.ended is not None else ""
    rows = "".join(
        f'<tr><td style="padding-right: 12px; color: #5b6472">{_escaped(words.plain(name, 100))}</td>'
        f"<td>{_escaped(words.plain(value, 500))}</td></tr>"
        for name, value in alert.labels[:40]
    )
    described = "".join(f"<p>{_escaped(line)}</p>" for line in words.paragraphs(noticed.description).splitlines())
    link = link_of(noticed)
    action = f'<p><a href="{_escaped(link)}">What to do</a></p>' if link else ""
    return (
        f'<div style="border-left: 4px solid {colour}; padding-left: 12px; margin: 16px 0">'
        f'<p><strong style="color: {colour}">{state}</strong> {_escaped(words.plain(noticed.summary, 1000))}</p>{described}'
        f"<p>since {words.moment(alert.fired_at)}{until}</p><table>{rows}</table>{action}</div>"
    )


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)


def _id(what: str, key: str, sender: Address) -> str:
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
    domain = sender.domain if sender.domain.isascii() else "lightship.invalid"
    return f"<{what}.{digest}@{domain}>"


def _date(at: float) -> str:
    from datetime import UTC, datetime

    try:
        return format_datetime(datetime.fromtimestamp(at, UTC))
    except (ValueError, OverflowError, OSError):
        return ""


def _sound(text: str) -> str:
    """Without what no UTF-8 can say."""
    return text.encode("utf-8", "replace").decode()
