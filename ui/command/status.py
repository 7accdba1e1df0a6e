"""`lightship status`."""

from __future__ import annotations

import argparse
import math
from typing import Any

from monitor.wire.messages import Status
from ui.command.ask import conversation
from ui.command.exits import OK
from ui.command.show import print_json
from ui.views.format import duration, number, plural, sanitise


def run(arguments: argparse.Namespace) -> int:
    with conversation(arguments.url, arguments.timeout) as talk:
        status = talk.ask(Status(id=talk.number()))
    if arguments.json:
        print_json(status)
    else:
        print("\n".join(sentences(status)))
    return OK


def sentences(status: dict[str, Any]) -> list[str]:
    """What the collector says of itself, in lines for people."""
    values: dict[str, float] = {k: v for k, v in status.get("values", {}).items() if v is not None and math.isfinite(v)}

    def figure(name: str) -> str:
        return number(values.get(name, 0.0))

    up = status.get("time", 0.0) - values.get("start_time_seconds", status.get("time", 0.0))
    lines = [
        f"{sanitise(str(status.get('name', '')))} is up for {duration(up)}, version {status.get('version', '')}",
        f"series    {figure('series')} of {figure('series_limit')}, {figure('series_expired_total')} expired",
        f"points    {figure('points_total')} taken, {figure('points_late_total')} late, {_dropped(values)} dropped, "
        f"{figure('points_overflowed_total')} in overflow",
        f"statsd    {figure('statsd_lines_total')} lines in {figure('statsd_datagrams_total')} datagrams, "
        f"{figure('statsd_malformed_total')} malformed, {figure('statsd_kernel_dropped_total')} dropped by the kernel"
        + (f"; listens on {status['statsd']}" if status.get("statsd") else ""),
        f"scrapes   {_counted(values, 'scrape_targets', 'target')}, {figure('scrape_targets_down')} down",
        f"stream    {_counted(values, 'stream_clients', 'client')}, "
        f"{figure('stream_skipped_frames_total')} frames skipped for slow ones",
        f"rules     {figure('rules')} in force, {figure('alerts_firing')} alerts firing",
        f"tick      {values.get('tick_seconds', 0.0) * 1000:.1f} ms, {figure('ticks_missed_total')} missed",
        f"memory    {values.get('process_resident_memory_bytes', 0.0) / (1 << 20):.0f} MiB, "
        f"CPU {values.get('process_cpu_seconds_total', 0.0):.1f} s",
    ]
    lines += [f"note      {sanitise(str(note))}" for note in status.get("notes", ())]
    return lines


def _counted(values: dict[str, float], name: str, what: str) -> str:
    return plural(int(values.get(name, 0.0)), what)


def _dropped(values: dict[str, float]) -> str:
    return number(sum(value for name, value in values.items() if name.startswith("points_dropped_")))
