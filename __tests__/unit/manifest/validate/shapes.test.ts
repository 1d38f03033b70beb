/** The three shapes of a manifest, and keys that exclude each other. */
import { describe, expect, it } from "vitest";
import { selectPipeline } from "../../../../src/manifest/validate/select-pipeline.ts";
import { pipelineOf, problemsOf, validateFiles } from "../../../rig/validated.ts";

const steps = "steps: [{ id: a, persona: tester }]";
const file = (name: string, version?: string) =>
  `pipeline:\n  name: ${name}\n${version === undefined ? "" : `  version: ${version}\n`}  ${steps}\n`;

describe("shapes", () => {
  it("names bare steps after their file, or by `name`", async () => {
    expect(await pipelineOf(`${steps}\n`)).toMatchObject({ name: "wave", steps: [{ id: "a" }] });
    expect(await pipelineOf(`name: nightly\nversion: v3\ndescription: at night\n${steps}\n`)).toMatchObject({
      name: "nightly",
      version: "v3",
      description: "at night",
    });
  });

  it("takes an inline pipeline with the manifest's concurrency", async () => {
    expect(await pipelineOf(`defaults: { concurrency: 3 }\n${file("build", "v1")}`)).toMatchObject({
      name: "build",
      version: "v1",
      concurrency: 3,
    });
  });

  const versions = `pipelines:
  deploy: { versions: { v1: p/one.yaml, v2: p/two.yaml }, active: v2 }
  check: p/check.yaml
`;
  const files = { "p/one.yaml": file("deploy", "v1"), "p/two.yaml": file("deploy"), "p/check.yaml": file("check", "v9") };

  it("accepts references with versions, one of them active", async () => {
    const { project, diagnostics } = await validateFiles({ "wave.yaml": versions, ...files });
    expect(diagnostics).toEqual([]);
    expect(project?.pipelines.map(({ pipeline, active }) => [pipeline.name, pipeline.version, active])).toEqual([
      ["deploy", "v1", false],
      ["deploy", "v2", true],
      ["check", "v9", true],
    ]);
    const select = (selector?: string) => {
      const chosen = project === undefined ? undefined : selectPipeline(project, selector);
      return chosen?.ok ? `${chosen.value.name}@${chosen.value.version}` : chosen?.error;
    };
    expect(select("deploy")).toBe("deploy@v2");
    expect(select("deploy@v1")).toBe("deploy@v1");
    expect(select("check")).toBe("check@v9");
    expect(select("check@v9")).toBe("check@v9");
    expect(select()).toEqual({ reason: "usage", message: "the manifest has several pipelines", hint: "choose one: deploy, check" });
    expect(select("deplyo")).toEqual({ reason: "usage", message: "there is no pipeline `deplyo`", hint: "did you mean `deploy`?" });
    expect(select("deploy@v7")).toEqual({
      reason: "usage",
      message: "the pipeline `deploy` has no version `v7`",
      hint: "known: v1, v2",
    });
  });

  it("selects the only pipeline if none is named", async () => {
    const { project } = await validateFiles({ "wave.yaml": `${steps}\n` });
    const chosen = project === undefined ? undefined : selectPipeline(project);
    expect(chosen).toMatchObject({ ok: true, value: { name: "wave" } });
  });

  it("checks names and versions against the list, and `active` against the versions", async () => {
    const other = { ...files, "p/two.yaml": file("deploi", "v3") };
    expect(await problemsOf(versions.replace("active: v2", "active: v3"), other)).toEqual([
      "W204 p/two.yaml:2:9 the pipeline is named `deploi`, but the manifest lists it as `deploy` (use the name in the manifest) [deploy]",
      "W204 p/two.yaml:3:12 the pipeline has version `v3`, but the manifest lists it as `v2` (use the version in the manifest) [v2]",
      "W206 2:67 `v3` is not a version of `deploy` (known versions: `v1`, `v2`)",
    ]);
  });

  it("reports missing and invalid pipeline files once", async () => {
    const problems = await problemsOf("pipelines: { a: gone.yaml, b: ../out.yaml, c: list.yaml, d: bare.yaml }\n", {
      "list.yaml": "- 1\n",
      "bare.yaml": `${steps}\n`,
    });
    expect(problems.map((problem) => problem.split(" ").slice(0, 2).join(" "))).toEqual([
      "W201 bare.yaml:1:1",
      "W203 bare.yaml:1:1",
      expect.stringMatching(/^W\d+ list.yaml:1:1$/),
      "W303 1:17",
      "W304 1:31",
    ]);
  });
});

describe("keys that exclude each other", () => {
  it("requires exactly one shape", async () => {
    expect(await problemsOf("personas: {}\n")).toEqual([
      "W203 1:1 the manifest has no pipeline (add `pipeline:`, `steps:` or `pipelines:`)",
    ]);
    expect(await problemsOf(`${file("a")}${steps}\npipelines: { b: b.yaml }\n`, { "b.yaml": file("b") })).toEqual([
      "W206 4:1 `steps` cannot be combined with `pipeline` (use only one of `pipeline`, `steps` and `pipelines`)",
      "W206 5:1 `pipelines` cannot be combined with `pipeline` (use only one of `pipeline`, `steps` and `pipelines`)",
    ]);
  });

  it("allows `name` and `version` only with bare steps", async () => {
    expect(await problemsOf(`name: x\nversion: v1\n${file("a")}`)).toEqual([
      "W206 1:1 `name` belongs to bare `steps`, not to `pipeline` (move it into `pipeline`)",
      "W206 2:1 `version` belongs to bare `steps`, not to `pipeline` (move it into `pipeline`)",
    ]);
  });

  it("allows one of contract and contracts, and of prompt and system_prompt", async () => {
    const manifest = `personas: { p: { prompt: p.md, system_prompt: x } }
steps:
  - id: a
    persona: p
    handover: { contract: { type: test_suite, command: x }, contracts: [{ type: test_suite, command: y }] }
`;
    expect(await problemsOf(manifest, { "p.md": "hi" })).toEqual([
      "W206 1:32 `system_prompt` cannot be combined with `prompt` (remove one of them)",
      "W206 5:61 `contracts` cannot be combined with `contract` (remove one of them)",
    ]);
  });
});
