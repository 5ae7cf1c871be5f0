-- Duty: rosters, absences with their deputies, hand-overs; and where each hazard stands, so that those of an unmanned unit are found.
-- depends: 0009-reminders

-- One in force a unit and role; those before stay, with who ended them.
CREATE TABLE rosters (
    id              uuid PRIMARY KEY,
    unit            text NOT NULL REFERENCES units,
    role            text NOT NULL,
    first_day       date NOT NULL,
    turn            text NOT NULL CHECK (turn IN ('day', 'week')),
    handover        time NOT NULL,
    people          uuid[] NOT NULL CHECK (cardinality(people) > 0),
    holidays        text NOT NULL CHECK (holidays IN ('same', 'own', 'nobody')),
    holiday_people  uuid[] NOT NULL DEFAULT '{}',
    set_at          timestamptz NOT NULL,
    set_by          text NOT NULL,
    ended_at        timestamptz,
    ended_by        text
);
CREATE UNIQUE INDEX rosters_in_force ON rosters (unit, role) WHERE ended_at IS NULL;

-- That somebody is away, never why.
CREATE TABLE absences (
    id              uuid PRIMARY KEY,
    account         uuid NOT NULL REFERENCES accounts,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    deputy          uuid REFERENCES accounts CHECK (deputy <> account),
    set_at          timestamptz NOT NULL,
    set_by          text NOT NULL,
    withdrawn_at    timestamptz,
    withdrawn_by    text
);
CREATE INDEX absences_live ON absences (account, ends_at) WHERE withdrawn_at IS NULL;

CREATE TABLE handovers (
    id              uuid PRIMARY KEY,
    unit            text NOT NULL REFERENCES units,
    role            text NOT NULL,
    at              timestamptz NOT NULL,
    from_account    uuid NOT NULL REFERENCES accounts,
    to_account      uuid REFERENCES accounts,
    note            text NOT NULL,
    hazards         uuid[] NOT NULL,        -- what was open at that moment
    taken_at        timestamptz,
    taken_by        uuid REFERENCES accounts
);
CREATE INDEX handovers_unit ON handovers (unit, at DESC);

ALTER TABLE hazards ADD COLUMN stands_at text;
UPDATE hazards SET stands_at = chain -> step ->> 'unit';
ALTER TABLE hazards ALTER COLUMN stands_at SET NOT NULL;
CREATE INDEX hazards_stands_at ON hazards (stands_at)
    WHERE state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted');

ALTER TABLE escalations DROP CONSTRAINT escalations_reason_check;
ALTER TABLE escalations ADD CONSTRAINT escalations_reason_check
    CHECK (reason IN ('level', 'deadline', 'instructed', 'unmanned'));
