/** Manifests, contracts, changesets and patches that must mean what they say. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Project, project } from "../../rig/project.ts";
import { undeclared as token } from "../../rig/secret-places.ts";

const manifest = (more = "", step = "") =>
  `pipeline: { name: p, steps: [{ id: a, persona: s, task: x${step} }] }\npersonas: { s: { adapter: command, command: "true" } }\n${more}`;

/** Place of a token → the files, the words after `wave COMMAND`, and where the error is. */
const places: readonly (readonly [name: string, files: Readonly<Record<string, string>>, words: readonly string[], at: string])[] = [
  ["an `env` value", { "wave.yaml": manifest(`env: { TOKEN: ${token} }\n`) }, [], "wave.yaml:3:15"],
  ["a comment", { "wave.yaml": manifest(`# ${token}\n`) }, [], "wave.yaml:3:3"],
  ["a task", { "wave.yaml": manifest("", ` ${token}`) }, [], "wave.yaml:1:59"],
  ["a command", { "wave.yaml": manifest().replace('"true"', `"curl -H 'x: ${token}'"`) }, [], "wave.yaml:2:58"],
  ["an overlay", { "wave.yaml": manifest(), "wave.ci.yaml": `env:\n  T: ${token}\n` }, ["--env", "ci"], "wave.ci.yaml:2:6"],
  [
    "a second manifest",
    { "wave.yaml": manifest(), "b.yaml": `env: { T: ${token} }\n` },
    ["-f", "wave.yaml", "-f", "b.yaml"],
    "b.yaml:1:11",
  ],
  ["a persona file", { "wave.yaml": manifest(), ".wave/personas/t.yaml": `prompt: ${token}\n` }, [], ".wave/personas/t.yaml:1:9"],
  ["a prompt file", { "wave.yaml": manifest().replace('"true"', '"true", prompt: p.md'), "p.md": `Use\n${token}.\n` }, [], "p.md:2:1"],
  ["a file that is not valid YAML", { "wave.yaml": `env: { T: ${token}\n` }, [], "wave.yaml:1:11"],
];

/** Text that resembles a token but is none. */
const harmless: readonly (readonly [name: string, value: string])[] = [
  ["a placeholder", `ghp_${"x".repeat(36)}`],
  ["a short example", "ghp_xxxx"],
  ["words in place of a key", "sk-ant-api03-your-key-here-0000000000"],
  ["a digest", `sha256:${"0123456789abcdef".repeat(4)}`],
  ["the password of a database on this machine", "postgres://app:s3cretpw@localhost:5432/test"],
  ["the password of a service container", "postgres://app:s3cretpw@db/test"],
];

