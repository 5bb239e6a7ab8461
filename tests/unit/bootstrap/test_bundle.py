import io
import os
import zipfile
from pathlib import Path

import pytest

from bootstrap.bundle import bundle_code
from bootstrap.errors import InputError
from bootstrap.package import package


def _files(folder: Path, contents: dict[str, str]) -> Path:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def _names(body: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(body)).namelist()


def test_the_same_files_make_the_same_bytes_whatever_their_age_order_and_permissions(tmp_path: Path) -> None:
    one = _files(tmp_path / "one", {"a.py": "x = 1\n", "b/c.py": "y = 2\n", "b/d.json": "{}"})
    two = _files(tmp_path / "two", {"b/d.json": "{}", "b/c.py": "y = 2\n", "a.py": "x = 1\n"})
    os.utime(two / "a.py", (1, 1))
    (two / "b" / "c.py").chmod(0o600)
    _files(two, {"b/__pycache__/c.cpython-313.pyc": "compiled", "old.pyc": "compiled", ".git/HEAD": "ref"})

    assert bundle_code(one) == bundle_code(two)


def test_other_content_or_another_name_makes_another_key(tmp_path: Path) -> None:
    keys = {
        bundle_code(_files(tmp_path / "1", {"a.py": "x = 1\n"})).key,
        bundle_code(_files(tmp_path / "2", {"a.py": "x = 2\n"})).key,
        bundle_code(_files(tmp_path / "3", {"b.py": "x = 1\n"})).key,
    }

    assert len(keys) == 3


def test_a_bundle_holds_every_file_sorted_and_readable_by_all(tmp_path: Path) -> None:
    folder = _files(tmp_path, {"z.py": "", "a/b.txt": "text", "a.py": ""})
    (folder / "z.py").chmod(0o600)

    archive = zipfile.ZipFile(io.BytesIO(bundle_code(folder).body))

    assert archive.namelist() == ["a.py", "a/b.txt", "z.py"]
    assert archive.read("a/b.txt") == b"text"
    assert {info.external_attr >> 16 & 0o777 for info in archive.infolist()} == {0o755}
    assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_one_file_is_zipped_and_an_archive_is_taken_as_it_is(tmp_path: Path) -> None:
    _files(tmp_path, {"app.py": "x", "ready.zip": "not really a zip"})

    assert _names(bundle_code(tmp_path / "app.py").body) == ["app.py"]
    assert bundle_code(tmp_path / "ready.zip").body == b"not really a zip"


def test_linked_files_and_folders_are_bundled_and_a_loop_is_refused(tmp_path: Path) -> None:
    shared = _files(tmp_path / "shared", {"common.py": "shared = True"})
    code = _files(tmp_path / "code", {"app.py": ""})
    (code / "lib").symlink_to(shared)
    assert _names(bundle_code(code).body) == ["app.py", "lib/common.py"]

    (code / "again").symlink_to(code)

    with pytest.raises(InputError, match="again: a symbolic link to a folder above it"):
        bundle_code(code)


def test_code_paths_become_places_in_s3(tmp_path: Path) -> None:
    _files(tmp_path, {"src/app.py": "x", "src/other.py": "y", "machine.asl.json": "{}"})
    template = {
        "Globals": {"Function": {"CodeUri": "src"}},
        "Resources": {
            "Own": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "src/app.py"}},
            "Shared": {"Type": "AWS::Serverless::Function", "Properties": {}},
            "Elsewhere": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "s3://theirs/key"}},
            "Raw": {"Type": "AWS::Lambda::Function", "Properties": {"Code": "src"}},
            "Inline": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "x = 1"}}},
            "Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "machine.asl.json"}},
        },
    }

    packaged = package(template, folder=tmp_path, bucket="b")

    folder_key = bundle_code(tmp_path / "src").key
    resources = packaged.template["Resources"]
    assert packaged.template["Globals"] == {"Function": {"CodeUri": f"s3://b/{folder_key}"}}
    assert resources["Own"]["Properties"]["CodeUri"] == f"s3://b/{bundle_code(tmp_path / 'src' / 'app.py').key}"
    assert resources["Elsewhere"] == template["Resources"]["Elsewhere"]  # type: ignore[index]
    assert resources["Raw"]["Properties"]["Code"] == {"S3Bucket": "b", "S3Key": folder_key}
    assert resources["Inline"]["Properties"]["Code"] == {"ZipFile": "x = 1"}
    assert resources["Machine"]["Properties"]["DefinitionUri"].endswith(".json")
    assert len(packaged.bundles) == 2 + 1  # the folder (once), the file, the definition


def test_a_code_path_without_a_file_is_named(tmp_path: Path) -> None:
    template = {"Resources": {"Function": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "gone"}}}}

    with pytest.raises(InputError, match="resource Function: CodeUri 'gone' does not exist"):
        package(template, folder=tmp_path, bucket="b")
