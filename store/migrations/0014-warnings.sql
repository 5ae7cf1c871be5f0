-- Early warning: warnings with their course, notices of the weather service, and each unit's forecast.
-- depends: 0013-keeping

-- One row a warning; one a key that is not closed. Hazards are named by id without a reference: they go by their own terms.
CREATE TABLE warnings (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('surge', 'recurrence', 'cluster', 'pileup', 'weather', 'forecast')),
    key             text NOT NULL,                  -- the cause: the same for as long as it is the same
    unit            text NOT NULL REFERENCES units, -- whom it is for
    unit_path       text NOT NULL,
    units           text[] NOT NULL,                -- all that it concerns, and their paths
    paths           text[] NOT NULL,
    downward        boolean NOT NULL,               -- it holds for all units below these too (weather)
    subcategory     text NOT NULL,
    grade           text NOT NULL CHECK (grade IN ('red', 'orange', 'yellow', 'blue')),
    reason          text NOT NULL,                  -- of the grade
    sentence        text NOT NULL,                  -- the platform's own words: no reporter's, no person
    evidence        jsonb NOT NULL,
    hazards         uuid[] NOT NULL,                -- empty for a confidential lane
    state           text NOT NULL CHECK (state IN ('open', 'acknowledged', 'closed')),
    opened_at       timestamptz NOT NULL,
    held_at         timestamptz NOT NULL,           -- when the cause was last seen
    rest            interval NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    closed_at       timestamptz,
    closed_by       text,
    outcome         text CHECK (outcome IN ('gone', 'handled', 'false')),
    closing         text,                           -- why, in a person's words
    rests_until     timestamptz,
    report          uuid,                           -- by which it opened a hazard of its own
    CHECK ((state = 'closed') = (closed_at IS NOT NULL) AND (closed_at IS NULL) = (outcome IS NULL)),
    CHECK (outcome IN ('handled', 'false') = (closing IS NOT NULL) OR outcome IS NULL)
);
CREATE UNIQUE INDEX warnings_live ON warnings (key) WHERE closed_at IS NULL;
CREATE INDEX warnings_page ON warnings (opened_at DESC, id DESC);
CREATE INDEX warnings_rest ON warnings (rests_until) WHERE rests_until IS NOT NULL;
CREATE INDEX warnings_report ON warnings (report) WHERE report IS NOT NULL;

CREATE TABLE warning_events (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    warning         uuid NOT NULL REFERENCES warnings,
    at              timestamptz NOT NULL,
    action          text NOT NULL CHECK (action IN ('opened', 'raised', 'acknowledged', 'closed')),
    actor           text NOT NULL,
    grade           text NOT NULL,
    data            jsonb NOT NULL
);
CREATE INDEX warning_events_warning ON warning_events (warning, id);
CREATE TRIGGER warning_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON warning_events
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- As told; ended before its hour by a later notice.
CREATE TABLE weather (
    id              text PRIMARY KEY,
    digest          bytea NOT NULL,
    event           text NOT NULL,
    severity        text NOT NULL CHECK (severity IN ('red', 'orange', 'yellow', 'blue')),
    areas           text[] NOT NULL CHECK (cardinality(areas) > 0),
    onset           timestamptz NOT NULL,
    expires         timestamptz NOT NULL CHECK (expires > onset),
    headline        text,
    exercise        boolean NOT NULL,
    received_at     timestamptz NOT NULL,
    caller          text NOT NULL,
    ended_at        timestamptz,
    ended_by        text
);
CREATE INDEX weather_in_force ON weather (expires) WHERE ended_at IS NULL;

-- One a unit, written anew by each look. Confidential lanes are not in it.
CREATE TABLE forecasts (
    unit            text PRIMARY KEY REFERENCES units,
    unit_path       text NOT NULL,
    at              timestamptz NOT NULL,
    index           real NOT NULL,
    points          jsonb NOT NULL
);

-- Readers -----------------------------------------------------------------------------------------------------------

GRANT SELECT ON warnings, warning_events, forecasts TO campus_risk_reader;
ALTER TABLE warnings ENABLE ROW LEVEL SECURITY;
ALTER TABLE warning_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE forecasts ENABLE ROW LEVEL SECURITY;

-- Whether one of the reader's subtrees lies below a path.
CREATE FUNCTION reader_is_below(path text) RETURNS boolean STABLE LANGUAGE sql AS
    $$ SELECT EXISTS (SELECT 1 FROM unnest(string_to_array(current_setting('campus.paths', true), ',')) AS p(prefix)
        WHERE p.prefix <> '' AND p.prefix ^@ path) $$;
-- Whoever stands above the warned unit, or is one of those concerned; which of the hazards they see, their own policy says.
CREATE POLICY warnings_read ON warnings FOR SELECT TO campus_risk_reader
    USING (reader_covers(unit_path) OR EXISTS (SELECT 1 FROM unnest(paths) AS p(path)
        WHERE reader_covers(p.path) OR (downward AND reader_is_below(p.path))));
CREATE POLICY warning_events_read ON warning_events FOR SELECT TO campus_risk_reader
    USING (EXISTS (SELECT 1 FROM warnings w WHERE w.id = warning_events.warning));
CREATE POLICY forecasts_read ON forecasts FOR SELECT TO campus_risk_reader USING (reader_covers(unit_path));
