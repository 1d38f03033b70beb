/** Manifests in the style of the design validate, plan and run with built-in personas and `--adapter command`. */
import { describe, expect, it } from "vitest";
import { artifactText, project } from "../rig/project.ts";

/** An offline agent: reads the prompt, writes every artifact that the prompt expects. */
const agent = `
import { readFileSync, writeFileSync, readdirSync } from "node:fs";
const prompt = readFileSync(0, "utf8");
const step = process.env.WAVE_STEP_ID;
const answers = JSON.parse(readFileSync("agents/answers.json", "utf8"))[step] ?? {};
for (const [name, value] of Object.entries(answers)) writeFileSync(process.env.WAVE_OUTPUT_DIR + "/" + name, typeof value === "string" ? value : JSON.stringify(value));
console.log(step, "saw", readdirSync(process.env.WAVE_INPUTS_DIR).join(","), prompt.length > 0);
`;

const build = `
adapters: { command: { command: [node, agents/offline.mjs] } }
pipeline:
  name: feature-development
  version: v1
  steps:
    - id: analyze
      persona: navigator
      task: "Analyze the codebase structure"
      artifacts: [analysis-report]
    - id: implement
      persona: craftsman
      dependencies: [analyze]
      inputs: [analysis-report]
      task: "Implement the feature based on {{ inputs.analysis-report }}"
      resources: { timeout: 10m, memory_limit: 2GB }
      handover:
        contract: { type: json_schema, schema: .wave/contracts/implementation.schema.json, on_failure: retry, max_retries: 2 }
    - id: test
      persona: tester
      dependencies: [implement]
      inputs: [implementation]
      task: "Test it"
      artifacts: [test-report]
      handover:
        contract: { type: test_suite, command: "test -s $WAVE_OUTPUT_DIR/test-report.md" }
`;

const schema = JSON.stringify({
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  required: ["files"],
  properties: { files: { type: "array", items: { type: "string" } } },
});

const files = {
  "agents/offline.mjs": agent,
  ".wave/contracts/implementation.schema.json": schema,
  "agents/answers.json": JSON.stringify({
    analyze: { "analysis-report.md": "# Structure\n" },
    implement: { "implementation.json": { files: ["src/a.ts"] } },
    test: { "test-report.md": "all good\n" },
    survey: { "notes.md": "notes\n" },
    outline: { "outline.md": "1. Start\n" },
    write: { "guide.md": "# Guide\n" },
  }),
};

describe("a build pipeline", () => {
  it("hands an artifact over that only a schema file names", async () => {
    const wave = project({ ...files, "wave.yaml": build });
    expect(await wave.wave("validate")).toMatchObject({
      code: 0,
      stderr: "",
      stdout: "wave.yaml is valid: feature-development@v1 (3 steps)\n",
    });
    const planned = await wave.wave("plan", "--adapter", "command", "--detailed-exitcode", "--json");
    expect(planned.code).toBe(3);
    const run = await wave.wave("run", "--adapter", "command");
    expect(run.stderr).toContain("passed");
    expect(run.code).toBe(0);
    const passed = wave
      .events()
      .flatMap((event) =>
        event.type === "attempt-passed"
          ? [[event.step, event.artifacts.map((one) => [one.name, artifactText(wave.root, one.digest)])]]
          : [],
      );
    expect(passed).toEqual([
      ["analyze", [["analysis-report", "# Structure\n"]]],
      ["implement", [["implementation", '{"files":["src/a.ts"]}']]],
      ["test", [["test-report", "all good\n"]]],
    ]);
    const again = await wave.wave("plan", "--adapter", "command", "--detailed-exitcode");
    expect(again.stderr).toBe("");
    expect(again.code).toBe(0);
  });
});

describe("a bare steps file", () => {
  const steps = (sandbox: string) => `
adapters: { command: { command: [node, agents/offline.mjs] } }
${sandbox}
steps:
  - id: survey
    persona: auditor
    task: "Survey"
    resources: { timeout: 90s, memory_limit: 1GiB }
    permissions: { allow: ["file_read:**", "file_write:docs/**"], deny: ["network_access:*"] }
    artifacts: [notes]
`;

  it("takes resources and permissions, and refuses a deny that nobody enforces", async () => {
    const wave = project({ ...files, "wave.yaml": steps("") });
    expect((await wave.wave("validate")).code).toBe(0);
    const refused = await wave.start(["run", "--adapter", "command"], { WAVE_ISOLATION: "none" }).finished;
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain("network_access:*");
    expect(refused.stderr).toContain("sandbox: off");
    wave.write({ "wave.yaml": steps("sandbox: off") });
    expect(await wave.start(["run", "--adapter", "command"], { WAVE_ISOLATION: "none" }).finished).toMatchObject({ code: 0 });
  });

  it("runs as it stands where the deny is enforced", async () => {
    const wave = project({ ...files, "wave.yaml": steps("") });
    const doctor = JSON.parse((await wave.wave("doctor", "--json")).stdout) as { isolation: { sandbox: { network: boolean } } };
    expect(await wave.wave("run", "--adapter", "command")).toMatchObject({ code: doctor.isolation.sandbox.network ? 0 : 4 });
  });
});

describe("a documentation pipeline", () => {
  it("runs a step that has no task", async () => {
    const manifest = `
adapters: { command: { command: [node, agents/offline.mjs] } }
pipeline:
  name: docs
  steps:
    - { id: outline, persona: planner, task: "Outline the guide", artifacts: [outline] }
    - id: write
      persona: documenter
      inputs: [{ artifact: outline, from: outline }]
      artifacts: [{ name: guide, media_type: text/markdown }]
`;
    const wave = project({ ...files, "wave.yaml": manifest });
    expect((await wave.wave("validate")).code).toBe(0);
    const plan = await wave.wave("plan", "--adapter", "command");
    expect(plan.code).toBe(0);
    expect(plan.stdout).toMatch(/write[\s\S]*outline/);
    expect(await wave.wave("run", "--adapter", "command")).toMatchObject({ code: 0 });
    const logs = await wave.wave("logs", "write");
    expect(logs).toMatchObject({ code: 0, stdout: "write saw outline true\n", stderr: "" });
  });

  it("refuses a persona without an adapter before any work", async () => {
    const wave = project({ "wave.yaml": "steps: [{ id: a, persona: planner, task: x }]\n" });
    const run = await wave.wave("run");
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("--adapter");
    expect(run.stderr).not.toContain("    at ");
  });
});
