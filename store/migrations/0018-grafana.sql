-- Figures for Grafana: views without words and without people, and a role that reads these and nothing else.
-- depends: 0014-warnings

CREATE SCHEMA figures;
COMMENT ON SCHEMA figures IS 'What a Grafana user may see (docs/decisions/0020-grafana.md). No text, no place, no person, no id of a record.';

-- Every view of rows is a security barrier: else a function in somebody's WHERE would see a row before the view leaves it out.
-- Views run as their owner, whom no policy of 0008 binds: what a view leaves out is left out by its own WHERE.

CREATE VIEW figures.units WITH (security_barrier) AS
    SELECT code, name, kind, tier, parent, path, members, obliged, cardinality(string_to_array(path, '/')) - 2 AS depth FROM units;

CREATE VIEW figures.tiers WITH (security_barrier) AS
    SELECT t ->> 'key' AS tier, t ->> 'label' AS label, (t ->> 'rank')::integer AS rank
    FROM city, jsonb_array_elements(city.profile -> 'tiers') AS t;

-- Confidential lanes are in none of the views of rows: they would be told by what is missing elsewhere.
CREATE VIEW figures.hazards WITH (security_barrier) AS
    SELECT unit, unit_path AS path, left(subcategory, 2) AS category, subcategory, level, state,
        state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted') AS open, tier, direct, major, listed, drill,
        report_count, opened_at, assessed_at, dispatched_at, submitted_at, closed_at, archived_at,
        EXISTS (SELECT 1 FROM deadlines d WHERE d.hazard = h.id AND d.met_at IS NULL AND d.dropped_at IS NULL
            AND (d.missed_at IS NOT NULL OR d.due_at <= now())) AS overdue,
        (SELECT min(d.due_at) FROM deadlines d WHERE d.hazard = h.id AND d.met_at IS NULL AND d.dropped_at IS NULL) AS due_at
    FROM hazards h WHERE NOT confidential;

CREATE VIEW figures.deadlines WITH (security_barrier) AS
    SELECT h.unit, h.unit_path AS path, h.subcategory, h.level, h.tier, d.kind, d.round, d.begun_at, d.due_at, d.met_at, d.missed_at,
        d.dropped_at, d.met_at IS NULL AND d.missed_at IS NULL AND d.dropped_at IS NULL AS running
    FROM deadlines d JOIN hazards h ON h.id = d.hazard WHERE NOT h.confidential;

CREATE VIEW figures.escalations WITH (security_barrier) AS
    SELECT h.unit, h.unit_path AS path, h.level, e.at, e.reason, e.kind, e.from_tier, e.to_tier
    FROM escalations e JOIN hazards h ON h.id = e.hazard WHERE NOT h.confidential AND e.from_unit <> e.to_unit;

CREATE VIEW figures.actions WITH (security_barrier) AS
    SELECT h.unit, h.unit_path AS path, h.level, t.at, t.action, t.before, t.after
    FROM trail t JOIN hazards h ON h.id = t.hazard WHERE NOT h.confidential;

-- Landed ones only: nobody knows of an unjudged report whether it is confidential, and one that leaves the view says that it was.
CREATE VIEW figures.intake WITH (security_barrier) AS
    SELECT i.unit, u.path, i.source, i.received_at, i.landed_at, i.outcome
    FROM intake i JOIN units u ON u.code = i.unit WHERE i.landed_at IS NOT NULL AND NOT i.confidential;

-- Of the whole city only, and groups under five are not told: of a part of it, a difference would tell them.
CREATE VIEW figures.confidential WITH (security_barrier) AS
    SELECT lane.category, CASE WHEN count(h.id) < 5 THEN NULL ELSE count(h.id)::integer END AS open
    FROM (SELECT DISTINCT left(subcategory, 2) AS category FROM hazards WHERE confidential UNION VALUES ('09'), ('10')) AS lane
    LEFT JOIN hazards h ON left(h.subcategory, 2) = lane.category AND h.confidential
        AND h.state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted')
    GROUP BY lane.category;

-- A dead letter's bytes, its detail and the name of its field are a sender's words; its reason is a code.
CREATE VIEW figures.dead_letters WITH (security_barrier) AS
    SELECT at, topic, reason, replayed_at IS NULL AND dismissed_at IS NULL AS open FROM dead_letters;

CREATE VIEW figures.outbox WITH (security_barrier) AS
    SELECT aggregatetype AS topic, count(*) AS messages, min(created_at) AS oldest_at FROM outbox GROUP BY aggregatetype;

CREATE VIEW figures.deliveries WITH (security_barrier) AS
    SELECT d.at, c.kind, d.sent FROM deliveries d JOIN channels c ON c.id = d.channel;

-- One row, always: what operators watch and what alerts are made of. It counts all lanes, as sums of the whole platform;
-- of deadlines the age alone, so that a stopped clock is seen even where it holds up one confidential hazard only.
CREATE VIEW figures.pulse AS
    SELECT now() AS at,
        (SELECT count(*) FROM intake WHERE landed_at IS NULL) AS waiting,
        (SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8 FROM intake WHERE landed_at IS NULL) AS waiting_seconds,
        (SELECT count(*) FROM intake WHERE landed_at IS NULL AND resent_at IS NOT NULL) AS resent,
        (SELECT extract(epoch FROM now() - max(landed_at))::float8 FROM intake WHERE landed_at IS NOT NULL) AS landed_seconds,
        (SELECT count(*) FROM outbox) AS outbox,
        (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox) AS outbox_seconds,
        (SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL AND dismissed_at IS NULL) AS dead,
        (SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 FROM deadlines
            WHERE met_at IS NULL AND missed_at IS NULL AND dropped_at IS NULL AND due_at <= now()) AS unswept_seconds,
        (SELECT count(*) FROM hazards WHERE level = 'red' AND state = 'reported' AND NOT confidential AND NOT drill
            AND opened_at < now() - interval '15 minutes') AS red_unassessed,
        pg_database_size(current_database()) AS database_bytes,
        (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
        current_setting('max_connections')::integer AS connections_most;

-- Sizes, no row counts: those of the statistics would tell lanes by difference.
CREATE VIEW figures.tables WITH (security_barrier) AS
    SELECT c.relname::text AS name, pg_total_relation_size(c.oid) AS bytes FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'm');

-- The role ------------------------------------------------------------------------------------------------------------

-- Nobody logs in as it: the operator makes a login of their own and lets it be a member (docs/grafana.md).
DO $$
BEGIN
    CREATE ROLE campus_risk_grafana NOLOGIN;
EXCEPTION
    WHEN duplicate_object THEN NULL;
    WHEN unique_violation THEN NULL;        -- another database of this server is being migrated at the same moment
END
$$;
GRANT USAGE ON SCHEMA figures TO campus_risk_grafana;
GRANT SELECT ON ALL TABLES IN SCHEMA figures TO campus_risk_grafana;

-- Functions are everybody's unless somebody says otherwise, and a definer's function reads what its caller may not: whether a
-- hazard's words are closed, or who broke glass. They are the reader's alone, for its policies call them.
DO $$
DECLARE
    made regprocedure;
BEGIN
    FOR made IN SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'public' AND p.prosecdef AND p.proowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
        AND has_function_privilege('campus_risk_grafana', p.oid, 'EXECUTE')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', made);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO campus_risk_reader', made);
    END LOOP;
END
$$;
