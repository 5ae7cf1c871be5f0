"""The corpus: sentences somebody wrote, what they name, and whether they raise a hazard.

A folder of text files that people read, write and review. A header says what the lines below it are::

    @0102,0101 inspector orange direct     codes (the main one first), whose point of view, level, a direct judgement
    @- cook solved                         about no hazard, and why not
    @0101 student ?                        level not graded

Lines that begin with ``#`` are comments. One line is one report.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.levels import Level
from models.taxonomy import OTHER, subcategories

CORPUS = Path(__file__).parent / "corpus"
TRAIN, DEV, TEST = CORPUS / "train", CORPUS / "dev", CORPUS / "test"

# Why a text raises nothing.
WHY = frozenset({"drill", "passed", "solved", "denied", "talk", "notice", "question", "plan", "chat", "other"})


@dataclass(frozen=True, slots=True)
class Example:
    """``labels``: codes, the main one first, none where the text is about no hazard; ``origin``: whose point of view wrote it;
    ``group``: who must not be on both sides of a fold; ``why``: why it raises nothing."""

    text: str
    labels: tuple[str, ...]
    raises: bool
    direct: bool
    origin: str
    group: str
    level: Level | None = None
    why: str | None = None

    @property
    def main(self) -> str:
        """The first label, ``9900`` where there is none."""
        return self.labels[0] if self.labels else OTHER


def load(folder: Path) -> list[Example]:
    """All examples of a folder's ``*.txt``, files in the order of their names. Raises ``ValueError`` naming file and line of what breaks
    the format, and ``FileNotFoundError`` where there is no such file."""
    paths = files(folder)
    if not paths:
        raise FileNotFoundError(f"{folder} holds no *.txt: a corpus is a folder of texts with headers")
    return [example for path in paths for example in _read(path)]


def files(folder: Path) -> list[Path]:
    """The files of a corpus, in the order in which they are read."""
    return sorted(folder.glob("*.txt"))


def _read(path: Path) -> Iterator[Example]:
    head: Example | None = None
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("@"):
            head = _head(text, path, number)
        elif head is None:
            raise ValueError(f"{path.name} line {number}: a sentence before the first header")
        else:
            yield Example(text, head.labels, head.raises, head.direct, head.origin, head.group, head.level, head.why)


def _head(line: str, path: Path, number: int) -> Example:
    """A header as an example without text."""
    parts = line[1:].split()
    if len(parts) not in (3, 4) or (len(parts) == 4 and parts[3] != "direct"):
        raise ValueError(f"{path.name} line {number}: a header is '@codes origin level' with or without 'direct'")
    labels = () if parts[0] == "-" else tuple(parts[0].split(","))
    if unknown := [label for label in labels if label not in subcategories()]:
        raise ValueError(f"{path.name} line {number}: unknown subcategories {', '.join(unknown)}")
    grade = parts[2]
    if grade not in (WHY if not labels else {"?", *Level}):
        raise ValueError(f"{path.name} line {number}: {grade} is no {'level' if labels else 'reason'}")
    # A file over the whole taxonomy is one writer: a fold holds all of it out or nothing. The others cover a few categories each,
    # so they are split by whose voice they borrow.
    group = path.stem if path.stem.startswith("world") else parts[1]
    level = Level(grade) if labels and grade != "?" else None
    return Example("", labels, bool(labels), len(parts) == 4, parts[1], group, level, None if labels else grade)


def fingerprint(paths: Sequence[Path]) -> str:
    """SHA-256 over the files' bytes, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
