"""The command refuses with a sentence and an exit code before it does anything wrong."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import free_port
from ui.command import exits, show
from ui.command.main import main
from ui.command.parser import build_parser
from ui.command.send import line
from ui.command.up import choose_interface

NOWHERE = f"http://127.0.0.1:{free_port()}"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    return main(arguments), capsys.readouterr().err


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == exits.OK
    shown = capsys.readouterr().out
    commands = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
    assert [name for name in [*commands, "collector", "config"] if f"\n  {name} " not in shown] == []


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    commands = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
    for name in commands:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert f"usage: lightship {name}" in capsys.readouterr().out


def test_a_wrong_flag_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["status", "--jsno"])
    assert ended.value.code == exits.USAGE
    assert "--jsno" in capsys.readouterr().err


def test_a_command_that_does_not_exist_is_a_usage_error_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "statsu") == (
        exits.USAGE,
        "lightship: There is no command 'statsu'. Did you mean 'status'? 'lightship --help' lists them.\n",
    )


@pytest.mark.parametrize("command", [["status"], ["alerts"], ["get", "a"], ["ack", "a"], ["unsilence", "a"], ["rules", "list"]])
def test_without_a_collector_it_says_where_it_looked_and_what_to_do(
    capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    code, said = refused(capsys, *command, "--url", NOWHERE)
    assert code == exits.NO_COLLECTOR
    assert NOWHERE in said
    assert "lightship up" in said


def test_an_address_of_another_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "status", "--url", "ftp://a") == (
        exits.USAGE,
        "lightship: 'ftp://a' is not an address; write http://host:7070 or ws://host:7071\n",
    )


def test_a_selector_that_cannot_be_read_is_refused_with_its_column(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = refused(capsys, "get", "a{b", "--url", NOWHERE)
    assert code == exits.USAGE
    assert "column 4" in said


def test_a_field_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "get", "a", "--field", "p100", "--url", NOWHERE)[0] == exits.USAGE


def test_a_program_that_is_no_collector_is_not_mistaken_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code, said = refused(capsys, "status", "--timeout", "0.2", "--url", f"http://127.0.0.1:{server.getsockname()[1]}")
    assert code == exits.NO_COLLECTOR
    assert "No collector answers" in said


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        (("a.b", "1", "c", [], None), "a.b:1|c"),
        (("a", "-3", "g", ["x:y", "z"], None), "a:-3|g|#x:y,z"),
        (("a", "1.5", "ms", [], 0.1), "a:1.5|ms|@0.1"),
        (("a", "mira", "s", [], None), "a:mira|s"),
    ],
)
def test_send_writes_a_statsd_line(arguments: tuple[str, str, str, list[str], float | None], sent: str) -> None:
    assert line(*arguments) == sent


@pytest.mark.parametrize(
    "arguments",
    [
        ("a:b", "1", "c", [], None),
        ("", "1", "c", [], None),
        ("a", "x", "c", [], None),
        ("a", "1", "c", ["x|y"], None),
        ("a", "1", "c", [], 2.0),
    ],
)
def test_send_refuses_what_a_receiver_would_not_read(arguments: tuple[str, str, str, list[str], float | None]) -> None:
    with pytest.raises(exits.CommandError) as refusal:
        line(*arguments)
    assert refusal.value.code == exits.USAGE


def test_the_best_interface_is_the_desktop_then_the_terminal_then_none() -> None:
    assert choose_interface("auto", {"DISPLAY": ":0"}, "linux", True) == "desktop"
    assert choose_interface("auto", {"DISPLAY": ":0", "SSH_CONNECTION": "1"}, "linux", True) == "tui"
    assert choose_interface("auto", {}, "linux", True) == "tui"
    assert choose_interface("auto", {}, "linux", False) == "none"
    assert choose_interface("auto", {}, "darwin", True) == "desktop"
    assert choose_interface("tui", {"DISPLAY": ":0"}, "linux", True) == "tui"


def test_rules_can_be_checked_without_a_collector(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    path.write_text(
        '[[rule]]\nid = "a"\nmetric = "m"\ncondition = { type = "threshold", operator = "gt", value = 1, window = "5m" }\n'
    )
    assert main(["rules", "check", str(path)]) == exits.OK
    assert capsys.readouterr().out == "1 rule, nothing wrong.\n"
    path.write_text(path.read_text().replace("gt", "above"))
    assert main(["rules", "check", str(path)]) == exits.USAGE
    assert "a.toml, line 4" in capsys.readouterr().err


def lightship(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ui.command.main", *arguments]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is a Linux thing")
@pytest.mark.parametrize("arguments", [["--help"], ["config", "show"], ["config", "reference"]])
def test_a_full_disk_is_a_sentence(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(lightship(*arguments), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (exits.FAILED, "lightship: That did not work: No space left on device.\n")


@pytest.mark.parametrize("arguments", [["--help"], ["get", "--help"], ["config", "reference"]])
def test_a_reader_who_has_enough_is_no_failure(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(lightship(*arguments), stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (exits.OK, "")


def test_a_terminal_without_utf_8_gets_question_marks() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        lightship("unsilence", "--url", "ftp://ä", "x"), capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == exits.USAGE
    assert "Traceback" not in done.stderr


def test_a_table_fits_the_terminal_it_is_read_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = [["a" * 100 + "end", "1"], ["b", "2"]]
    show.print_table(["SERIES", "VALUE"], rows, right=(1,))
    assert capsys.readouterr().out.splitlines()[1].endswith("end      1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show.print_table(["SERIES", "VALUE"], rows, right=(1,))
    lines = capsys.readouterr().out.splitlines()
    assert {len(line) for line in lines} == {60}
    assert "…" in lines[1]
    assert lines[1].endswith("end      1")


def test_the_command_starts_without_toolkits_or_the_collector() -> None:
    code = "import sys, ui.command.main, ui.command.status, ui.command.values; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"PySide6", "textual", "aiohttp", "pyqtgraph"}.isdisjoint(loaded)


def test_help_and_send_start_without_numbers_and_sockets_of_the_stream() -> None:
    code = "import sys, ui.command.main, ui.command.send; ui.command.main.main(['--help']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"numpy", "msgspec", "websockets", "importlib.metadata"}.isdisjoint(loaded)


def test_rules_check_reads_prometheus_files_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text("groups:\n- name: a\n  rules:\n  - record: b\n    expr: sum(up)\n")
    bad.write_text("groups:\n- name: a\n  rules:\n  - record: b\n    expr: sum(up\n")
    assert main(["rules", "check", str(good)]) == exits.OK
    assert capsys.readouterr().out == "1 rule, nothing wrong.\n"
    assert main(["rules", "check", str(bad)]) == exits.USAGE
    assert capsys.readouterr().err.startswith("lightship: bad.yml, line 5: expr: unclosed left parenthesis")
