"""Units, taxonomy, who one is, and the judgement while somebody still types."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import READING, Caller, Hats, Reporting, is_visitor
from api.hazards import viewer
from api.state import Held, State
from models.judgement import Judgement
from models.reports import MAX_TEXT
from models.scales import words
from models.taxonomy import is_confidential, subcategories
from store.scope import reading
from store.similar import Case, cases

router = APIRouter(prefix="/api/v1", tags=["words"])


class ClassifyRequest(BaseModel):
    """Up to a screenful of texts."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


@router.get("/me")
async def me(actor: Caller, held: Held) -> dict[str, Any]:
    """Who is calling."""
    return {
        "name": actor.name,
        "role": actor.role.value,
        "role_label": actor.role.label,
        "unit": {"code": actor.unit, "name": held.tree[actor.unit].name, "tier": held.tree[actor.unit].tier},
        "demo": is_visitor(actor),
    }


@router.get("/units")
async def list_units(
    actor: Caller,
    held: Held,
    parent: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> dict[str, Any]:
    """Units of the caller's subtree, by code; ``cursor`` is the last code of the page before."""
    own = sorted(
        (u for u in held.tree if actor.covers(u.path) and (parent is None or u.parent == parent)), key=lambda u: u.code
    )
    rest = [unit for unit in own if cursor is None or unit.code > cursor]
    names = ("code", "name", "kind", "tier", "parent", "district", "lon", "lat")
    items = [{name: getattr(unit, name) for name in names} for unit in rest[:limit]]
    return {"items": items, "next": items[-1]["code"] if len(rest) > limit else None}


@router.get("/taxonomy")
async def taxonomy() -> dict[str, Any]:
    """Categories and subcategories, with their codes and example phrases."""
    return {
        "items": [
            {"code": s.code, "name": s.name, "category": s.category, "category_name": s.category_name}
            | {"confidential": s.confidential, "phrases": list(s.phrases)}
            for s in subcategories().values()
        ],
        "next": None,
    }


@router.post("/classify")
async def classify(wanted: ClassifyRequest, actor: Reporting, hats: Hats, held: Held) -> dict[str, Any]:
    """Category, level, reasons and similar cases for a text, while the officer still types. Nothing is stored."""
    judged = await asyncio.to_thread(_judge, held, wanted.text)
    similar: list[Case] = []
    if actor.role in READING and judged.raises and not is_confidential(judged.subcategory):
        async with held.pool.connection() as conn, reading(conn, viewer(hats)):
            similar = await cases(conn, judged.subcategory, wanted.text)
    return dict(judged.as_dict()) | {"similar": [case.as_dict() for case in similar]}


def _judge(held: State, text: str) -> Judgement:
    if held.classifier is None:
        # Loading takes seconds, most of them scikit-learn's own: a door that only takes reports does not wait for it.
        from models.classifier.predict import Classifier

        held.classifier = Classifier.load(held.settings.models_dir)
    return held.classifier.classify([text], held.bands)[0]


@router.get("/scales")
async def scales(held: Held) -> dict[str, Any]:
    """LS and LEC: each step of each part in the field's words, and the lower edges of the levels in force."""
    edges = {"ls": held.bands.ls, "lec": held.bands.lec}
    return {"scales": words(), "bands": {s: {level.value: edge for edge, level in bands} for s, bands in edges.items()}}
