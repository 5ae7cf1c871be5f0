-- One hazard, many reports: resends are told apart from witnesses, and what is not certain enough is suggested to the assessor.
-- depends: 0014-warnings

ALTER TABLE intake DROP CONSTRAINT intake_outcome_check;
ALTER TABLE intake ADD CONSTRAINT intake_outcome_check CHECK (outcome IN ('opened', 'attached', 'quiet', 'resent'));

-- Of the hazard that may be another one told anew. It goes with either of them, when that goes by its own term (forget).
CREATE TABLE suggestions (
    hazard          uuid PRIMARY KEY REFERENCES hazards ON DELETE CASCADE,
    into_hazard     uuid NOT NULL REFERENCES hazards ON DELETE CASCADE,
    score           real NOT NULL CHECK (score BETWEEN 0 AND 1),
    reasons         jsonb NOT NULL,         -- the platform's own words: none of the reporter's
    made_at         timestamptz NOT NULL,
    answer          text CHECK (answer IN ('taken', 'refused')),
    answered_at     timestamptz,
    CHECK (hazard <> into_hazard),
    CHECK ((answer IS NULL) = (answered_at IS NULL))
);
CREATE INDEX suggestions_into ON suggestions (into_hazard);

-- Shown only to who may see both. The subqueries read hazards as the reader does.
ALTER TABLE suggestions ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON suggestions TO campus_risk_reader;
CREATE POLICY suggestions_read ON suggestions FOR SELECT TO campus_risk_reader
    USING (EXISTS (SELECT 1 FROM hazards h WHERE h.id = suggestions.hazard)
        AND EXISTS (SELECT 1 FROM hazards h WHERE h.id = suggestions.into_hazard));
