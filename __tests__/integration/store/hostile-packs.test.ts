/** Importing a pack executes nothing, throws nothing and keeps existing state, whatever the pack contains. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { localBlobs } from "../../../src/blobs/local-blobs.ts";
import { describeFailure } from "../../../src/core/failures.ts";
import { packForCache } from "../../../src/engine/state-export.ts";
import { discardStaleDatabase, importState } from "../../../src/engine/state-import.ts";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { openDatabase, saveDatabase } from "../../../src/store/database-file.ts";
import { rowsOf } from "../../../src/store/sql-engine.ts";
import { type Pack, packOf } from "../../rig/actions/forged-state.ts";
import { type Tampering, tampered, tampering } from "../../rig/hostile-packs.ts";
import fc from "../../rig/property.ts";
import { must, passingRun, stateDirectory, storeIn } from "../../rig/state-rig.ts";
import { filesBelow, storedRun } from "../../rig/stored-runs.ts";
import { thorough } from "../../rig/thorough.ts";

const budget = thorough
  ? { numRuns: 1_000_000, interruptAfterTimeLimit: 600_000, endOnFailure: true }
  : { numRuns: 100, interruptAfterTimeLimit: 15_000 };
const limit = thorough ? 900_000 : 120_000;

/** State of another job: two runs with blobs, one of them with the id of a run of this job. */
async function foreign(): Promise<string> {
  const from = stateDirectory();
  await storedRun(from, "own", { content: "theirs" });
  await storedRun(from, "r1", { status: "failed" });
  await passingRun(storeIn(from), "r2");
  return from;
}

/** Skips names that lead out of the directory; another test covers archives with such names. */
function layOut(pack: Pack, root: string): string {
  for (const [name, content] of Object.entries(pack)) {
    const file = path.join(root, path.normalize(`/${name}`));
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      if (typeof content === "object" && "link" in content) symlinkSync(content.link, file);
      else writeFileSync(file, content);
    } catch (error) {
      // Two names of the pack exclude each other.
      if (!/EEXIST|ENOTDIR|EISDIR/.test(String(error))) throw error;
    }
  }
  return root;
}

function bytesOf(stateDir: string): ReadonlyMap<string, string> {
  const parts = ["journals", "blobs"].flatMap((part) => filesBelow(stateDir, part).map((name) => path.join(part, name)));
  return new Map(parts.map((name) => [name, readFileSync(path.join(stateDir, name), "latin1")]));
}

/** Runs every query that a job uses, and describes the failures. */
async function askEverything(stateDir: string, pack: string): Promise<void> {
  const state = storeIn(stateDir);
  await discardStaleDatabase(state, stateDir);
  const runs = await state.listRuns();
  await state.allRuns();
  await state.cachedResults("demo");
  await state.runsEndingAt("demo", `sha256:${"0".repeat(64)}`);
  await state.breakerWindow("shape of a", 10);
  for (const { id } of runs.ok ? runs.value : []) {
    await state.readEvents(id);
    const record = await state.findRun(id);
    if (!record.ok) continue;
    const failures = [record.value, ...record.value.steps, ...record.value.steps.flatMap(({ attempts }) => attempts)];
    for (const { failure } of failures) if (failure !== undefined) describeFailure(failure);
  }
  const memory = { stateDir, stateRoot: stateDir, state, blobs: localBlobs(stateDir), redactor: createRedactor([]) };
  await packForCache(memory, pack);
}

/** A directory that is removed after the work, because a property creates many. */
async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-hostile-"));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

it(
  "keeps existing state, whatever the names and contents of imported journals and blobs",
  async () => {
    const pack = packOf(await foreign());
    await fc.assert(
      fc.asyncProperty(fc.array(tampering, { minLength: 1, maxLength: 6 }), (what: readonly Tampering[]) =>
        inDirectory(async (directory) => {
          const own = path.join(directory, "state");
          await storedRun(own, "own");
          const before = bytesOf(own);
          must(await importState(layOut(tampered(pack, what), path.join(directory, "pack")), own, { database: false }));
          const after = bytesOf(own);
          for (const [name, bytes] of before) expect(after.get(name)).toBe(bytes);
          await askEverything(own, path.join(directory, "next"));
          expect(must(await storeIn(own).findRun("own")).steps.map(({ id }) => id)).toContain("a");
        }),
      ),
      budget,
    );
  },
  limit,
);

it(
  "queries a database with unexpected rows without throwing",
  async () => {
    const from = await foreign();
    must(await storeIn(from).listRuns());
    const database = readFileSync(path.join(from, "wave.db"));
    const value = fc.oneof(
      fc.constantFrom<string | number | null>(null, "", "{", "[]", '{"a":1}', "x", -1, 1e300),
      fc.string(),
      fc.integer(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(), value), { minLength: 1, maxLength: 4 }), (changes) =>
        inDirectory(async (directory) => {
          const file = path.join(directory, "wave.db");
          writeFileSync(file, database);
          const open = must(await openDatabase(file));
          const tables = rowsOf(open.db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").map((row) =>
            String(row["name"]),
          );
          for (const [table, column, to] of changes) {
            const name = tables[table % tables.length] ?? "runs";
            const columns = rowsOf(open.db, `SELECT name FROM pragma_table_info('${name}')`).map((row) => String(row["name"]));
            // Rows that the table's constraints refuse cannot be in a file that SQLite wrote.
            open.db.run(`UPDATE OR IGNORE ${name} SET ${columns[column % columns.length]} = ?`, [to]);
          }
          await saveDatabase(file, open);
          open.db.close();
          const own = path.join(directory, "state");
          must(await importState(directory, own, { database: true }));
          await askEverything(own, path.join(directory, "next"));
        }),
      ),
      thorough ? budget : { numRuns: 40, interruptAfterTimeLimit: 15_000 },
    );
  },
  limit,
);
