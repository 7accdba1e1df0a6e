"""The one table of actions: name, keys and help, from which bindings, menus, palette and help derive in every front end."""

from __future__ import annotations

from dataclasses import dataclass

from ui.views.view import Page


@dataclass(frozen=True, slots=True)
class Action:
    """`keys` in neutral spelling: "a", "shift+x", "ctrl+k", "space", "enter", "escape", "left", "alt+enter", "?", "/".

    `pages` empty: everywhere. Single-character keys do nothing while a text field has the focus. `hint`: short words for
    the key row.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    help: str
    pages: tuple[Page, ...] = ()
    hint: str = ""
    section: str = "General"


ACTIONS: tuple[Action, ...] = (
    Action("page.overview", "Overview", ("1",), "This machine, the busiest series and what is firing", section="Pages"),
    Action("page.explore", "Explore", ("2",), "Find any series and chart it over any window", section="Pages"),
    Action("page.topology", "Topology", ("3",), "Who calls whom, and which of them is not well", section="Pages"),
    Action("page.alerts", "Alerts", ("4",), "See, acknowledge and silence alerts", section="Pages"),
    Action("page.rules", "Rules", ("5",), "Read, edit and switch alert rules", section="Pages"),
    Action("page.traces", "Traces & logs", ("6",), "Find requests and log records, and what they waited for", section="Pages"),
    Action("palette.open", "Command palette", ("ctrl+k", ":"), "Find an action, a series or an alert by typing", hint="commands"),
    Action("filter.focus", "Filter this page", ("/",), "Type to narrow what this page lists", hint="filter"),
    Action("help.open", "Keys of this page", ("?",), "Show every key and what it does", hint="keys"),
    Action("back", "Back", ("escape",), "Close, clear or go back one step"),
    Action(
        "time.pause",
        "Pause or resume",
        ("space",),
        "Hold the view still while data keep arriving; in the past: play on or stand",
        hint="pause",
        section="Time",
    ),
    Action("time.live", "Go live", ("l",), "Return to the newest data", section="Time"),
    Action("time.shorter", "Shorter range", ("[",), "Show less time", section="Time"),
    Action("time.longer", "Longer range", ("]",), "Show more time", section="Time"),
    Action("time.earlier", "One window back", (",",), "Look one range earlier; beyond the hour at hand, rewind", section="Time"),
    Action("time.later", "One window forward", (".",), "Look one range later", section="Time"),
    Action(
        "time.goto", "Go to a time…", ("@",), "Rewind to a moment: 03:30, -2h, yesterday 9:00, 2026-11-23 14:00", section="Time"
    ),
    Action("time.faster", "Play faster", (">",), "In the past: 1, 2, 5, 10 or 60 times as fast", section="Time"),
    Action("time.slower", "Play slower", ("<",), "In the past: not quite as fast", section="Time"),
    Action("cursor.down", "Next", ("j", "down"), "Move to the next row", hint="move", section="Lists"),
    Action("cursor.up", "Previous", ("k", "up"), "Move to the previous row", section="Lists"),
    Action("cursor.home", "First row", ("home",), "Move to the first row", section="Lists"),
    Action("cursor.end", "Last row", ("end",), "Move to the last row", section="Lists"),
    Action("cursor.page_down", "Page down", ("pagedown",), "Move ten rows down", section="Lists"),
    Action("cursor.page_up", "Page up", ("pageup",), "Move ten rows up", section="Lists"),
    Action("open", "Open", ("enter",), "Open what the cursor is on", section="Lists"),
    Action("region.next", "Next region", ("tab",), "Move the focus to the next part of the page", section="Lists"),
    Action("region.previous", "Previous region", ("shift+tab",), "Move the focus to the part before", section="Lists"),
    Action("mark", "Mark", ("x",), "Mark this row for a joint action", ("alerts", "explore"), "mark", "Lists"),
    Action("mark.range", "Mark up to here", ("shift+x",), "Mark all rows from the last mark to here", ("alerts",), "", "Lists"),
    Action("mark.all", "Mark all shown", ("ctrl+a",), "Mark every row that the filter shows", ("alerts",), "", "Lists"),
    Action(
        "alert.acknowledge",
        "Acknowledge",
        ("a",),
        "Say that you have it; again: release it",
        ("overview", "alerts"),
        "acknowledge",
        "Alerts",
    ),
    Action(
        "alert.acknowledge.change",
        "Acknowledge until it changes",
        ("shift+a",),
        "Say that you have it until it gets worse, another of its group begins, or it resolves",
        ("alerts",),
        "",
        "Alerts",
    ),
    Action(
        "alert.silence",
        "Silence…",
        ("s",),
        "Stop telling people, for a time and a reason",
        ("overview", "alerts"),
        "silence",
        "Alerts",
    ),
    Action("alert.note", "Note…", ("n",), "Write a note on this alert", ("alerts",), "", "Alerts"),
    Action("alert.runbook", "Open runbook", ("r",), "Open the page that says what to do", ("alerts",), "", "Alerts"),
    Action("alert.why", "Why was nobody told?", ("w",), "See the steps from rule to notification", ("alerts",), "why", "Alerts"),
    Action("alert.explore", "Show in Explore", ("e",), "Chart this alert's metric", ("alerts",), "", "Alerts"),
    Action("alert.rule", "Show its rule", ("t",), "Open the rule that made this alert", ("alerts",), "", "Alerts"),
    Action(
        "alert.group.next", "Next group", ("right",), "Firing, pending, silenced, resolved, silences", ("alerts",), "", "Alerts"
    ),
    Action("alert.group.previous", "Previous group", ("left",), "The group before", ("alerts",), "", "Alerts"),
    Action("incident.fold", "Fold the incident", ("f",), "Fold or unfold the incident here", ("alerts",), "", "Alerts"),
    Action("alert.sort", "Sort by…", ("o",), "Severity, newest, name, value", ("alerts",), "", "Alerts"),
    Action(
        "silence.edit",
        "Edit silence…",
        ("shift+s",),
        "Change the chosen silence, or renew one that is over",
        ("alerts",),
        "",
        "Alerts",
    ),
    Action("silence.expire", "End silence", ("delete",), "End the chosen silence now", ("alerts",), "", "Alerts"),
    Action(
        "draft.save",
        "Save the draft",
        ("ctrl+s",),
        "Save the silence or the rule being edited",
        ("alerts", "rules"),
        "save",
        "Drafts",
    ),
    Action("draft.discard", "Discard the draft", ("ctrl+d",), "Throw the draft away", ("alerts", "rules"), "", "Drafts"),
    Action("explore.window", "Window…", ("w",), "1, 5, 15 minutes or an hour", ("explore",), "window", "Explore"),
    Action("explore.field", "Field…", ("f",), "Which figure of the series is drawn", ("explore",), "field", "Explore"),
    Action("explore.clear", "Clear the chart", ("c",), "Take all series off the chart", ("explore",), "", "Explore"),
    Action("explore.rule", "Make a rule…", ("t",), "Start a rule on the first series shown", ("explore",), "", "Explore"),
    Action(
        "exemplar.next",
        "Next exemplar",
        ("o",),
        "To the next request told with its trace; Enter opens it",
        ("explore",),
        "",
        "Explore",
    ),
    Action("exemplar.previous", "Previous exemplar", ("shift+o",), "To the one before it", ("explore",), "", "Explore"),
    Action("crosshair.left", "Crosshair left", ("left",), "Move the crosshair back in time", ("explore",), "", "Explore"),
    Action("crosshair.right", "Crosshair right", ("right",), "Move the crosshair forward", ("explore",), "", "Explore"),
    Action("zoom.in", "Zoom in", ("z",), "Halve the time shown, round the crosshair", ("explore",), "zoom", "Explore"),
    Action("zoom.out", "Zoom out", ("shift+z",), "Double the time shown", ("explore",), "", "Explore"),
    Action(
        "query.edit",
        "Edit query",
        ("e",),
        "Write PromQL; what is on the chart becomes a query",
        ("explore",),
        "edit query",
        "Queries",
    ),
    Action("query.new", "New query", ("n",), "One more query beside the others, A to H", ("explore",), "new", "Queries"),
    Action(
        "query.view",
        "Chart, table or moment",
        ("v",),
        "Lines, figures of the range, or the values at the crosshair",
        ("explore",),
        "view",
        "Queries",
    ),
    Action(
        "query.toggle",
        "Show or hide the query",
        ("h",),
        "Take the query under the cursor off the chart, or put it back",
        ("explore",),
        "",
        "Queries",
    ),
    Action(
        "query.duplicate", "Duplicate the query", ("d",), "The same query once more, to be changed", ("explore",), "", "Queries"
    ),
    Action("query.remove", "Remove the query", ("delete",), "Take the query under the cursor away", ("explore",), "", "Queries"),
    Action("query.complete", "Complete", ("ctrl+space",), "Show what may be written at the caret", ("explore",), "", "Queries"),
    Action(
        "query.fix",
        "Apply the suggestion",
        ("alt+enter",),
        "Mend the query, or write what says more",
        ("explore",),
        "",
        "Queries",
    ),
    Action("query.older", "Older query", ("ctrl+up",), "The query run before, into the editor", ("explore",), "", "Queries"),
    Action("query.newer", "Newer query", ("ctrl+down",), "The query run after it", ("explore",), "", "Queries"),
    Action("query.layout", "Lay the query out", (), "Over several lines, as long queries are read", ("explore",), "", "Queries"),
    Action(
        "query.save",
        "Keep the query…",
        ("ctrl+s",),
        "Keep it under a name; the palette finds it again",
        ("explore",),
        "",
        "Queries",
    ),
    Action("export.csv", "Save as CSV", ("s",), "What is shown, with times in ISO 8601", ("explore",), "", "Queries"),
    Action("export.picture", "Save as picture", ("p",), "The chart as PNG", ("explore",), "", "Queries"),
    Action("topology.left", "Left", ("left",), "To the node on the left; in 3D turn", ("topology",), "walk", "Topology"),
    Action("topology.right", "Right", ("right",), "To the node on the right; in 3D turn", ("topology",), "", "Topology"),
    Action("topology.up", "Up", ("up",), "To the node above; in 3D look from above", ("topology",), "", "Topology"),
    Action("topology.down", "Down", ("down",), "To the node below; in 3D look from below", ("topology",), "", "Topology"),
    Action(
        "topology.failing", "Only what fails", ("f",), "Hide what is well, or show it again", ("topology",), "failing", "Topology"
    ),
    Action(
        "topology.mode", "2D or 3D", ("d",), "The same layers flat, or one behind the other", ("topology",), "2D/3D", "Topology"
    ),
    Action(
        "topology.table", "Map or table", ("t",), "All nodes with their figures, row by row", ("topology",), "table", "Topology"
    ),
    Action(
        "topology.near",
        "Neighbours only",
        ("n",),
        "One, two, three steps round the node chosen, then everybody",
        ("topology",),
        "neighbours",
        "Topology",
    ),
    Action(
        "topology.next_ill",
        "Next that is not well",
        ("g",),
        "To the next node that is over a limit or has an alert, the gravest first",
        ("topology",),
        "next not well",
        "Topology",
    ),
    Action("topology.lens", "Health, latency or traffic", ("v",), "Which figures the map shows", ("topology",), "", "Topology"),
    Action("topology.explore", "Show in Explore", ("e",), "Chart the node's busiest series", ("topology",), "", "Topology"),
    Action("topology.traces", "Its traces", ("o",), "Requests that passed the node chosen", ("topology",), "traces", "Topology"),
    Action("topology.errors", "Its failed traces", ("shift+o",), "Requests that failed in it", ("topology",), "", "Topology"),
    Action("topology.logs", "Its logs", ("i",), "Log records of the node chosen", ("topology",), "", "Topology"),
    Action("topology.nearer", "Nearer", ("z", "="), "Enlarge the map", ("topology",), "", "Topology"),
    Action("topology.farther", "Farther", ("shift+z", "-"), "Make the map smaller", ("topology",), "", "Topology"),
    Action("topology.fit", "All in sight", ("0",), "The whole map, as it was at first", ("topology",), "", "Topology"),
    Action("topology.pan_left", "Move the map left", ("shift+h",), "See more on the left", ("topology",), "", "Topology"),
    Action("topology.pan_right", "Move the map right", ("shift+l",), "See more on the right", ("topology",), "", "Topology"),
    Action("topology.pan_up", "Move the map up", ("shift+k",), "See more above", ("topology",), "", "Topology"),
    Action("topology.pan_down", "Move the map down", ("shift+j",), "See more below", ("topology",), "", "Topology"),
    Action("topology.tidy", "Tidy up the map", (), "Lay the whole map out anew; can be undone", ("topology",), "", "Topology"),
    Action("rule.edit", "Edit", ("e", "enter"), "Edit the rule's text", ("rules",), "edit", "Rules"),
    Action("rule.toggle", "Enable or disable", ("d",), "Switch the rule on or off in its file", ("rules",), "on/off", "Rules"),
    Action("rule.new", "New rule", ("n",), "Start a rule from a template", ("rules",), "new", "Rules"),
    Action("rule.delete", "Delete rule", ("delete",), "Take the rule out of its file", ("rules",), "", "Rules"),
    Action("rule.fix", "Apply the suggested fix", ("alt+enter",), "Mend the first problem as suggested", ("rules",), "", "Rules"),
    Action("traces.kind", "Traces or logs", ("t",), "List traces, or log records", ("traces",), "traces/logs", "Traces & logs"),
    Action(
        "traces.failing", "Only what fails", ("f",), "Traces with errors; logs from warnings on", ("traces",), "", "Traces & logs"
    ),
    Action("traces.order", "Newest or longest", ("o",), "The order of the traces", ("traces",), "order", "Traces & logs"),
    Action(
        "traces.form", "Waterfall or flame", ("v",), "Spans one below the other, or stacked", ("traces",), "form", "Traces & logs"
    ),
    Action("traces.left", "Fold, or to the parent", ("left",), "In a flame to the span before", ("traces",), "", "Traces & logs"),
    Action("traces.right", "Unfold, or to the child", ("right",), "In a flame to the next one", ("traces",), "", "Traces & logs"),
    Action("traces.fold", "Fold or unfold all", ("c",), "Only the first level, or everything", ("traces",), "", "Traces & logs"),
    Action("traces.error", "Next error", ("n",), "Go to the next span that failed", ("traces",), "error", "Traces & logs"),
    Action(
        "traces.path",
        "Slowest on the path",
        ("p",),
        "Go to what took most of the time, then the next",
        ("traces",),
        "slowest",
        "Traces & logs",
    ),
    Action(
        "traces.other",
        "To its logs, or its trace",
        ("g",),
        "From a trace to its logs, from a record to its trace",
        ("traces",),
        "logs",
        "Traces & logs",
    ),
    Action(
        "traces.map",
        "Show on the map",
        ("m",),
        "The service of the span, trace or record on the Topology page",
        ("traces",),
        "map",
        "Traces & logs",
    ),
    Action("traces.again", "Ask again", ("r",), "Ask the collector anew", ("traces",), "", "Traces & logs"),
    Action("traces.copy", "Copy the trace's id", ("y",), "Into the clipboard", ("traces",), "", "Traces & logs"),
    Action("theme.next", "Next theme", ("ctrl+t",), "Dark, light, and both for colour-blind eyes", section="View"),
    Action("undo", "Undo", ("ctrl+z",), "Take the last acknowledge or silence back", section="View"),
    Action("connection.retry", "Retry now", (), "Ask the collector again at once", section="View"),
    Action("quit", "Quit", ("q", "ctrl+q"), "Leave; the collector keeps its own life", section="View"),
)

ACTING = frozenset(
    {
        "alert.acknowledge",
        "alert.acknowledge.change",
        "alert.silence",
        "alert.note",
        "silence.edit",
        "silence.expire",
        "draft.save",
        "explore.rule",
        "rule.edit",
        "rule.new",
        "rule.toggle",
        "rule.delete",
        "rule.fix",
    }
)
"""What changes something, or begins to: off while the past is looked at."""

BY_NAME: dict[str, Action] = {action.name: action for action in ACTIONS}


def action_for(key: str, page: Page) -> Action | None:
    """The action a key means on a page; what belongs to the page wins over what holds everywhere."""
    general: Action | None = None
    for action in ACTIONS:
        if key in action.keys:
            if page in action.pages:
                return action
            if not action.pages and general is None:
                general = action
    return general
