"""Counts how rare characters and pairs are in the classifier's training texts, for ``rarity.json``: ``python -m models.duplicates.rarity``."""

import json
import math
from collections import Counter

from models.classifier.examples import TRAIN, files, fingerprint, load
from models.duplicates.flat import flatten
from models.duplicates.places import digits
from models.duplicates.wording import HERE, pairs

# Below this a pair weighs nearly as much as one never seen; the table stays small.
LEAST = 4


def count() -> dict[str, object]:
    """Weights ``ln(n / texts with it)``, two decimals; the empty key stands for whatever is rarer."""
    seen: Counter[str] = Counter()
    texts = load(TRAIN)
    for one in texts:
        flat = flatten(digits(one.text))
        seen.update(pairs(flat) | frozenset(flat))
    total = len(texts)
    weights = {gram: round(math.log(total / times), 2) for gram, times in sorted(seen.items()) if times >= LEAST}
    return {
        "source": fingerprint(files(TRAIN)),
        "texts": total,
        "weights": {"": round(math.log(total / LEAST), 2)} | weights,
    }


if __name__ == "__main__":
    (HERE / "rarity.json").write_text(json.dumps(count(), ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
