/** Cosmetic edits of a manifest do not change fingerprints. */

import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Pipeline } from "../../../src/core/pipeline.ts";
import { contractFilesOf, fingerprintStep } from "../../../src/planner/fingerprint.ts";
import { fingerprintSource } from "../../rig/plan-fixtures.ts";
import fc from "../../rig/property.ts";
import { pipelineOf } from "../../rig/validated.ts";

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

const manifest: Value = {
  personas: {
    worker: {
      system_prompt: "Work well.\nAnd, as was said: # fast.\n",
      adapter: "command",
      command: ["sh", "-c", "true # not a comment"],
      env: { A: "1", B: "no" },
    },
    judge: {
      system_prompt: "Judge.",
      adapter: "command",
      command: "true",
      permissions: { allow: ["file_read:**"], deny: ["file_write:secret/**"] },
    },
  },
  pipeline: {
    name: "demo",
    steps: [
      { id: "first", persona: "worker", task: "Do it: {{ input }}", artifacts: ["notes"], resources: { timeout: "5m" } },
      {
        id: "second",
        persona: "judge",
        task: "yes",
        dependencies: ["first"],
        inputs: ["notes"],
        env: { FLAG: "true", NUMBER: "007" },
        handover: { contract: { type: "test_suite", command: "npm test", on_failure: "retry", max_retries: 3 } },
      },
    ],
  },
};

/** The same value with the keys of every map in a different order. */
function reordered(value: Value, order: (keys: string[]) => string[]): Value {
  if (Array.isArray(value)) return value.map((member) => reordered(member, order));
  if (typeof value !== "object") return value;
  const map = value as { readonly [key: string]: Value };
  return Object.fromEntries(order(Object.keys(map)).map((key) => [key, reordered(map[key] ?? "", order)]));
}

function fingerprints({ steps }: Pipeline) {
  return Object.fromEntries(
    steps.map((step) => [step.id, fingerprintStep(fingerprintSource(step, { contractFiles: contractFilesOf(step, new Map()) }))]),
  );
}

/** Adds comments and blank lines between entries of block style, but not inside a block text. */
function commented(text: string, at: readonly number[]): string {
  return text
    .split("\n")
    .map((line, index) => (at.includes(index) && /^\s*(?:- )?[\w"']+:/.test(line) ? `# ${index}: a remark\n\n${line}` : line))
    .join("\n");
}

describe("a cosmetic edit", () => {
  test("keeps the fingerprints: order of keys, comments, quoting, indentation, flow and block style", async () => {
    const before = fingerprints(await pipelineOf(stringify(manifest)));
    expect(Object.keys(before)).toEqual(["first", "second"]);
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.nat(1000)),
        fc.constantFrom("PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE", "BLOCK_LITERAL"),
        fc.constantFrom("PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE"),
        fc.constantFrom(2, 4, 7),
        fc.constantFrom("block", "flow"),
        fc.array(fc.nat(60)),
        async (random, defaultStringType, defaultKeyType, indent, collectionStyle, remarks) => {
          const order = (keys: string[]) =>
            keys
              .map((key) => [random.next().value ?? 0, key] as const)
              .sort(([x], [y]) => x - y)
              .map(([, key]) => key);
          const options = { defaultStringType, defaultKeyType, indent, collectionStyle, lineWidth: 0 } as const;
          const printed = stringify(reordered(manifest, order), options);
          const text = collectionStyle === "block" && defaultStringType !== "BLOCK_LITERAL" ? commented(printed, remarks) : printed;
          expect(fingerprints(await pipelineOf(text)), text).toEqual(before);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("does not include changed values, which change the fingerprints", async () => {
    const before = fingerprints(await pipelineOf(stringify(manifest)));
    const text = stringify(manifest);
    const task = fingerprints(await pipelineOf(text.replace("task: yes", "task: no")));
    const prompt = fingerprints(await pipelineOf(text.replace("Work well.", "Work better.")));
    expect([task["first"], task["second"]?.parts["task"] === before["second"]?.parts["task"]]).toEqual([before["first"], false]);
    expect([prompt["second"], prompt["first"]?.work === before["first"]?.work]).toEqual([before["second"], false]);
  });
});
