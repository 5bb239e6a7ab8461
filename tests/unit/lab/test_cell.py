import pytest

from rydelab.lab.scenarios.cell import OPTIONS, Cell, CellNameError, parse_cells, variant


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("queued:provisioned", [Cell("queued", "provisioned")]),
        (
            "queued:provisioned, microservices:on-demand",
            [Cell("queued", "provisioned"), Cell("microservices", "on-demand")],
        ),
        (
            "queued:provisioned:write_units=5:sdk_retry_mode=standard",
            [Cell("queued", "provisioned", {"write_units": 5, "sdk_retry_mode": "standard"})],
        ),
        ("queued:*", [Cell("queued", mode) for mode in ("provisioned", "autoscaled", "on-demand")]),
        (
            "queued:*:write_units=2",
            [
                Cell("queued", "provisioned", {"write_units": 2}),
                Cell("queued", "autoscaled", {"write_units": 2}),
                Cell("queued", "on-demand"),
            ],
        ),
    ],
)
def test_cells_are_named_on_the_command_line(text: str, cells: list[Cell]) -> None:
    assert list(parse_cells(text)) == cells


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("queue:provisioned", "'queue' is no design; there are microservices, "),
        ("queued", "'' is no table mode; there are provisioned, "),
        ("queued:provisioned:units=5", "'units' is no option; there are read_units, "),
        ("queued:provisioned:write_units=0", "write_units=0: must be a whole number from 1 to 40000"),
        ("queued:provisioned:write_units=many", "write_units=many: must be a whole number"),
        ("queued:provisioned:sdk_retry_mode=fast", "sdk_retry_mode=fast: must be one of legacy, standard"),
        ("queued:on-demand:write_units=5", "write_units means nothing to a table that is on-demand"),
        ("queued:autoscaled:write_units=50", "write_units puts the maximum below the minimum"),
        ("queued:*,queued:on-demand", "queued on-demand is there twice"),
    ],
)
def test_a_cell_that_there_is_not_is_refused_by_name(text: str, complaint: str) -> None:
    with pytest.raises(CellNameError) as raised:
        parse_cells(text)

    assert str(raised.value).startswith(f"--cells {text}: {complaint}")


def test_a_cell_says_what_it_sets() -> None:
    cell = Cell("queued", "provisioned", {"write_units": 5, "sdk_retry_mode": "standard", "memory_mb": 256})

    assert str(cell) == "queued provisioned write_units=5 sdk_retry_mode=standard memory_mb=256"
    assert cell.parameters == {"WriteCapacityUnits": "5", "SdkRetryMode": "standard"}


def test_every_option_says_what_it_is() -> None:
    assert all(option.description for option in OPTIONS.values())


def test_a_cell_is_deployed_with_what_it_sets_and_the_templates_defaults() -> None:
    assert Cell("queued", "on-demand", {"memory_mb": 256}).settings == {
        "sdk_retry_mode": "legacy",
        "on_record_failure": "fail",
        "memory_mb": 256,
    }
    assert (
        Cell("queued", "provisioned", {"write_units": 5}).settings.items()
        >= {"read_units": 1, "write_units": 5}.items()
    )


def test_only_what_sets_it_apart_from_its_like_is_part_of_a_cells_name() -> None:
    plain = Cell("queued", "provisioned", {"memory_mb": 256})
    more = Cell("queued", "provisioned", {"memory_mb": 256, "write_units": 5})
    alone = Cell("queued", "on-demand", {"memory_mb": 256})
    cells = (plain, more, alone)

    assert [variant(cell, cells) for cell in cells] == ["write_units=1", "write_units=5", ""]
