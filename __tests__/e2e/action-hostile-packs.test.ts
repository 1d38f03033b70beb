/** Packs that are not what Wave writes: each is refused by name, and the job does its own work. Through the bundle, on the rig. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { digestOfBytes } from "../../src/core/digest.ts";
import { openDatabase, saveDatabase } from "../../src/store/database-file.ts";
import { type Change, forgedPack, type Pack, packOf, rawTar, saveEntry, tarOf, uploadArtifact } from "../rig/actions/forged-state.ts";
import { gitRemote } from "../rig/actions/remote.ts";
import { type ResultsService, startResultsService } from "../rig/actions/results-service.ts";
import { type JobRequest, type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";
import { tampered, tampering } from "../rig/hostile-packs.ts";
import fc from "../rig/property.ts";
import { must } from "../rig/state-rig.ts";
import { thorough } from "../rig/thorough.ts";

const manifest = `
personas:
  one: { command: 'echo made > $WAVE_OUTPUT_DIR/first.txt' }
  two: { command: 'test "$MOOD" = good', secrets: [MOOD] }
pipeline:
  name: ci
  steps:
    - { id: one, persona: one, artifacts: [first] }
    - { id: two, persona: two, dependencies: [one] }
`;

let service: ResultsService;
let github: GitHubServer;
let outside: string;
beforeAll(async () => {
  service = await startResultsService();
  github = await startGitHub({ caches: service.caches });
});
afterAll(() => Promise.all([service.close(), github.close()]));
beforeEach(() => {
  for (const list of [service.artifacts, service.caches, service.faults]) list.splice(0);
  outside = mkdtempSync(path.join(tmpdir(), "wave-outside-"));
});
afterEach(() => {
  rmSync(outside, { recursive: true, force: true });
  expect(github.invalid.splice(0)).toEqual([]);
});

const begun = ({ log }: JobResult) => [...log.matchAll(/▶ (\w+) started/g)].map(([, step]) => step);
const messages = ({ annotations }: JobResult) => annotations.map(({ message }) => message);

/** A failed first attempt: what it left is handed to `forge`, and nothing else is there for the second. */
async function attempts() {
  const remote = gitRemote();
  const sha = remote.commit("main", { "wave.yaml": manifest });
  const job = (attempt: number, mood: string, changes: Partial<JobRequest> = {}) => {
    const identity = { runId: 100, job: "build", attempt, ref: "refs/heads/main" };
    const environment = { apiUrl: github.url, service: service.environment(identity), env: { MOOD: mood } };
    return runJob({ workspace: remote.checkout(sha), sha, attempt, ...environment, ...changes });
  };
  const first = await job(1, "bad");
  const { stateDir } = JSON.parse(first.state["state"] ?? "{}") as { stateDir: string };
  const run = first.outputs["run-id"] ?? "";
  const [entry] = service.caches.splice(0);
  if (entry === undefined) throw new Error("a job saves a cache entry");
  service.artifacts.splice(0);
  return {
    run,
    stateDir,
    pack: packOf(stateDir),
    upload: (pack: Pack) => uploadArtifact(service, { runId: 100, name: `wave-state-${run}-a1-rogue-${service.artifacts.length}` }, pack),
    cache: (tar: Uint8Array) => saveEntry(service, entry, { key: entry.key, ref: entry.ref }, tar),
    second: (changes: Partial<JobRequest> = {}) => job(2, "good", changes),
  };
}

const everything = { code: 0, begun: ["one", "two"] };
const outcome = (result: JobResult) => ({ code: result.code, begun: begun(result) });

