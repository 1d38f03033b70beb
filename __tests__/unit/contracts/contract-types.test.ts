import { expect, test } from "vitest";
import { testSuiteContract } from "../../../src/contracts/test-suite/test-suite.ts";
import { contractTypes, jsonSchemaContract } from "../../rig/calling-thread.ts";
import { contractConformance, contractContext, gateFiles, spawningWorkspace } from "../../rig/contract-conformance.ts";
import { schemaContract, testContract } from "../../rig/plan-fixtures.ts";

const files = gateFiles({ "shape.schema.json": { type: "object", required: ["name"] } });

contractConformance({
  type: jsonSchemaContract,
  passes: contractContext(schemaContract(), { files }, { out: '{"name": 1}' }),
  fails: contractContext(schemaContract(), { files }, { out: "{}" }),
  errors: contractContext(schemaContract({ schema: "gone.json" }), { files }, { out: "{}" }),
  foreign: testContract(),
});

contractConformance({
  type: testSuiteContract,
  passes: contractContext(testContract()),
  fails: contractContext(testContract(), { workspace: spawningWorkspace(async () => ({ kind: "exited", code: 1 })) }),
  errors: contractContext(testContract(), {
    workspace: spawningWorkspace(async () => ({ kind: "not-started", code: "ENOENT", detail: "no such file" })),
  }),
  foreign: schemaContract(),
});

test("the table lists every type under its own name", () => {
  expect([...contractTypes].map(([name, { type }]) => [name, type])).toEqual([
    ["json_schema", "json_schema"],
    ["test_suite", "test_suite"],
  ]);
});
