"""What the model sees of a text: pairs and triples of characters, words, how it ends, and what its clauses claim to be.

Characters carry most of it and forgive typos; words tell 车门 from 门口; the last clause tells "已修好" from "又坏了" after it; the
clauses' status (``polarity``) brings in what the rules know. Phones, places and numbers are masked before (``text.masked``).
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import rjieba
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from models.classifier.polarity import Clause
from models.classifier.text import masked

# A Chinese word is mostly two characters, "灭火器" three; single ones catch typos and short texts.
NGRAMS = (1, 2, 3)
# Up to four in the last clause, for there is little of it and it decides: "没修好$".
END_NGRAMS = (1, 2, 3, 4)
# A feature seen once tells one text from all others and nothing else.
MIN_COUNT = 2

_CUT = re.compile(r"[，,。！!？?；;：:\n、]")
WORD, END, SIGN = "w:", "l:", "s:"


def tokens(cleaned: str, clauses: Sequence[Clause]) -> list[str]:
    """All features of a cleaned text, with repetitions."""
    text = masked(cleaned)
    found = _grams(text, NGRAMS, "")
    words = [word for word in rjieba.cut(text) if not word.isspace()]
    found += [WORD + word for word in words]
    found += [f"{WORD}{one} {two}" for one, two in pairwise(words)]
    found += [f"{WORD}{one} * {two}" for one, two in zip(words, words[2:], strict=False)]
    parts = [part for part in _CUT.split(text) if part.strip()]
    found += _grams((parts[-1] if parts else "") + "$", END_NGRAMS, END)
    found += [SIGN + clause.status for clause in clauses]
    if clauses:
        found.append(f"{SIGN}last {clauses[-1].status}")
    return found


def _grams(text: str, sizes: Sequence[int], prefix: str) -> list[str]:
    return [prefix + text[at : at + size] for size in sizes for at in range(len(text) - size + 1)]


def _as_they_are(given: list[str]) -> list[str]:
    return given


def vectorizer(**settings: Any) -> TfidfVectorizer:
    """The one way in which tokens become numbers, in training and in use."""
    return TfidfVectorizer(analyzer=_as_they_are, sublinear_tf=True, lowercase=False, dtype=np.float32, **settings)


def ready(words: Sequence[str], idf: NDArray[np.float64]) -> TfidfVectorizer:
    """A vectorizer with a model's features and weights."""
    made = vectorizer(vocabulary=_places(words))
    made.idf_ = idf
    return made


def _places(words: Sequence[str]) -> Mapping[str, int]:
    return {word: place for place, word in enumerate(words)}


def about_kind(words: Sequence[str]) -> NDArray[np.bool_]:
    """Which features tell kinds of hazards apart: not how a text ends, nor what its clauses claim."""
    return np.array([not word.startswith((END, SIGN)) for word in words], dtype=np.bool_)


def readable(word: str) -> str | None:
    """A feature as an officer can read it: a word, or two that stand together; None for all others."""
    plain = word.removeprefix(WORD).replace(" ", "")
    return plain if word.startswith(WORD) and "*" not in plain and len(plain) > 1 and plain.isalnum() else None