describe("an overlay that removes a required key with `null`", () => {
  const bare = 'name: p\nsteps: [{ id: a, persona: s, task: x }]\npersonas: { s: { adapter: command, command: "true" } }\n';

  test.each([
    ["the steps of a pipeline", manifest(), "pipeline:\n  steps: null\n", "`steps` is missing in `pipeline`", "2:10"],
    ["bare steps", bare, "steps: null\n", "the manifest has no pipeline", "1:8"],
    ["the pipeline", manifest(), "pipeline: null\n", "the manifest has no pipeline", "1:11"],
    ["the persona of a step", bare, "steps: [{ id: a, persona: null }]\n", "`persona` is missing in item 1 of `steps`", "1:27"],
  ])("is named by the error about %s", async (_, text, overlay, missing, at) => {
    const wave = project({ "wave.yaml": text, "wave.ci.yaml": overlay });
    const validated = await wave.wave("validate", "--env", "ci");
    expect([validated.code, validated.stderr]).toEqual([
      2,
      expect.stringContaining(`error[W203] ${missing}: the overlay \`wave.ci.yaml\` removes it\n  at wave.ci.yaml:${at}\n`),
    ]);
    expect(validated.stderr).toContain(
      "hint: `null` in an overlay removes a key; set a value, or remove the key from the overlay\n\n1 error\n",
    );
  });

  test("is not named if a later manifest writes the key again", async () => {
    const wave = project({ "wave.yaml": bare, "b.yaml": "steps: null\n", "c.yaml": "steps: [{ id: b, persona: s, task: x }]\n" });
    expect(await wave.wave("validate", "-f", "wave.yaml", "-f", "b.yaml", "-f", "c.yaml")).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("a literal token", () => {
  test.each(places)("in %s is an error at its place, and is neither printed nor stored", async (_, files, words, at) => {
    const wave = project(files);
    const validated = await wave.wave("validate", ...words);
    expect([validated.code, validated.stderr]).toEqual([2, expect.stringContaining(`at ${at}\n`)]);
    expect(validated.stderr).toMatch(/error\[W111\] a literal github-token[\s\S]*hint: list the name of a variable under `secrets:`/);
    const json = await wave.wave("validate", "--json", ...words);
    const { diagnostics } = JSON.parse(json.stdout) as { diagnostics: { code: string; origin: Origin }[] };
    expect(diagnostics.filter(({ code }) => code === "W111").map(({ origin }) => placeOf(origin))).toEqual([at]);
    const run = await wave.wave("run", ...words);
    const jsonRun = await wave.wave("run", "--json", ...words);
    expect([run.code, jsonRun.code]).toEqual([2, 2]);
    for (const { stdout, stderr } of [validated, json, run, jsonRun]) expect(stdout + stderr).not.toContain(token);
    expect(existsSync(path.join(wave.root, ".wave/state"))).toBe(false);
  });

  test.each(harmless)("is not suspected in %s", async (_, value) => {
    const wave = project({ "wave.yaml": manifest(`env: { T: "${value}" }\n`) });
    expect(await wave.wave("validate")).toMatchObject({ code: 0, stderr: "" });
  });

  test("is found in the password of a URL that names another machine", async () => {
    const wave = project({ "wave.yaml": manifest('env: { T: "postgres://app:s3cretpw@db.example.org/x" }\n') });
    const { code, stderr } = await wave.wave("validate");
    expect([code, stderr]).toEqual([2, expect.stringContaining("a literal url-password")]);
    expect(stderr).not.toContain("s3cretpw");
  });
});

/** How a step is isolated: the environment of `wave`, and keys of the step. */
const isolations = [
  ["the default isolation", {}, ""],
  ["copies", { WAVE_ISOLATION: "copy" }, ""],
  ["`sandbox: off`", {}, ", sandbox: off"],
] as const;

describe.each(isolations)("a `.gitignore` that the step changes, with %s", (_, env, key) => {
  const run = async (command: string, step = "") => {
    const wave = committed({
      "wave.yaml": manifest("", `${key}${step}`).replace('"true"', JSON.stringify(command)),
      ".gitignore": "dist/\n.wave/state/\n",
      "tracked.txt": "t\n",
    });
    const finished = await wave.start(["run"], env).finished;
    const changed = execFileSync("git", ["status", "--porcelain", "-uall", "--ignored"], { cwd: wave.root, encoding: "utf8" });
    return { ...finished, wave, changed: changed.split("\n").filter((line) => line !== "" && !line.includes(".wave/")) };
  };

  test("hides the packages that it installs, also from `file_write` rules and the search for secrets", async () => {
    const install = `echo node_modules/ >> .gitignore; mkdir -p node_modules/p; echo ${token.slice(0, 20)}'${token.slice(20)}' > node_modules/p/i.js`;
    const { code, stderr, changed, wave } = await run(install, ', permissions: { allow: ["file_write:.gitignore"] }');
    expect([code, changed], stderr).toEqual([0, [" M .gitignore"]]);
    const sentence = "not kept, because a changed .gitignore ignores them: node_modules/";
    expect(stderr).toContain(`a: ${sentence}`);
    expect((await wave.wave("status", "latest")).stdout).toContain(sentence);
    expect((await wave.wave("logs")).stdout).toContain(sentence);
  });

  test("hides no change to a tracked file, so `file_write` rules judge it", async () => {
    const edit = "echo tracked.txt >> .gitignore; echo more >> tracked.txt";
    expect((await run(edit)).changed).toEqual([" M .gitignore", " M tracked.txt"]);
    const denied = await run(edit, ', permissions: { allow: ["file_write:.gitignore"] }');
    expect([denied.code, denied.changed, denied.stderr]).toEqual([1, [], expect.stringContaining("tracked.txt")]);
  });

  test("lets a new file through that it ignores no more", async () => {
    const { code, changed } = await run("sed -i /dist/d .gitignore; mkdir dist; echo o > dist/o.js");
    expect([code, changed]).toEqual([0, [" M .gitignore", "?? dist/o.js"]]);
  });
});

describe.each(isolations)("`.git`, with %s", (_, env, key) => {
  const sees = async (permissions: string) => {
    const wave = committed({
      "wave.yaml": manifest("", `${key}${permissions}`).replace('"true"', '"ls -d .git a.txt"'),
      ".gitignore": ".wave/state/\n",
      "a.txt": "a\n",
    });
    return wave.start(["run"], env).finished;
  };
  const allow = (...rules: string[]) => `, permissions: { allow: ${JSON.stringify(rules)} }`;

  test.each([
    ["visible", "without rules for reading", ""],
    ["visible", "with a rule for writing alone", allow("file_write:**")],
    ["visible", "with a rule that spells it", allow("file_read:**", "file_read:.git/**")],
    ["hidden", "with `file_read:**` alone", allow("file_read:**")],
    ["hidden", "with a deny rule alone", ', permissions: { deny: ["file_read:b.txt"] }'],
  ])("is %s %s", async (state, _name, permissions) => {
    const { code, stderr } = await sees(permissions);
    expect(code, stderr).toBe(state === "visible" ? 0 : 1);
  });
});

describe("a `json_schema` contract without `schema`", () => {
  const step = ", artifacts: [r], handover: { contract: { type: json_schema, failure_threshold: 0.5 } }";

  test("uses the schema that is named after its artifact, and the hint explains a missing one", async () => {
    const wave = project({ "wave.yaml": manifest("", step) });
    const missing = await wave.wave("validate");
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("`.wave/contracts/r.schema.json` does not exist")]);
    expect(missing.stderr).toContain("hint: this is the default without `schema`");
    wave.write({ ".wave/contracts/r.schema.json": "{}" });
    expect(await wave.wave("validate")).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("`wave config`", () => {
  test.each([[[]], [["--json"]]])("prints with %j a manifest that means the same when it is read again", async (words) => {
    const wave = project({ "wave.yaml": manifest("env: { A: 'x $${HOME} $$$${B}', C: $D }\n").replace('"true"', () => "'echo $${A} $A'") });
    const first = await wave.wave("config", ...words);
    expect(first.stdout).toContain("x $${HOME} $$$${B}");
    wave.write({ "again.yaml": first.stdout });
    expect(await wave.wave("config", "-f", "again.yaml", ...words)).toMatchObject({ code: 0, stderr: "", stdout: first.stdout });
  });
});

function committed(files: Readonly<Record<string, string>>): Project {
  const wave = project(files);
  const git = (...words: string[]) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: wave.root });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "base");
  return wave;
}

interface Origin {
  readonly file: string;
  readonly range: { readonly start: { readonly line: number; readonly column: number } };
}

function placeOf({ file, range: { start } }: Origin): string {
  return `${file}:${start.line}:${start.column}`;
}
