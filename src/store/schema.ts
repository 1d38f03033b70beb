/**
 * The database's tables. `user_version` counts the migrations that were made; the application id tells wave's databases from
 * everybody else's. Columns that nobody searches hold JSON.
 */

/** "WAVE" in ASCII. */
export const applicationId = 0x57415645;

/**
 * Values of `runs.archived` beside 0: the journals are gone, and 2 where a cleanup took them, whose blobs then went too: such runs are
 * told of, and their work is not offered for reuse.
 */
export const cleanedAway = 2;

/** From an empty database to the current one, one version each. What was released is never edited, only followed by another. */
export const migrations: readonly string[] = [
  `
CREATE TABLE runs (
  run TEXT PRIMARY KEY, pipeline TEXT NOT NULL, version TEXT, outcome TEXT, started_at TEXT NOT NULL, finished_at TEXT,
  manifest TEXT NOT NULL, options TEXT NOT NULL, base TEXT NOT NULL, tree_before TEXT NOT NULL, tree_after TEXT, failure TEXT,
  archived INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_by_pipeline ON runs (pipeline, started_at);

CREATE TABLE writers (
  run TEXT NOT NULL, writer TEXT NOT NULL, position INTEGER, pid INTEGER, process_start TEXT, host TEXT,
  closed INTEGER NOT NULL, spent_ms REAL, size INTEGER NOT NULL, bytes INTEGER NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL,
  PRIMARY KEY (run, writer)
) WITHOUT ROWID;

CREATE TABLE steps (
  run TEXT NOT NULL, position INTEGER NOT NULL, step TEXT NOT NULL, persona TEXT NOT NULL, dependencies TEXT NOT NULL, optional INTEGER NOT NULL,
  status TEXT NOT NULL, writer TEXT, winner INTEGER, reused_run TEXT, reused_attempt INTEGER, work TEXT, gate TEXT, parts TEXT,
  failure TEXT, because TEXT,
  PRIMARY KEY (run, position)
);

CREATE TABLE attempts (
  run TEXT NOT NULL, step INTEGER NOT NULL, position INTEGER NOT NULL, attempt INTEGER NOT NULL, writer TEXT NOT NULL, status TEXT NOT NULL,
  adapter TEXT NOT NULL, model TEXT, started_at TEXT NOT NULL, finished_at TEXT, duration_ms REAL,
  work TEXT NOT NULL, gate TEXT NOT NULL, parts TEXT NOT NULL, inputs TEXT NOT NULL, failure TEXT, log TEXT,
  PRIMARY KEY (run, step, position)
);

-- attempt: the position of an attempt, or -1 for what a reused step took over.
CREATE TABLE artifacts (
  run TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, media_type TEXT NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (run, step, attempt, position)
);

CREATE TABLE contract_results (
  run TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, type TEXT NOT NULL, verdict TEXT NOT NULL, tail TEXT, duration_ms REAL NOT NULL, on_failure TEXT NOT NULL,
  PRIMARY KEY (run, step, attempt, position)
);

CREATE TABLE violations (
  run TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, contract INTEGER NOT NULL, position INTEGER NOT NULL,
  message TEXT NOT NULL, pointer TEXT, file TEXT, line INTEGER, "column" INTEGER, rule TEXT,
  PRIMARY KEY (run, step, attempt, contract, position)
);

CREATE TABLE breaker_samples (
  breaker TEXT NOT NULL, at TEXT NOT NULL, run TEXT NOT NULL, clock INTEGER NOT NULL, position INTEGER NOT NULL, failed INTEGER NOT NULL,
  PRIMARY KEY (breaker, at, run, clock, position)
) WITHOUT ROWID;

CREATE TABLE breaker_resets (
  breaker TEXT NOT NULL, at TEXT NOT NULL, run TEXT NOT NULL, clock INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (breaker, at, run, clock, position)
) WITHOUT ROWID;
CREATE INDEX breaker_samples_by_run ON breaker_samples (run);
CREATE INDEX breaker_resets_by_run ON breaker_resets (run);
`,
  `
ALTER TABLE runs ADD COLUMN changes TEXT;
ALTER TABLE runs ADD COLUMN applied INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN changes TEXT;
ALTER TABLE attempts ADD COLUMN workspace TEXT NOT NULL DEFAULT 'shared';
ALTER TABLE attempts ADD COLUMN changes TEXT;
`,
  `
ALTER TABLE runs ADD COLUMN in_project TEXT;
UPDATE runs SET in_project = changes WHERE applied = 1;
ALTER TABLE attempts ADD COLUMN undone INTEGER NOT NULL DEFAULT 0;

-- Work of other runs (of_run) that a run had reused, and that was rolled back there: nobody may reuse it any more.
CREATE TABLE revoked_work (
  run TEXT NOT NULL, position INTEGER NOT NULL, step TEXT NOT NULL, of_run TEXT NOT NULL, attempt INTEGER NOT NULL,
  PRIMARY KEY (run, position)
) WITHOUT ROWID;
CREATE INDEX revoked_work_by_source ON revoked_work (of_run, step, attempt);
`,
  `
CREATE TABLE alerts (
  run TEXT NOT NULL, position INTEGER NOT NULL, alert TEXT NOT NULL, reason TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL,
  at TEXT NOT NULL, because TEXT,
  PRIMARY KEY (run, position)
) WITHOUT ROWID;
`,
  `
ALTER TABLE attempts ADD COLUMN wait_ms REAL;
-- No journal has this size: what is there is read again, for what the column is to hold.
UPDATE writers SET size = -1;
`,
  "ALTER TABLE attempts ADD COLUMN usage TEXT;",
  `
-- The steps of a run that was rolled back as a whole are undone: journals of such runs are read again.
UPDATE writers SET size = -1 WHERE run IN (SELECT run FROM runs WHERE changes IS NOT NULL AND in_project IS NULL);
`,
  // The step that an open rollback goes back to; empty if it is of the whole run.
  "ALTER TABLE runs ADD COLUMN open_rollback TEXT;",
];

/** The tables whose rows belong to one run. */
export const runTables = [
  "runs",
  "writers",
  "steps",
  "attempts",
  "artifacts",
  "contract_results",
  "violations",
  "breaker_samples",
  "breaker_resets",
  "revoked_work",
  "alerts",
] as const;
