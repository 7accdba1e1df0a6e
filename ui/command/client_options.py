"""Options that all commands speaking to a collector share."""

from __future__ import annotations

import argparse
import getpass
import os

DEFAULT_URL = "http://127.0.0.1:7070"


def user_name() -> str:
    """LIGHTSHIP_USER, else the name of the account."""
    try:
        return os.environ.get("LIGHTSHIP_USER") or getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def add_url(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        default=os.environ.get("LIGHTSHIP_URL") or DEFAULT_URL,
        metavar="URL",
        help=f"the collector, as http://host:7070 or ws://host:7071 (LIGHTSHIP_URL; {DEFAULT_URL})",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def add_timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="how long to wait for an answer (5)")


def add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--who", default=user_name(), metavar="NAME", help="whose name the others see (LIGHTSHIP_USER; you)")


def add_theme(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--theme",
        choices=("dark", "light", "dark-cvd", "light-cvd"),
        help="colours; the two cvd themes are for colour-blind eyes",
    )


def add_client(parser: argparse.ArgumentParser, json: bool = True) -> None:
    """The address, the patience and, where data are printed, --json."""
    add_url(parser)
    add_timeout(parser)
    if json:
        add_json(parser)
