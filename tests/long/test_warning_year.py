"""Ten simulated years of a city of sixty units: what early warning finds, when, and how often it is wrong; beside the plain rule.

The detectors were made on seeds 1 to 5 and then left alone; what is measured and asserted here are seeds 101 to 110.
``docs/warnings.md`` holds the table that this prints.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from tests.warning_play import Player, Score, plain, quantiles, score
from tests.warning_year import make

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

SEEDS = range(101, 111)
# What the requirement counts: planted surges, clusters and recurrences.
CLUSTERS = ("cluster (supplier)", "cluster (neighbours)")
PLANTED = ("surge", *CLUSTERS, "recurrence")


def played(seed: int) -> tuple[Score, Score, int, int]:
    """One year's scores, ours and the plain rule's, and how many foretold values came to lie in their interval."""
    year = make(seed)
    told = Player(year).play()
    ours, theirs = Score(), Score()
    score(year, told.warned, ours)
    score(year, plain(year), theirs, plainly=True)
    return ours, theirs, told.covered, told.foretold


def joined(scores: Sequence[Score]) -> Score:
    """All years as one."""
    whole = Score()
    for one in scores:
        for cell, (hit, of) in one.found.items():
            whole.found[cell][0] += hit
            whole.found[cell][1] += of
        for kind, delays in one.delays.items():
            whole.delays[kind] += delays
        for kind, count in one.false.items():
            whole.false[kind] += count
        whole.false_concerned += one.false_concerned
        whole.per_unit_quarter += one.per_unit_quarter
        whole.unit_quarters += one.unit_quarters
    return whole


def recall(one: Score, *kinds: str) -> float:
    hits = [counts for (kind, _), counts in one.found.items() if kind in kinds]
    return sum(hit for hit, _ in hits) / sum(of for _, of in hits)


def table(ours: Score, theirs: Score) -> str:
    """As the documentation shows it."""
    lines = ["| planted | n | recall | median delay | plain rule: recall | median delay |", "|---|---|---|---|---|---|"]
    for kind, strength in sorted(ours.found):
        hit, of = ours.found[kind, strength]
        lines.append(f"| {kind}, {strength} | {of} | {hit / of:.2f} | | {theirs.found[kind, strength][0] / of:.2f} | |")
    for kind in (*PLANTED, "pileup"):
        of = sum(n for (own, _), (_, n) in ours.found.items() if own == kind)
        lines.append(
            f"| **{kind}** | {of} | {recall(ours, kind):.2f} | {quantiles(ours.delays[kind])} | {recall(theirs, kind):.2f} | "
            f"{quantiles(theirs.delays[kind])} |"
        )
    for name, kinds in (("clusters together", CLUSTERS), ("surges, clusters, recurrences", PLANTED)):
        lines.append(f"| **{name}** | | {recall(ours, *kinds):.2f} | | {recall(theirs, *kinds):.2f} | |")
    for name, one in (("ours", ours), ("plain rule", theirs)):
        many = float(np.mean([count > 1 for count in one.per_unit_quarter]))
        lines.append(
            f"{name}: {one.false_concerned / one.unit_quarters:.2f} false warnings a unit and quarter "
            f"({many:.0%} of the unit-quarters have more than one); by kind {dict(one.false)} in {one.unit_quarters:.0f} unit-quarters"
        )
    return "\n".join(lines)


def test_recall_false_warnings_and_delay_on_years_that_the_detectors_never_saw(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProcessPoolExecutor(max_workers=2) as pool:
        years = list(pool.map(played, SEEDS))
    ours, theirs = joined([year[0] for year in years]), joined([year[1] for year in years])
    covered = sum(year[2] for year in years) / sum(year[3] for year in years)
    with capsys.disabled():
        print(f"\n{table(ours, theirs)}\nforecast: {covered:.3f} of the values came to lie in the 80 % interval")  # noqa: T201
        for name, values in (
            ("recall", [recall(year[0], *PLANTED) for year in years]),
            ("false warnings a unit and quarter", [year[0].false_concerned / year[0].unit_quarters for year in years]),
        ):
            print(f"{name}, year by year: {', '.join(f'{value:.2f}' for value in values)}")  # noqa: T201
    # Clusters alone stay below 0.9 (docs/warnings.md): printed above, and counted in the first figure only.
    assert recall(ours, *PLANTED) >= 0.9
    assert recall(ours, "surge") >= 0.9
    assert recall(ours, "recurrence") >= 0.9
    assert ours.false_concerned / ours.unit_quarters <= 1.0
    assert ours.false_concerned < theirs.false_concerned / 2
    assert 0.75 <= covered <= 0.88
