import base64
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rydelab.capacity.item_size import Item, item_bytes, significant_digits, value_bytes
from rydelab.capacity.settings import Settings

SETTINGS = Settings()


@pytest.mark.parametrize(
    ("item", "size"),
    [
        pytest.param({}, 0, id="no item"),
        pytest.param({"id": {"S": "abc"}}, 5, id="name and string"),
        pytest.param({"é": {"S": "ü€"}}, 2 + 5, id="UTF-8 bytes, not characters, in names and strings"),
        pytest.param({"id": {"S": ""}}, 2, id="empty string"),
        pytest.param({"b": {"B": base64.b64encode(b"12345").decode()}}, 1 + 5, id="binary counts after base64"),
        pytest.param({"b": {"B": b"12345"}}, 1 + 5, id="binary as bytes"),
        pytest.param({"t": {"BOOL": False}}, 2, id="boolean"),
        pytest.param({"t": {"NULL": True}}, 2, id="null"),
        pytest.param({"l": {"L": []}}, 1 + 3, id="empty list"),
        pytest.param({"m": {"M": {}}}, 1 + 3, id="empty map"),
        pytest.param({"l": {"L": [{"S": "ab"}, {"BOOL": True}]}}, 1 + 3 + (1 + 2) + (1 + 1), id="list"),
        pytest.param({"m": {"M": {"ab": {"S": "c"}}}}, 1 + 3 + (1 + 2 + 1), id="map keys count as names"),
        pytest.param({"m": {"M": {"l": {"L": [{"M": {}}]}}}}, 1 + 3 + (1 + 1 + 3 + (1 + 3)), id="nested"),
        pytest.param({"s": {"SS": ["a", "éé"]}}, 1 + 1 + 4, id="string set has no overhead"),
        pytest.param({"s": {"NS": ["1", "123"]}}, 1 + 2 + 3, id="number set"),
        pytest.param({"s": {"BS": [b"ab", "YWJj"]}}, 1 + 2 + 3, id="binary set"),
    ],
)
def test_item_size_is_utf8_names_plus_values(item: Item, size: int) -> None:
    assert item_bytes(item, SETTINGS) == size


@pytest.mark.parametrize(
    ("number", "documented", "sharper"),
    [
        ("0", 1, 1),
        ("-0.00", 1, 1),
        ("1", 2, 2),
        ("12", 2, 2),  # exponent 1 is odd: the pair is whole
        ("1.2", 2, 3),  # two digits from an even exponent straddle two pairs
        ("123", 3, 3),
        ("-1", 2, 3),
        ("100", 2, 2),  # trailing zeros are trimmed
        ("0.00120", 2, 2),  # and leading ones: 1.2e-3
        ("0.0120", 2, 3),  # 1.2e-2
        ("1E+20", 2, 2),
        ("12345678901234567890123456789012345678", 20, 20),
    ],
)
def test_number_size_in_both_approximations(number: str, documented: int, sharper: int) -> None:
    assert value_bytes({"N": number}, Settings(number_size="documented")) == documented
    assert value_bytes({"N": number}, Settings(number_size="sharper")) == sharper


def test_set_overhead_is_a_setting() -> None:
    assert value_bytes({"SS": ["a"]}, Settings(set_overhead_bytes=3)) == 4


@pytest.mark.parametrize("value", [{"X": "1"}, {}, {"S": "a", "N": "1"}, {"N": "Infinity"}])
def test_what_is_not_an_attribute_value_is_refused(value: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"type|number"):
        value_bytes(value, SETTINGS)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10))
def test_equal_numbers_have_equal_digits_however_they_are_written(number: Decimal) -> None:
    assert significant_digits(str(number)) == significant_digits(f"{number:f}0")
