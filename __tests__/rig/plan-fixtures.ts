/** Steps, pipelines and passed work for tests of plans: complete by default, so that a test names only what it is about. */
import { type Digest, digestOfBytes } from "../../src/core/digest.ts";
import type { FingerprintRef } from "../../src/core/event.ts";
import { type PermissionLayer, type PermissionRule, parsePermission } from "../../src/core/permissions.ts";
import type { JsonSchemaContract, Pipeline, Step, TestSuiteContract } from "../../src/core/pipeline.ts";
import type { FingerprintSource } from "../../src/core/plan.ts";
import type { CachedResult } from "../../src/core/state.ts";

const origin = { file: "wave.yaml", range: { start: { line: 1, column: 1 }, end: { line: 1, column: 2 } } };
const backoff = { strategy: "none", baseMs: 1000, maxMs: 60_000 } as const;

/** A digest that can be told from others by a word. */
export function digest(word: string): Digest {
  return digestOfBytes(word);
}

/** A rule; a text that is none is a bug in the test. */
export function rule(text: string): PermissionRule {
  const parsed = parsePermission(text);
  if (parsed === undefined) throw new Error(`no rule: ${text}`);
  return parsed;
}

/** One layer of permissions, from texts. */
export function layer(source: "persona" | "step", allow: readonly string[], deny: readonly string[] = []): PermissionLayer {
  return { source, allow: allow.map(rule), deny: deny.map(rule) };
}

/** A step of the `command` adapter that waits for nothing and owes nothing. */
export function step(id: string, members: Partial<Step> = {}): Step {
  return {
    id,
    origin,
    persona: { name: "worker", systemPrompt: "Work.", digest: digest("worker") },
    adapter: { name: "command", chosenBy: "persona", command: ["true"] },
    task: `Do ${id}`,
    dependencies: [],
    inputs: [],
    artifacts: [],
    contracts: [],
    permissions: { layers: [] },
    resources: { timeoutMs: 1_800_000, diskLimitBytes: 10e9 },
    changesInclude: [],
    env: {},
    secrets: [],
    workspace: "default",
    sandbox: "on",
    changes: "optional",
    reuse: false,
    reuseIgnore: [],
    optional: false,
    labels: {},
    ...members,
  };
}

export function pipeline(steps: readonly Step[], members: Partial<Pipeline> = {}): Pipeline {
  return { name: "demo", steps, publish: [], origin, ...members };
}

export function schemaContract(members: Partial<JsonSchemaContract> = {}): JsonSchemaContract {
  return {
    type: "json_schema",
    name: "shape",
    schema: "shape.schema.json",
    artifact: "out",
    origin,
    onFailure: "halt",
    maxRetries: 2,
    backoff,
    ...members,
  };
}

export function testContract(members: Partial<TestSuiteContract> = {}): TestSuiteContract {
  return {
    type: "test_suite",
    name: "tests",
    command: ["npm", "test"],
    timeoutMs: 600_000,
    protect: [],
    network: [],
    origin,
    onFailure: "halt",
    maxRetries: 2,
    backoff,
    ...members,
  };
}

export function fingerprintSource(of: Step, members: Partial<FingerprintSource> = {}): FingerprintSource {
  return {
    step: of,
    inputs: {},
    base: { view: digest("base"), tree: digest("tree") },
    contractFiles: {},
    platform: "linux-x64",
    adapterVersion: "1",
    ...members,
  };
}

/** Passed work of a run that left the tree as it was. */
export function passedWork(id: string, fingerprint: FingerprintRef, members: Partial<CachedResult> = {}): CachedResult {
  const tree = digest("tree");
  return {
    run: "run1",
    step: id,
    attempt: 1,
    fingerprint,
    artifacts: [],
    finishedAt: "2026-01-01T00:00:00.000Z",
    workspace: "shared",
    treeBefore: tree,
    treeAfter: tree,
    ...members,
  };
}

/** An artifact with content of its own. */
export function artifact(name: string, content = name): CachedResult["artifacts"][number] {
  return { name, digest: digest(content), size: content.length, mediaType: "text/plain", source: `output/${name}` };
}
