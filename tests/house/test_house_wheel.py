"""The wheel works from any folder: tables, schemas, layouts, words and samples travel in it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "tests" / "samples"


def run(*command: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environ}, capture_output=True, timeout=120
    )


def test_the_wheel_works_from_another_folder(tmp_path):
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    options = ("--no-deps", "--no-build-isolation")
    made = run(*pip, "wheel", *options, "-w", str(tmp_path / "dist"), str(ROOT), cwd=tmp_path)
    assert made.returncode == 0, made.stderr.decode()
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    target = tmp_path / "installed"
    done = run(*pip, "install", *options, "--target", str(target), str(wheel), cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()

    def gateway(*words: str) -> subprocess.CompletedProcess:
        return run(sys.executable, "-m", "gateway", *words, cwd=tmp_path, PYTHONPATH=str(target))

    where = run(
        sys.executable, "-c", "import gateway; print(gateway.__file__)",
        cwd=tmp_path, PYTHONPATH=str(target),
    )  # fmt: skip
    assert str(target) in where.stdout.decode()
    assert gateway("map", "check").returncode == 0
    decoded = gateway("decode", str(SAMPLES / "dragon-fruit" / "tor.edi"))
    assert decoded.returncode == 0, decoded.stderr.decode()
    assert b"12C-086.31" in decoded.stdout
    initialised = gateway("init", "--help")
    assert initialised.returncode == 0
    suite = run(
        sys.executable, "-m", "conformance", "run", "--demo", "--case", "ENV-0[18]",
        cwd=tmp_path, PYTHONPATH=str(target),
    )  # fmt: skip
    assert suite.returncode == 0, suite.stderr.decode()
