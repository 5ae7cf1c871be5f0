-- The door: what was accepted, once, and what became of it.
-- depends: 0001-units

-- An ordinary table, for it holds the ids that make landing idempotent; reports itself may be split by time.
CREATE TABLE intake (
    id              uuid PRIMARY KEY,
    unit            text NOT NULL REFERENCES units,
    source          text NOT NULL,
    source_id       text,
    digest          bytea NOT NULL,
    caller          text NOT NULL,
    idempotency_key text,
    received_at     timestamptz NOT NULL,
    confidential    boolean NOT NULL,       -- by the category that was filed; after landing, by what was judged too
    outcome         text CHECK (outcome IN ('opened', 'attached', 'quiet')),
    hazard          uuid,
    landed_at       timestamptz,
    resent_at       timestamptz,            -- when the auditor last sent it again
    CHECK ((outcome IS NULL) = (landed_at IS NULL)),
    UNIQUE (unit, source, source_id),
    UNIQUE (caller, idempotency_key)
);
CREATE INDEX intake_received ON intake (received_at);
CREATE INDEX intake_waiting ON intake (received_at) WHERE landed_at IS NULL;
CREATE INDEX intake_landed ON intake (landed_at) WHERE landed_at IS NOT NULL;
CREATE INDEX intake_hazard ON intake (hazard) WHERE hazard IS NOT NULL;

CREATE TABLE reports (
    id              uuid NOT NULL,
    received_at     timestamptz NOT NULL,
    schema          smallint NOT NULL,
    unit            text NOT NULL,
    source          text NOT NULL,
    text            text NOT NULL,
    place           text,
    lon             double precision,
    lat             double precision,
    crs             text,
    occurred_at     timestamptz,
    reported_at     timestamptz,
    category        text,
    level           text,
    people_affected integer,
    minors_involved boolean,
    drill           boolean NOT NULL,
    reporter        jsonb,
    attachments     jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (id, received_at)
);

CREATE TABLE dead_letters (
    id              uuid PRIMARY KEY,
    at              timestamptz NOT NULL,
    topic           text NOT NULL,
    partition       integer NOT NULL,
    "offset"        bigint NOT NULL,
    key             bytea,
    value           bytea,
    reason          text NOT NULL,
    field           text NOT NULL DEFAULT '',
    detail          text NOT NULL,
    replayed_at     timestamptz,
    dismissed_at    timestamptz,            -- settled otherwise, with the reason
    dismissal       text
);
CREATE INDEX dead_letters_at ON dead_letters (at);
