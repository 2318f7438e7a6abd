"""The instructions for other languages work as written."""

import re
import shutil
from pathlib import Path

import pytest

from ..support import ROOT, posix
from .running import run

GUIDE = (ROOT / "samples" / "other_languages.md").read_text(encoding="utf-8")
BLOCKS = {
    section.partition("\n")[0]: re.findall(r"^```\w+\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    for section in GUIDE.split("\n## ")[1:]
}


def shell(command: str, folder: Path) -> str:
    result = run("bash", "-euo", "pipefail", "-c", command, cwd=folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@posix
def test_curl(tmp_path: Path) -> None:
    script, command = BLOCKS["curl"]
    # The last line of the guide's script deletes the room: see that the list is empty then.
    (tmp_path / "rooms.sh").write_text(f'{script}curl -sSf -H "$auth" "$rooms?$version"\n', encoding="utf-8")
    created, listed, empty = re.findall(r"\{.*?\}(?:\]\})?|\{\"value\":\[\]\}", shell(command, tmp_path))
    assert re.fullmatch(r'\{"id":"\d+",.*"pstnDialOutEnabled":true\}', created)
    assert listed == f'{{"value":[{created}]}}'
    assert empty == '{"value":[]}'


@posix
def test_api(tmp_path: Path) -> None:
    script, command = BLOCKS["The emulator's own API"]
    (tmp_path / "control.sh").write_text(script, encoding="utf-8")
    assert re.fullmatch(
        r'\{"status": "ok"\}\[\{.*\}\]\[\]\{"now": "[^"]*", "ahead": 86400\.0\}', shell(command, tmp_path)
    )


@posix
@pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK")
def test_java(tmp_path: Path) -> None:
    program, command = BLOCKS["Java"]
    (tmp_path / "Rooms.java").write_text(program, encoding="utf-8")
    assert re.fullmatch(r'\{"id":"\d+",.*"pstnDialOutEnabled":true\}\n', shell(command, tmp_path))


@posix
@pytest.mark.index
def test_javascript(tmp_path: Path) -> None:
    install, program, command = BLOCKS["JavaScript"]
    shell(f"{install.strip()} --no-audit --no-fund --loglevel=error", tmp_path)
    (tmp_path / "rooms.mjs").write_text(program, encoding="utf-8")
    token, created, participant, deleted = shell(command, tmp_path).splitlines()
    assert token == "Created a user with a token of 3 parts"
    assert re.fullmatch(r"Created room \d+, open until \S+Z", created)
    assert re.fullmatch(r"8:acs:\S{36}_\S{36} as Presenter", participant)
    assert deleted == "Deleted it"
