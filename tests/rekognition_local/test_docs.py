"""docs/local-rekognition.md is true: its commands say what it shows, and it names every operation that is answered."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from rekognition_local.operations import Operations
from rekognition_local.protocol import service_model
from rekognition_local.server import Server
from vision.faces import FaceEngine

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "local-rekognition.md").read_text()


def _commands():
    """The commands of the console block, and what they are shown to say."""
    block = re.search(r"```console\n(.*?)```", PAGE, re.DOTALL)[1]
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    pairs = [re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", part, re.DOTALL).groups() for part in parts]
    return [pair for pair in pairs if pair[0].startswith("aws ")]


def _without_figures(text):
    """Models may change a figure in the fifth digit, on another processor too."""
    return re.sub(r"\d+(\.\d+)?", "#", text).strip()


def test_the_commands_of_the_page_say_what_it_shows(tmp_path):
    for name in ("grace_hopper.jpg", "astronaut.png"):
        shutil.copy(ROOT / "rekstream" / "demo" / name, tmp_path)
    commands = _commands()
    assert len(commands) > 5
    with Server() as server:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_REKOGNITION": server.url,
        }
        for command, shown in commands:
            done = subprocess.run(
                command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
            )
            assert _without_figures(done.stdout + done.stderr) == _without_figures(shown), command


def test_the_page_names_every_operation_that_is_answered_and_no_other():
    operations = Operations(FaceEngine(), None)
    answered = set(operations.table())
    operations.close()
    table = PAGE.partition("## What is answered")[2].partition("\n## ")[0]
    named = {name for row in re.findall(r"^\| ([A-Z][\w, ]+) \|", table, re.MULTILINE) for name in row.split(", ")}
    assert named == answered
    assert answered <= set(service_model().operation_names)
