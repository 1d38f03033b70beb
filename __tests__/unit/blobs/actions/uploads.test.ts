/** Uploads during a run, and when the job gives up on them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openUploads, type UploadsRequest } from "../../../../src/blobs/actions/uploads.ts";
import { blobFile } from "../../../../src/blobs/blob-files.ts";
import { digestOfBytes } from "../../../../src/core/digest.ts";
import type { ArtifactRef, WaveEvent } from "../../../../src/core/event.ts";
import { err, ok } from "../../../../src/core/result.ts";
import type { ToolkitProblem } from "../../../../src/platform/actions/toolkit-calls.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "wave-uploads-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function artifact(name: string): ArtifactRef {
  const digest = digestOfBytes(name);
  const file = blobFile(root, digest);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, name);
  return { name, digest, size: name.length, mediaType: "text/plain", source: `output/${name}.txt` };
}

const passed = (step: string, artifacts: readonly ArtifactRef[]): WaveEvent =>
  ({ type: "attempt-passed", run: "abc", writer: "w1", step, attempt: 1, durationMs: 1, artifacts }) as unknown as WaveEvent;

interface Changes extends Partial<UploadsRequest> {
  readonly toolkit?: UploadsRequest["lane"]["toolkit"];
}

function uploads(answer: (name: string) => ToolkitProblem | undefined, { toolkit, ...changes }: Changes = {}) {
  const sent: string[] = [];
  const packed: string[][] = [];
  const warned: string[] = [];
  const answering: UploadsRequest["lane"]["toolkit"] = {
    ask: async (_call, takes) => {
      const { name } = takes as { readonly name: string };
      const problem = answer(name);
      if (problem === undefined) sent.push(name);
      return problem === undefined ? (ok({ id: sent.length, size: 1 }) as never) : err(problem);
    },
  };
  const opened = openUploads({
    lane: { toolkit: toolkit ?? answering, temp: root, warn: (text) => warned.push(text) },
    stateDir: root,
    workflowAttempt: 2,
    uploaded: () => undefined,
    blobsOf: async () => [],
    pack: async (_run, digests) => {
      packed.push([...digests]);
      return [];
    },
    signal: new AbortController().signal,
    ...changes,
  });
  return { opened, sent, packed, warned };
}

it("uploads each artifact under a name with its run and step, and the state in parts", async () => {
  const { opened, sent, warned } = uploads(() => undefined);
  const [one, two] = [artifact("one"), artifact("two")];
  opened.onEvent(passed("a", [one]));
  opened.onEvent(passed("b", [two, one]));
  await opened.close();
  expect(sent.filter((name) => !name.startsWith("wave-state-")).sort()).toEqual([
    `wave-abc-a.one-a2-${one.digest.slice(7, 19)}`,
    `wave-abc-b.two-a2-${two.digest.slice(7, 19)}`,
  ]);
  expect(sent.filter((name) => name.startsWith("wave-state-abc-a2-w1-")).length).toBeGreaterThanOrEqual(1);
  expect(opened.nameOf(two.digest)).toBe(`wave-abc-b.two-a2-${two.digest.slice(7, 19)}`);
  expect({ complete: opened.complete(), warned }).toEqual({ complete: true, warned: [] });
});

it("uploads artifacts beyond the service's limit with the state", async () => {
  const { opened, sent, packed } = uploads(() => undefined);
  const all = Array.from({ length: 420 }, (_, at) => artifact(`file-${at}`));
  for (const [at, one] of all.entries()) opened.onEvent(passed(`s${at}`, [one]));
  await opened.close();
  const singles = sent.filter((name) => !name.startsWith("wave-state-"));
  expect(singles).toHaveLength(350);
  expect(sent.length).toBeLessThan(500);
  const late = all.slice(350).map(({ digest }) => digest);
  expect(packed.flat().sort()).toEqual([...late].sort());
});

it("treats a name conflict as uploaded and warns of every other failure", async () => {
  const { opened, warned } = uploads((name) =>
    name.includes(".one-") ? { code: "conflict", detail: "409" } : name.includes(".two-") ? { code: "failed", detail: "no" } : undefined,
  );
  opened.onEvent(passed("a", [artifact("one"), artifact("two")]));
  await opened.close();
  expect(warned).toEqual(["artifact `two` of step `a` was not uploaded: no"]);
  expect([opened.complete(), opened.nameOf(digestOfBytes("one")) === undefined, opened.nameOf(digestOfBytes("two"))]).toEqual([
    false,
    false,
    undefined,
  ]);
});

it("gives up on a service after three failures in a row", async () => {
  const { opened, warned, sent } = uploads(() => ({ code: "failed", detail: "503" }));
  for (let at = 0; at < 20; at += 1) opened.onEvent(passed(`s${at}`, [artifact(`file-${at}`)]));
  await opened.close();
  expect(sent).toEqual([]);
  expect(warned).toHaveLength(4);
  expect(warned.at(-1)).toBe("the artifact service refused several uploads: this job uploads no more artifacts");
});

it("does not warn about a service that does not respond, which is reported elsewhere", async () => {
  let asked = 0;
  const { opened, warned } = uploads(() => ({ code: ++asked < 2 ? "unanswered" : "given-up", detail: "no answer within 20 s" }));
  for (let at = 0; at < 20; at += 1) opened.onEvent(passed(`s${at}`, [artifact(`file-${at}`)]));
  await opened.close();
  expect({ warned, complete: opened.complete() }).toEqual({ warned: [], complete: false });
  expect(opened.nameOf(digestOfBytes("file-0"))).toBeUndefined();
});

it("names an artifact only once it is uploaded", async () => {
  const answered: (() => void)[] = [];
  const { opened } = uploads(() => undefined, {
    toolkit: { ask: () => new Promise((resolve) => answered.push(() => resolve(ok({ id: 1, size: 1 }) as never))) },
  });
  opened.onEvent(passed("a", [artifact("one")]));
  const ended = opened.close();
  expect(opened.nameOf(digestOfBytes("one"))).toBeUndefined();
  while (answered.length < 2) await new Promise((resolve) => setImmediate(resolve));
  for (const answer of answered) answer();
  await ended;
  expect(opened.nameOf(digestOfBytes("one"))).toMatch(/^wave-abc-a\.one-a2-/);
});

it("warns once about a missing service and counts as complete", async () => {
  const { opened, warned } = uploads(() => ({ code: "unavailable", detail: "the runner did not set ACTIONS_RUNTIME_TOKEN" }));
  for (let at = 0; at < 9; at += 1) opened.onEvent(passed(`s${at}`, [artifact(`file-${at}`)]));
  await opened.close();
  expect({ warned, complete: opened.complete() }).toEqual({
    warned: ["artifacts are not uploaded: the runner did not set ACTIONS_RUNTIME_TOKEN"],
    complete: true,
  });
});

it("does not keep a cancelled job waiting", async () => {
  const control = new AbortController();
  const { opened, warned } = uploads(() => undefined, {
    signal: control.signal,
    toolkit: { ask: () => new Promise(() => undefined) },
  });
  opened.onEvent(passed("a", [artifact("one")]));
  control.abort("SIGINT");
  await opened.close();
  expect({ warned, complete: opened.complete() }).toEqual({
    warned: ["some artifacts were not uploaded before the job had to end"],
    complete: false,
  });
});
