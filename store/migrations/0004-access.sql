-- Keys of machines and demo people, and the sessions of browsers. Only hashes are kept.
-- depends: 0003-hazards

CREATE TABLE keys (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    unit        text NOT NULL REFERENCES units,
    role        text NOT NULL,
    hash        bytea NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);

CREATE TABLE sessions (
    hash        bytea PRIMARY KEY,
    key         uuid NOT NULL REFERENCES keys,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX sessions_expires ON sessions (expires_at);
