"""Programs get the notice as JSON, say by their exit code how it went, and leave nothing behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from collector.actions.desktop import Desktop
from collector.actions.program import Program
from collector.actions.receiver import NotToldError
from tests.collector.actions.notices import HOSTILE, notice, noticed
from tests.running import until


def program(tmp_path: Path, code: str, timeout: float = 5.0) -> Program:
    return Program([sys.executable, "-I", "-S", "-c", code, "$(touch owned)", "; touch owned"], tmp_path, timeout)


async def test_a_program_reads_the_notice_and_few_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTSHIP_DB_PASSWORD", "pa55word")
    code = "import sys, os, json; json.dump([json.load(sys.stdin), dict(os.environ), sys.argv[1:]], open('got', 'w'))"
    await program(tmp_path, code).tell(notice(noticed(HOSTILE, x=HOSTILE), key="k\0ey"))
    import json

    told, variables, arguments = json.loads((tmp_path / "got").read_text())
    assert told["alerts"][0]["labels"]["x"] == HOSTILE
    assert variables["LIGHTSHIP_KEY"] == "key"
    assert "LIGHTSHIP_DB_PASSWORD" not in variables
    assert arguments == ["$(touch owned)", "; touch owned"]
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(("code", "final"), [(75, False), (1, True), (2, True)])
async def test_the_exit_code_says_whether_to_try_again(tmp_path: Path, code: int, final: bool) -> None:
    with pytest.raises(NotToldError, match=f"exited with {code}: no line") as caught:
        await program(tmp_path, f"import sys; print('no line'); sys.exit({code})").tell(notice())
    assert caught.value.final is final


async def test_its_output_is_bounded_and_unread_input_is_no_error(tmp_path: Path) -> None:
    many = notice(*(noticed("x" * 4000) for _ in range(500)))
    await program(tmp_path, "import os\nfor _ in range(300): os.write(1, b'y' * 65536)").tell(many)


async def test_what_takes_too_long_ends_with_all_it_has_started(tmp_path: Path) -> None:
    code = "import subprocess; c = subprocess.Popen(['sleep', '60']); open('pid', 'w').write(str(c.pid)); c.wait()"
    began = time.monotonic()
    with pytest.raises(NotToldError, match=r"ended after 1\.5 s") as caught:
        await program(tmp_path, code, 1.5).tell(notice())
    assert not caught.value.final
    assert time.monotonic() - began < 5
    child = int((tmp_path / "pid").read_text())
    until(lambda: not _runs(child), "its child is gone")


async def test_a_child_that_holds_the_output_open_is_not_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    await program(tmp_path, "import subprocess; subprocess.Popen(['sleep', '60'])").tell(notice())
    assert time.monotonic() - began < 4


async def test_a_program_that_is_not_there_is_said_and_waited_for(tmp_path: Path) -> None:
    with pytest.raises(NotToldError, match="nosuch cannot be started") as caught:
        await Program(["/nosuch"], tmp_path, 1.0).tell(notice())
    assert not caught.value.final


async def test_a_desktop_is_told_in_plain_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":9")
    script = tmp_path / "show"
    script.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > shown\n')
    script.chmod(0o755)
    await Desktop(tmp_path, 5.0, [str(script)]).tell(notice(noticed("<b>-1</b>")))
    shown = (tmp_path / "shown").read_text().splitlines()
    assert shown == ["--app-name=Lightship", "--urgency=critical", "--", "[FIRING] <b>-1</b>", "&lt;b&gt;-1&lt;/b&gt;"]
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NotToldError, match="no desktop") as caught:
        await Desktop(tmp_path, 5.0).tell(notice())
    assert caught.value.final


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and os.path.exists(f"/proc/{pid}")
