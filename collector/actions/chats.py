"""A notice as services for people take it: within their limits, every word of a label escaped for the markup it stands in.

Sources: Slack, "Block Kit" and "Formatting text"; Microsoft, "Adaptive Cards" 1.4 and "Incoming webhooks with Workflows" (28 KB);
PagerDuty, "Events API v2"; Discord, "Webhook" and "Embed limits"; ntfy, "Publish as JSON".
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import urlsplit

from collector.actions import words
from collector.actions.words import cut, cut_bytes, iso, pairs_text, paragraphs, plain
from monitor.alerting.model import Severity
from monitor.alerting.notice import Notice, Noticed

PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
_COLOURS: dict[Severity, str] = {"critical": "#d03b3b", "warning": "#c98500", "info": "#2a78d6"}
_OVER = "#0ca30c"
_SLACK_ALERTS, _DISCORD_ALERTS, _TEAMS_ALERTS, _PAGERDUTY_ALERTS = 10, 8, 8, 20
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:@])")
_NTFY_PRIORITY: dict[Severity, int] = {"critical": 5, "warning": 4, "info": 3}


def slack(notice: Notice, said: str = "") -> dict[str, Any]:
    """Body of a Slack incoming webhook. `said` in place of the usual text."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _slack_plain(words.title(notice, 150))}]
    if said:
        blocks.append({"type": "section", "text": _slack_plain(paragraphs(said, 3000))})
    else:
        if notice.group:
            blocks.append({"type": "section", "text": _slack_plain(pairs_text(notice.group))})
        blocks += [block for noticed in _first(notice, _SLACK_ALERTS) for block in _slack_alert(noticed)]
        if more := words.left_out(notice, _SLACK_ALERTS):
            blocks.append({"type": "section", "text": _slack_plain(more)})
    fallback = slack_escaped(words.title(notice, 300))
    return {"text": fallback, "attachments": [{"color": _colour(notice), "fallback": fallback, "blocks": blocks}]}


def _slack_alert(noticed: Noticed) -> list[dict[str, Any]]:
    head, *rest = words.alert_lines(noticed)
    rest = [line for line in rest if not line.startswith("What to do: ")]
    found: list[dict[str, Any]] = [{"type": "section", "text": _slack_plain(cut("\n".join([head, *rest]), 2900))}]
    if link := link_of(noticed):
        found.append({"type": "context", "elements": [{"type": "mrkdwn", "text": f"<{slack_escaped(link)}|What to do>"}]})
    return found


def _slack_plain(text: str) -> dict[str, Any]:
    # Of type plain_text nothing is markup, and no one is called by an @; `emoji` false leaves :words: alone.
    return {"type": "plain_text", "text": text or "-", "emoji": False}


