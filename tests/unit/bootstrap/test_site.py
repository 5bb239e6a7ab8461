import json
from pathlib import Path

import pytest

from bootstrap import InputError, Target, deploy, site

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


def test_a_config_that_is_not_json_is_named_before_anything_is_deployed(tmp_path: Path) -> None:
    (tmp_path / "page" / "site").mkdir(parents=True)
    folder(tmp_path / "page" / "site", "{ride: 1}")
    (tmp_path / "page" / "template.yaml").write_text("Resources: {Topic: {Type: AWS::SNS::Topic}}")

    # Nothing listens there: it would be a NoLabError if it had been asked.
    with pytest.raises(InputError, match=r"site/config\.json: is not JSON"):
        deploy(Target("http://127.0.0.1:1"), services_dir=tmp_path)
