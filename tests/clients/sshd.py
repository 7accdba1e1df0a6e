"""A real sshd on loopback for one test: keys, configuration and port of its own."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers import need
from tests.running import free_port, until

SSHD = "/usr/sbin/sshd"


@contextmanager
def sshd(folder: Path) -> Iterator[list[str]]:
    """Gives the `ssh` command line up to the remote command; the server ends with the block."""
    server, keygen = need(SSHD, "openssh-server"), need("ssh-keygen", "openssh-client")
    need("ssh", "openssh-client")
    for name in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = free_port()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\n"
        f"UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPidFile {folder}/sshd.pid\n"
    )
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    log = (folder / "sshd.log").open("w")
    with log, subprocess.Popen([server, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log) as process:
        try:
            until(lambda: "listening" in (folder / "sshd.log").read_text(), "sshd listens")
            yield [
                *("ssh", "-tt", "-p", str(port), "-i", str(folder / "user"), "-o", "LogLevel=ERROR"),
                *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/known", "-o", "IdentitiesOnly=yes"),
                f"{getpass.getuser()}@127.0.0.1",
            ]
        finally:
            process.terminate()
