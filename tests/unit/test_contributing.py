"""CONTRIBUTING.md: its worked change applies to what is there, fails first, and passes then."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTED = "tests/unit/lab/test_checkup.py"


def test_the_worked_change_fails_with_its_test_alone_and_passes_with_its_code(tmp_path: Path) -> None:
    patches = re.findall(r"```diff\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    for name in ("src", "pyproject.toml", "requirements.lock", TESTED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)

    outcomes = []
    for patch in patches:
        subprocess.run(["git", "apply", "--recount", "-"], cwd=tmp_path, input=patch, text=True, check=True)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTED, "-k", "open_files"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        outcomes.append(done.stdout)

    first, then = outcomes
    assert "has no attribute 'LEAST_OPEN_FILES'" in first
    assert "1 passed" in then, then
