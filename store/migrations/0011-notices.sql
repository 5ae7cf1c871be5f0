-- Notices: by what ways people and units are told, what they are told of, and what became of each message.
-- depends: 0010-rosters

-- Of a person or of a unit. The address is an Apprise URL with its tokens, sealed (store/sealing.py); removing one forgets it.
CREATE TABLE channels (
    id              uuid PRIMARY KEY,
    account         uuid REFERENCES accounts,
    unit            text REFERENCES units,
    kind            text NOT NULL CHECK (kind IN ('dingtalk', 'wecom', 'email', 'webhook')),
    sealed          text,
    masked          text NOT NULL,
    quiet_from      time,
    quiet_to        time,
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,
    removed_at      timestamptz,
    removed_by      text,
    failures        integer NOT NULL DEFAULT 0,     -- in a row; a message that goes through ends them
    failed_at       timestamptz,
    reason          text,
    CHECK (num_nonnulls(account, unit) = 1),
    CHECK (num_nonnulls(quiet_from, quiet_to) IN (0, 2)),
    CHECK ((sealed IS NULL) = (removed_at IS NOT NULL))
);
CREATE INDEX channels_account ON channels (account) WHERE removed_at IS NULL;
CREATE INDEX channels_unit ON channels (unit) WHERE removed_at IS NULL;

-- One a recipient and event. `recipient` is `account:<id>` or `unit:<code>`; `key` is the event (`seq:7`) or the reminder.
CREATE TABLE notices (
    id              uuid PRIMARY KEY,
    hazard          uuid NOT NULL REFERENCES hazards,
    key             text NOT NULL,
    seq             integer NOT NULL,               -- the hazard's version that it is about
    recipient       text NOT NULL,
    account         uuid REFERENCES accounts,
    at_unit         text NOT NULL,                  -- the unit in whose role somebody is told
    role            text,
    happening       text NOT NULL,
    level           text NOT NULL,
    state           text NOT NULL,                  -- of the hazard, when it happened
    unit            text NOT NULL,                  -- where the hazard lies
    unit_name       text NOT NULL,
    subcategory     text NOT NULL,
    due_kind        text,
    due_at          timestamptz,
    created_at      timestamptz NOT NULL,
    next_at         timestamptz NOT NULL,
    held            text CHECK (held IN ('bigger', 'quiet', 'no_channel')),
    raised          boolean NOT NULL DEFAULT false, -- the leader was told that nobody answered
    times           integer NOT NULL DEFAULT 0,
    failures        integer NOT NULL DEFAULT 0,
    first_told_at   timestamptz,
    told_at         timestamptz,
    claim           uuid,
    claimed_until   timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    ended_at        timestamptz,
    ended           text CHECK (ended IN ('closed', 'moved_on')),
    UNIQUE (hazard, key, recipient)
);
CREATE INDEX notices_due ON notices (next_at) WHERE acknowledged_at IS NULL AND ended_at IS NULL;
CREATE INDEX notices_live ON notices (recipient, unit) WHERE acknowledged_at IS NULL AND ended_at IS NULL;
CREATE INDEX notices_told ON notices (recipient, level, told_at) WHERE told_at IS NOT NULL;
CREATE INDEX notices_account ON notices (account, id DESC) WHERE account IS NOT NULL;

-- What became of each attempt. No text and no address; `notices` is what the message told of, none for a trial.
CREATE TABLE deliveries (
    message         uuid NOT NULL,
    channel         uuid NOT NULL REFERENCES channels,
    at              timestamptz NOT NULL,
    recipient       text NOT NULL,
    sent            boolean NOT NULL,
    reason          text,
    notices         uuid[] NOT NULL,
    PRIMARY KEY (message, channel),
    CHECK (sent = (reason IS NULL))
);
CREATE INDEX deliveries_at ON deliveries (at);
CREATE INDEX deliveries_channel ON deliveries (channel, at DESC);
-- Retention may remove old ones; nobody changes one.
CREATE TRIGGER deliveries_append_only BEFORE UPDATE OR TRUNCATE ON deliveries
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
