import { describe, expect, test } from "vitest";
import { isContractPart } from "../../../src/core/fingerprint-parts.ts";
import type { Step } from "../../../src/core/pipeline.ts";
import type { FingerprintSource } from "../../../src/core/plan.ts";
import type { ContractFile } from "../../../src/core/ports.ts";
import { contractFilesOf, fingerprintStep } from "../../../src/planner/fingerprint.ts";
import { digest, fingerprintSource, layer, schemaContract, step, testContract } from "../../rig/plan-fixtures.ts";

const full = step("a", {
  task: "Review {{ input }} and {{ inputs.diff }}",
  persona: { name: "p", systemPrompt: "s", model: "m1", digest: digest("p") },
  inputs: [{ name: "diff", artifact: "diff", from: "b", optional: false }],
  artifacts: [
    { name: "out", optional: false, implied: false },
    { name: "log", path: "log.txt", optional: true, implied: false },
  ],
  contracts: [schemaContract(), testContract()],
  permissions: { layers: [layer("persona", ["file_read:**", "file_write:src/**"], ["network_access:*"])] },
  env: { A: "1", B: "2" },
  secrets: ["TOKEN", "KEY"],
});
const source = fingerprintSource(full, {
  inputs: { diff: digest("diff") },
  runInput: digest("input"),
  contractFiles: { "shape.schema.json": digest("shape") },
});
const before = fingerprintStep(source);

/** The differences from the full step: `work`, `gate`, and the parts. */
function changes(stepMembers: Partial<Step>, members: Partial<FingerprintSource> = {}): string[] {
  const after = fingerprintStep({ ...source, step: { ...full, ...stepMembers }, ...members });
  const names = new Set([...Object.keys(before.parts), ...Object.keys(after.parts)]);
  const parts = [...names].filter((name) => before.parts[name] !== after.parts[name]).sort();
  return [...(after.work === before.work ? [] : ["work"]), ...(after.gate === before.gate ? [] : ["gate"]), ...parts];
}

test("a fingerprint lists its parts", () => {
  expect(Object.keys(before.parts).sort()).toEqual([
    "adapter",
    "artifacts",
    "base",
    "contract:shape",
    "contract:tests",
    "env",
    "format",
    "gate-file:shape.schema.json",
    "gate-tree",
    "input:diff",
    "model",
    "permissions",
    "persona",
    "platform",
    "secrets",
    "task",
  ]);
  expect(Object.keys(before.parts).filter(isContractPart).sort()).toEqual([
    "contract:shape",
    "contract:tests",
    "gate-file:shape.schema.json",
    "gate-tree",
  ]);
});

test("the fingerprint of a given step is stable across versions", () => {
  const { work, gate } = fingerprintStep(fingerprintSource(step("a")));
  expect({ work, gate }).toMatchInlineSnapshot(`
    {
      "gate": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "work": "sha256:60bb2861fe3e65d694c0ee688220ebf608d5e53d70c5430e9cd8419ddb75c4a0",
    }
  `);
});

describe("the work fingerprint changes with", () => {
  const adapter = full.adapter ?? { name: "command", chosenBy: "persona" };
  test.each<[string, Partial<Step>, Partial<FingerprintSource>, string[]]>([
    ["the task", { task: "Other {{ input }}" }, {}, ["task"]],
    ["the run's input", {}, { runInput: digest("other") }, ["task"]],
    ["the persona", { persona: { ...full.persona, digest: digest("q") } }, {}, ["persona"]],
    ["the model", { persona: { ...full.persona, model: "m2" } }, {}, ["model"]],
    ["the adapter's model", { adapter: { ...adapter, model: "m2" } }, {}, ["model"]],
    ["the adapter's version", {}, { adapterVersion: "2" }, ["adapter"]],
    ["the command", { adapter: { ...adapter, command: ["false"] } }, {}, ["adapter"]],
    ["permissions", { permissions: { layers: [] } }, {}, ["permissions"]],
    ["a variable's value", { env: { A: "1", B: "3" } }, {}, ["env"]],
    ["a secret's name", { secrets: ["TOKEN"] }, {}, ["secrets"]],
    ["an input", {}, { inputs: { diff: digest("x") } }, ["input:diff"]],
    ["the files it may read", {}, { base: { ...source.base, view: digest("x") } }, ["base"]],
    ["the platform", {}, { platform: "darwin-arm64" }, ["platform"]],
    ["what it owes", { artifacts: full.artifacts.slice(1) }, {}, ["artifacts"]],
  ])("%s", (_, stepMembers, members, parts) => {
    expect(changes(stepMembers, members)).toEqual(["work", ...parts]);
  });
});

