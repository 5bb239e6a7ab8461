"""Keys as bytes: their order is the order of what they stand for."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rydelab.plugins.dynamodb.store.keys import KeySchema, number_bytes, scalar_bytes, segment_bounds, successor
from rydelab.plugins.dynamodb.store.values import canonical_number, plain

# No deadline: a test does not fail because the machine is busy.
examples = settings(deadline=None)
numbers = st.builds(
    lambda digits, exponent, sign: plain(Decimal(digits).scaleb(exponent) * sign),
    st.integers(0, 10**38 - 1),
    st.integers(-130, 87),
    st.sampled_from([1, -1]),
)
small_bytes = st.binary(max_size=4).map(
    lambda content: content.translate(bytes(i % 3 or 255 * (i % 2) for i in range(256)))
)


@examples
@given(numbers, numbers)
def test_numbers_sort_by_value(one: str, other: str) -> None:
    a, b = Decimal(one), Decimal(other)
    assert (number_bytes(one) < number_bytes(other)) is (a < b)
    assert (number_bytes(one) == number_bytes(other)) is (a == b)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        # The layout that AWS hashes, from dynalite's tests of it: base-100 exponent, two digits a byte.
        ("0", "80"),
        ("1", "c102"),
        ("10", "c10b"),
        ("100", "c202"),
        ("0.01", "c002"),
        ("123.45", "c202182e"),
        ("-1", "3e6466"),
    ],
)
def test_a_number_has_the_documented_bytes(text: str, encoded: str) -> None:
    assert number_bytes(text).hex() == encoded


@examples
@given(st.text(), st.text())
def test_strings_sort_by_their_utf_8_bytes(one: str, other: str) -> None:
    assert (scalar_bytes({"S": one}) < scalar_bytes({"S": other})) is (one.encode() < other.encode())


@examples
@given(small_bytes, small_bytes, small_bytes, small_bytes)
def test_index_entries_sort_by_sort_key_and_then_by_item(a: bytes, b: bytes, item_a: bytes, item_b: bytes) -> None:
    schema = KeySchema("p", "S", "s", "B", terminated=True)

    def entry(sort: bytes, item: bytes) -> bytes:
        return schema.encode({"p": {"S": "one"}, "s": {"B": sort}}) + item

    assert (entry(a, item_a) < entry(b, item_b)) is ((a, item_a) < (b, item_b))
    assert schema.tail(entry(a, item_a)) == item_a


@examples
@given(st.binary(min_size=1), st.binary(min_size=1))
def test_the_successor_ends_exactly_the_keys_with_a_prefix(prefix: bytes, key: bytes) -> None:
    if prefix.strip(b"\xff"):
        assert (prefix <= key < successor(prefix)) is key.startswith(prefix)


@examples
@given(st.integers(1, 5000), st.binary(min_size=8, max_size=8))
def test_segments_divide_the_hash_space(total: int, hashed: bytes) -> None:
    holders = [n for n in range(total) if segment_bounds(n, total)[0] <= hashed < segment_bounds(n, total)[1]]
    assert len(holders) == 1


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("1.50", "1.5"),
        ("0001", "1"),
        ("-0", "0"),
        ("1E3", "1000"),
        ("+5", "5"),
        (".5", "0.5"),
        ("1e-5", "0.00001"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("1" + "0" * 125, "1" + "0" * 125),
    ],
)
def test_numbers_are_stored_in_plain_notation_without_outer_zeros(given_text: str, stored: str) -> None:
    assert canonical_number(given_text) == stored