def slack_escaped(text: str) -> str:
    """The three characters that steer Slack's markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(notice: Notice, said: str = "") -> dict[str, Any]:
    """Body of a Teams webhook made with Workflows: an Adaptive Card. A TextRun shows its text as it is, without markup."""
    body = [_run(words.title(notice), "Attention" if notice.firing else "Good", True)]
    actions: list[dict[str, Any]] = []
    if said:
        body.append(_run(paragraphs(said, 8000)))
    else:
        if notice.group:
            body.append(_run(pairs_text(notice.group)))
        for noticed in _first(notice, _TEAMS_ALERTS):
            body += [_run(cut(line, 600)) for line in words.alert_lines(noticed) if not line.startswith("What to do: ")]
            link = link_of(noticed)
            if link and not any(action["url"] == link for action in actions) and len(actions) < 4:
                actions.append(
                    {"type": "Action.OpenUrl", "title": plain(f"What to do: {noticed.alert.rule_id}", 80), "url": link}
                )
        if more := words.left_out(notice, _TEAMS_ALERTS):
            body.append(_run(more))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    }
    content_type = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content_type, "contentUrl": None, "content": card}]}


def _run(text: str, colour: str = "Default", bold: bool = False) -> dict[str, Any]:
    run = {"type": "TextRun", "text": text or "-", "color": colour, "weight": "Bolder" if bold else "Default"}
    return {"type": "RichTextBlock", "inlines": [run]}


def pagerduty(notice: Notice, routing_key: str, said: str = "") -> dict[str, Any]:
    """An event: one incident a group, which a notice of its end resolves."""
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "trigger" if notice.firing else "resolve",
        "dedup_key": _within_255(words.group_key(notice)),
    }
    if not notice.firing:
        return event
    first = notice.firing[0]
    details = {
        "group": dict(notice.group),
        "alerts": ["\n".join(words.alert_lines(noticed))[:4000] for noticed in _first(notice, _PAGERDUTY_ALERTS)],
        "more": words.left_out(notice, _PAGERDUTY_ALERTS),
    }
    links = list(dict.fromkeys(filter(None, map(link_of, notice.firing[:_PAGERDUTY_ALERTS]))))
    event["payload"] = {
        "summary": plain(said, 1024) or words.title(notice, 1024),
        "source": source_of(first),
        "severity": words.worst(notice),
        "timestamp": iso(min((each.alert.fired_at or notice.at for each in notice.firing), default=notice.at)),
        "component": plain(first.alert.rule_id, 255),
        "group": pairs_text(notice.group, 255),
        "class": "alert",
        "custom_details": details,
    }
    event["links"] = [{"href": link, "text": "What to do"} for link in links[:10]]
    event["client"] = "Lightship"
    return event


def source_of(noticed: Noticed) -> str:
    """What is affected, by the labels that usually say so."""
    labels = dict(noticed.alert.labels)
    named = next((labels[name] for name in ("instance", "host", "service", "job") if labels.get(name)), "")
    return plain(named, 255) or "lightship"


def _within_255(key: str) -> str:
    return key if len(key) <= 255 else hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def discord(notice: Notice, said: str = "") -> dict[str, Any]:
    """Body of a Discord webhook: 6,000 characters in all its embeds; nobody is called by an @."""
    if said:
        described = cut(markdown_escaped(paragraphs(said, 2000)), 4000)
    else:
        parts = [markdown_escaped(pairs_text(notice.group))] if notice.group else []
        for noticed in _first(notice, _DISCORD_ALERTS):
            lines = [markdown_escaped(cut(line, 300)) for line in words.alert_lines(noticed)[:5]]
            parts.append("\n".join(lines))
        described, used = "", 0
        for number, part in enumerate(parts):
            if len(described) + len(part) > 3800 and number:
                break
            described, used = described + ("\n\n" if described else "") + part, used + 1
        shown = used - (1 if notice.group else 0)
        described = cut(described, 3900) + (f"\n{more}" if (more := words.left_out(notice, max(0, shown))) else "")
    embed = {
        "title": cut(markdown_escaped(words.title(notice, 120)), 256),
        "description": described,
        "color": int(_colour(notice)[1:], 16),
    }
    if (when := iso(notice.at)) is not None:
        embed["timestamp"] = when
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def markdown_escaped(text: str) -> str:
    """Every character that Markdown may take for its own, behind a backslash."""
    return _MARKDOWN.sub(r"\\\1", text)


def ntfy(notice: Notice, topic: str, said: str = "") -> dict[str, Any]:
    """A message of ntfy, published as JSON; its text is plain."""
    urgent = notice.firing and notice.reason != "test"
    message: dict[str, Any] = {
        "topic": topic,
        "title": words.title(notice, 200),
        "message": cut_bytes(said or words.text(notice, 10), 4000),
        "priority": _NTFY_PRIORITY[words.worst(notice)] if urgent else 3,
        "tags": ["rotating_light" if notice.firing else "white_check_mark"],
    }
    if notice.alerts and (link := link_of(_first(notice, 1)[0])):
        message["click"] = link
    return message


def ntfy_place(url: str) -> tuple[str, str]:
    """Where messages are posted and the topic, of the topic's address. Raises `ValueError`."""
    parts = urlsplit(url)
    path, _, topic = parts.path.rstrip("/").rpartition("/")
    if not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", topic):
        raise ValueError("the url of ntfy ends in the topic, as in https://ntfy.sh/our-alerts")
    return parts._replace(path=path or "/", query="", fragment="").geturl(), topic


def link_of(noticed: Noticed) -> str:
    """The address of what to do, "" where it is none that may be shown as a link."""
    url = noticed.runbook_url
    if not url.startswith(("http://", "https://")) or len(url) > 2000 or not url.isprintable() or re.search(r"[\s<>|\"`]", url):
        return ""
    try:
        return url if urlsplit(url).hostname else ""
    except ValueError:
        return ""


def _first(notice: Notice, most: int) -> tuple[Noticed, ...]:
    return (notice.firing + notice.resolved)[:most]


def _colour(notice: Notice) -> str:
    return _COLOURS[words.worst(notice)] if notice.firing else _OVER
