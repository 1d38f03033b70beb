/** The identity of a run: everything that decides what is executed. */
import { expect, it } from "vitest";
import { projectKey, type RunIdentity, runIdOf, shortMatrixKey } from "../../../src/action/run-identity.ts";
import { digestOfBytes } from "../../../src/core/digest.ts";

const identity: RunIdentity = {
  context: { owner: "octo", repo: "demo", workflowFile: ".github/workflows/ci.yml", runId: 100, runAttempt: 2 },
  manifest: { directory: "", files: ["wave.yaml"] },
  pipeline: "review",
  matrixKey: "null",
  runKey: "",
};

it.each<[string, Partial<RunIdentity>]>([
  ["workflow run", { context: { ...identity.context, runId: 101 } }],
  ["repository", { context: { ...identity.context, repo: "other" } }],
  ["workflow file", { context: { ...identity.context, workflowFile: ".github/workflows/other.yml" } }],
  ["working directory", { manifest: { ...identity.manifest, directory: "packages/a" } }],
  ["manifest", { manifest: { ...identity.manifest, files: ["a.yaml"] } }],
  ["order of manifests", { manifest: { ...identity.manifest, files: ["a.yaml", "wave.yaml"] } }],
  ["environment", { manifest: { ...identity.manifest, environment: "staging" } }],
  ["adapter", { adapter: "replay" }],
  ["pipeline", { pipeline: "audit" }],
  ["version", { version: "v2" }],
  ["parameter", { parameters: { depth: 3 } }],
  ["input", { input: digestOfBytes("x") }],
  ["matrix key", { matrixKey: '{"os":"linux"}' }],
  ["run key", { runKey: "a" }],
])("changes with the %s", (_what, change) => {
  expect(runIdOf({ ...identity, ...change })).not.toBe(runIdOf(identity));
});

it("is short and the same for every attempt of a workflow run", () => {
  expect(runIdOf({ ...identity, context: { ...identity.context, runAttempt: 7 } })).toBe(runIdOf(identity));
  expect(runIdOf(identity)).toMatch(/^[0-9a-f]{12}$/);
});

it("does not depend on the order in which parameters are written", () => {
  expect(runIdOf({ ...identity, parameters: { a: 1, b: 2 } })).toBe(runIdOf({ ...identity, parameters: { b: 2, a: 1 } }));
});

it("does not confuse the values of different parts", () => {
  const ids = [
    { ...identity, manifest: { ...identity.manifest, environment: "x" } },
    { ...identity, adapter: "x" },
    { ...identity, version: "x" },
    { ...identity, runKey: "x" },
    { ...identity, matrixKey: "x" },
  ].map(runIdOf);
  expect(new Set(ids).size).toBe(ids.length);
});

it("treats the empty matrix values of a job without a matrix alike", () => {
  expect(["", "null", "{}", " null\n"].map(shortMatrixKey)).toEqual(["", "", "", ""]);
  expect(shortMatrixKey("linux-20")).toBe("linux-20");
  expect(shortMatrixKey('{\n  "os": "linux"\n}')).toMatch(/^[0-9a-f]{12}$/);
});

it("separates the histories of different directories, files and environments", () => {
  const { manifest } = identity;
  const places = [manifest, { ...manifest, directory: "a" }, { ...manifest, files: ["a.yaml"] }, { ...manifest, environment: "staging" }];
  expect(new Set(places.map(projectKey)).size).toBe(places.length);
});
