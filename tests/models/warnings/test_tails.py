"""Tails against SciPy's."""

import pytest
from scipy import stats

from models.warnings.tails import binomial_tail, tail


@pytest.mark.parametrize("mean", [0.01, 0.4, 3.0, 25.0])
@pytest.mark.parametrize("count", [0, 1, 3, 8, 40])
def test_poisson(count: int, mean: float) -> None:
    assert tail(count, mean) == pytest.approx(stats.poisson.sf(count - 1, mean), abs=1e-13)


@pytest.mark.parametrize(("mean", "variance"), [(0.3, 0.5), (2.0, 7.0), (10.0, 11.0)])
@pytest.mark.parametrize("count", [1, 4, 15])
def test_negative_binomial(count: int, mean: float, variance: float) -> None:
    size = mean * mean / (variance - mean)
    assert tail(count, mean, variance) == pytest.approx(
        stats.nbinom.sf(count - 1, size, size / (size + mean)), abs=1e-12
    )


def test_a_variance_below_the_mean_is_poisson_s_and_nothing_expected_is_never_exceeded_by_nothing() -> None:
    assert tail(3, 1.0, 0.5) == tail(3, 1.0)
    assert (tail(0, 0.0), tail(1, 0.0)) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("count", "trials", "chance"), [(0, 5, 0.1), (3, 40, 0.01), (6, 6, 0.2), (4, 300, 0.002), (7, 6, 0.5)]
)
def test_binomial(count: int, trials: int, chance: float) -> None:
    assert binomial_tail(count, trials, chance) == pytest.approx(stats.binom.sf(count - 1, trials, chance), rel=1e-9)


def test_binomial_at_its_ends() -> None:
    assert (binomial_tail(1, 3, 0.0), binomial_tail(3, 3, 1.0)) == (0.0, 1.0)
