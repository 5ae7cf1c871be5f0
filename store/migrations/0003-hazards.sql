-- Hazards, their trail, deadlines and escalations.
-- depends: 0002-reports

CREATE TABLE hazards (
    id                  uuid PRIMARY KEY,
    unit                text NOT NULL REFERENCES units,
    unit_path           text NOT NULL,
    subcategory         text NOT NULL,
    level               text NOT NULL CHECK (level IN ('red', 'orange', 'yellow', 'blue')),
    state               text NOT NULL,
    text                text NOT NULL,
    place               text,
    chain               jsonb NOT NULL,
    step                smallint NOT NULL,
    tier                text NOT NULL,
    direct              boolean NOT NULL,
    major               boolean NOT NULL,
    listed              boolean NOT NULL,
    drill               boolean NOT NULL,
    confidential        boolean NOT NULL,
    report_count        integer NOT NULL,
    confidence          real,
    machine_subcategory text,
    machine_level       text,
    model               text,
    reasons             jsonb NOT NULL DEFAULT '[]',
    merged_into         uuid REFERENCES hazards,
    reporters           text[] NOT NULL DEFAULT '{}',
    handlers            text[] NOT NULL DEFAULT '{}',
    settlements         jsonb,
    lowering            jsonb,
    extension           jsonb,
    opened_at           timestamptz NOT NULL,
    assessed_at         timestamptz,
    dispatched_at       timestamptz,
    submitted_at        timestamptz,
    closed_at           timestamptz,
    archived_at         timestamptz,
    version             integer NOT NULL,
    trail_hash          bytea NOT NULL
);
CREATE INDEX hazards_page ON hazards (opened_at DESC, id DESC);
CREATE INDEX hazards_path ON hazards (unit_path text_pattern_ops, opened_at DESC);
CREATE INDEX hazards_open ON hazards (unit, subcategory)
    WHERE state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted');
CREATE INDEX hazards_closed ON hazards (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX hazards_merged ON hazards (merged_into) WHERE merged_into IS NOT NULL;

-- One hash chain a hazard (models/events.py). The time is part of the key so that the table can be split by time.
CREATE TABLE trail (
    hazard      uuid NOT NULL,
    seq         integer NOT NULL,
    at          timestamptz NOT NULL,
    schema      smallint NOT NULL,
    action      text NOT NULL,
    actor       text NOT NULL,
    role        text NOT NULL,
    before      text,
    after       text NOT NULL,
    data        jsonb NOT NULL,
    hash        bytea NOT NULL,
    PRIMARY KEY (hazard, seq, at)
);
CREATE INDEX trail_at ON trail (at);

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER trail_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER reports_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reports
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Absolute instants. A round that was missed stays, and the next one begins.
CREATE TABLE deadlines (
    hazard      uuid NOT NULL REFERENCES hazards,
    kind        text NOT NULL,
    round       smallint NOT NULL,
    begun_at    timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    moved_from  timestamptz,                -- the first due_at, where an extension was granted
    met_at      timestamptz,
    missed_at   timestamptz,
    dropped_at  timestamptz,
    PRIMARY KEY (hazard, kind, round)
);
CREATE INDEX deadlines_running ON deadlines (due_at)
    WHERE met_at IS NULL AND missed_at IS NULL AND dropped_at IS NULL;
CREATE INDEX deadlines_missed ON deadlines (hazard)
    WHERE missed_at IS NOT NULL AND met_at IS NULL AND dropped_at IS NULL;
CREATE INDEX deadlines_due ON deadlines (kind, due_at);

CREATE TABLE escalations (
    hazard      uuid NOT NULL REFERENCES hazards,
    seq         integer NOT NULL,           -- the event of the trail
    at          timestamptz NOT NULL,
    reason      text NOT NULL CHECK (reason IN ('level', 'deadline', 'instructed')),
    kind        text,
    round       smallint,
    due_at      timestamptz,
    from_unit   text NOT NULL,
    from_tier   text NOT NULL,
    to_unit     text NOT NULL,
    to_tier     text NOT NULL,
    PRIMARY KEY (hazard, seq)
);
CREATE UNIQUE INDEX escalations_once ON escalations (hazard, kind, round) WHERE reason = 'deadline';
CREATE INDEX escalations_at ON escalations (at);

-- Columns as Debezium's outbox event router expects them, so that Debezium can take over from our relay.
CREATE TABLE outbox (
    seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              uuid NOT NULL UNIQUE,
    aggregatetype   text NOT NULL,
    aggregateid     text NOT NULL,
    type            text NOT NULL,
    payload         jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
