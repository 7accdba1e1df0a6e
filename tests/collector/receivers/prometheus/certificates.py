"""Certificates made for a test by the openssl program: an authority, a server for localhost and a client."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from tests.peers import need


class Certificates:
    """Files in a folder: `ca`, `server` and `client`, each a .pem and, of the latter two, a .key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._openssl = need("openssl", "openssl")
        self._make("ca", "-x509", "-days", "2", "-addext", "basicConstraints=critical,CA:TRUE")
        for name in ("server", "client"):
            self._make(name)
            extensions = folder / "extensions"
            extensions.write_text("subjectAltName=DNS:web.test\n")
            self._run("x509", "-req", "-in", f"{name}.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                      "-extfile", "extensions", "-out", f"{name}.pem")  # fmt: skip

    def file(self, name: str) -> str:
        return str(self._folder / name)

    def server_context(self, *, wants_client: bool) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.file("ca.pem"))
        context.load_cert_chain(self.file("server.pem"), self.file("server.key"))
        context.verify_mode = ssl.CERT_REQUIRED if wants_client else ssl.CERT_NONE
        return context

    def _make(self, name: str, *further: str) -> None:
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key",
                  "-subj", f"/CN={name}", "-out", f"{name}.pem", *further)  # fmt: skip

    def _run(self, *arguments: str) -> None:
        subprocess.run([self._openssl, *arguments], cwd=self._folder, check=True, capture_output=True)
