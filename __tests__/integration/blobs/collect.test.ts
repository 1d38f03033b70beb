import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { collectArtifacts } from "../../../src/blobs/collect.ts";
import { digestOfBytes } from "../../../src/core/digest.ts";
import type { AdapterChoice, StepArtifact } from "../../../src/core/pipeline.ts";
import type { Workspace } from "../../../src/core/ports.ts";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { sharedProvider } from "../../../src/workspace/shared.ts";
import { memoryBlobs } from "../../rig/memory-blobs.ts";
import { step } from "../../rig/plan-fixtures.ts";

let root: string;
let workspace: Workspace;
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), "wave-collect-"));
  const provider = sharedProvider({ root, stateDir: path.join(root, ".wave/state"), env: {} });
  const opened = await provider.open({ runId: "r", step: step("one"), attempt: 1, inputs: [], task: () => "" });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  workspace = opened.value;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function artifact(name: string, members: Partial<StepArtifact> = {}): StepArtifact {
  return { name, optional: false, implied: false, ...members };
}

function output(file: string, text: string): void {
  writeFileSync(path.join(workspace.paths.output, file), text);
}

function project(file: string, text: string): void {
  mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

/** An artifact that accepts the final message. */
const message = (name: string) => artifact(name, { source: "message" });

const program = { name: "command", chosenBy: "step" } as const;
const agent = { name: "claude", chosenBy: "step" } as const;

async function collect(artifacts: readonly StepArtifact[], finalMessage?: string, adapter: AdapterChoice = program) {
  const blobs = memoryBlobs();
  const collected = await collectArtifacts({
    step: step("one", { artifacts, adapter }),
    workspace,
    prompt: "# Task\n\nDo it.\n",
    blobs,
    redactor: createRedactor(["hunter22"]),
    ...(finalMessage === undefined ? {} : { finalMessage }),
  });
  return collected.ok ? collected.value : collected.error;
}

function ref(name: string, text: string, mediaType: string, source: string) {
  return { name, digest: digestOfBytes(text), size: Buffer.byteLength(text), mediaType, source };
}

test("collects each artifact from its own place, in the order declared", async () => {
  project("dist/app.tar", "tar");
  output("plan.md", "# plan");
  output("report", "{}");
  output("report.json", "other");
  const declared = [artifact("report", { mediaType: "application/json" }), artifact("bundle", { path: "dist/*.tar" }), artifact("plan")];
  expect(await collect(declared, "a message that nobody needs")).toEqual([
    ref("report", "{}", "application/json", "output/report"),
    ref("bundle", "tar", "application/x-tar", "dist/app.tar"),
    ref("plan", "# plan", "text/markdown", "output/plan.md"),
  ]);
});

test("does not collect the file of another artifact", async () => {
  output("a.json", "{}");
  expect(await collect([artifact("a", { source: "message" }), artifact("a.json")], "text")).toEqual([
    ref("a", "text", "text/markdown", "message"),
    ref("a.json", "{}", "application/json", "output/a.json"),
  ]);
});

test("refuses an ambiguous match", async () => {
  output("a.json", "{}");
  output("a.md", "{}");
  expect(await collect([artifact("a")])).toEqual({
    reason: "artifact-ambiguous",
    artifact: "a",
    matches: ["output/a.json", "output/a.md"],
  });
  project("x/1.log", "1");
  project("x/2.log", "2");
  expect(await collect([artifact("log", { path: "x/*.log" })])).toEqual({
    reason: "artifact-ambiguous",
    artifact: "log",
    matches: ["x/1.log", "x/2.log"],
  });
});

test("names missing artifacts that are required, with the searched paths", async () => {
  output("b", "a path of its own, so this is not it");
  const declared = [artifact("a"), artifact("b", { path: "dist/b" }), artifact("c", { optional: true })];
  expect(await collect(declared)).toEqual({
    reason: "artifact-missing",
    artifacts: ["a", "b"],
    searched: ["$WAVE_OUTPUT_DIR/a", "dist/b"],
  });
  expect(await collect([artifact("c", { optional: true })], "a message")).toEqual([]);
});

test("reports a missing final message", async () => {
  expect(await collect([message("a")])).toMatchObject({ searched: ["the final message (there was none)"] });
  expect(await collect([artifact("a")], undefined, agent)).toMatchObject({
    searched: ["$WAVE_OUTPUT_DIR/a", "the final message (there was none)"],
  });
});

test("uses an agent's final message as its only artifact, but not a command's output", async () => {
  expect(await collect([artifact("a")], "text")).toMatchObject({ reason: "artifact-missing", artifacts: ["a"] });
  expect(await collect([artifact("a")], "text", agent)).toEqual([ref("a", "text", "text/markdown", "message")]);
  expect(await collect([artifact("a"), artifact("b")], "text", agent)).toMatchObject({ reason: "artifact-missing", artifacts: ["a", "b"] });
});

test("removes a JSON fence around the whole final message", async () => {
  expect(await collect([message("a")], 'Sure:\n```json\n{"x":1}\n```')).toEqual([
    ref("a", 'Sure:\n```json\n{"x":1}\n```', "text/markdown", "message"),
  ]);
  expect(await collect([message("a")], '\n```json\n{"x":1,}\n```\n')).toEqual([ref("a", '{"x":1,}', "text/markdown", "message")]);
  expect(await collect([message("a.json")], '```json\n{"x":1}\n```')).toEqual([ref("a.json", '{"x":1}', "application/json", "message")]);
  expect(await collect([message("a")], "[1]\n")).toEqual([ref("a", "[1]\n", "application/json", "message")]);
});

test("refuses an empty final message and an echo of the prompt", async () => {
  expect(await collect([message("a")], " \n")).toMatchObject({ reason: "artifact-missing", artifacts: ["a"] });
  expect(await collect([message("a")], "# Task\n\nDo it.")).toMatchObject({ reason: "empty-output" });
  output("a", "written");
  expect(await collect([artifact("a")], "# Task\n\nDo it.", agent)).toEqual([ref("a", "written", "text/plain", "output/a")]);
});

test("follows a symlink inside the workspace and refuses one that leads out", async () => {
  symlinkSync("/etc/passwd", path.join(workspace.paths.output, "a"));
  expect(await collect([artifact("a")])).toMatchObject({ reason: "artifact-refused", artifact: "a", path: "output/a" });
  output("real.txt", "real");
  symlinkSync("real.txt", path.join(workspace.paths.output, "b.txt"));
  expect(await collect([artifact("b")])).toEqual([ref("b", "real", "text/plain", "output/b.txt")]);
  expect(await collect([artifact("c", { path: "../x" })])).toMatchObject({ reason: "artifact-refused", artifact: "c", path: "../x" });
});

test("ignores a directory", async () => {
  mkdirSync(path.join(workspace.paths.output, "a"));
  expect(await collect([artifact("a")])).toMatchObject({ reason: "artifact-missing", artifacts: ["a"] });
});

test("refuses an artifact of more than 1 GiB", async () => {
  output("big", "");
  truncateSync(path.join(workspace.paths.output, "big"), 1024 ** 3 + 1);
  expect(await collect([artifact("big")])).toEqual({
    reason: "artifact-too-large",
    artifact: "big",
    size: 1024 ** 3 + 1,
    limit: 1024 ** 3,
  });
});

test("refuses an artifact with a declared secret, from a file or the final message", async () => {
  expect(await collect([message("a")], `token ${Buffer.from("hunter22").toString("base64")}`)).toEqual({
    reason: "secret-leaked",
    artifact: "a",
    kind: "declared secret",
  });
  output("a", "the token is hunter22");
  expect(await collect([artifact("a")])).toEqual({ reason: "secret-leaked", artifact: "a", kind: "declared secret" });
});

test("stores an artifact with `on_secret: scrub` without the secret", async () => {
  output("a", "the token is hunter22, and that is all");
  expect(await collect([artifact("a", { scrub: true })])).toEqual([
    ref("a", "the token is ***, and that is all", "text/plain", "output/a"),
  ]);
});
