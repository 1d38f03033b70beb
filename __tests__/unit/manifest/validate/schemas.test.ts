/** One source of truth: the compiled validator, the printed schemas and the wording cannot disagree with the model. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { ManifestSchema, PersonaSchema, PipelineFileSchema } from "../../../../src/manifest/schema/manifest.ts";
import { forms } from "../../../../src/manifest/validate/schema-wording.ts";
import { validateFiles } from "../../../rig/validated.ts";

/** Everything under a key anywhere in a value. */
function under(value: unknown, key: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => (name === key ? [member] : []).concat(under(member, key)));
}

describe("wording", () => {
  it("describes every pattern", () => {
    const patterns = [ManifestSchema, PersonaSchema, PipelineFileSchema]
      .flatMap((schema) => under(schema, "pattern"))
      .filter((pattern) => typeof pattern === "string");
    expect([...new Set(patterns)].sort()).toEqual(Object.keys(forms).sort());
  });
});

describe("the printed schemas", () => {
  const schema = JSON.parse(readFileSync(path.join(import.meta.dirname, "../../../../schema/manifest.schema.json"), "utf8")) as object;
  const check = new Ajv({ allErrors: true, strictTypes: false }).compile(schema);

  it.each([
    [{ steps: [{ id: "a", persona: "tester" }] }, true],
    [{ steps: [] }, false],
    [{ steps: [{ id: "a", persona: "tester", taks: "x" }] }, false],
    [{ steps: [{ id: "a/b", persona: "tester" }] }, false],
    [{ steps: [{ id: "a", persona: "tester", handover: { contract: { type: "test_suite", command: ["x"] } } }] }, true],
    [{ steps: [{ id: "a", persona: "tester", handover: { contract: { type: "nope" } } }] }, false],
    [{ pipeline: { name: "p", steps: [{ id: "a", persona: "tester" }] }, env: { "a-b": "x" } }, false],
    [{ pipeline: { name: "p", steps: [{ id: "a", persona: "tester", env: { A: 1, B: true } }] } }, true],
  ])("agree with the validator on %j", async (manifest, holds) => {
    expect(check(manifest)).toBe(holds);
    const { diagnostics } = await validateFiles({ "wave.yaml": JSON.stringify(manifest) });
    expect(diagnostics.filter(({ code }) => code.startsWith("W2")).length === 0).toBe(holds);
  });
});
