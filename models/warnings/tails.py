"""How unlikely a count is: upper tails of the Poisson and the negative binomial distribution."""

from math import exp, inf, lgamma, log, log1p


def tail(count: int, mean: float, variance: float | None = None) -> float:
    """P(N ≥ ``count``), 0–1, for a negative binomial of this mean and variance; Poisson where the variance is no larger.

    Exact by summation, accurate to some 1e-15: enough for any error budget, whose share of one test is above 1e-9.
    """
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    size = mean * mean / (variance - mean) if variance is not None and variance > mean * (1 + 1e-9) else inf
    return max(0.0, 1.0 - sum(exp(_log_mass(k, mean, size)) for k in range(count)))


def _log_mass(k: int, mean: float, size: float) -> float:
    if size == inf:
        return k * log(mean) - mean - lgamma(k + 1)
    share = mean / (size + mean)
    return lgamma(k + size) - lgamma(size) - lgamma(k + 1) + size * log1p(-share) + k * log(share)


def binomial_tail(count: int, trials: int, chance: float) -> float:
    """P(N ≥ ``count``), 0–1, of so many trials with this chance each. For small tails summed from above, so that none is lost."""
    if count <= 0:
        return 1.0
    if count > trials or chance <= 0:
        return 0.0
    if chance >= 1:
        return 1.0
    base = lgamma(trials + 1)
    masses = (
        exp(base - lgamma(k + 1) - lgamma(trials - k + 1) + k * log(chance) + (trials - k) * log1p(-chance))
        for k in range(count, trials + 1)
    )
    return min(1.0, sum(masses))
