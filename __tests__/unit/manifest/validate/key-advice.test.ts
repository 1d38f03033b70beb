/** Unknown keys: the place of the problem, the right key and its place, and a fix only if it keeps the meaning. */
import { describe, expect, it } from "vitest";
import { validateFiles } from "../../../rig/validated.ts";

const contract = "handover: { contract: { type: test_suite, command: x, KEY: 3 } }";
const step = (more: string) => `steps:\n  - id: a\n    persona: tester\n    ${more}\n`;

async function unknownKey(manifest: string) {
  const { diagnostics } = await validateFiles({ "wave.yaml": manifest });
  expect(diagnostics.map(({ code }) => code)).toEqual(["W201"]);
  const [diagnostic] = diagnostics;
  return { ...diagnostic, ...diagnostic?.origin.range.start };
}

describe("an unknown key of a step", () => {
  it.each([
    ["needs: b", "dependencies"],
    ["depends_on: { b: { condition: service_healthy } }", "dependencies"],
    ["timeout: 5m", "resources.timeout"],
    ["timeout-minutes: 5", "resources.timeout"],
    ["memory_limit: 2GB", "resources.memory_limit"],
    ["max_turns: 5", "resources.max_turns"],
    ["retries: 3", "handover.contract.max_retries"],
    ["retry: 3", "handover.contract.max_retries"],
    ["contract: {}", "handover.contract"],
    ["model: opus", "personas.NAME.model"],
    ["run: npm test", "personas.NAME.command"],
    ["prompt: Do it", "task"],
    ["defaults: {}", "defaults"],
  ])("is answered with the right key and its place: %s", async (written, place) => {
    const key = written.slice(0, written.indexOf(":"));
    expect(await unknownKey(step(written))).toMatchObject({
      ...{ line: 4, column: 5 },
      message: expect.stringMatching(new RegExp(`\`${key}\`.*steps`)),
      hint: expect.stringContaining(`use \`${place}\``),
    });
  });

  it.each(["if: always()", "when: manual"])("explains that steps have no conditions: %s", async (written) => {
    const { hint, fix } = await unknownKey(step(written));
    expect(hint).toContain("no conditions");
    expect(hint).toContain("`dependencies`");
    expect(hint).not.toContain("`id`");
    expect(fix).toBeUndefined();
  });

  it("has a fix if renaming it keeps the meaning", async () => {
    expect(await unknownKey(`${step("needs: [b]")}  - { id: b, persona: tester }\n`)).toMatchObject({ fix: "dependencies" });
  });

  it.each(["needs: { b: x }", "timeout: 5m", "model: opus", "retries: 3", "prompt: Do it"])(
    "has no fix if renaming it changes the meaning: %s",
    async (written) => expect((await unknownKey(step(written))).fix).toBeUndefined(),
  );
});

describe("an unknown key elsewhere", () => {
  it.each([
    ["timeout of a manifest", `timeout: 5m\n${step("")}`, ["`defaults.timeout`", "`budget.timeout`"]],
    ["concurrency of a manifest", `concurrency: 2\n${step("")}`, ["`defaults.concurrency`"]],
    ["retries of a manifest", `retries: 2\n${step("")}`, ["`defaults.contract.max_retries`"]],
    ["model in defaults", `defaults: { model: opus }\n${step("")}`, ["`personas.NAME.model`", "top level"]],
    ["timeout of a persona", `personas: { p: { timeout: 5m } }\n${step("")}`, ["`resources.timeout`"]],
    ["retries of a contract", step(contract.replace("KEY", "retries")), ["`max_retries`", "`on_failure: retry`"]],
    ["timeout-minutes of a contract", step(contract.replace("KEY", "timeout-minutes")), ["`timeout`"]],
  ])("is answered with the right key and its place: %s", async (_, manifest, parts) => {
    const { hint, fix } = await unknownKey(manifest);
    for (const part of parts) expect(hint).toContain(part);
    expect(fix).toBeUndefined();
  });
});

describe("a URL in place of a path", () => {
  const url = "https://example.com/p.yaml";

  it.each([
    ["a persona file", `personas:\n  p: ${url}\n${step("")}`, 6],
    ["a prompt", `personas:\n  p: { prompt: ${url} }\n${step("")}`, 16],
    ["a pipeline file", `pipelines:\n  p: ${url}\n`, 6],
  ])("is reported as written, with the next step: %s", async (_, manifest, column) => {
    const { diagnostics } = await validateFiles({ "wave.yaml": manifest });
    expect(diagnostics).toEqual([
      expect.objectContaining({
        code: "W303",
        message: expect.stringMatching(/`https:\/\/example\.com\/p\.yaml` is a URL; only files/),
        hint: expect.stringContaining("save the file in the project"),
      }),
    ]);
    expect(diagnostics[0]?.origin.range.start).toMatchObject({ line: 2, column });
  });
});
