/** Finished runs whose blobs are there: pinned files, an artifact, a log, changes with both their sides. */
import { readdirSync, statSync, utimesSync } from "node:fs";
import path from "node:path";
import { localBlobs } from "../../src/blobs/local-blobs.ts";
import { countsOf, encodeChangeset } from "../../src/changeset/combine-changes.ts";
import type { Changeset } from "../../src/core/changeset.ts";
import type { Digest } from "../../src/core/digest.ts";
import type { EventPayload } from "../../src/core/event.ts";
import { pinFiles } from "../../src/store/pinned-manifest.ts";
import { digest } from "./plan-fixtures.ts";
import { attemptStarted, result, started } from "./run-events.ts";
import { append, must, storeIn } from "./state-rig.ts";

export interface StoredRun {
  /** All blobs that the run refers to, itself or through another. */
  readonly blobs: readonly Digest[];
}

/** How a stored run differs from others. */
export interface StoredRunWords {
  readonly pipeline?: string;
  readonly status?: "passed" | "failed";
  /** What its blobs hold; runs with the same content share blobs. */
  readonly content?: string;
}

/** Writes a run of one step with all that it refers to. */
export async function storedRun(stateDir: string, run: string, words: StoredRunWords = {}): Promise<StoredRun> {
  const { pipeline = "demo", status = "passed", content = run } = words;
  const blobs = localBlobs(stateDir);
  const put = async (text: string) => must(await blobs.put(Buffer.from(text)));
  const file = await put(`pinned by ${content}\n`);
  const manifest = must(await pinFiles(blobs, new Map([["wave.yaml", Buffer.from(`pinned by ${content}\n`)]])));
  const [input, artifact, log] = [await put(`input of ${content}`), await put(`made by ${content}`), await put(`said by ${content}`)];
  const [before, after] = [await put(`before ${content}`), await put(`after ${content}`)];
  const changes: Changeset = [{ path: "a.txt", before: { mode: "100644", ...before }, after: { mode: "100644", ...after } }];
  const list = must(await blobs.put(encodeChangeset(changes)));
  const begun = started({ a: [] }, pipeline) as EventPayload & { readonly type: "run-started" };
  const journal = must(await storeIn(stateDir).openJournal(run));
  await append(journal, { ...begun, manifest, options: { ...begun.options, input: input.digest } }, attemptStarted("a"));
  await append(journal, { type: "contract-checked", step: "a", attempt: 1, result: result("shape") });
  const artifacts = [{ name: "out", ...artifact, mediaType: "text/plain", source: "output/out" }];
  const end = { step: "a", attempt: 1, durationMs: 12, artifacts, log: log.digest };
  const ref = { digest: list.digest, ...countsOf(changes) };
  if (status === "passed") await append(journal, { type: "attempt-passed", ...end, changes: ref });
  else await append(journal, { type: "attempt-failed", ...end, failure: { reason: "empty-output", detail: "nothing" } });
  await append(
    journal,
    { type: "changes-merged", changes: ref, apply: true },
    { type: "run-finished", status, durationMs: 20, tree: digest("tree") },
  );
  must(await journal.close());
  const all = [file.digest, manifest, input.digest, artifact.digest, log.digest, before.digest, after.digest, list.digest];
  return { blobs: all };
}

/** The paths of all files below a part of state, relative to it, sorted. */
export function filesBelow(stateDir: string, part: string): string[] {
  return readdirSync(path.join(stateDir, part), { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(path.join(stateDir, part, name)).isFile())
    .sort();
}

/** The digests of all blobs that are there. */
export function blobsIn(stateDir: string): string[] {
  return filesBelow(stateDir, "blobs/sha256").map((name) => `sha256:${name.replace(path.sep, "")}`);
}

/** Makes files look as if they were last written this long ago, in milliseconds. */
export function age(stateDir: string, part: string, ms: number): void {
  const at = (Date.now() - ms) / 1000;
  for (const name of filesBelow(stateDir, part)) utimesSync(path.join(stateDir, part, name), at, at);
}
