/** What a step gets from its persona, the manifest's defaults and the flags. */
import { describe, expect, it } from "vitest";
import { pipelineOf, problemsOf, stepOf, validateFiles } from "../../../rig/validated.ts";

const oneStep = (more = "", persona = "p") => `steps:\n  - { id: a, persona: ${persona}${more} }\n`;
const stepIn = async (manifest: string, files = {}, options = {}) => stepOf(await pipelineOf(manifest, files, options), "a");

describe("personas", () => {
  it("are the manifest's own, then files, then the library", async () => {
    const files = {
      ".wave/personas/navigator.md": "---\nmodel: small\n---\nFrom a file.\n",
      "p.yaml": "system_prompt: named\n",
      "prompt.md": "From a prompt.",
    };
    expect((await stepIn(oneStep("", "navigator"))).persona).toMatchObject({
      name: "navigator",
      systemPrompt: "You navigate.",
      description: "Finds the way",
    });
    expect((await stepIn(oneStep("", "navigator"), files)).persona).toMatchObject({
      systemPrompt: "From a file.",
      model: "small",
      origin: { file: ".wave/personas/navigator.md" },
    });
    expect((await stepIn(`personas: { navigator: { prompt: prompt.md } }\n${oneStep("", "navigator")}`, files)).persona).toMatchObject({
      systemPrompt: "From a prompt.",
      origin: { file: "wave.yaml" },
    });
    expect((await stepIn(`personas: { navigator: p.yaml }\n${oneStep("", "navigator")}`, files)).persona.systemPrompt).toBe("named");
    expect((await stepIn(`personas: { navigator-v2: p.yaml }\n${oneStep("", "navigator-v2")}`, files)).persona.systemPrompt).toBe("named");
  });

  it("have a digest over prompt, model, command and permissions only", async () => {
    const digest = async (definition: string, before = "") =>
      (await stepIn(`${before}personas: { p: { ${definition} } }\n${oneStep()}`)).persona.digest;
    const first = await digest("system_prompt: x, model: m");
    expect(await digest("model: m, system_prompt: x, description: other, env: { A: 1 }", "# moved\n")).toBe(first);
    for (const other of [
      "system_prompt: y, model: m",
      "system_prompt: x",
      "system_prompt: x, model: m, adapter: command, command: x",
      "system_prompt: x, model: m, permissions: { deny: ['command:rm *'] }",
    ]) {
      expect(await digest(other)).not.toBe(first);
    }
  });

  it("must be known, and their files must exist", async () => {
    expect(await problemsOf(oneStep("", "navigater"))).toEqual([
      "W301 2:23 there is no persona `navigater` (did you mean `navigator`?) [navigator]",
    ]);
    expect(await problemsOf(oneStep("", "zzzzzz"))).toEqual([
      "W301 2:23 there is no persona `zzzzzz` (define it under `personas:` or in `.wave/personas/`, or use a built-in one: `navigator`, `craftsman` or `tester`)",
    ]);
    expect(await problemsOf(`personas:\n  p: { prompt: gone.md }\n  q: { prompt: ../gone.md }\n${oneStep()}`)).toEqual([
      "W303 2:16 the prompt `gone.md` does not exist (paths are relative to the manifest's directory)",
      "W304 3:16 the prompt `../gone.md` is outside the project (use a path in the directory of the manifest)",
    ]);
  });

  it("that come from a missing file are reported once, not at every step", async () => {
    const problems = await problemsOf(`personas: { p: gone.yaml }\n${oneStep()}`);
    expect(problems).toEqual([expect.stringMatching(/^W303 1:16 /)]);
  });

  it("are checked in their own files", async () => {
    expect(await problemsOf(oneStep("", "own"), { ".wave/personas/own.yaml": "modle: x\npermissions: { allow: [nope] }\n" })).toEqual([
      "W201 .wave/personas/own.yaml:1:1 unknown key `modle` (did you mean `model`?) [model]",
      expect.stringContaining("W205 .wave/personas/own.yaml:2:24 `nope` for item 1 of `allow`"),
    ]);
  });
});

