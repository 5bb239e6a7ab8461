"""The services on disk: folders with a ``template.yaml``."""

import re
from dataclasses import dataclass
from pathlib import Path

from bootstrap import template
from bootstrap.errors import InputError
from bootstrap.template import Json

TEMPLATE_NAMES = ("template.yaml", "template.yml", "template.json")

_LONGEST_STACK_NAME = 128


@dataclass(frozen=True, slots=True)
class Service:
    """One folder that is deployed as one stack."""

    name: str
    """The folder's name; the stack is called NAME-STAGE."""
    folder: Path
    template: dict[str, Json]
    """The template as it was read; never changed."""


def default_dir() -> Path:
    """Return the folder of the services that come with this project."""
    return Path(__file__).resolve().parent.parent / "services"


def find(services_dir: Path) -> dict[str, Path]:
    """Return the folders of the services in *services_dir*, by name and sorted.

    *services_dir* is a folder of services, or a single service. Raises InputError if it is neither.
    """
    if not services_dir.is_dir():
        raise InputError(f"services folder {str(services_dir)!r} does not exist")
    services_dir = services_dir.resolve()
    if _template_of(services_dir):
        return {services_dir.name: services_dir}
    folders = {folder.name: folder for folder in sorted(services_dir.iterdir()) if _template_of(folder)}
    if not folders:
        raise InputError(
            f"services folder {str(services_dir)!r}: neither it nor a folder in it has a {TEMPLATE_NAMES[0]}"
        )
    return folders


def stack_name(service: str, stage: str) -> str:
    """Return the name of *service*'s stack in *stage*."""
    return f"{service}-{stage}"


def check_stage(stage: str) -> None:
    """Raise InputError if *stage* cannot be part of stack names and parameter paths."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", stage):
        raise InputError(f"stage {stage!r}: must be a lower-case word of at most 20 letters, digits and hyphens")


def read(folder: Path) -> Service:
    """Read the service in *folder*. Raises InputError for what cannot be deployed."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", folder.name) or len(folder.name) > _LONGEST_STACK_NAME - 21:
        raise InputError(
            f"service folder {str(folder)!r}: its name becomes a stack name, so it must start with a letter, "
            "and hold only letters, digits and hyphens"
        )
    path = _template_of(folder)
    if path is None:
        raise InputError(f"service folder {str(folder)!r} has no {TEMPLATE_NAMES[0]}")
    return Service(name=folder.name, folder=folder, template=template.load(path))


def _template_of(folder: Path) -> Path | None:
    return next((folder / name for name in TEMPLATE_NAMES if (folder / name).is_file()), None)
