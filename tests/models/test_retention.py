"""Terms of keeping: never below the law's floor, longer where a city says so, counted by the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.policy import Wrong
from models.retention import RULES, Kept, Term, terms
from tests.factories import NOW, steady


def test_without_a_word_from_the_city_nothing_is_kept_shorter_than_law_asks() -> None:
    assert set(terms(None)) == set(Kept)
    for kind, term in terms({}).items():
        assert term.before(NOW) <= RULES[kind].floor.before(NOW)


def test_the_floors_are_those_of_the_law() -> None:
    assert RULES[Kept.ACCESS_LOG].floor == Term(6)
    assert "《网络安全法》第二十一条" in RULES[Kept.ACCESS_LOG].article
    assert RULES[Kept.HAZARDS].floor == Term(36)


@pytest.mark.parametrize(
    ("given", "term"),
    [
        ({"access_log": "6 months"}, Term(6)),
        ({"access_log": "184 days"}, Term(days=184)),
        ({"access_log": "2 years"}, Term(24)),
        ({"hazards": "3 years"}, Term(36)),
        ({"hazards": "10years"}, Term(120)),
        ({"sessions": "30 days"}, Term(days=30)),
        ({"sessions": "1 months"}, Term(1)),
    ],
)
def test_a_city_may_lengthen(given: dict[str, str], term: Term) -> None:
    assert terms(given)[Kept(next(iter(given)))] == term


@pytest.mark.parametrize(
    ("given", "article"),
    [
        ({"access_log": "5 months"}, "第二十一条"),
        ({"access_log": "183 days"}, "第二十一条"),
        ({"hazards": "35 months"}, "三年"),
        ({"hazards": "1095 days"}, "三年"),
        ({"reports": "2 years"}, "三年"),
        ({"refusals": "1 days"}, "第二十一条"),
        ({"deliveries": "29 days"}, "平台规则"),
    ],
)
def test_nobody_may_shorten_below_the_floor_and_is_told_the_article(given: dict[str, str], article: str) -> None:
    with pytest.raises(Wrong, match="不得短于") as refused:
        terms(given)
    assert article in str(refused.value)
    assert (refused.value.key, "删去" in refused.value.cure) == (next(iter(given)), True)


@pytest.mark.parametrize(
    "value", [6, None, "", "six months", "0 days", "-1 years", "6 month", "1.5 years", ["3 years"]]
)
def test_what_is_no_span_is_refused(value: object) -> None:
    with pytest.raises(Wrong, match="无法识别"):
        terms({"access_log": value})


def test_an_unknown_kind_and_for_ever_are_refused() -> None:
    with pytest.raises(Wrong, match="无法识别"):
        terms({"opinions": "3 years"})
    with pytest.raises(Wrong, match="五十年"):
        terms({"hazards": "51 years"})


@pytest.mark.parametrize(
    ("now", "term", "before"),
    [
        ("2026-05-12", Term(6), "2025-11-12"),
        ("2026-08-31", Term(6), "2026-02-28"),
        ("2028-02-29", Term(36), "2025-02-28"),
        ("2026-01-15", Term(1), "2025-12-15"),
        ("2026-03-01", Term(days=1), "2026-02-28"),
    ],
)
def test_terms_are_counted_by_the_calendar(now: str, term: Term, before: str) -> None:
    assert term.before(datetime.fromisoformat(now).replace(tzinfo=UTC)).date().isoformat() == before


instants = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@steady
@given(instants, st.integers(0, 600), st.integers(0, 400))
def test_a_term_is_never_shorter_or_longer_than_it_says(now: datetime, months: int, days: int) -> None:
    term = Term(months, days)
    kept = now - term.before(now)
    # A month that has no such day ends on its last, so up to three days less than counted from a 31st.
    assert timedelta(days=term.least_days - 3) <= kept <= timedelta(days=term.most_days + 3)


@pytest.mark.parametrize(("term", "said"), [(Term(36), "3 年"), (Term(6), "6 个月"), (Term(days=30), "30 天")])
def test_a_term_is_said_in_chinese(term: Term, said: str) -> None:
    assert term.said == said