describe("merging", () => {
  it("goes from the manifest over the persona to the step", async () => {
    const manifest = `
env: { A: 1, B: 1, C: true }
secrets: [S1]
sandbox: off
defaults: { timeout: 5m, workspace: shared, reuse: true }
personas:
  p: { env: { B: 2, C: persona }, secrets: [S2, S1], resources: { memory_limit: 1GiB }, permissions: { allow: ["file_read:**"] } }
  q: { resources: { timeout: 7m } }
steps:
  - { id: a, persona: p, env: { C: step }, secrets: [S3], permissions: { deny: ["network_access:*"] }, labels: { team: x }, optional: true }
  - { id: b, persona: q, resources: { memory_limit: 2 GB }, reuse: false }
  - { id: c, persona: q, resources: { timeout: 90s } }
`;
    const { project, diagnostics } = await validateFiles({ "wave.yaml": manifest });
    expect(diagnostics).toEqual([]);
    const [a, b, c] = project?.pipelines[0]?.pipeline.steps ?? [];
    expect(a).toMatchObject({
      env: { A: "1", B: "2", C: "step" },
      secrets: ["S1", "S2", "S3"],
      resources: { timeoutMs: 300_000, memoryLimitBytes: 1024 ** 3 },
      permissions: {
        layers: [
          { source: "persona", allow: [{ capability: "file_read", pattern: "**", text: "file_read:**" }], deny: [] },
          { source: "step", allow: [], deny: [{ capability: "network_access", pattern: "*", text: "network_access:*" }] },
        ],
      },
      workspace: "shared",
      sandbox: "off",
      reuse: true,
      optional: true,
      labels: { team: "x" },
    });
    expect(b).toMatchObject({ resources: { timeoutMs: 420_000, memoryLimitBytes: 2e9 }, reuse: false, optional: false });
    expect(c).toMatchObject({ resources: { timeoutMs: 90_000 } });
    expect(project?.secrets).toEqual(["S1", "S2", "S3"]);
  });

  it("has built-in defaults", async () => {
    expect(await stepIn(oneStep("", "tester"))).toEqual({
      id: "a",
      origin: expect.objectContaining({ file: "wave.yaml" }),
      persona: expect.objectContaining({ name: "tester" }),
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
    });
  });

  it("returns the location of state, inside the project", async () => {
    expect(await problemsOf(`state: { location: ./var/wave/ }\n${oneStep("", "tester")}`)).toEqual([]);
    expect(await problemsOf(`state: { location: ../x }\n${oneStep("", "tester")}`)).toEqual([
      "W304 1:20 the state's location `../x` is outside the project (the default is `.wave/state`)",
    ]);
  });

  it("keeps the files of contracts, and no others", async () => {
    const files = { "s/a.schema.json": '{"$ref": "b.json"}', "s/b.json": "{}", "prompt.md": "x" };
    const { project } = await validateFiles({
      ...files,
      "wave.yaml": `personas: { p: { prompt: prompt.md } }\n${oneStep(", handover: { contract: { type: json_schema, schema: ./s/a.schema.json } }")}`,
    });
    expect([...(project?.contractFiles.values() ?? [])].map(({ path, text }) => [path, text])).toEqual([
      ["s/a.schema.json", files["s/a.schema.json"]],
      ["s/b.json", "{}"],
    ]);
  });
});