describe("a journal with valid hashes", () => {
  it.each<[string, Change, RegExp]>([
    [
      "a failure without its members",
      (event) => (event.type === "step-finished" ? { ...event, failure: { reason: "contract-failed" } } : event),
      /its failure: does not match the schema \(required\)/,
    ],
    [
      "a failure of an unknown kind",
      (event) => (event.type === "attempt-failed" ? { ...event, failure: { reason: "magic" } } : event),
      /its reason is unknown to this version/,
    ],
    [
      "a member that no event has",
      (event) => (event.type === "run-started" ? { ...event, command: "evil" } : event),
      /does not match the schema \(additionalProperties\)/,
    ],
    ["a time that is none", (event) => ({ ...event, ts: "2026-99-99T99:99:99.999Z" }), /its time is not a timestamp/],
    [
      "a clock that cannot count on",
      (event) => (event.type === "writer-closed" ? { ...event, clock: Number.MAX_SAFE_INTEGER } : event),
      /its clock is out of range/,
    ],
    [
      "a step whose id leads elsewhere",
      (event) =>
        event.type === "run-started" ? { ...event, nodes: event.nodes.map((node) => ({ ...node, id: `../../${node.id}` })) } : event,
      /one of its names is not valid for a step or an artifact/,
    ],
    [
      "options that are none",
      (event) => (event.type === "run-started" ? { ...event, options: {} } : event),
      /does not match the schema \(required\)/,
    ],
  ])("and %s is refused by name", async (_what, change, why) => {
    const { pack, upload, second } = await attempts();
    await upload(forgedPack(pack, change));
    const result = await second();
    expect(outcome(result)).toEqual(everything);
    expect(messages(result)).toContainEqual(
      expect.stringMatching(/^artifact wave-state-.*: journal [0-9a-f]+\/.*\.jsonl was refused: line \d+: /),
    );
    expect(messages(result).join("\n")).toMatch(why);
  });

  it.each<[string, (blobs: ReadonlyMap<string, Buffer>) => string]>([
    ["a blob that is not there", () => `sha256:${"0".repeat(64)}`],
    [
      "a blob that is no list of files",
      (blobs) => [...blobs.keys()].find((digest) => blobs.get(digest)?.toString().startsWith("made")) ?? "",
    ],
  ])("and a pinned manifest that is %s is not resumed", async (_what, pin) => {
    const { run, pack, upload, second } = await attempts();
    const blobs = new Map(Object.values(pack).map((bytes) => [digestOfBytes(bytes), bytes]));
    const manifest = pin(blobs);
    await upload(forgedPack(pack, (event) => (event.type === "run-started" ? { ...event, manifest } : event)));
    const result = await second();
    expect(outcome(result)).toEqual(everything);
    expect(result.outputs["run-id"]).toBe(`${run}-2`);
    expect(messages(result).join("\n")).toContain("its pinned manifest differs");
  });

  it("that would change lines of the same journal here is refused", async () => {
    const { pack, upload, cache, second } = await attempts();
    await cache(tarOf(pack));
    await upload(forgedPack(pack, (event) => (event.type === "attempt-failed" ? { ...event, durationMs: 1 } : event)));
    const result = await second();
    expect(result.code).toBe(0);
    expect(messages(result)).toContainEqual(expect.stringMatching(/was refused: a different journal with the same name exists here$/));
  });
});

