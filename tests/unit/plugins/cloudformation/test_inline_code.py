"""Inline code of functions becomes an archive on a machine that has no command for it."""

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from localstack.utils import testutil

from rydelab.plugins.cloudformation import inline_code


def test_code_is_packed_where_there_is_no_command_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_text("def handler(event, context): ...")
    monkeypatch.setattr(testutil, "create_zip_file_cli", testutil.create_zip_file_cli)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rm").symlink_to(shutil.which("rm") or "")  # LocalStack's own way to remove a file
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(FileNotFoundError, match="zip"):
        testutil.create_zip_file(str(tmp_path / "code"), get_content=True)

    inline_code.install()
    content = testutil.create_zip_file(str(tmp_path / "code"), get_content=True)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["index.py"]
