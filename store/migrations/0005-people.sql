-- People: accounts, the roles they hold in units, their second factor, and the attempts to guess at them.
-- depends: 0004-access

CREATE TABLE accounts (
    id              uuid PRIMARY KEY,
    login           text NOT NULL UNIQUE,       -- normalised: models.accounts.normal_login
    name            text NOT NULL,
    password        text NOT NULL,              -- argon2id, with its parameters and salt
    password_at     timestamptz NOT NULL,
    totp_secret     text,                       -- of the confirmed factor
    totp_pending    text,                       -- enrolled, and waiting for its first code
    totp_step       bigint NOT NULL DEFAULT 0,  -- of the last code taken: no code counts twice
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,
    disabled_at     timestamptz,
    disabled_by     text
);

CREATE TABLE grants (
    id          uuid PRIMARY KEY,
    account     uuid NOT NULL REFERENCES accounts,
    role        text NOT NULL,
    unit        text NOT NULL REFERENCES units,
    granted_at  timestamptz NOT NULL,
    granted_by  text NOT NULL,
    revoked_at  timestamptz,
    revoked_by  text
);
CREATE UNIQUE INDEX grants_live ON grants (account, role, unit) WHERE revoked_at IS NULL;

CREATE TABLE recovery_codes (
    account     uuid NOT NULL REFERENCES accounts,
    hash        bytea NOT NULL,
    used_at     timestamptz,
    PRIMARY KEY (account, hash)
);

-- Counted per login and per address. Both are kept as a hash: a login that was mistyped may well be somebody's password.
CREATE TABLE attempts (
    bucket          bytea PRIMARY KEY,
    failures        integer NOT NULL,
    last_at         timestamptz NOT NULL,
    blocked_until   timestamptz
);
CREATE INDEX attempts_last ON attempts (last_at);

-- A session is of a key or of an account. ``factor``: it was begun, or confirmed since, with a second factor.
ALTER TABLE sessions ALTER COLUMN key DROP NOT NULL;
ALTER TABLE sessions ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE;
ALTER TABLE sessions ADD COLUMN account uuid REFERENCES accounts;
ALTER TABLE sessions ADD COLUMN factor boolean NOT NULL DEFAULT false;
ALTER TABLE sessions ADD CONSTRAINT sessions_of_one CHECK (num_nonnulls(key, account) = 1);
CREATE INDEX sessions_account ON sessions (account);
