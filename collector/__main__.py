"""`python -m collector`: run a collector, or show, check and explain its settings."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from collector.folders import FolderTakenError, default_config_file
from monitor.settings.declared import SETTINGS, TABLES
from monitor.settings.kinds import Kind, share
from monitor.settings.load import Settings, SettingsError, load_settings
from monitor.settings.reference import reference_page, toml_value

OK, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 could not run, 2 wrong flags or settings."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in ("config", "history"):
        return _printed(_config if given[0] == "config" else _history, given[1:])
    flags = _collector_parser().parse_args(given)
    try:
        settings = read_settings(flags)
    except SettingsError as error:
        return _complain(str(error), USAGE)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=settings["log_level"].upper())
    if settings["log_level"] != "debug":
        logging.getLogger("websockets").setLevel(logging.WARNING)  # a line for every client that comes and goes
    try:
        asyncio.run(_run(settings))
    except (OSError, FolderTakenError) as error:
        return _complain(str(getattr(error, "strerror", None) or error), FAILED)
    except KeyboardInterrupt:
        pass
    return OK


def _collector_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lightship collector",
        description="Run a collector in the foreground. Ctrl C, SIGTERM: stop; what was taken in is kept.",
        epilog="Every setting also has an environment variable and a place in the file: 'lightship config show'.",
    )
    for name, metavar in (
        ("http", "HOST:PORT"),
        ("stream", "HOST:PORT"),
        ("statsd", "HOST:PORT"),
        ("data", "DIR"),
        ("rules", "DIR"),
    ):
        setting = next(setting for setting in SETTINGS if setting.name == name)
        default = f" ({setting.default})" if setting.default else ""
        parser.add_argument(f"--{name}", metavar=metavar, help=setting.help.rstrip(".") + default)
    parser.add_argument("--config", metavar="FILE", help=f"configuration file ({default_config_file()})")
    return parser


def read_settings(flags: argparse.Namespace) -> Settings:
    """Defaults, file, environment and flags together. Raises `SettingsError`."""
    path = Path(flags.config) if flags.config else default_config_file()
    text = ""
    if flags.config or path.exists():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            from monitor.settings.load import Problem

            raise SettingsError((Problem(str(path), 0, "", f"cannot be read: {error}"),)) from None
    given = {key: value for key, value in vars(flags).items() if key in {setting.name for setting in SETTINGS}}
    return load_settings(text, path.name, os.environ, given)


FILES = 16_384


def _more_files() -> None:
    """So many open files, where the system allows it: many allow 1,024, and a relayed connection of gRPC takes three."""
    try:
        import resource
    except ImportError:  # Windows, which has no such bound
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(settings: Settings) -> None:
    from collector.service import Service

    _more_files()
    service = Service(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, service.stop)
        except NotImplementedError:  # Windows: Ctrl C arrives as KeyboardInterrupt
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(service.stop))
    await service.run(ready=_say_ready)


def _say_ready(http: str, stream: str) -> None:
    """One line for whoever started this process."""
    print(f"ready {http} {stream}", flush=True)


def _printed(command: Callable[[list[str]], int], arguments: list[str]) -> int:
    """A command whose output may go to a pipe that is closed early or to a disk that is full."""
    try:
        code = command(arguments)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK if isinstance(error, BrokenPipeError) else _complain(f"That did not work: {error.strerror or error}.", FAILED)
    return code


def _history(arguments: list[str]) -> int:
    from collector.history_command import main as history

    return history(arguments, read_settings)


def _config(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lightship config", description="The collector's settings.")
    verbs = parser.add_subparsers(metavar="show | check | reference", required=True)
    for verb, text in (
        ("show", "Every setting: its value and where it comes from."),
        ("check", "Read a configuration file and say what is wrong with it; exit code 2 when something is."),
        ("reference", "The page that explains every setting, as Markdown."),
    ):
        sub = verbs.add_parser(verb, description=text)
        sub.set_defaults(verb=verb)
        if verb != "reference":
            sub.add_argument("--config", metavar="FILE", help=f"configuration file ({default_config_file()})")
            sub.add_argument("--json", action="store_true", help="print JSON for programs")
    flags = parser.parse_args(arguments)
    if flags.verb == "reference":
        print(reference_page(), end="")
        return OK
    try:
        settings = read_settings(flags)
    except SettingsError as error:
        if flags.json:
            print(json.dumps([msgspec.to_builtins(problem) for problem in error.problems], indent=2))
            return USAGE
        return _complain(str(error), USAGE)
    _show(settings, flags.json) if flags.verb == "show" else print("Nothing wrong.")
    return OK


def _show(settings: Settings, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"settings": settings.shown, **settings.shown_tables}, indent=2, default=str))
        return
    for setting in SETTINGS:
        source = settings.sources.get(setting.name, "default")
        print(f"{setting.name} = {toml_value(settings.shown[setting.name])}  # {source}")
    for name in TABLES:
        for entry in settings.shown_tables[name]:
            print(f"\n[[{name}]]")
            kinds = {setting.name: setting.kind for setting in TABLES[name]}
            print("\n".join(f"{key} = {_written(value, kinds[key])}" for key, value in entry.items()))


def _written(value: Any, kind: Kind) -> str:
    return toml_value(f"{value:g}s" if isinstance(value, float) and kind is not share else value)


def _complain(message: str, code: int) -> int:
    print(f"lightship: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
