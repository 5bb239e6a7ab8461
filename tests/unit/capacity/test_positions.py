import pytest

from rydelab.capacity.positions import POSITIONS, position_of, position_of_bytes


def test_equal_keys_have_equal_positions() -> None:
    assert position_of({"S": "ride-1"}) == position_of_bytes(b"ride-1")
    assert position_of({"B": "YWJj"}) == position_of({"B": b"abc"})
    assert position_of({"N": "10"}) == position_of({"N": "1E1"}) == position_of({"N": "10.0"})
    assert position_of({"N": "10"}) != position_of({"N": "-10"})


def test_positions_do_not_depend_on_the_process() -> None:
    assert position_of({"S": "ride-1"}) == 3404625775


@pytest.mark.parametrize("pattern", ["{}", "ride-{:08d}", "{:04x}-9d3c-11ef", "CUSTOMER#{}"])
def test_similar_keys_are_spread_evenly(pattern: str) -> None:
    counts = [0] * 16
    for number in range(16_000):
        counts[position_of_bytes(pattern.format(number).encode()) * 16 // POSITIONS] += 1
    assert min(counts) > 800
    assert max(counts) < 1200


def test_a_key_is_a_string_a_number_or_binary() -> None:
    with pytest.raises(ValueError, match="BOOL"):
        position_of({"BOOL": True})
