"""What was reported lately and may be reported again, by somebody else, in other words."""

import random
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.simulate.material import Matter
from models.units import Unit

# Hours later the hazard is gone or everybody knows: no second witness takes the trouble.
MEMORY = timedelta(hours=6)
# At high rates six hours are millions of reports; a few hundred are enough to draw from and keep memory flat.
KEPT = 400
# One hazard, at most so many further witnesses.
WITNESSES = 3


@dataclass(slots=True)
class Seen:
    """A reported hazard: what a second witness has before their eyes."""

    source_id: str
    unit: Unit
    stage: str
    matter: Matter
    core: str
    place: str
    location: dict[str, object] | None
    occurred_at: datetime
    repeated: int = 0


class Memory:
    """The last hazards, oldest first."""

    def __init__(self) -> None:
        self._seen: deque[Seen] = deque(maxlen=KEPT)

    def keep(self, seen: Seen) -> None:
        """Remembers a hazard; the oldest is forgotten when there are too many."""
        self._seen.append(seen)

    def again(self, now: datetime, rng: random.Random) -> Seen | None:
        """One that somebody else may have seen too, at least a minute after it occurred; None where there is none."""
        while self._seen and now - self._seen[0].occurred_at > MEMORY:
            self._seen.popleft()
        if not self._seen:
            return None
        for _ in range(4):  # the youngest and the exhausted are passed over; four draws find another nearly always
            seen = self._seen[rng.randrange(len(self._seen))]
            if seen.repeated < WITNESSES and timedelta(minutes=1) < now - seen.occurred_at <= MEMORY:
                seen.repeated += 1
                return seen
        return None
