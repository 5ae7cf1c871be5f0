-- Each hazard keeps the deadline policy it was opened under; reminders before a deadline.
-- depends: 0003-hazards

-- JSON as models/policy.py wrote it, read back as text and never searched. NULL: opened before policies could be
-- configured, when the defaults held for everybody.
ALTER TABLE hazards ADD COLUMN policy text CHECK (jsonb_typeof(policy::jsonb) = 'object');

-- When the clock next looks whether this round is to be reminded of; NULL: never (again).
ALTER TABLE deadlines ADD COLUMN remind_at timestamptz;
UPDATE deadlines SET remind_at = begun_at WHERE met_at IS NULL AND missed_at IS NULL AND dropped_at IS NULL;
CREATE INDEX deadlines_remind ON deadlines (remind_at)
    WHERE met_at IS NULL AND missed_at IS NULL AND dropped_at IS NULL AND remind_at IS NOT NULL;

-- What was sent. The instant is part of the key: a deadline that was moved is reminded of anew.
CREATE TABLE reminders (
    hazard      uuid NOT NULL,
    kind        text NOT NULL,
    round       smallint NOT NULL,
    due_at      timestamptz NOT NULL,
    mark        double precision NOT NULL CHECK (mark > 0 AND mark < 1),
    sent_at     timestamptz NOT NULL,
    PRIMARY KEY (hazard, kind, round, due_at, mark),
    FOREIGN KEY (hazard, kind, round) REFERENCES deadlines
);
