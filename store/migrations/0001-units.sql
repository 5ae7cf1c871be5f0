-- Units and the city they belong to.
-- depends:

CREATE TABLE city (
    code        text PRIMARY KEY,
    name        text NOT NULL,
    profile     jsonb NOT NULL,             -- bounds, tier labels, role labels, duty hours
    loaded_at   timestamptz NOT NULL
);

CREATE TABLE units (
    code        text PRIMARY KEY,
    name        text NOT NULL,
    kind        text NOT NULL,
    tier        text NOT NULL,
    parent      text REFERENCES units,
    path        text NOT NULL UNIQUE,       -- /city/district/school/: "within" is a prefix test
    district    text,
    lon         double precision,
    lat         double precision,
    members     integer NOT NULL DEFAULT 0 CHECK (members >= 0),
    obliged     boolean NOT NULL DEFAULT true
);
CREATE INDEX units_parent ON units (parent);
CREATE INDEX units_path ON units (path text_pattern_ops);