describe("adapters", () => {
  const personas = `adapters: { command: { command: [fallback] }, claude: { version: 1.2.3, base_url: "https://x.test", model: small } }
personas:
  own: { command: [node, own.mjs] }
  plain: { model: big }
  stated: { adapter: claude }
`;
  const adapterOf = async (persona: string, more = "", head = "", options = {}) =>
    (await stepIn(`${head}${personas}${oneStep(more, persona)}`, {}, options)).adapter;

  it("are chosen by flag, step, persona and defaults, in this order", async () => {
    expect(await adapterOf("plain")).toBeUndefined();
    expect(await adapterOf("plain", "", "defaults: { adapter: command }\n")).toEqual({
      name: "command",
      chosenBy: "defaults",
      command: ["fallback"],
      model: "big",
    });
    expect(await adapterOf("own", "", "defaults: { adapter: claude }\n")).toEqual({
      name: "command",
      chosenBy: "persona",
      command: ["node", "own.mjs"],
    });
    expect(await adapterOf("stated")).toEqual({
      name: "claude",
      chosenBy: "persona",
      version: "1.2.3",
      baseUrl: "https://x.test",
      model: "small",
    });
    expect(await adapterOf("stated", ", adapter: command")).toEqual({ name: "command", chosenBy: "step", command: ["fallback"] });
    expect(await adapterOf("stated", "", "", { adapter: "command" })).toEqual({ name: "command", chosenBy: "flag", command: ["fallback"] });
  });

  it("may have an exact version after their name, which takes precedence over the settings", async () => {
    const settings = "adapters: { claude: { version: 2.1.1 } }\npersonas: { p: { adapter: claude@2.1.2, system_prompt: x } }\n";
    const versionOf = async (step: string) => (await stepIn(`${settings}steps:\n  - { id: a, ${step} }\n`)).adapter?.version;
    expect(await versionOf("persona: p")).toBe("2.1.2");
    expect(await versionOf("persona: p, adapter: claude@2.1.3-beta")).toBe("2.1.3-beta");
    expect(await versionOf("persona: p, adapter: claude")).toBe("2.1.1");
    expect(await problemsOf(oneStep(", adapter: claude@latest, artifacts: [x]", "navigator"))).toEqual([
      expect.stringContaining("`claude@latest` is not allowed for `adapter`"),
    ]);
    expect(await problemsOf(oneStep(", adapter: cluade", "navigator"))).toEqual([expect.stringContaining("did you mean `claude`?")]);
  });

  it("use the price in the manifest, else the list price, and with another endpoint only the manifest's", async () => {
    const priceOf = async (settings: string, model: string, name = "codex") =>
      (await stepIn(`adapters: { ${name}: { model: ${model}${settings} } }\n${oneStep(`, adapter: ${name}`, "navigator")}`)).adapter?.price;
    const listed = { input: 1.25, output: 10, cacheRead: 0.125 };
    expect(await priceOf("", "gpt-5-codex")).toEqual(listed);
    expect(await priceOf("", "gpt-5-2025-08-07")).toEqual(listed);
    expect(await priceOf(", prices: { gpt-5-codex: { input: 1, output: 2 } }", "gpt-5-codex")).toEqual({ input: 1, output: 2 });
    expect(await priceOf(', base_url: "https://x.test"', "gpt-5-codex")).toBeUndefined();
    expect(await priceOf("", "gpt-none")).toBeUndefined();
    expect(await priceOf("", "claude-sonnet-4-5")).toBeUndefined();
    expect(await priceOf("", "anthropic/claude-sonnet-4-5-20250929", "api")).toEqual({
      input: 3,
      output: 15,
      cacheRead: 0.3,
      cacheWrite: 3.75,
    });
    // Claude Code tells its cost itself.
    expect(await priceOf("", "claude-sonnet-4-5", "claude")).toBeUndefined();
  });

  it("warn about a price for a similar model name, but not for another model", async () => {
    const price = "{ input: 1, output: 2 }";
    const told = (prices: string, rest = "model: gpt-5-codex") =>
      problemsOf(
        `adapters:\n  codex:\n    ${rest}\n    prices: { ${prices} }\n${oneStep(", adapter: codex, artifacts: [x]", "navigator")}`,
      );
    expect(await told(`gpt-5-codxe: ${price}`)).toEqual([
      "~W314 4:15 no persona uses the model `gpt-5-codxe`, and `gpt-5-codex` has no price here (did you mean `gpt-5-codex`?) [gpt-5-codex]",
    ]);
    expect(await told(`gpt-5-codxe: ${price}, gpt-5-codex: ${price}, o3: ${price}`)).toEqual([]);
    const persona = "personas: { p: { adapter: codex, system_prompt: x, model: o4-mini } }\n";
    expect(
      await problemsOf(`${persona}adapters: { codex: { prices: { o4-mni: ${price} } } }\n${oneStep(", artifacts: [x]", "p")}`),
    ).toEqual(["~W314 2:32 no persona uses the model `o4-mni`, and `o4-mini` has no price here (did you mean `o4-mini`?) [o4-mini]"]);
  });

  it("need a command if they run one", async () => {
    expect(await problemsOf(oneStep("", "tester"), {}, { adapter: "command" })).toEqual([
      "~W313 2:23 the persona `tester` has no command for the adapter `command` (set `command` on the persona, or for all personas with `adapters: { command: { command: [PROGRAM] } }`)",
    ]);
  });
});