describe("an archive of the cache", () => {
  it("whose names lead out of it, or through links, writes nothing elsewhere", async () => {
    const { cache, second } = await attempts();
    const names = ["../../../../../../../..", "/", ".wave/../../../../../../../../.."].map((prefix) => `${prefix}${outside}/escaped`);
    const links = [
      { name: ".wave/state/cache/link", link: outside },
      { name: ".wave/state/cache/link/escaped" },
      { name: ".wave/state/cache/journals", link: outside },
    ];
    await cache(rawTar([...names.map((name) => ({ name })), ...links]));
    const result = await second();
    expect(outcome(result)).toEqual(everything);
    expect(existsSync(path.join(outside, "escaped"))).toBe(false);
  });

  it.each<[string, (pack: Record<string, Buffer>) => Pack, RegExp]>([
    [
      "a journal that is larger than any",
      () => ({ "journals/big/w1.jsonl": Buffer.alloc(65e6, "x") }),
      /journal big\/w1\.jsonl was refused: it has 65000000 bytes, and at most 64000000 are read/,
    ],
    [
      "a journal that is a link",
      (pack) => ({ ...pack, "journals/r9/w1.jsonl": { link: "/etc/passwd" } }),
      /journal r9\/w1\.jsonl was refused: it is not a regular file|Failed to restore/,
    ],
    [
      "a database of other tables",
      () => ({ "wave.db": Buffer.from("not a database, but long enough to be taken for one".repeat(40)) }),
      /the database was refused: /,
    ],
  ])("with %s is refused by name", async (_what, pack, why) => {
    const own = await attempts();
    await own.cache(tarOf(pack(own.pack)));
    const result = await own.second({ inputs: { reuse: "false" } });
    expect(result.code).toBe(0);
    expect(messages(result).join("\n")).toMatch(why);
  });

  it("with a database that contains SQL of its own, or rows that Wave does not write, is refused by name", async () => {
    const { stateDir, cache, second } = await attempts();
    const forge = async (sql: string) => {
      const file = path.join(outside, "wave.db");
      const open = must(await openDatabase(path.join(stateDir, "wave.db")));
      open.db.exec(sql);
      await saveDatabase(file, open);
      open.db.close();
      await cache(tarOf({ "wave.db": readFileSync(file) }));
      const result = await second();
      service.caches.splice(0);
      service.artifacts.splice(0);
      return result;
    };
    const view = await forge("CREATE VIEW forever AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT * FROM n");
    expect(outcome(view)).toEqual(everything);
    expect(messages(view)).toContain("the cache: the database was refused: its tables differ from those of this version");
    const rows = await forge(`UPDATE runs SET fold = json_set(fold, '$.failure', json('{"reason":"contract-failed"}'))`);
    expect(outcome(rows)).toEqual(everything);
    expect(messages(rows)).toContain("the cache: the database was refused: its column runs.fold contains a value that Wave does not write");
  });
});

it("refuses blobs whose bytes are not those of their names, and runs their steps again", async () => {
  const { pack, upload, second } = await attempts();
  const changed = Object.entries(pack).map(([name, bytes]) => [
    name,
    name.startsWith("blobs/") ? Buffer.concat([bytes, Buffer.from("!")]) : bytes,
  ]);
  await upload(Object.fromEntries(changed) as Pack);
  const result = await second();
  expect(outcome(result)).toEqual(everything);
  expect(messages(result)).toContainEqual(expect.stringMatching(/blob sha256:[0-9a-f]{12} was refused: its bytes do not match its name$/));
});

it(
  "never ends with a bug, and never executes anything else, whatever packs hold",
  async () => {
    const { pack, upload, cache, second } = await attempts();
    // The steps as the pack would like to have them.
    const forged = forgedPack(pack, (event) => event);
    const files = Object.fromEntries(Object.entries(forged).map(([name, bytes]) => [name, Buffer.from(bytes as Uint8Array)]));
    await fc.assert(
      fc.asyncProperty(fc.array(tampering, { minLength: 1, maxLength: 5 }), fc.boolean(), async (what, cached) => {
        service.artifacts.splice(0);
        service.caches.splice(0);
        const hostile = tampered(files, what);
        const named = Object.entries(hostile).filter(([name]) => !name.includes(".."));
        if (cached) await cache(tarOf(Object.fromEntries(named)));
        else await upload(hostile);
        const result = await second();
        expect([0, 1]).toContain(result.code);
        expect(begun(result).every((step) => step === "one" || step === "two")).toBe(true);
      }),
      thorough
        ? { numRuns: 100_000, interruptAfterTimeLimit: 600_000, endOnFailure: true }
        : { numRuns: 6, interruptAfterTimeLimit: 40_000 },
    );
  },
  thorough ? 900_000 : 180_000,
);
