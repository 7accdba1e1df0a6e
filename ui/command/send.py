"""`lightship send`: one StatsD value over UDP."""

from __future__ import annotations

import argparse
import socket

from monitor.settings.address import read_address
from ui.command.exits import FAILED, OK, USAGE, CommandError


def run(arguments: argparse.Namespace) -> int:
    payload = line(arguments.name, arguments.value, arguments.type, arguments.tag, arguments.rate).encode()
    try:
        target = read_address(arguments.to)
    except ValueError as error:
        raise CommandError(f"--to: {error}", USAGE) from None
    try:
        family, kind, _, _, address = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as out:
            out.connect(address)
            for _ in range(arguments.times):
                out.send(payload)
    except OSError as error:
        raise CommandError(f"Nothing listens for StatsD at {target} ({error.strerror or error}).", FAILED) from None
    return OK


def line(name: str, value: str, kind: str, tags: list[str], rate: float | None) -> str:
    """The StatsD line. Raises `CommandError` for what a receiver would not read."""
    if not name or any(c in name for c in ":|\n#@"):
        raise CommandError(f"{name!r} cannot be a metric's name: it must not hold : | # @ or a line break.", USAGE)
    if kind != "s":
        try:
            float(value)
        except ValueError:
            raise CommandError(f"{value!r} is not a number; only sets (--type s) take texts.", USAGE) from None
    elif not value or any(c in value for c in "|\n"):
        raise CommandError(f"{value!r} cannot be a set's member: it must not be empty or hold | or a line break.", USAGE)
    if rate is not None and not 0 < rate <= 1:
        raise CommandError("--rate lies above 0 and at most at 1.", USAGE)
    if any(c in tag for tag in tags for c in "|,\n"):
        raise CommandError("A tag must not hold | , or a line break.", USAGE)
    parts = [f"{name}:{value}|{kind}"]
    parts += [f"@{rate:g}"] if rate is not None else []
    parts += ["#" + ",".join(tags)] if tags else []
    return "|".join(parts)
