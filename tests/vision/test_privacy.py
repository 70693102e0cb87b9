"""Reading faces leaves nothing behind and tells nobody: not by us, and not by the libraries that do it."""

import os
import subprocess
import sys

READ = """
from tests.vision.scenes import HOPPER, portrait
from vision.faces import FaceEngine
assert len(FaceEngine().analyse(portrait(HOPPER), ["ALL"], vectors=True)) == 1
"""


def test_the_runtime_of_the_nets_keeps_no_record_of_this_machine(tmp_path):
    """onnxruntime would put a device's id and its reports into the user's cache, and send them."""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", READ], env=environment, check=True, timeout=60)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
