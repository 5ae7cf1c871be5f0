"""Six weeks of a simulated city, quickly; the measured years are tests/long/test_warning_year.py."""

from datetime import date

from tests.warning_play import Player, Score, plain, score
from tests.warning_year import make

UNTIL = date(2025, 10, 13)


def test_the_same_seed_gives_the_same_weeks() -> None:
    one, other = make(7, UNTIL), make(7, UNTIL)
    assert [(s.id, s.opened_at, s.text) for s in one.hazards] == [(s.id, s.opened_at, s.text) for s in other.hazards]
    assert one.plants == other.plants


def test_most_of_what_is_planted_is_found_and_the_plain_rule_is_wrong_far_more_often() -> None:
    year = make(3, UNTIL)
    told = Player(year).play()
    ours, theirs = Score(), Score()
    score(year, told.warned, ours)
    score(year, plain(year), theirs, plainly=True)
    hits = [found for (kind, _), found in ours.found.items() if kind in ("surge", "recurrence")]
    assert sum(hit for hit, _ in hits) / sum(of for _, of in hits) >= 0.8
    assert ours.false_concerned / ours.unit_quarters <= 1.0
    assert ours.false_concerned < theirs.false_concerned / 2
