"""`lightship desktop` and `lightship tui`."""

from __future__ import annotations

import argparse
import importlib.util
import sys

from ui.command.exits import USAGE, CommandError


def run(arguments: argparse.Namespace) -> int:
    if arguments.command == "desktop":
        return open_desktop(arguments.url, arguments.who, arguments.theme)
    if arguments.plain:
        import asyncio

        from ui.terminal.plain import run_plain

        return asyncio.run(run_plain(arguments.url, arguments.who, sys.stdout))
    return open_terminal(arguments.url, arguments.who, arguments.theme)


def open_desktop(url: str, who: str, theme: str | None) -> int:
    """The desktop window; returns when it is closed."""
    if importlib.util.find_spec("PySide6") is None:
        raise CommandError("The desktop window is not installed here; install lightship[desktop], or use 'lightship tui'.")
    try:
        from ui.desktop.app import run as run_desktop
    except ImportError as error:
        raise CommandError(
            f"The desktop window cannot be opened here ({error}). 'lightship doctor' says what to install; "
            "'lightship tui' works without it."
        ) from None
    return run_desktop(url, who, theme)


def open_terminal(url: str, who: str, theme: str | None) -> int:
    """The terminal interface; returns when it is left."""
    if importlib.util.find_spec("textual") is None:
        raise CommandError("The terminal interface is not installed here; install lightship[terminal].")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError("This is not a terminal. For pipes and screen readers: 'lightship tui --plain'.", USAGE)
    from ui.terminal.app import run as run_terminal

    return run_terminal(url, who, theme)
