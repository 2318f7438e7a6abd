"""The instructions for other languages work as written, except for the port."""

import re
import shlex
import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..support import ROOT
from ..support.processes import emulator_process
from .commands import run

GUIDE = (ROOT / "samples" / "other_languages.md").read_text(encoding="utf-8")
BLOCKS = {
    section.partition("\n")[0]: re.findall(r"^```\w+\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    for section in GUIDE.split("\n## ")[1:]
}
MODULE = "azure.communication.rooms.emulator"


@contextmanager
def emulator_of(command: str, folder: Path) -> Iterator[str]:
    """Start the emulator with the guide's command, but on a free port. Yield the port."""
    program, option, module, *arguments = shlex.split(command)
    assert (program, option, module) == ("python", "-m", MODULE)
    arguments[arguments.index("--port") + 1] = "0"
    arguments = [str(folder / argument) if argument.endswith(".pem") else argument for argument in arguments]
    with emulator_process(*arguments) as process:
        assert process.stdout
        yield process.stdout.readline().partition("127.0.0.1:")[2].partition("/")[0]


def shell(command: str, folder: Path) -> str:
    return run("bash", "-euo", "pipefail", "-c", command, cwd=folder)


@pytest.fixture
def tls_folder(tmp_path: Path) -> Path:
    """A folder with a certificate and the samples."""
    shell(f"{BLOCKS['TLS'][0].rstrip()} 2> openssl.log", tmp_path)
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    return tmp_path


def test_curl(tmp_path: Path) -> None:
    start, use = BLOCKS["curl"]
    with emulator_of(start, tmp_path) as port:
        created, listed = re.findall(r"\{.*?\}(?:\]\})?", shell(use.replace("8787", port), tmp_path))
        assert re.fullmatch(r'\{"id":"\d+",.*"pstnDialOutEnabled":true\}', created)
        assert listed == f'{{"value":[{created}]}}'
        list_only = use.splitlines()[:3] + use.splitlines()[-2:-1]
        assert shell("\n".join(list_only).replace("8787", port), tmp_path) == '{"value":[]}'


def test_tls_in_python(tls_folder: Path) -> None:
    _, start, _, use = BLOCKS["TLS"]
    with emulator_of(start, tls_folder) as port:
        output = shell(use.replace("8443", port), tls_folder)
        assert output.splitlines()[-1] == "Deleted it: 404 Not Found"


def test_certificate_satisfies_strict_checks(tls_folder: Path) -> None:
    """Python 3.13 and later are strict by default."""
    _, start, *_ = BLOCKS["TLS"]
    context = ssl.create_default_context(cafile=tls_folder / "emulator.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with emulator_of(start, tls_folder) as port:
        for name in ("localhost", "127.0.0.1"):
            connection = socket.create_connection(("127.0.0.1", int(port)), timeout=30)
            with context.wrap_socket(connection, server_hostname=name) as tls:
                assert tls.version() == "TLSv1.3"


@pytest.mark.index
def test_javascript(tls_folder: Path) -> None:
    start, install, program = BLOCKS["JavaScript"]
    _, start_with_tls, use_tls, _ = BLOCKS["TLS"]
    shell(install.strip() + " --no-audit --no-fund --loglevel=error", tls_folder)
    with emulator_of(start, tls_folder) as port:
        (tls_folder / "rooms.mjs").write_text(program.replace("8787", port), encoding="utf-8")
        check_output(shell("node rooms.mjs", tls_folder))
    with emulator_of(start_with_tls, tls_folder) as port:
        check_output(shell(use_tls.replace("8443", port), tls_folder))


def check_output(output: str) -> None:
    created, participant, deleted = output.splitlines()
    assert re.fullmatch(r"Created room \d+, open until \S+Z", created)
    assert participant == "8:acs:11111111-1111-1111-1111-111111111111_doctor as Presenter"
    assert deleted == "Deleted it"
