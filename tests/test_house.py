"""The house: imports point down only, nothing in a circle, and only one file reads the environment."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "pipeline": set[str](),
    "vision": set[str](),
    "producer": {"pipeline", "vision"},
    "workers": {"pipeline", "vision"},
    "dashboard": {"pipeline", "vision"},
    "people": {"pipeline", "vision"},
    "history": {"pipeline"},
    "rekognition_local": {"pipeline", "vision"},
    "rekstream": {"producer", "workers", "dashboard", "people", "history", "rekognition_local", "pipeline", "vision"},
}
READS_THE_ENVIRONMENT = ROOT / "pipeline" / "settings.py"


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, lazy imports included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write imports in full"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_down_only(package: str) -> None:
    for path in sources(package):
        ours = {name.split(".")[0] for name in imported(path)} & ALLOWED.keys()
        assert ours <= ALLOWED[package] | {package}, path


def test_no_module_imports_itself_in_a_circle() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in ALLOWED
        for path in sources(package)
    }
    edges = {name: {other for other in imported(path) if other in modules and other != name} for name, path in modules.items()}
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in done:
            for other in sorted(edges[name]):
                walk(other, (*above, name))
            done.add(name)

    for name in modules:
        walk(name, ())


def test_only_one_file_reads_the_environment() -> None:
    readers = [
        path
        for package in ALLOWED
        for path in sources(package)
        if any(
            isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
            for node in ast.walk(ast.parse(path.read_text()))
        )
    ]
    assert readers == [READS_THE_ENVIRONMENT]


@pytest.mark.parametrize("package", ALLOWED)
def test_importing_does_no_work(package: str) -> None:
    """No import connects, or starts a thread or a process."""
    code = (
        "import sys, threading\n"
        "def audit(event, args):\n"
        "    if event in ('socket.connect', 'subprocess.Popen', 'os.fork'): raise SystemExit(event)\n"
        f"import importlib, pkgutil, {package}\n"
        "sys.addaudithook(audit)\n"
        f"for module in pkgutil.walk_packages({package}.__path__, '{package}.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_lock_files_hold_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--index-url" not in text
        assert text.count("--hash=sha256:") >= text.count("==")


def test_the_packages_of_the_wheel_are_all_there() -> None:
    assert all(importlib.util.find_spec(package) for package in ALLOWED)
