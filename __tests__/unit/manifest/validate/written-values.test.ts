/** Values that are kept as they are written, keys that overlays remove, and short forms of contracts. */
import { describe, expect, test } from "vitest";
import { toValue } from "../../../../src/core/document.ts";
import { loadProject } from "../../../../src/manifest/load/load-project.ts";
import { resolvedConfig } from "../../../../src/manifest/load/print-config.ts";
import { pipelineOf, problemsOf, stepOf } from "../../../rig/validated.ts";

const persona = "personas: { p: { command: x } }\n";

describe("`env`", () => {
  const env = "env: { V: 1.10, ZIP: 01234, ID: 12345678901234567890, M: 0o17, T: True, E: 1e3, Q: '1.10', N: 7 }\n";

  test("keeps the source text of numbers and booleans", async () => {
    const step = stepOf(await pipelineOf(`${persona}${env}steps: [{ id: a, persona: p }]\n`), "a");
    expect(step.env).toEqual({ V: "1.10", ZIP: "01234", ID: "12345678901234567890", M: "0o17", T: "True", E: "1e3", Q: "1.10", N: "7" });
  });

  test("is printed so that reading it again returns the same texts", async () => {
    const printed = async (text: string) => {
      const source = { read: async () => ({ kind: "bytes", bytes: Buffer.from(text) }) as const, list: async () => [] };
      const { manifest } = await loadProject({ files: ["wave.yaml"], env: {}, source });
      return manifest === undefined ? "" : resolvedConfig(manifest);
    };
    const once = await printed(`${env}steps: [{ id: a, persona: p }]\n`);
    expect(once).toContain('V: "1.10"');
    expect(await printed(once)).toBe(once);
  });
});

test("`null` in an overlay removes a key, at any depth", async () => {
  const files: Readonly<Record<string, string>> = {
    "wave.yaml":
      "env: { A: 1, B: 2 }\npersonas: { p: { command: x, model: m, env: { C: 3, D: 4 } } }\nsteps: [{ id: a, persona: p, task: t, labels: { x: y } }]\n",
    "over.yaml": "env: { A: null, Z: ~ }\npersonas: { p: { model: null, env: { C: null } } }\nsteps: [{ id: a, labels: null }]\n",
  };
  const source = {
    read: async (file: string) => {
      const text = files[file];
      return text === undefined ? ({ kind: "missing" } as const) : ({ kind: "bytes", bytes: Buffer.from(text) } as const);
    },
    list: async () => [],
  };
  const { manifest, diagnostics } = await loadProject({ files: ["wave.yaml", "over.yaml"], env: {}, source });
  expect(diagnostics).toEqual([]);
  expect(manifest === undefined ? undefined : toValue(manifest)).toEqual({
    env: { B: 2 },
    personas: { p: { command: "x", env: { D: 4 } } },
    steps: [{ id: "a", persona: "p", task: "t" }],
  });
});

describe("a contract", () => {
  const step = (contract: string, more = ", artifacts: [report]") =>
    `${persona}steps: [{ id: a, persona: p${more}, handover: { contract: { ${contract} } } }]\n`;
  const files = { ".wave/contracts/report.schema.json": "{}" };

  test("takes the circuit breaker's keys beside its own", async () => {
    const flat = "type: json_schema, on_failure: retry, max_retries: 3, backoff_strategy: exponential, failure_threshold: 0.5";
    const { contracts } = stepOf(await pipelineOf(step(flat), files), "a");
    expect(contracts).toMatchObject([
      {
        schema: ".wave/contracts/report.schema.json",
        artifact: "report",
        breaker: { failureThreshold: 0.5, windowSize: 10, minimumAttempts: 5, resetTimeoutMs: 600_000 },
      },
    ]);
  });

  test("refuses both forms of the circuit breaker at once", async () => {
    const both = "type: json_schema, failure_threshold: 0.5, circuit_breaker: { failure_threshold: 0.5 }";
    expect(await problemsOf(step(both), files)).toEqual([
      expect.stringContaining("W206 2:94 `failure_threshold` cannot be combined with `circuit_breaker` (remove one of them)"),
    ]);
  });

  test("warns of breaker keys without a threshold", async () => {
    expect(await problemsOf(step("type: json_schema, reset_timeout: 5m"), files)).toEqual([
      expect.stringContaining("`reset_timeout` has no effect without `failure_threshold`"),
    ]);
  });

  test("names the default schema that does not exist", async () => {
    expect(await problemsOf(step("type: json_schema"))).toEqual([
      expect.stringContaining("the schema `.wave/contracts/report.schema.json` does not exist"),
    ]);
  });

  test("needs a schema or an artifact", async () => {
    expect(await problemsOf(step("type: json_schema", ""))).toEqual([
      expect.stringContaining(
        "W309 2:52 the contract has neither `schema` nor `artifact`, and the step declares no artifact (add `schema: FILE`, or declare the artifact in `artifacts`)",
      ),
    ]);
  });
});
