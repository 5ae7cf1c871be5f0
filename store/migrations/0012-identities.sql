-- Single sign-on: who somebody is at their campus's identity provider; and what was done to an account, by whom.
-- depends: 0005-people 0003-hazards

-- By issuer and subject, which a provider never gives to a second person (OpenID Connect Core §5.7); an e-mail address may be.
CREATE TABLE identities (
    id          uuid PRIMARY KEY,
    account     uuid NOT NULL REFERENCES accounts,
    issuer      text NOT NULL,
    subject     text NOT NULL,
    linked_at   timestamptz NOT NULL,
    linked_by   text NOT NULL,
    used_at     timestamptz,
    unlinked_at timestamptz,
    unlinked_by text,
    CHECK ((unlinked_at IS NULL) = (unlinked_by IS NULL))
);
CREATE UNIQUE INDEX identities_live ON identities (issuer, subject) WHERE unlinked_at IS NULL;
CREATE INDEX identities_account ON identities (account);

-- A code that an administrator hands to somebody: whoever brings it with an identity links the two, once.
CREATE TABLE link_codes (
    hash        bytea PRIMARY KEY,
    account     uuid NOT NULL REFERENCES accounts,
    made_at     timestamptz NOT NULL,
    made_by     text NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX link_codes_account ON link_codes (account);

-- Sign-ins that are away at a provider, or back and waiting for a code. State, nonce and PKCE verifier come of the browser's
-- cookie, of which only the hash is kept.
CREATE TABLE oidc_sign_ins (
    hash        bytea PRIMARY KEY,
    provider    text NOT NULL,
    back        text NOT NULL,
    account     uuid REFERENCES accounts,       -- who links a further identity to their account
    session     uuid,                           -- from which session
    issuer      text,                           -- proven at the callback
    subject     text,
    factor      boolean NOT NULL DEFAULT false,
    taken_at    timestamptz,                    -- the callback was called: a second time it is not
    expires_at  timestamptz NOT NULL,
    CHECK (num_nonnulls(account, session) IN (0, 2)),
    CHECK (num_nonnulls(issuer, subject) IN (0, 2))
);
CREATE INDEX oidc_sign_ins_expires ON oidc_sign_ins (expires_at);

-- What a session was begun with; `within`: the path of the provider's unit, outside of which its owner's roles do not hold.
ALTER TABLE sessions ADD COLUMN identity uuid REFERENCES identities;
ALTER TABLE sessions ADD COLUMN within text;
ALTER TABLE sessions ADD CONSTRAINT sessions_within CHECK ((identity IS NULL) = (within IS NULL));

-- Closing, opening, resets and links: who, when, what. Grants keep their own.
CREATE TABLE account_acts (
    at          timestamptz NOT NULL,
    account     uuid NOT NULL,
    act         text NOT NULL,
    by          text NOT NULL,
    detail      text
);
CREATE INDEX account_acts_account ON account_acts (account, at);
CREATE TRIGGER account_acts_append_only BEFORE UPDATE OR TRUNCATE ON account_acts
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
