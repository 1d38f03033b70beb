/**
 * The tables of the database. `application_id` marks a file as a Wave database; `user_version` is the version of its
 * tables. A database of another version is not converted: its contents come from the journals.
 */

/** "WAVE" in ASCII. */
export const applicationId = 0x57415645;

export const tablesVersion = 9;

/**
 * Value of `runs.archived` if a cleanup removed the journals, and the blobs with them. Results of these runs are not
 * reused.
 */
export const cleanedAway = 2;

/**
 * `runs` has one row per run that started. `fold` is the folded record (`RunFold`) as JSON. Every other column is
 * derived from it, except `archived`: 0: the run has journals; 1: its journals are gone; 2: a cleanup removed them.
 * `journals` states how far each journal was read. `breaker_samples.failed` is NULL for a reset.
 */
export const tables = `
CREATE TABLE runs (
  run TEXT PRIMARY KEY, pipeline TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, tree_after TEXT,
  archived INTEGER NOT NULL DEFAULT 0, digest TEXT NOT NULL, summary TEXT NOT NULL, fold TEXT NOT NULL
);
CREATE INDEX runs_by_pipeline ON runs (pipeline, started_at);

CREATE TABLE journals (
  run TEXT NOT NULL, writer TEXT NOT NULL, size INTEGER NOT NULL, bytes INTEGER NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL,
  closed INTEGER NOT NULL, PRIMARY KEY (run, writer)
) WITHOUT ROWID;

CREATE TABLE breaker_samples (
  breaker TEXT NOT NULL, at TEXT NOT NULL, run TEXT NOT NULL, clock INTEGER NOT NULL, position INTEGER NOT NULL, failed INTEGER,
  PRIMARY KEY (breaker, at, run, clock, position)
) WITHOUT ROWID;
CREATE INDEX breaker_samples_by_run ON breaker_samples (run);

-- Results of other runs (of_run) that a run had reused and that were rolled back there: they are not reused again.
CREATE TABLE revoked_work (
  run TEXT NOT NULL, position INTEGER NOT NULL, step TEXT NOT NULL, of_run TEXT NOT NULL, attempt INTEGER NOT NULL,
  PRIMARY KEY (run, position)
) WITHOUT ROWID;
`;

/** The tables whose rows belong to one run. */
export const runTables = ["runs", "journals", "breaker_samples", "revoked_work"] as const;
