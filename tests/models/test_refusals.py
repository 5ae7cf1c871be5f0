"""Which refusals matter to an auditor."""

import pytest

from models.levels import Level
from models.loop import Action
from models.refusals import matters
from models.roles import Role
from tests import factories

ME = factories.actor(Role.SUPERVISOR)


@pytest.mark.parametrize(
    ("rule", "action", "fields", "closed", "kept"),
    [
        ("not_own_report", Action.ASSESS, {}, False, True),
        ("not_own_work", Action.CLOSE, {}, False, True),
        ("five_settlements", Action.START, {}, False, True),
        ("acceptance", Action.CLOSE, {}, False, True),
        ("second_person", Action.ASSESS, {}, False, True),
        ("role", Action.CLOSE, {"handlers": frozenset({ME.id})}, False, True),
        ("role", Action.ASSESS, {"reporters": frozenset({ME.id})}, False, True),
        ("role", Action.START, {"handlers": frozenset({ME.id})}, False, False),
        ("role", Action.CLOSE, {}, False, False),
        ("role", Action.CLOSE, {}, True, True),
        ("extension", Action.EXTEND, {"extension": {"by": ME.id}}, False, True),
        ("extension", Action.EXTEND, {"extension": {"by": "x"}, "handlers": frozenset({ME.id})}, False, True),
        ("extension", Action.EXTEND, {}, False, False),
        ("state", Action.CLOSE, {}, True, False),
        ("has_reason", Action.RETURN, {}, True, False),
        ("no_review_owed", Action.ARCHIVE, {}, False, False),
    ],
)
def test_what_matters(rule: str, action: Action, fields: dict[str, object], closed: bool, kept: bool) -> None:
    facts = factories.hazard(level=Level.RED, **fields).facts()
    assert matters(rule, action, facts, ME, closed=closed) is kept


def test_a_handlers_own_mistake_with_an_extension_is_an_ordinary_one() -> None:
    facts = factories.hazard(extension=None).facts()
    assert not matters("extension", Action.EXTEND, facts, factories.actor(Role.HANDLER), closed=False)
