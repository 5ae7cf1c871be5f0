"""The corpus: sentences somebody wrote, what they name, and whether they raise a hazard."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.levels import Level
from models.taxonomy import OTHER, subcategories

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Example:
    """``labels``: codes, the main one first, none where the text is about no hazard; ``origin``: whose point of view wrote it."""

    text: str
    labels: tuple[str, ...]
    raises: bool
    direct: bool
    origin: str
    level: Level | None = None

    @property
    def main(self) -> str:
        """The first label, ``9900`` where there is none."""
        return self.labels[0] if self.labels else OTHER


def load(path: Path) -> list[Example]:
    """Examples of a JSONL file. Raises ``ValueError`` naming file and line where a line breaks the format."""
    examples = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            raw = json.loads(line)
            labels = tuple(raw["labels"])
            unknown = [label for label in labels if label not in subcategories()]
            if unknown:
                raise ValueError(f"unknown subcategories {unknown}")
            level = Level(raw["level"]) if raw.get("level") else None
            examples.append(Example(raw["text"], labels, raw["raises"], raw["direct"], raw["origin"], level))
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"{path.name} line {number}: {error}; expected text, labels, raises, direct, origin"
            ) from error
    return examples


def fingerprint(paths: Sequence[Path]) -> str:
    """SHA-256 over the files' bytes, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