describe("only the contract fingerprint changes with", () => {
  test.each<[string, Partial<Step>, Partial<FingerprintSource>, string[]]>([
    ["a schema's content", {}, { contractFiles: { "shape.schema.json": digest("x") } }, ["gate-file:shape.schema.json"]],
    ["the artifact that is judged", { contracts: [schemaContract({ artifact: "log" }), testContract()] }, {}, ["contract:shape"]],
    ["a warning that becomes a gate", { contracts: [schemaContract({ onFailure: "warn" }), testContract()] }, {}, ["contract:shape"]],
    ["a contract more", { contracts: [...full.contracts, testContract({ name: "more" })] }, {}, ["contract:more"]],
    ["the tree that a command judges", {}, { base: { ...source.base, tree: digest("x") } }, ["gate-tree"]],
  ])("%s", (_, stepMembers, members, parts) => {
    expect(changes(stepMembers, members)).toEqual(["gate", ...parts]);
  });
});

describe("no fingerprint changes with", () => {
  const moved = { file: "other.yaml", range: { start: { line: 9, column: 9 }, end: { line: 9, column: 10 } } };
  const backoff = { strategy: "linear", baseMs: 5, maxMs: 6 } as const;
  test.each<[string, Partial<Step>]>([
    [
      "the order of keys and lists",
      {
        env: { B: "2", A: "1" },
        secrets: ["KEY", "TOKEN"],
        artifacts: full.artifacts.toReversed(),
        contracts: full.contracts.toReversed(),
      },
    ],
    ["the order of rules", { permissions: { layers: [layer("step", ["file_write:src/**", "file_read:**"], ["network_access:*"])] } }],
    ["where it is written", { origin: moved, contracts: [schemaContract({ origin: moved }), testContract({ origin: moved })] }],
    ["retries", { contracts: [schemaContract({ onFailure: "retry", maxRetries: 9, backoff }), testContract({ maxRetries: 0 })] }],
    [
      "limits and scheduling",
      {
        resources: { timeoutMs: 1, memoryLimitBytes: 2, diskLimitBytes: 1e9 },
        optional: true,
        reuse: true,
        labels: { x: "y" },
        dependencies: ["b"],
      },
    ],
    ["who chose the adapter", { adapter: { name: "command", chosenBy: "flag", command: ["true"] } }],
  ])("%s", (_, stepMembers) => {
    expect(changes(stepMembers)).toEqual([]);
  });

  test("the run's input, if the task does not use it", () => {
    const plain = fingerprintSource(step("a", { task: "Use {{ inputs.input }}" }));
    expect(fingerprintStep({ ...plain, runInput: digest("x") })).toEqual(fingerprintStep(plain));
  });

  test("the platform, if the adapter is not `command`", () => {
    const agent = fingerprintSource(step("a", { adapter: { name: "claude", chosenBy: "step" } }));
    expect(fingerprintStep({ ...agent, platform: "win32-x64" })).toEqual(fingerprintStep(agent));
  });
});

describe("the files of a step's contracts", () => {
  const file = (path: string, content: unknown): [string, ContractFile] => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    return [path, { path, text, digest: digest(text) }];
  };
  const files = new Map([
    file("s/root.json", { properties: { a: { $ref: "defs/a%20b.json#/x" }, b: { $ref: "#/own" } } }),
    file("s/defs/a b.json", { items: [{ $ref: "../loop.json" }] }),
    file("s/loop.json", { $ref: "root.json" }),
    file("s/other.json", { $ref: "https://example.com/elsewhere" }),
    file("s/named.json", { $id: "https://example.com/named", $ref: "root.json" }),
    file("s/broken.json", "{"),
    file("constructor", {}),
  ]);
  const of = (...schemas: string[]) =>
    Object.keys(
      contractFilesOf(step("a", { contracts: [...schemas.map((schema) => schemaContract({ schema })), testContract()] }), files),
    ).sort();

  test("are the schemas and all files that they refer to", () => {
    expect(of("s/root.json")).toEqual(["s/defs/a b.json", "s/loop.json", "s/root.json"]);
    expect(of("constructor", "s/missing.json")).toEqual(["constructor"]);
    expect(of()).toEqual([]);
  });

  test("are all files if a reference cannot be resolved by path", () => {
    for (const schema of ["s/other.json", "s/named.json", "s/broken.json"]) expect(of(schema)).toEqual([...files.keys()].sort());
  });
});
