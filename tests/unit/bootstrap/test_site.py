import json
from pathlib import Path

import pytest

from bootstrap import InputError, site

OUTPUTS = {"rides": {"RideUrl": 'http://127.0.0.1:4566/"ride"'}}


def folder(path: Path, config: str) -> Path:
    (path / "pictures").mkdir()
    (path / "pictures" / "map.svg").write_text("<svg/>")
    (path / ".notes").write_text("nobody's")
    (path / "config.json").write_text(config)
    return path


def test_a_site_is_the_files_of_its_folder_by_their_paths(tmp_path: Path) -> None:
    files = site.files(folder(tmp_path, "{}"), OUTPUTS)

    assert files == {"config.json": b"{}", "pictures/map.svg": b"<svg/>"}


def test_its_config_names_outputs_and_gets_their_values(tmp_path: Path) -> None:
    config = '{"ride": "${rides.RideUrl}", "record": "${records.RecordUrl}", "title": "Rides ${rides.RideUrl}"}'

    files = site.files(folder(tmp_path, config), OUTPUTS)

    assert json.loads(files["config.json"]) == {
        "ride": OUTPUTS["rides"]["RideUrl"],
        "record": None,  # the stage has no such service
        "title": "Rides ${rides.RideUrl}",
    }


def test_a_config_that_is_not_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json: is not JSON"):
        site.files(folder(tmp_path, "{ride: 1}"), OUTPUTS)
