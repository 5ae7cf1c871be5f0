-- Keeping and closing: records about minors, refusals, and deletion by the law's terms alone.
-- depends: 0011-notices

-- Minors -----------------------------------------------------------------------------------------------------------

ALTER TABLE hazards ADD COLUMN minors boolean NOT NULL DEFAULT false;

-- The sentence is that of models/privacy.py without the subcategory's name, which the next transition adds.
UPDATE hazards h SET minors = true, text = '涉及未成年人，原文须经审批查看', place = NULL, reasons = '[]',
    settlements = (SELECT jsonb_object_agg(key, '涉及未成年人，原文须经审批查看') FROM jsonb_each(
        CASE WHEN jsonb_typeof(settlements) = 'object' THEN settlements ELSE '{}' END)),
    lowering = CASE WHEN jsonb_typeof(lowering) = 'object' THEN lowering - 'reason' END,
    extension = CASE WHEN jsonb_typeof(extension) = 'object' THEN extension - 'reason' END
    WHERE EXISTS (SELECT 1 FROM intake i JOIN reports r ON r.id = i.id AND r.received_at = i.received_at
        WHERE i.hazard = h.id AND r.minors_involved);

-- Whether words about a hazard are open to its unit's named roles and by break-glass only.
CREATE FUNCTION words_closed(wanted uuid) RETURNS boolean STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT coalesce((SELECT confidential OR minors FROM hazards WHERE id = wanted), false) $$;

-- Officers' words stand in the trail. The subquery reads hazards as the reader does, and so decides for the lanes too.
DROP POLICY trail_read ON trail;
CREATE POLICY trail_read ON trail FOR SELECT TO campus_risk_reader
    USING (EXISTS (SELECT 1 FROM hazards h WHERE h.id = trail.hazard
        AND (NOT h.minors OR reader_is_named_in(h.unit) OR reader_broke_glass(h.id))));
-- Closed is what was so when it landed, and what its hazard has become since: moved into a lane, or a minors' one.
DROP POLICY reports_read ON reports;
CREATE POLICY reports_read ON reports FOR SELECT TO campus_risk_reader
    USING (EXISTS (SELECT 1 FROM intake i WHERE i.id = reports.id
        AND ((NOT i.confidential AND reports.minors_involved IS NOT TRUE AND NOT words_closed(i.hazard))
            OR reader_is_named_in(i.unit) OR reader_broke_glass(i.hazard))
        AND (i.landed_at IS NOT NULL OR i.unit = ANY (string_to_array(current_setting('campus.units', true), ',')))));

-- Refusals ---------------------------------------------------------------------------------------------------------

-- Attempts that matter to an auditor: ids, codes and rules, never a word. No reference to hazards, for it outlives them.
CREATE TABLE refusals (
    id              uuid PRIMARY KEY,
    at              timestamptz NOT NULL,
    actor           text NOT NULL,
    role            text NOT NULL,
    unit            text NOT NULL,
    hazard          uuid NOT NULL,
    hazard_path     text NOT NULL,          -- of the hazard's unit: an auditor reads those of their subtree
    action          text NOT NULL,
    rule            text NOT NULL
);
CREATE INDEX refusals_page ON refusals (at DESC, id DESC);

-- Keeping ----------------------------------------------------------------------------------------------------------

-- Nobody logs in as this role and nobody is made a member of it: what the append-only tables let it do, only the function
-- below does.
DO $$
BEGIN
    CREATE ROLE campus_risk_keeper NOLOGIN;
EXCEPTION
    WHEN duplicate_object THEN NULL;
    WHEN unique_violation THEN NULL;        -- another database of this server is being migrated at the same moment
END
$$;

CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('DELETE', 'INSERT') AND current_user = 'campus_risk_keeper' THEN
        RETURN CASE WHEN TG_LEVEL = 'ROW' THEN NEW END;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
DROP TRIGGER access_log_append_only ON access_log;
CREATE TRIGGER access_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON access_log
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER refusals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON refusals
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
-- What was accepted stays known, as ids and codes, when its words have gone: by it a hand is told from the rule.
CREATE TRIGGER intake_keeps BEFORE DELETE OR TRUNCATE ON intake FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- What went by the rule: what kind, how many rows, up to when, who asked, when. ``gone``: ids of hazards (or of reports that
-- opened none); ``heads``: SHA-256 over each hazard's id and the head of its chain, in the order of ``gone``.
CREATE TABLE tombstones (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL,
    kind            text NOT NULL,
    count           integer NOT NULL CHECK (count > 0),
    until           timestamptz NOT NULL,
    by              text NOT NULL,
    gone            uuid[] NOT NULL,
    heads           bytea
);
CREATE TRIGGER tombstones_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tombstones
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
-- Not even by hand: a stone is set by the function that took something away.
CREATE TRIGGER tombstones_by_the_rule BEFORE INSERT ON tombstones FOR EACH ROW EXECUTE FUNCTION append_only();

-- The least that law asks, again and in the database itself: no configuration and no caller goes below it (models/retention.py).
CREATE FUNCTION keeping_floor(kind text) RETURNS interval IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE kind
        WHEN 'hazards' THEN interval '3 years'
        WHEN 'reports' THEN interval '3 years'
        WHEN 'access_log' THEN interval '6 months'
        WHEN 'refusals' THEN interval '6 months'
    END
$$;

