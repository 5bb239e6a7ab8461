"""Code bundles that are the same, byte for byte, wherever and whenever they are made from the same files."""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import InputError

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can hold
# Everyone may read and run it, whatever the umask or the file system on which it was made: Lambda asks for no less.
_FIXED_MODE = 0o100755
# What tools leave behind in a source folder; it differs from machine to machine.
_LEFT_OUT = frozenset({"__pycache__", ".git", ".venv", ".aws-sam", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
_LEFT_OUT_SUFFIXES = (".pyc", ".pyo")


@dataclass(frozen=True, slots=True)
class Bundle:
    """One file to be uploaded."""

    key: str
    """Made from the content alone: the same content has the same key."""
    body: bytes


def bundle_code(path: Path) -> Bundle:
    """Make a zip of the folder *path*, or of the one file *path*; an archive is taken as it is."""
    if path.is_dir():
        body = _zip(list(_files(path)))
    elif path.suffix in {".zip", ".jar"}:
        body = path.read_bytes()
    else:
        body = _zip([(path.name, path)])
    return Bundle(f"{hashlib.sha256(body).hexdigest()}.zip", body)


def bundle_file(path: Path) -> Bundle:
    """Take the file *path* as it is."""
    body = path.read_bytes()
    return Bundle(f"{hashlib.sha256(body).hexdigest()}{path.suffix}", body)


def _zip(files: list[tuple[str, Path]]) -> bytes:
    out = io.BytesIO()
    # Stored, not deflated: two builds of zlib compress the same bytes differently.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(files):
            info = zipfile.ZipInfo(name, _FIXED_TIME)
            info.create_system = 3  # Unix
            info.external_attr = _FIXED_MODE << 16
            archive.writestr(info, path.read_bytes())
    return out.getvalue()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file below *folder*: its path there with slashes, and where it is. Symbolic links are followed."""
    for here, folders, names in os.walk(folder, followlinks=True):
        for name in list(folders):
            if name in _LEFT_OUT:
                folders.remove(name)
            elif Path(here).resolve().is_relative_to((Path(here) / name).resolve()):
                raise InputError(f"{Path(here) / name}: a symbolic link to a folder above it cannot be bundled")
        for name in names:
            if not name.endswith(_LEFT_OUT_SUFFIXES) and name not in _LEFT_OUT:
                path = Path(here) / name
                yield path.relative_to(folder).as_posix(), path
