"""`lightship`: reads the command line and calls the one module that does the work."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from ui.command import exits
from ui.command.parser import build_parser, command_names
from ui.command.show import complain

_OVERVIEW = """\
usage: lightship [COMMAND] [OPTIONS]

A live monitor for people who run software. Without a command: 'lightship up'.

Watch
  up           start a collector or attach to the running one, and open the best interface for this place
  desktop      open the desktop window
  tui          open the terminal interface
  status       how the collector is doing
  get          values of series now
  query        PromQL over all that is kept
  watch        values of series, a line each tick
  alerts       alerts and silences

Act
  ack          acknowledge alerts, or release them
  silence      tell nobody about some alerts for a time
  unsilence    end a silence
  why          why somebody was, or was not, told of an alert
  notify       try out who is told of alerts
  rules        list the rules in force, or check rule files
  send         send one StatsD value, to try things out
  event        tell a deploy, a change or an incident
  push         push what a job has to say before it ends

Run
  collector    run a collector in the foreground
  config       show, check or explain the settings
  history      back up, check, export, import or delete what is kept
  doctor       look for what is wrong here, each finding with its mend

Try
  lightship up
  lightship send demo.hits 1 --type c
  lightship get demo.hits --window 5m --field sum

'lightship COMMAND --help' explains a command. Exit codes:
"""

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# numpy reads this when it is loaded: no thread a core for linear algebra that nobody here does.

_PASSED_ON = ("collector", "config", "history")
"""These belong to the collector's own command line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Whatever goes wrong ends in a sentence, not in a trace."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # what the terminal cannot show is no reason to fail
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
        return code
    except exits.CommandError as error:
        complain(str(error))
        return error.code
    except KeyboardInterrupt:
        return exits.OK
    except BrokenPipeError:
        return exits.OK  # who read has read enough
    except OSError as error:
        complain(f"That did not work: {error.strerror or error}.")
        return exits.FAILED
    finally:
        _let_go()


def _run(given: list[str]) -> int:
    if given and given[0] in _PASSED_ON:
        return _collector(given)
    if given and given[0] in ("-h", "--help", "help") and len(given) == 1:
        print(_OVERVIEW + "".join(f"  {code}  {meaning}\n" for code, meaning in exits.MEANING.items()), end="")
        return exits.OK
    parser = build_parser()
    if given and not given[0].startswith("-") and given[0] not in command_names(parser):
        raise exits.CommandError(_no_such_command(given[0], command_names(parser)), exits.USAGE)
    parsed, rest = parser.parse_known_args(given or ["up"])
    if rest and ("what" not in parsed or any(one.startswith("-") and one != "-" for one in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        parsed.what += rest  # values behind a flag, which argparse leaves over before Python 3.13
    return int(_load(parsed.module).run(parsed))


def _no_such_command(name: str, known: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, [*known, *_PASSED_ON], 1)
    meant = f" Did you mean '{near[0]}'?" if near else ""
    return f"There is no command {name!r}.{meant} 'lightship --help' lists them."


def _let_go() -> None:
    """Drop what nobody will take any more, or the interpreter complains about it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _load(module: str) -> ModuleType:
    """The command's module; nothing that is loaded with it is ever garbage, so none is looked for meanwhile."""
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def _collector(arguments: list[str]) -> int:
    import importlib.util
    import subprocess

    if importlib.util.find_spec("aiohttp") is None:
        complain("the collector is not installed here; install lightship[collector]")
        return exits.FAILED
    command = [sys.executable, "-m", "collector", *(arguments[1:] if arguments[0] == "collector" else arguments)]
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(sys.executable, command)
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main())
