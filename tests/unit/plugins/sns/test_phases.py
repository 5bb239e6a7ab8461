from itertools import pairwise

import pytest

from rydelab.plugins.sns.phases import MOST_RETRIES, wait_s


def test_the_phases_are_those_of_awss_page() -> None:
    assert [wait_s(retry) for retry in (1, 2, 3, 4, 5)] == [0, 0, 0, 1, 1]
    backoff = [wait_s(retry) or 0 for retry in range(6, 16)]
    assert backoff[0] == pytest.approx(1)
    assert backoff[-1] == pytest.approx(20)
    assert all(later > earlier for earlier, later in pairwise(backoff))
    assert {wait_s(16), wait_s(50_000), wait_s(MOST_RETRIES)} == {20}
    assert wait_s(MOST_RETRIES + 1) is None


def test_all_of_them_take_23_days() -> None:
    assert MOST_RETRIES == 100_015
    total_s = sum(wait_s(retry) or 0 for retry in range(1, MOST_RETRIES + 1))
    assert total_s / 86_400 == pytest.approx(23.15, abs=0.01)
