"""One hazard, many reports: how well and how fast, as one JSON line. Usage: ``python bench/duplicates.py [test|dev|train]``.

Each unit's reports are streamed in time order, as landing does. ``attached`` counts pairs of reports put together by the platform alone;
``helped`` the same where an assessor takes each right suggestion and refuses each wrong one.
"""

import json
import sys
import time
from datetime import timedelta
from itertools import pairwise
from statistics import median

from models.duplicates.find import prepared
from models.duplicates.score import evidence, weights
from models.duplicates.stories import Pairs, load, play

ROUNDS = 5
HOUR = timedelta(hours=1)


def rounded(pairs: Pairs) -> dict[str, float]:
    """Precision and recall."""
    return {"precision": round(pairs.precision, 4), "recall": round(pairs.recall, 4)}


def main() -> None:
    """Measure on a written part; by default the frozen one."""
    part = sys.argv[1] if len(sys.argv) > 1 else "test"
    units = load(part)
    lines = [line for told in units.values() for line in told]
    played = play(units)
    tellings = [prepared(line.told.text, line.told.place) for line in lines]
    speeds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for one, other in pairwise(tellings):
            evidence(one, [other], HOUR, HOUR)
        speeds.append((time.perf_counter() - start) / (len(tellings) - 1) * 1e6)
    figures = {
        "bench": "duplicates",
        "part": part,
        "units": len(units),
        "groups": len({line.group for line in lines}),
        "reports": len(lines),
        "same": weights().same,
        "grey": weights().grey,
        "attached": rounded(played.attached),
        "helped": rounded(played.helped),
        "suggestions": played.suggested,
        "suggestions_right": round(played.suggested_right / played.suggested, 4) if played.suggested else None,
        "us_a_comparison": round(median(speeds), 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
