-- Who sees what, closed in the database itself: a query that forgot its WHERE shows nothing that its reader may not see.
-- depends: 0004-access

-- People's requests read as this role (store/scope.py). The agents and migrations stay the tables' owner, whom no policy binds.
DO $$
BEGIN
    CREATE ROLE campus_risk_reader NOLOGIN;
EXCEPTION
    WHEN duplicate_object THEN NULL;
    WHEN unique_violation THEN NULL;        -- another database of this server is being migrated at the same moment
END
$$;
DO $$
BEGIN
    EXECUTE format('GRANT campus_risk_reader TO %I', current_user);
END
$$;
GRANT USAGE ON SCHEMA public TO campus_risk_reader;
GRANT SELECT ON city, units, intake, reports, hazards, trail, deadlines, escalations TO campus_risk_reader;

-- Break-glass: one person's way into one closed record, with a reason, another person's approval, and an end.
CREATE TABLE glass (
    id              uuid PRIMARY KEY,
    hazard          uuid NOT NULL REFERENCES hazards,
    actor           text NOT NULL,
    actor_name      text NOT NULL,
    unit            text NOT NULL,
    reason          text NOT NULL CHECK (length(trim(reason)) > 0),
    asked_at        timestamptz NOT NULL,
    approved_by     text,
    approved_at     timestamptz,
    expires_at      timestamptz,
    CHECK (approved_by IS DISTINCT FROM actor),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (expires_at IS NULL))
);
CREATE INDEX glass_open ON glass (hazard, actor) WHERE approved_at IS NOT NULL;

-- Every reading of a confidential record, or of a minor's: who, when, what, through which door. Kept at least 6 months.
CREATE TABLE access_log (
    at              timestamptz NOT NULL,
    actor           text NOT NULL,
    role            text NOT NULL,
    unit            text NOT NULL,
    hazard          uuid NOT NULL,
    what            text NOT NULL,
    glass           uuid
);
CREATE INDEX access_log_at ON access_log (at);
CREATE INDEX access_log_hazard ON access_log (hazard, at);
CREATE TRIGGER access_log_append_only BEFORE UPDATE OR TRUNCATE ON access_log
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- What a reader is, set for one transaction. Unset, it is nobody: every policy below then fails.
CREATE FUNCTION reader_covers(path text) RETURNS boolean STABLE LANGUAGE sql AS
    $$ SELECT EXISTS (SELECT 1 FROM unnest(string_to_array(current_setting('campus.paths', true), ',')) AS p(prefix)
        WHERE p.prefix <> '' AND path ^@ p.prefix) $$;
CREATE FUNCTION reader_is_named_in(wanted text) RETURNS boolean STABLE LANGUAGE sql AS
    $$ SELECT coalesce(wanted = ANY (string_to_array(current_setting('campus.confidential_units', true), ',')), false) $$;
-- Runs as the owner, for the reader has no right to the table itself; a security definer keeps its own search path.
CREATE FUNCTION reader_broke_glass(wanted uuid) RETURNS boolean STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT 1 FROM glass g WHERE g.hazard = wanted AND g.actor = nullif(current_setting('campus.actor', true), '')
        AND g.expires_at > now()) $$;

ALTER TABLE hazards ENABLE ROW LEVEL SECURITY;
ALTER TABLE trail ENABLE ROW LEVEL SECURITY;
ALTER TABLE deadlines ENABLE ROW LEVEL SECURITY;
ALTER TABLE escalations ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake ENABLE ROW LEVEL SECURITY;
ALTER TABLE reports ENABLE ROW LEVEL SECURITY;

CREATE POLICY hazards_read ON hazards FOR SELECT TO campus_risk_reader
    USING (reader_covers(unit_path) AND (NOT confidential OR reader_is_named_in(unit) OR reader_broke_glass(id)));
-- The subqueries read hazards as the reader does, so its policy decides for all that belongs to a hazard.
CREATE POLICY trail_read ON trail FOR SELECT TO campus_risk_reader
    USING (EXISTS (SELECT 1 FROM hazards h WHERE h.id = trail.hazard));
CREATE POLICY deadlines_read ON deadlines FOR SELECT TO campus_risk_reader
    USING (EXISTS (SELECT 1 FROM hazards h WHERE h.id = deadlines.hazard));
CREATE POLICY escalations_read ON escalations FOR SELECT TO campus_risk_reader
    USING (EXISTS (SELECT 1 FROM hazards h WHERE h.id = escalations.hazard));
CREATE POLICY intake_read ON intake FOR SELECT TO campus_risk_reader
    USING (reader_covers((SELECT u.path FROM units u WHERE u.code = intake.unit))
        AND (NOT confidential OR reader_is_named_in(unit) OR reader_broke_glass(hazard)
            -- Who sent a report may ask what became of it; its hazard and its words stay closed to them.
            OR caller = nullif(current_setting('campus.actor', true), '')));
-- Until a report is judged nobody knows whether it is confidential: its words stay in its own unit.
CREATE POLICY reports_read ON reports FOR SELECT TO campus_risk_reader
    USING (EXISTS (SELECT 1 FROM intake i WHERE i.id = reports.id
        AND (NOT i.confidential OR reader_is_named_in(i.unit) OR reader_broke_glass(i.hazard))
        AND (i.landed_at IS NOT NULL OR i.unit = ANY (string_to_array(current_setting('campus.units', true), ',')))));

-- Counts of the confidential lanes for those who may not see one of them. Groups under five are told as "fewer than five" only.
CREATE FUNCTION confidential_open(scope text) RETURNS TABLE (category text, open integer) STABLE LANGUAGE sql
    SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT left(subcategory, 2), CASE WHEN count(*) < 5 THEN NULL ELSE count(*)::integer END FROM hazards
        WHERE confidential AND state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted')
        AND unit_path ^@ scope AND reader_covers(scope) GROUP BY 1 $$;

-- How many, and nothing of what they hold.
CREATE FUNCTION dead_letters_since(instant timestamptz) RETURNS bigint STABLE LANGUAGE sql
    SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT count(*) FROM dead_letters WHERE at >= instant $$;