-- The one way in which kept records go. How many rows of the kind went now; at most ``most``, so that nobody waits long.
CREATE FUNCTION forget(kind text, older_than timestamptz, most integer, asked_by text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ids uuid[] := '{}';
    heads bytea;
    went integer := 0;
BEGIN
    IF keeping_floor(kind) IS NULL THEN
        RAISE EXCEPTION 'nothing of the kind % is kept here', kind USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF older_than IS NULL OR NOT isfinite(older_than) OR older_than > now() - keeping_floor(kind) THEN
        RAISE EXCEPTION '% are kept at least %: nothing after % goes', kind, keeping_floor(kind), now() - keeping_floor(kind)
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF most IS NULL OR most NOT BETWEEN 1 AND 10000 OR coalesce(trim(asked_by), '') = '' THEN
        RAISE EXCEPTION 'say how many (1 to 10000) and who asks' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF kind = 'hazards' THEN
        -- A hazard goes with what was merged into it, and only when all of them have been at rest for long enough. One that
        -- somebody asked to see lately stays with that request.
        WITH roots AS (
            SELECT h.id FROM hazards h WHERE h.merged_into IS NULL AND h.opened_at < older_than
                AND ((h.state = 'archived' AND h.archived_at < older_than) OR h.state = 'rejected')
                AND NOT EXISTS (SELECT 1 FROM hazards f JOIN trail t ON t.hazard = f.id
                    WHERE (f.id = h.id OR f.merged_into = h.id) AND t.at >= older_than)
                AND NOT EXISTS (SELECT 1 FROM glass g JOIN hazards f ON f.id = g.hazard WHERE (f.id = h.id OR f.merged_into = h.id)
                    AND coalesce(g.expires_at, g.asked_at) >= now() - keeping_floor('access_log'))
            ORDER BY h.opened_at LIMIT most FOR UPDATE SKIP LOCKED)
        SELECT array_agg(x.id ORDER BY x.id), sha256(string_agg(uuid_send(x.id) || x.trail_hash, '' ORDER BY x.id)) INTO ids, heads
            FROM hazards x WHERE x.id IN (SELECT id FROM roots) OR x.merged_into IN (SELECT id FROM roots);
        DELETE FROM notices x WHERE x.hazard = ANY (ids);
        DELETE FROM reminders x WHERE x.hazard = ANY (ids);
        DELETE FROM deadlines x WHERE x.hazard = ANY (ids);
        DELETE FROM escalations x WHERE x.hazard = ANY (ids);
        DELETE FROM glass x WHERE x.hazard = ANY (ids);
        DELETE FROM reports x WHERE x.id IN (SELECT i.id FROM intake i WHERE i.hazard = ANY (ids));
        DELETE FROM trail x WHERE x.hazard = ANY (ids);
        DELETE FROM hazards x WHERE x.id = ANY (ids);
        GET DIAGNOSTICS went = ROW_COUNT;
    ELSIF kind = 'reports' THEN
        SELECT array_agg(q.id ORDER BY q.id) INTO ids FROM (
            SELECT i.id FROM intake i WHERE i.outcome = 'quiet' AND i.landed_at < older_than
                AND EXISTS (SELECT 1 FROM reports r WHERE r.id = i.id) ORDER BY i.landed_at LIMIT most) q;
        DELETE FROM reports x WHERE x.id = ANY (ids);
        GET DIAGNOSTICS went = ROW_COUNT;
    ELSIF kind = 'access_log' THEN
        DELETE FROM access_log WHERE ctid IN (SELECT a.ctid FROM access_log a WHERE a.at < older_than ORDER BY a.at LIMIT most);
        GET DIAGNOSTICS went = ROW_COUNT;
    ELSE
        DELETE FROM refusals WHERE id IN (SELECT r.id FROM refusals r WHERE r.at < older_than ORDER BY r.at LIMIT most);
        GET DIAGNOSTICS went = ROW_COUNT;
    END IF;
    IF went > 0 THEN
        INSERT INTO tombstones (at, kind, count, until, by, gone, heads)
            VALUES (now(), kind, went, older_than, asked_by, coalesce(ids, '{}'), heads);
    END IF;
    RETURN went;
END
$$;
REVOKE ALL ON FUNCTION forget(text, timestamptz, integer, text) FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO campus_risk_keeper;
GRANT SELECT, DELETE ON hazards, trail, deadlines, escalations, reports, notices, reminders, glass, access_log, refusals
    TO campus_risk_keeper;
GRANT SELECT ON intake TO campus_risk_keeper;
GRANT UPDATE ON hazards TO campus_risk_keeper;      -- to lock the rows that go; it writes none
GRANT SELECT, INSERT ON tombstones TO campus_risk_keeper;
CREATE POLICY hazards_keep ON hazards TO campus_risk_keeper USING (true);
CREATE POLICY trail_keep ON trail TO campus_risk_keeper USING (true);
CREATE POLICY deadlines_keep ON deadlines TO campus_risk_keeper USING (true);
CREATE POLICY escalations_keep ON escalations TO campus_risk_keeper USING (true);
CREATE POLICY intake_keep ON intake TO campus_risk_keeper USING (true);
CREATE POLICY reports_keep ON reports TO campus_risk_keeper USING (true);

-- The function becomes that role's own. Whoever migrates needs to be of it for this moment only.
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT campus_risk_keeper TO %I', current_user);
    END IF;
    GRANT CREATE ON SCHEMA public TO campus_risk_keeper;
    ALTER FUNCTION forget(text, timestamptz, integer, text) OWNER TO campus_risk_keeper;
    EXECUTE format('GRANT EXECUTE ON FUNCTION forget(text, timestamptz, integer, text) TO %I', current_user);
    REVOKE CREATE ON SCHEMA public FROM campus_risk_keeper;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('REVOKE campus_risk_keeper FROM %I', current_user);
    END IF;
END
$$;
