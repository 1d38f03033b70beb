/** The windows of circuit breakers span runs of one trust level, whichever jobs carried the state. */
import path from "node:path";
import { expect, it } from "vitest";
import { localBlobs } from "../../../src/blobs/local-blobs.ts";
import { packForCache } from "../../../src/engine/state-export.ts";
import { importState } from "../../../src/engine/state-import.ts";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { must, passingRun, stateDirectory, storeIn, temporary } from "../../rig/state-rig.ts";

const breaker = "shape of a";
const window = async (stateDir: string) => must(await storeIn(stateDir).breakerWindow(breaker, 10)).length;

async function packed(stateDir: string): Promise<string> {
  const pack = path.join(temporary(), "pack");
  const memory = { stateDir, stateRoot: stateDir, state: storeIn(stateDir), blobs: localBlobs(stateDir), redactor: createRedactor([]) };
  must(await packForCache(memory, pack));
  return pack;
}

async function packOfBranch(): Promise<string> {
  const branch = stateDirectory();
  await passingRun(storeIn(branch), "branch");
  return packed(branch);
}

it("counts the runs of a branch in a job on the branch", async () => {
  const own = stateDirectory();
  must(await importState(await packOfBranch(), own, { database: true }));
  expect(await window(own)).toBe(1);
});

it("counts only the fork's runs in a job on the fork's code, which still reuses the branch's results", async () => {
  const fork = stateDirectory();
  must(await importState(await packOfBranch(), fork, { database: false, higher: "all" }));
  await passingRun(storeIn(fork), "fork");
  expect(await window(fork)).toBe(1);
  expect(must(await storeIn(fork).cachedResults("demo")).map(({ run }) => run)).toContain("branch");
});

it("excludes the branch's runs in the fork's next job, which imports them from the fork's own pack", async () => {
  const first = stateDirectory();
  must(await importState(await packOfBranch(), first, { database: false, higher: "all" }));
  await passingRun(storeIn(first), "fork");
  const second = stateDirectory();
  must(await importState(await packed(first), second, { database: true, higher: "listed" }));
  expect(await window(second)).toBe(1);
});

it("does not let a pack exclude runs from the windows of a job of the highest level", async () => {
  const fork = stateDirectory();
  must(await importState(await packOfBranch(), fork, { database: false, higher: "all" }));
  const own = stateDirectory();
  must(await importState(await packed(fork), own, { database: false }));
  expect(await window(own)).toBe(1);
});
