"""What services for people are sent keeps within their limits, and no label is markup or calls anybody there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.actions import chats, words
from monitor.alerting.notice import Notice
from tests.collector.actions.flaky import flaky
from tests.collector.actions.making import receiver
from tests.collector.actions.notices import HOSTILE, NOW, notice, noticed

HUGE = notice(*(noticed(HOSTILE * 80, x=HOSTILE * 80, more={f"l{n}": "y" * 200 for n in range(40)}) for _ in range(1000)))


async def sent(settings: str, told: Notice, path: str = "/services/x") -> Any:
    async with flaky() as server:
        one = receiver(f'{settings}\nurl = "{server.url}{path}"\nprivate = true')
        await one.tell(told)
        await one.close()
    return server.got[0]


def texts(body: Any) -> list[str]:
    """All texts of a body."""
    if isinstance(body, dict):
        return [text for value in body.values() for text in texts(value)]
    return (
        [text for value in body for text in texts(value)] if isinstance(body, list) else [body] if isinstance(body, str) else []
    )


async def test_slack_shows_labels_as_plain_text_within_its_limits() -> None:
    body = (await sent('type = "slack"', HUGE)).json
    blocks = body["attachments"][0]["blocks"]
    assert len(blocks) <= 50
    assert all(
        block["text"]["type"] == "plain_text" and len(block["text"]["text"]) <= 3000 for block in blocks if "text" in block
    )
    assert len(blocks[0]["text"]["text"]) <= 150
    assert "<!channel>" not in body["text"]
    marked = [element["text"] for block in blocks for element in block.get("elements", ())]
    assert set(marked) == {"<https://wiki.example.com/slow|What to do>"}
    assert "… and 990 more" in texts(blocks)


async def test_teams_gets_a_card_below_its_28_kb_whose_texts_are_no_markdown() -> None:
    got = await sent('type = "teams"', HUGE)
    assert len(got.body) <= 28_000
    card = got.json["attachments"][0]["content"]
    assert (got.json["type"], card["type"], card["version"]) == ("message", "AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert [action["url"] for action in card["actions"]] == ["https://wiki.example.com/slow"]


async def test_pagerduty_has_one_incident_a_group_that_its_end_resolves() -> None:
    settings = 'type = "pagerduty"\ntoken = "r0ut1ng"'
    begun = (await sent(settings, notice())).json
    over = (await sent(settings, notice(noticed(ended=NOW), key="shop:abc:1792506099999"))).json
    assert (begun["event_action"], over["event_action"]) == ("trigger", "resolve")
    assert begun["dedup_key"] == over["dedup_key"] == "shop:abc"
    assert begun["payload"]["severity"] == "critical"
    assert begun["payload"]["source"] == "cart"
    assert begun["routing_key"] == "r0ut1ng"
    huge = await sent(settings, HUGE)
    assert len(huge.body) < 512_000
    assert len(huge.json["payload"]["summary"]) <= 1024
    assert len(chats.pagerduty(notice(key="x" * 900), "k")["dedup_key"]) <= 255


async def test_discord_calls_nobody_and_keeps_within_6000_characters() -> None:
    body = (await sent('type = "discord"', HUGE)).json
    (embed,) = body["embeds"]
    assert body["allowed_mentions"] == {"parse": []}
    assert len(embed["title"]) <= 256
    assert len(embed["description"]) <= 4096
    assert sum(map(len, texts(embed))) <= 6000
    small = (await sent('type = "discord"', notice(noticed(x="@everyone [x](http://evil) **b**")))).json
    assert r"\@everyone \[x\]\(http\://evil\) \*\*b\*\*" in small["embeds"][0]["description"]


async def test_ntfy_gets_a_plain_message_for_its_topic() -> None:
    got = await sent('type = "ntfy"\ntoken = "tk_12345"', HUGE, "/base/our-alerts")
    assert (got.path, got.headers["authorization"]) == ("/base", "Bearer tk_12345")
    body = got.json
    assert (body["topic"], body["priority"], body["click"]) == ("our-alerts", 5, "https://wiki.example.com/slow")
    assert len(body["message"].encode()) <= 4096


async def test_a_template_takes_the_place_of_the_usual_text() -> None:
    body = (await sent("""type = "slack"\ntemplate = "{severity} of {labels.service}: {summary}" """, notice())).json
    assert "critical of cart: checkout is slow" in texts(body)


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "https://a/<b>", "https://a|b", "https:// a", "http://[", "https://x\n", "https://" + "x" * 3000],
)
def test_what_is_no_address_is_no_link(link: str) -> None:
    assert chats.link_of(noticed(runbook=link)) == ""


@pytest.mark.parametrize("told", [notice(noticed(HOSTILE, x=HOSTILE)), HUGE])
def test_text_for_people_holds_nothing_that_steers_a_terminal(told: Notice) -> None:
    said = words.text(told)
    assert not any(char in said for char in "\x1b\x00\u202e\r")
    assert "\n" not in words.title(told)
    assert len(words.title(told)) <= 200


async def test_a_log_has_one_line_a_notice_with_all_its_alerts(tmp_path: Path) -> None:
    one = receiver('type = "log"', tmp_path)
    await one.tell(notice(noticed(HOSTILE, x=HOSTILE), noticed(ended=NOW)))
    await one.tell(notice(key="k2"))
    lines = (tmp_path / "notices.log").read_text("ascii").splitlines()
    first, second = map(json.loads, lines)
    assert (first["key"], second["key"], len(first["alerts"])) == ("shop:abc:1792506096000", "k2", 2)
    assert first["alerts"][0]["labels"]["x"] == HOSTILE
