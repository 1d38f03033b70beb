/** The programs of examples/change-review on real repositories, each step's output under its real schema. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const example = path.resolve(import.meta.dirname, "../../../examples/change-review");

/** What each step takes, leaves and is held to. */
const steps = {
  survey: { inputs: [], outputs: { changes: "changes.json", patch: "patch.diff" }, schema: ["changes.json", "changes"] },
  risks: { inputs: ["changes", "patch"], outputs: { findings: "findings.json" }, schema: ["findings.json", "findings"] },
  tests: { inputs: ["changes", "patch"], outputs: { "test-gaps": "test-gaps.json" }, schema: ["test-gaps.json", "test-gaps"] },
  review: { inputs: ["changes", "findings", "test-gaps"], outputs: { review: "review.md" }, schema: undefined },
} as const;

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let scratch: string;
let repository: string;
let artifacts: Map<string, string>;

beforeEach(() => {
  scratch = mkdtempSync(path.join(realpathSync(tmpdir()), "wave-example-"));
  repository = path.join(scratch, "repository");
  mkdirSync(repository);
  git("init", "--quiet", "--initial-branch=main");
  artifacts = new Map();
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe("survey", () => {
  test("compares the last commit with its parent, and counts what is not committed", () => {
    commit({ "src/load/a.ts": "one\n", "docs/old.md": "same\nlines\nhere\n" });
    git("mv", "docs/old.md", "docs/new.md");
    commit({ "src/load/a.ts": "one\ntwo\n", "assets/logo.bin": "\0\x01" });
    write({ "src/plan/b.ts": "const b = 1;\n", "README.md": "# hi\n" });
    const from = git("rev-parse", "--short=12", "HEAD^").trim();
    const to = git("rev-parse", "--short=12", "HEAD").trim();

    expect(run("survey").status).toBe(0);

    const changes = json("changes");
    expect(changes.compared).toEqual({ from, to, subject: "a commit", uncommitted: true });
    expect(changes.files).toEqual([
      { path: "README.md", change: "added", added: 1, deleted: 0, area: "(root)", kind: "docs", inPatch: true },
      { path: "assets/logo.bin", change: "added", added: 0, deleted: 0, area: "assets", kind: "binary", inPatch: false },
      { path: "docs/new.md", before: "docs/old.md", change: "renamed", added: 0, deleted: 0, area: "docs", kind: "docs", inPatch: true },
      { path: "src/load/a.ts", change: "changed", added: 1, deleted: 0, area: "src/load", kind: "source", inPatch: true },
      { path: "src/plan/b.ts", change: "added", added: 1, deleted: 0, area: "src/plan", kind: "source", inPatch: true },
    ]);
    expect(changes.totals).toEqual({ files: 5, added: 3, deleted: 0 });
    expect(artifacts.get("patch")).not.toContain("same");
  });

  test.each([
    { name: "no commit at all", commits: 0, from: "nothing (there is no earlier commit)", to: "the working tree" },
    { name: "a first commit", commits: 1, from: "nothing (there is no earlier commit)", to: expect.stringMatching(/^[0-9a-f]{12}$/) },
  ])("counts everything as added: $name", ({ commits, from, to }) => {
    write({ "a.ts": "1\n2\n", "b c.md": "x" });
    if (commits > 0) commit({});
    expect(run("survey").status).toBe(0);
    expect(json("changes").compared).toMatchObject({ from, to });
    expect(json("changes").totals).toEqual({ files: 2, added: 3, deleted: 0 });
  });

  test("a shallow clone ends where its history ends", () => {
    commit({ "a.ts": "1\n" });
    commit({ "a.ts": "1\n2\n" });
    const clone = path.join(scratch, "shallow");
    git("clone", "--quiet", "--depth=1", `file://${repository}`, clone);
    repository = clone;
    expect(run("survey").status).toBe(0);
    expect(json("changes").compared.from).toBe("nothing (this shallow clone ends here)");
    expect(json("changes").totals).toEqual({ files: 1, added: 2, deleted: 0 });
  });

  test("generated files and lockfiles are counted, and not read", () => {
    commit({
      ".gitattributes": "out/** linguist-generated\n",
      "out/x.js": "generated();\n",
      "package-lock.json": "{}\n",
      "kept.js": "kept();\n",
    });
    expect(run("survey").status).toBe(0);
    const kinds = json("changes").files.map((file: { path: string; kind: string }) => [file.path, file.kind]);
    expect(kinds).toEqual([
      [".gitattributes", "config"],
      ["kept.js", "source"],
      ["out/x.js", "generated"],
      ["package-lock.json", "generated"],
    ]);
    expect(artifacts.get("patch")).toContain("+kept();");
    expect(artifacts.get("patch")).not.toContain("generated();");
  });

  test("outside a repository it says so", () => {
    rmSync(path.join(repository, ".git"), { recursive: true });
    const outcome = run("survey");
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain("lies in no git repository");
  });
});

describe("risks", () => {
  const key = `AKIA${"Q7".repeat(8)}`;

  test("the first attempt breaks the contract, and the feedback mends it", () => {
    commit({ "start.ts": "" });
    commit({
      "src/key.ts": `const a = 1;\n\nconst id = "${key}";\n`,
      "src/odd name.ts": "if (a) eval(a);\n",
      "x.test.ts": "test.only('x', f);\n",
    });
    run("survey");

    expect(run("risks").violations).toEqual([
      "/ must have required property 'summary'",
      "/findings/0 must have required property 'severity'",
      "/findings/1 must have required property 'severity'",
      "/findings/2 must have required property 'severity'",
    ]);
    const draft = artifacts.get("findings");
    run("risks", "# Task\n\nGive each finding a severity, and a summary.\n");
    expect(artifacts.get("findings")).toBe(draft);

    const feedback =
      "# Feedback on attempt 1\n\n- findings.json:1:1 / must have required property 'summary'\n- findings.json:9:5 /findings/0 must have required property 'severity'\n\n# Inputs\n";
    expect(run("risks", feedback)).toMatchObject({ status: 0, violations: [] });
    expect(json("findings").summary).toEqual({ high: 2, medium: 0, low: 1 });
    expect(json("findings").findings).toMatchObject([
      { rule: "aws-access-key", severity: "high", file: "src/key.ts", line: 3, evidence: 'const id = "AKIA************";' },
      { rule: "dynamic-code", severity: "high", file: "src/odd name.ts", line: 1 },
      { rule: "focused-test", severity: "low", file: "x.test.ts", line: 1 },
    ]);
    expect(artifacts.get("findings")).not.toContain(key);
  });

  test("a clean change also needs the summary", () => {
    commit({ "a.ts": "1\n" });
    run("survey");
    expect(run("risks").violations).toEqual(["/ must have required property 'summary'"]);
    expect(run("risks", "# Feedback on attempt 1\n- / must have required property 'summary'\n")).toMatchObject({
      status: 0,
      violations: [],
    });
    expect(json("findings")).toEqual({ scanned: { files: 1, lines: 1 }, findings: [], summary: { high: 0, medium: 0, low: 0 } });
  });

  test("line numbers are those of the new version, also behind lines that look like headers", () => {
    commit({ "a.ts": "1\n2\n3\n4\n5\n6\n" });
    commit({ "a.ts": "1\n++ b/x.ts\n-- y\n3\n4\n5\ndebugger;\n6\n" });
    run("survey");
    run("risks");
    expect(json("findings").findings).toMatchObject([{ rule: "debugger", file: "a.ts", line: 7 }]);
    expect(json("findings").scanned).toEqual({ files: 1, lines: 3 });
  });
});

describe("tests", () => {
  test("a changed test belongs to a source by its name or by what it imports", () => {
    commit({ "start.ts": "" });
    commit({
      "src/load.ts": "1\n",
      "src/plan.py": "1\n",
      "src/graph.ts": "1\n",
      "src/alone.ts": "1\n2\n",
      "__tests__/load.test.ts": "1\n",
      "tests/test_plan.py": "1\n",
      "__tests__/shapes.test.ts": 'import { cycle } from "../src/graph.ts";\n',
    });
    run("survey");
    expect(run("tests")).toMatchObject({ status: 0, violations: [] });
    expect(json("test-gaps")).toEqual({
      sources: 4,
      tests: 3,
      tested: [
        { file: "src/graph.ts", by: ["__tests__/shapes.test.ts"] },
        { file: "src/load.ts", by: ["__tests__/load.test.ts"] },
        { file: "src/plan.py", by: ["tests/test_plan.py"] },
      ],
      gaps: [{ file: "src/alone.ts", area: "src", added: 2 }],
    });
  });
});

describe("review", () => {
  test.each([
    { name: "a clean change", files: { "docs/a.md": "hello\n" }, verdict: "approved" },
    { name: "a source without a test", files: { "src/a.ts": "1\n" }, verdict: "comments" },
    { name: "a serious risk", files: { "src/a|b.ts": "eval(`x | y`);\n", "a|b.test.ts": "" }, verdict: "changes requested" },
  ])("passes its contract: $name", ({ files, verdict }) => {
    commit({ "start.md": "" });
    commit(files);
    run("survey");
    run("risks", "# Feedback on attempt 1\nseverity summary\n");
    run("tests");
    expect(run("review").status).toBe(0);
    expect(artifacts.get("review")).toContain(`**Verdict: ${verdict}**`);
    expect(checkReview()).toMatchObject({ status: 0, stderr: "" });
  });

  test("the contract sees a verdict that does not follow, and a finding left out", () => {
    commit({ "src/a.ts": "eval(a);\n" });
    run("survey");
    run("risks", "# Feedback on attempt 1\nseverity summary\n");
    run("tests");
    run("review");
    const review = artifacts.get("review") ?? "";
    artifacts.set("review", review.replace("changes requested", "approved").replace("src/a.ts:1", "somewhere"));
    expect(checkReview()).toMatchObject({
      status: 1,
      stderr:
        "review.md: the verdict is approved; what was found asks for changes requested\nreview.md: it leaves out the finding at src/a.ts:1\n",
    });
  });
});

/** Runs a step's program as wave would, keeps what it left, and holds it against its schema. */
function run(step: keyof typeof steps, prompt = "# Task\n"): Outcome & { readonly violations: readonly string[] } {
  const { inputs, outputs, schema } = steps[step];
  const { outcome, output } = runScript(`${step}.mjs`, prompt, inputs);
  if (outcome.status !== 0) return { ...outcome, violations: [] };
  for (const [name, file] of Object.entries(outputs)) artifacts.set(name, readFileSync(path.join(output, file), "utf8"));
  return { ...outcome, violations: schema === undefined ? [] : violationsOf(schema[1]) };
}

function checkReview(): Outcome {
  return runScript("check-review.mjs", "", ["changes", "findings", "test-gaps"], { "review.md": artifacts.get("review") ?? "" }).outcome;
}

function runScript(
  script: string,
  prompt: string,
  inputs: readonly string[],
  left: Readonly<Record<string, string>> = {},
): { outcome: Outcome; output: string } {
  const place = mkdtempSync(path.join(scratch, "attempt-"));
  const [inputsDir, output, home] = ["inputs", "output", "home"].map((name) => path.join(place, name)) as [string, string, string];
  for (const directory of [inputsDir, output, home]) mkdirSync(directory);
  for (const name of inputs) writeFileSync(path.join(inputsDir, name), artifacts.get(name) ?? "");
  for (const [name, text] of Object.entries(left)) writeFileSync(path.join(output, name), text);
  // The programs lie outside the repository here, so that they are no part of what they review.
  const scripts = path.join(scratch, "scripts");
  cpSync(path.join(example, "scripts"), scripts, { recursive: true });
  const env = { PATH: process.env.PATH ?? "", HOME: home, WAVE_INPUTS_DIR: inputsDir, WAVE_OUTPUT_DIR: output };
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(scripts, script)], {
    cwd: repository,
    input: prompt,
    env,
    encoding: "utf8",
  });
  return { outcome: { status, stdout, stderr }, output };
}

function violationsOf(artifact: string): string[] {
  const schema = JSON.parse(readFileSync(path.join(example, "contracts", `${artifact}.schema.json`), "utf8"));
  const validate = new Ajv2020({ allErrors: true, strict: true }).compile(schema);
  validate(json(artifact));
  return (validate.errors ?? []).map((error) => `${error.instancePath || "/"} ${error.message}`);
}

function json(artifact: string) {
  return JSON.parse(artifacts.get(artifact) ?? "");
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(repository, file)), { recursive: true });
    writeFileSync(path.join(repository, file), text);
  }
}

function commit(files: Readonly<Record<string, string>>): void {
  write(files);
  git("add", "--all");
  git("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--allow-empty", "-m", "a commit");
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: repository, encoding: "utf8", env: { PATH: process.env.PATH, HOME: scratch } });
}
