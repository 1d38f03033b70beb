/** How manifests are merged, and the deny rules that a merge drops. */
import { describe, expect, test } from "vitest";
import { type Project, project } from "../../rig/project.ts";

const personas = 'personas: { s: { adapter: command, command: "true" } }\n';
const base = (step: string, more = personas) => `pipeline: { name: p, steps: [{ id: a, persona: s, task: x${step} }] }\n${more}`;
const overlaid = (step: string, overlay: string, more = personas) => project({ "wave.yaml": base(step, more), "wave.ci.yaml": overlay });

interface Config {
  readonly pipeline: {
    readonly name: string;
    readonly steps: readonly { readonly id: string; readonly task?: string; readonly [key: string]: unknown }[];
  };
  readonly personas: { readonly s: { readonly permissions?: { readonly deny: readonly string[] } } };
  readonly env?: Readonly<Record<string, string>>;
}

async function configOf(wave: Project, ...words: readonly string[]): Promise<Config> {
  const { stdout, stderr, code } = await wave.wave("config", "--json", ...words);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Config;
}

describe("overlays", () => {
  test("are merged in the order of `-f`, and the one of `--env` last", async () => {
    const wave = project({
      "wave.yaml": base("", `${personas}env: { A: "1", B: "1", C: "1" }\n`),
      "b.yaml": 'env: { B: "2", C: "2" }\n',
      "wave.ci.yaml": 'env: { C: "3" }\n',
    });
    expect((await configOf(wave, "-f", "wave.yaml", "-f", "b.yaml", "--env", "ci")).env).toEqual({ A: "1", B: "2", C: "3" });
  });

  test("merge maps by key", async () => {
    const wave = overlaid("", "pipeline: { description: d }\n");
    expect((await configOf(wave, "--env", "ci")).pipeline).toMatchObject({ name: "p", description: "d", steps: [{ id: "a" }] });
  });

  test("merge steps by `id`, and put new steps last in their order", async () => {
    const steps = "[{ id: z, persona: s, task: z }, { id: a, task: y }, { id: b, persona: s, task: b }]";
    const wave = overlaid(", optional: true", `pipeline: { steps: ${steps} }\n`);
    const { pipeline } = await configOf(wave, "--env", "ci");
    expect(pipeline.steps.map(({ id, task }) => [id, task])).toEqual([
      ["a", "y"],
      ["z", "z"],
      ["b", "b"],
    ]);
    expect(pipeline.steps[0]).toMatchObject({ persona: "s", optional: true });
  });

  test("replace every other list", async () => {
    const wave = overlaid(", secrets: [A, B]", "pipeline: { steps: [{ id: a, secrets: [C] }] }\n");
    expect((await configOf(wave, "--env", "ci")).pipeline.steps[0]).toMatchObject({ secrets: ["C"] });
  });

  test("remove a key with `null`", async () => {
    const wave = overlaid(", secrets: [A]", "pipeline: { steps: [{ id: a, secrets: null }] }\n");
    expect((await configOf(wave, "--env", "ci")).pipeline.steps[0]).not.toHaveProperty("secrets");
  });

  test("add `deny` rules of personas, without a warning", async () => {
    const persona = (rule: string) => `personas: { s: { adapter: command, command: "true", permissions: { deny: ["${rule}"] } } }\n`;
    const wave = overlaid("", persona("file_read:b"), persona("file_read:a"));
    expect((await configOf(wave, "--env", "ci")).personas.s.permissions?.deny).toEqual(["file_read:a", "file_read:b"]);
    expect(await wave.wave("validate", "--env", "ci")).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("a `deny` rule of a step", () => {
  const denied = ', permissions: { deny: ["file_read:a", "file_read:b"] }';
  const dropped = (rule: string) => `warning[W406] the overlay drops the deny rule \`file_read:${rule}\` of step \`a\``;

  test.each([
    ["by another list", '{ deny: ["file_read:b", "file_read:c"] }', "wave.ci.yaml:1:45", ["a"]],
    ["by `deny: null`", "{ deny: null }", "wave.ci.yaml:1:45", ["a", "b"]],
    ["by `permissions: null`", "null", "wave.ci.yaml:1:30", ["a", "b"]],
  ])("that an overlay drops %s is a warning of `validate` and `plan`", async (_, permissions, place, rules) => {
    const wave = overlaid(denied, `pipeline: { steps: [{ id: a, permissions: ${permissions} }] }\n`);
    for (const command of ["validate", "plan"]) {
      const { code, stderr } = await wave.wave(command, "--env", "ci");
      expect([code, stderr.split("[W406]")]).toEqual([0, expect.objectContaining({ length: rules.length + 1 })]);
      for (const rule of rules) expect(stderr).toContain(dropped(rule));
      expect(stderr).toContain(`at ${place}\n`);
    }
    expect((await wave.wave("validate")).stderr).toBe("");
  });

  test("that a second manifest with bare steps drops is a warning too", async () => {
    const wave = project({
      "wave.yaml": `steps: [{ id: a, persona: s, task: x${denied} }]\n${personas}`,
      "b.yaml": 'steps: [{ id: a, permissions: { deny: ["file_read:a"] } }]\n',
    });
    expect((await wave.wave("validate", "-f", "wave.yaml", "-f", "b.yaml")).stderr).toContain(dropped("b"));
  });

  test("that an overlay repeats or does not mention is no warning", async () => {
    const repeated = overlaid(denied, 'pipeline: { steps: [{ id: a, permissions: { deny: ["file_read:b", "file_read:a"] } }] }\n');
    const unnamed = overlaid(denied, 'pipeline: { steps: [{ id: a, permissions: { allow: ["file_write:c"] } }] }\n');
    for (const wave of [repeated, unnamed]) expect(await wave.wave("validate", "--env", "ci")).toMatchObject({ code: 0, stderr: "" });
  });
});