describe("permissions", () => {
  const rules = (allow: string, deny: string) => problemsOf(oneStep(`, permissions: { allow: [${allow}], deny: [${deny}] }`, "navigator"));

  it("warns of rules without effect, and of no others", async () => {
    expect(await rules("'file_read:src/**', 'command:git *'", "'network_access:*', 'file_read:src/secret/**'")).toEqual([]);
    expect(await rules("'file_read:a', 'file_read:a'", "")).toEqual([
      "~W403 2:72 `file_read:a` has no effect: it is a duplicate (remove it)",
    ]);
    expect(await rules("'network_access:x.test'", "'network_access:*'")).toEqual([
      "~W403 2:57 `network_access:x.test` has no effect: `network_access:*` denies everything that it allows (deny rules take precedence)",
    ]);
    expect(await rules("'file_write:src/**'", "")).toEqual([
      "~W403 2:57 `file_write:src/**` has no effect: the persona denies `file_write:**` (deny rules take precedence)",
    ]);
    expect(await rules("", "'file_read:../x'")).toEqual([
      "~W403 2:67 `file_read:../x` has no effect: paths in the project never contain `..` (write the pattern relative to the project's root)",
    ]);
  });
});

describe("tasks", () => {
  it("must use known names, and the finding points at the placeholder", async () => {
    const manifest = `steps:
  - { id: a, persona: tester, artifacts: [report] }
  - id: b
    persona: tester
    dependencies: [a]
    inputs: [{ artifact: report, as: facts }]
    task: |
      Read {{ inputs.facts }} and {{ inputs.fact }}, {{run.id}} {{ step.id }} {{ input }}.
      Then {{ inputs.fact }}, {{ matrix.os }} {{ }} and {{ inputs.report-card }}.
`;
    expect(await problemsOf(manifest)).toEqual([
      "W308 8:35 `{{ inputs.fact }}` is not a known placeholder (did you mean `inputs.facts`?) [{{ inputs.facts }}]",
      "W308 9:12 `{{ inputs.fact }}` is not a known placeholder (did you mean `inputs.facts`?) [{{ inputs.facts }}]",
      "W308 9:31 `{{ matrix.os }}` is not a known placeholder (known names: `inputs.facts`, `input`, `run.id` and `step.id`; `{{{{` writes a literal `{{`)",
      "W308 9:47 `{{  }}` is not a known placeholder (known names: `inputs.facts`, `input`, `run.id` and `step.id`; `{{{{` writes a literal `{{`)",
      "W308 9:57 `{{ inputs.report-card }}` is not a known placeholder (add `report-card` to the step's `inputs`)",
    ]);
  });
});
