"""Settings of who is told of alerts: [[receiver]], [[route]], [[inhibit]] and [[times]]."""

from __future__ import annotations

from monitor.settings.kinds import duration, flag, path, tags, text, texts, word
from monitor.settings.setting import Setting

RECEIVER_TYPES = (
    "webhook",
    "alertmanager",
    "slack",
    "teams",
    "pagerduty",
    "discord",
    "ntfy",
    "email",
    "log",
    "desktop",
    "exec",
)

RECEIVER: tuple[Setting, ...] = (
    Setting("name", text, "", "What routes and rules call it."),
    Setting("type", word(*RECEIVER_TYPES), "webhook", "How it is told."),
    Setting("url", text, "", "Where it is told: the address of a webhook, of a Slack hook, of an Alertmanager.", "", True),
    Setting("send_resolved", flag, True, "Whether it is told of ends too."),
    Setting(
        "template",
        text,
        "",
        "Text in place of the usual one, of a webhook the whole body; {status}, {summary}, {labels.NAME} and more are filled in.",
    ),
    Setting("format", word("native", "alertmanager"), "native", "webhook: the shape of its JSON."),
    Setting("headers", tags, {}, "Headers of every request.", '{ X-Team = "shop" }', True),
    Setting("token", text, "", "Bearer token of a webhook, routing key of PagerDuty, access token of ntfy.", "", True),
    Setting("secret", text, "", "Key that signs a webhook's body: HMAC-SHA256 in X-Lightship-Signature.", "", True),
    Setting(
        "private",
        flag,
        False,
        "Whether its url may lead to this machine or into a private network; a mail server may be anywhere.",
    ),
    Setting("to", texts, [], "email: who gets it.", '["oncall@example.com"]'),
    Setting("sender", text, "", "email: from whom it comes."),
    Setting("smtp", text, "", "email: the server, host:port; 465 is TLS from the start, others STARTTLS where it is offered."),
    Setting("user", text, "", "email: name at that server; empty: nobody logs in."),
    Setting("password", text, "", "email: password at that server.", "", True),
    Setting("password_file", path, "", "email: file that holds it."),
    Setting("tls", word("required", "offered", "off"), "required", "email: whether to go on where the server offers no TLS."),
    Setting("command", texts, [], "exec: the program and its arguments; the notice comes on its standard input as JSON."),
    Setting("timeout", duration, "10s", "How long one attempt may take."),
    Setting("per_minute", text, "60", "Most notices a minute; what is more waits."),
)

ROUTE: tuple[Setting, ...] = (
    Setting("name", text, "", "What it is called, to be named in `under`; empty: route and its number."),
    Setting("under", text, "", "The route it is a part of; empty: the first one, which takes what no other takes."),
    Setting("where", text, "", "Alerts it takes, by their labels.", 'team="shop", severity=~"critical|warning"'),
    Setting("receiver", text, "", "Who is told; empty: as the route it is a part of."),
    Setting("continue", flag, False, "Whether the routes after it are asked too."),
    Setting(
        "group_by",
        texts,
        [],
        'Labels by which alerts are told together; "...": each by itself; "none": all; empty: as above it, at first "...".',
        '["alertname", "service"]',
    ),
    Setting("group_wait", text, "", "How long a new group waits for company; empty: as above it, at first 30s."),
    Setting("group_interval", text, "", "Least time between two notices of a group; empty: as above it, at first 5m."),
    Setting("repeat_interval", text, "", "After what time what goes on is told again; empty: as above it, at first 4h."),
    Setting("mute", texts, [], "Names of [[times]] in which nobody is told.", '["nights"]'),
    Setting("active", texts, [], "Names of [[times]] in which alone somebody is told.", '["office"]'),
)

INHIBIT: tuple[Setting, ...] = (
    Setting("source", text, "", "While an alert with these labels fires, others are not told.", 'alertname="HostDown"'),
    Setting("target", text, "", "Those others, by their labels.", 'severity=~"warning|info"'),
    Setting("equal", texts, [], "Labels of which both must have the same values.", '["host"]'),
)

TIMES: tuple[Setting, ...] = (
    Setting("name", text, "", "What routes call it."),
    Setting("times", texts, [], "Times of the day.", '["22:00-24:00", "00:00-06:00"]'),
    Setting("weekdays", texts, [], "Days of the week.", '["saturday:sunday"]'),
    Setting("days_of_month", texts, [], "Days of the month, from its end where negative.", '["1:7", "-1"]'),
    Setting("months", texts, [], "Months of the year, by name or number.", '["december:december"]'),
    Setting("years", texts, [], "Years in which it holds.", '["2026:2027"]'),
    Setting("time_zone", text, "UTC", "Where the clock hangs.", "Europe/Berlin"),
)
