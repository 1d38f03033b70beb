import { describe, expect, it } from "vitest";
import { digestOfBytes } from "../../../../src/core/digest.ts";
import { nodeAt, originAt, toValue } from "../../../../src/core/document.ts";
import type { LoadedProject } from "../../../../src/core/loaded.ts";
import { loadProject } from "../../../../src/manifest/load/load-project.ts";
import { pinnedSource } from "../../../../src/manifest/load/pinned-source.ts";

type Files = Readonly<Record<string, string>>;

interface Options {
  readonly files?: readonly string[];
  readonly environment?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function load(files: Files | string, { files: named = ["wave.yaml"], environment, env = {} }: Options = {}): Promise<LoadedProject> {
  const contents = new Map(Object.entries(typeof files === "string" ? { "wave.yaml": files } : files));
  const source = pinnedSource(async (path) => Buffer.from(contents.get(path) ?? "", "utf8"), [...contents.keys()]);
  return loadProject({ files: named, ...(environment === undefined ? {} : { environment }), env, source });
}

async function loadedValue(text: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const { manifest, diagnostics } = await load(text, { env });
  expect(diagnostics).toEqual([]);
  return manifest && toValue(manifest);
}

function told({ diagnostics }: LoadedProject): string[] {
  return diagnostics.map(
    ({ code, origin, message }) => `${code} ${origin.file}:${origin.range.start.line}:${origin.range.start.column} ${message}`,
  );
}

describe("variables", () => {
  it("set the type of unquoted values, but not of quoted ones and `env`", async () => {
    const text = [
      "defaults:",
      "  concurrency: ${N:-4}",
      "  reuse: ${REUSE}",
      "  timeout: ${T:-10m}",
      'state: { location: "${N:-4}" }',
      "description: '${N:-4}'",
      "env:",
      "  COUNT: ${N:-4}",
      "  VERSION: ${V:-1.10}",
      "  EMPTY: ${E:-}",
      "  TYPED: 4",
      "version: ${E:-}",
      "name: v${N:-4}",
    ].join("\n");
    expect(await loadedValue(text, { REUSE: "true" })).toEqual({
      defaults: { concurrency: 4, reuse: true, timeout: "10m" },
      state: { location: "4" },
      description: "4",
      env: { COUNT: "4", VERSION: "1.10", EMPTY: "", TYPED: 4 },
      version: "",
      name: "v4",
    });
  });

  it("are substituted in values, never in keys or structure", async () => {
    expect(await loadedValue("${KEY}: ${VALUE}\n", { KEY: "k", VALUE: "a: [b, c] # d" })).toEqual({ "${KEY}": "a: [b, c] # d" });
  });

  it("without a value are all reported at their positions", async () => {
    const loaded = await load('description: |\n  one ${A}\n  two ${A} $(cmd) ${1x}\nname: "x ${B:?say so}"\n');
    expect(told(loaded)).toEqual([
      "W108 wave.yaml:2:7 `A` is not set and has no default",
      "W108 wave.yaml:3:7 `A` is not set and has no default",
      "W108 wave.yaml:3:19 `${1x}` is not a valid variable expression",
      "W108 wave.yaml:4:10 `B` has no value: say so",
    ]);
    expect(loaded.diagnostics.every(({ severity, hint }) => severity === "error" && hint !== undefined)).toBe(true);
  });

  it("in values that an overlay replaces need not be set", async () => {
    const loaded = await load({ "wave.yaml": "name: ${UNSET}\n", "b.yaml": "name: set\n" }, { files: ["wave.yaml", "b.yaml"] });
    expect(told(loaded)).toEqual([]);
  });

  it("of the object prototype are unset", async () => {
    expect(told(await load("name: ${constructor} ${__proto__}\n"))).toHaveLength(2);
  });
});

describe("secrets", () => {
  const env = {
    TOP: "top-value",
    PERSONA: "persona-value",
    STEP: "step-value",
    FILE: "file-value",
    GITHUB_TOKEN: "gh-value",
    GH_TOKEN: "gh-value",
    GH_ENTERPRISE_TOKEN: "gh-value",
    ACTIONS_RUNTIME_TOKEN: "gh-value",
    INPUT_KEY: "gh-value",
    GITHUB_SHA: "abc",
  };

  it("are never substituted, wherever they are declared", async () => {
    const names = Object.keys(env).filter((name) => name !== "GITHUB_SHA");
    const loaded = await load(
      {
        "wave.yaml": [
          "secrets: [TOP]",
          "personas: { p: { secrets: [PERSONA] } }",
          "pipelines: { main: main.yaml }",
          "env:",
          ...names.map((name) => `  X_${name}: \${${name}:-fallback}`),
          "  SHA: ${GITHUB_SHA}",
        ].join("\n"),
        "main.yaml": 'pipeline: { steps: [{ id: a, secrets: [STEP], task: "${FILE}" }] }\n',
        ".wave/personas/q.yaml": "secrets: [FILE]\nsystem_prompt: '${TOP}'\n",
      },
      { env },
    );
    expect(told(loaded).map((line) => line.split(" and must not")[0])).toEqual([
      "W109 .wave/personas/q.yaml:2:17 `TOP` is declared as a secret",
      "W109 main.yaml:1:54 `FILE` is declared as a secret",
      "W109 wave.yaml:5:10 `TOP` is declared as a secret",
      "W109 wave.yaml:6:14 `PERSONA` is declared as a secret",
      "W109 wave.yaml:7:11 `STEP` is declared as a secret",
      "W109 wave.yaml:8:11 `FILE` is declared as a secret",
      "W109 wave.yaml:9:19 `GITHUB_TOKEN` is a GitHub token",
      "W109 wave.yaml:10:15 `GH_TOKEN` is a GitHub token",
      "W109 wave.yaml:11:26 `GH_ENTERPRISE_TOKEN` is a GitHub token",
      "W109 wave.yaml:12:28 `ACTIONS_RUNTIME_TOKEN` belongs to GitHub's runner",
      "W109 wave.yaml:13:16 `INPUT_KEY` belongs to GitHub's runner",
    ]);
    const everything = JSON.stringify([
      loaded.manifest && toValue(loaded.manifest),
      loaded.personas.map(({ document }) => toValue(document)),
      loaded.diagnostics,
    ]);
    expect(everything).toContain('"SHA":"abc"');
    expect(everything).not.toMatch(/(?:top|persona|step|file|gh)-value/);
  });

  it("include those that an overlay replaces, and names that are substituted", async () => {
    const files = { "wave.yaml": "secrets: [OLD]\n", "b.yaml": 'secrets: ["${NAME}"]\nname: ${OLD} ${KEY}\n' };
    const loaded = await load(files, { files: ["wave.yaml", "b.yaml"], env: { OLD: "x", NAME: "KEY", KEY: "y" } });
    expect(loaded.diagnostics.map(({ code }) => code)).toEqual(["W109", "W109"]);
  });
});

describe("overlays", () => {
  const base =
    "name: base\ndefaults: { timeout: 1m, reuse: true }\nsecrets: [A, B]\nsteps:\n  - { id: one, persona: x, inputs: [a, b] }\n  - { id: two, persona: y }\n";

  it("merge maps deeply and steps by id, and replace other values; each value keeps its position", async () => {
    const overlay =
      "defaults:\n  timeout: 2m\nsecrets: [C]\nsteps:\n  - id: three\n    persona: z\n  - id: one\n    inputs: [c]\n    env: { E: 1 }\n";
    const loaded = await load({ "wave.yaml": base, "ci.yaml": overlay }, { files: ["wave.yaml", "ci.yaml"] });
    expect(loaded.manifestFiles).toEqual(["wave.yaml", "ci.yaml"]);
    const manifest = loaded.manifest;
    if (manifest === undefined) throw new Error("no manifest");
    expect(toValue(manifest)).toEqual({
      name: "base",
      defaults: { timeout: "2m", reuse: true },
      secrets: ["C"],
      steps: [
        { id: "one", persona: "x", inputs: ["c"], env: { E: 1 } },
        { id: "two", persona: "y" },
        { id: "three", persona: "z" },
      ],
    });
    const place = (...path: (string | number)[]) => {
      const { file, range } = originAt(manifest, path);
      return `${file}:${range.start.line}`;
    };
    expect([
      place("name"),
      place("defaults", "timeout"),
      place("defaults", "reuse"),
      place("steps", 0, "id"),
      place("steps", 0, "inputs"),
      place("steps", 2, "id"),
    ]).toEqual(["wave.yaml:1", "ci.yaml:2", "wave.yaml:2", "ci.yaml:7", "ci.yaml:8", "ci.yaml:5"]);
  });

  it("of an environment come last, from the directory of the first file", async () => {
    const files = { "ci/wave.yaml": "name: a\n", "b.yaml": "name: b\nversion: b\n", "ci/wave.staging.yaml": "name: s\n" };
    const loaded = await load(files, { files: ["ci/wave.yaml", "b.yaml"], environment: "staging" });
    expect(loaded.manifestFiles).toEqual(["ci/wave.yaml", "b.yaml", "ci/wave.staging.yaml"]);
    expect(loaded.manifest && toValue(loaded.manifest)).toEqual({ name: "s", version: "b" });
  });

  it("of an unknown environment are errors that name the existing ones", async () => {
    const loaded = await load(
      { "wave.yaml": base, "wave.staging.yaml": "name: s\n", "wave.prod.yaml": "name: p\n" },
      { environment: "stagging" },
    );
    expect(loaded.diagnostics).toMatchObject([
      { code: "W107", origin: { file: "wave.stagging.yaml" }, hint: "known environments: `prod`, `staging`" },
    ]);
    expect((await load(base, { environment: "../x" })).diagnostics).toMatchObject([
      { code: "W107", message: "`../x` is not a valid environment name" },
    ]);
  });

  it("keep two steps with the same id, so that validation reports them", async () => {
    const overlay = "steps: [{ id: one, persona: p }, { id: one, persona: q }, { persona: r }]\n";
    const { manifest } = await load({ "wave.yaml": base, "b.yaml": overlay }, { files: ["wave.yaml", "b.yaml"] });
    const steps = manifest && nodeAt(manifest, ["steps"]);
    expect(steps && toValue(steps)).toEqual([
      { id: "one", persona: "p", inputs: ["a", "b"] },
      { id: "two", persona: "y" },
      { id: "one", persona: "q" },
      { persona: "r" },
    ]);
  });
});

describe("named files", () => {
  it("are read: pipelines, personas, prompts, schemas and the files that schemas refer to", async () => {
    const loaded = await load({
      "wave.yaml": [
        "pipelines:",
        "  build: ./pipelines/build.yaml",
        "  docs: { versions: { v1: pipelines/docs-1.yaml, v2: pipelines/docs-2.yaml }, active: v2 }",
        "personas:",
        "  inline: { prompt: prompts/inline.md }",
        "  filed: personas/filed.yaml",
        "  missing: { prompt: prompts/none.md }",
        "  outside: { prompt: ../secret.md }",
        "steps: [{ id: a, handover: { contract: { type: json_schema, schema: schemas/a.json } } }]",
      ].join("\n"),
      "pipelines/build.yaml":
        "pipeline: { name: build, steps: [{ id: b, handover: { contracts: [{ schema: schemas/b.json }, { schema: /etc/passwd }, 3] } }] }\n",
      "pipelines/docs-1.yaml": "pipeline: { name: docs }\n",
      "pipelines/docs-2.yaml": "pipeline: [not, a, pipeline]\n",
      "personas/filed.yaml": "prompt: prompts/filed.md\n",
      "prompts/inline.md": "inline $HOME\n",
      "prompts/filed.md": "filed\n",
      "schemas/a.json":
        '{ "$ref": "parts/x.json#/$defs/y", "properties": { "$ref": { "$ref": "#/nowhere" } }, "items": { "$ref": "https://example.com/z.json" } }',
      "schemas/parts/x.json":
        '{ "allOf": [{ "$ref": "../a.json" }, { "$ref": "sub%20dir/z.json" }, { "$ref": "../../../up.json" }, { "$ref": "gone.json" }] }',
      "schemas/parts/sub dir/z.json": "{ broken",
      "schemas/b.json": "\uFEFF{}",
      "unnamed.json": "{}",
    });
    expect(loaded.diagnostics).toEqual([]);
    expect(Object.fromEntries([...loaded.files].map(([path, { kind }]) => [path, kind]))).toEqual({
      "wave.yaml": "text",
      "pipelines/build.yaml": "text",
      "pipelines/docs-1.yaml": "text",
      "pipelines/docs-2.yaml": "text",
      "personas/filed.yaml": "text",
      "prompts/inline.md": "text",
      "prompts/filed.md": "text",
      "prompts/none.md": "missing",
      "../secret.md": "outside",
      "schemas/a.json": "text",
      "schemas/parts/x.json": "text",
      "schemas/parts/sub dir/z.json": "text",
      "schemas/parts/gone.json": "missing",
      "../up.json": "outside",
      "schemas/b.json": "text",
      "/etc/passwd": "outside",
    });
    expect(loaded.files.get("prompts/inline.md")).toEqual({
      kind: "text",
      path: "prompts/inline.md",
      text: "inline $HOME\n",
      digest: digestOfBytes("inline $HOME\n"),
    });
    expect(loaded.files.get("schemas/b.json")).toEqual({ kind: "text", path: "schemas/b.json", text: "{}", digest: digestOfBytes("{}") });
    expect(
      loaded.pipelines.map(({ name, version, active, file, document }) => [name, version, active, file, document !== undefined]),
    ).toEqual([
      ["build", undefined, true, "pipelines/build.yaml", true],
      ["docs", "v1", false, "pipelines/docs-1.yaml", true],
      ["docs", "v2", true, "pipelines/docs-2.yaml", true],
    ]);
    expect(loaded.pipelines[0]?.reference).toEqual({
      file: "wave.yaml",
      range: { start: { line: 2, column: 10 }, end: { line: 2, column: 32 } },
    });
    expect(loaded.personas.map(({ name, file, document }) => [name, file, toValue(document)])).toEqual([
      ["filed", "personas/filed.yaml", { prompt: "prompts/filed.md" }],
    ]);
  });

  it("that are unreadable pipelines or personas are errors at their reference", async () => {
    const loaded = await load({
      "wave.yaml": "pipelines:\n  a: a.yaml\n  b: ../b.yaml\n  c: broken.yaml\n  d: 3\npersonas:\n  p: none.yaml\n",
      "broken.yaml": "a: [\n",
    });
    expect(told(loaded)).toEqual([
      "W101 broken.yaml:2:1 flow sequence in block collection must be sufficiently indented and end with a ]",
      "W303 wave.yaml:2:6 `a.yaml` does not exist",
      "W304 wave.yaml:3:6 `../b.yaml` is outside the project",
      "W303 wave.yaml:7:6 `none.yaml` does not exist",
    ]);
    expect(loaded.pipelines.map(({ name, document }) => [name, document])).toEqual([
      ["a", undefined],
      ["b", undefined],
      ["c", undefined],
    ]);
    expect(loaded.personas.map(({ name, document }) => [name, toValue(document)])).toEqual([["p", {}]]);
  });
});

describe("personas in .wave/personas", () => {
  it("are read by name, in addition to definitions of the same name in the manifest", async () => {
    const loaded = await load({
      "wave.yaml": "personas: { b: { model: inline }, c: other/c.yaml }\n",
      "other/c.yaml": "model: named\n",
      ".wave/personas/a.yml": "model: a\n",
      ".wave/personas/b.yaml": "model: unseen\n",
      ".wave/personas/c.md": "unseen",
      ".wave/personas/navigator-v2.md": "---\nmodel: ${M:-m}\nenv:\n  X: 1\n---\n\nLook at $HOME.\n\nAnd ${this}.\n",
      ".wave/personas/plain.md": "Just a prompt.\n",
      ".wave/personas/.hidden.yaml": "model: x\n",
      ".wave/personas/notes.txt": "not a persona",
    });
    expect(loaded.diagnostics).toEqual([]);
    expect(loaded.personas.map(({ name, document }) => [name, toValue(document)])).toEqual([
      ["c", { model: "named" }],
      ["a", { model: "a" }],
      ["b", { model: "unseen" }],
      ["c", { system_prompt: "unseen" }],
      ["navigator-v2", { model: "m", env: { X: 1 }, system_prompt: "Look at $HOME.\n\nAnd ${this}." }],
      ["plain", { system_prompt: "Just a prompt." }],
    ]);
    const document = loaded.personas[4]?.document;
    expect(document && [originAt(document, ["model"]), originAt(document, ["system_prompt"])].map(({ range }) => range.start)).toEqual([
      { line: 2, column: 8 },
      { line: 7, column: 1 },
    ]);
  });

  it("in Markdown may be the prompt of the persona beside them", async () => {
    const files = {
      ".wave/personas/a.yaml": "prompt: .wave/personas/a.md\n",
      ".wave/personas/a.md": "The prompt.\n",
      ".wave/personas/b.yaml": "model: x\n",
      ".wave/personas/b.md": "Twin.\n",
    };
    const loaded = await load({ "wave.yaml": "name: x\n", ...files });
    expect(told(loaded)).toEqual(["W312 .wave/personas/b.md:1:1 two files define the persona `b`"]);
    expect(loaded.personas.map(({ name, file }) => [name, file])).toEqual([
      ["a", ".wave/personas/a.yaml"],
      ["b", ".wave/personas/b.yaml"],
    ]);
    expect(loaded.files.get(".wave/personas/a.md")).toMatchObject({ kind: "text", text: "The prompt.\n" });
  });

  it("in Markdown are reported with the file's own lines", async () => {
    const loaded = await load({
      "wave.yaml": "name: x\n",
      ".wave/personas/a.md": "---\nmodel: x\nmodel: y\nsystem_prompt: z\n---\nBody\n",
      ".wave/personas/b.md": "---\nmodel: x\n",
      ".wave/personas/c.md": "---\n\tmodel: x\n---\n",
    });
    expect(told(loaded).map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "W105 .wave/personas/a.md:3:1",
      "W206 .wave/personas/a.md:4:1",
      "W101 .wave/personas/b.md:1:1",
      "W101 .wave/personas/c.md:2:1",
    ]);
  });
});

describe("files that are not manifests", () => {
  it("result in one diagnostic and no manifest", async () => {
    for (const [text, code] of [
      ["", "W102"],
      ["- a\n", "W202"],
      ["null\n", "W202"],
      ["text", "W202"],
    ] as const) {
      const loaded = await load(text);
      expect([loaded.manifest, loaded.diagnostics.map((diagnostic) => diagnostic.code)]).toEqual([undefined, [code]]);
    }
    expect(told(await load({}))).toEqual(["W107 wave.yaml:1:1 `wave.yaml` does not exist"]);
  });

  it("are not replaced by their overlays", async () => {
    const loaded = await load({ "wave.yaml": "a: [", "b.yaml": "name: b\n" }, { files: ["wave.yaml", "b.yaml"] });
    expect(loaded.manifest).toBeUndefined();
  });
});
