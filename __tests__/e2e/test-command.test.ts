/** `wave test` through the built binary: what it says of tests that hold, of those that do not, and of those that cannot be run. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { contentsBelow } from "../rig/contents-below.ts";
import { type Project, project, repository } from "../rig/project.ts";

const manifest = `
pipeline:
  name: demo
  steps:
    - { id: look, persona: scout, task: "Look at {{ input }}", artifacts: [{ name: report, source: message }] }
    - id: make
      persona: maker
      dependencies: [look]
      inputs: [report]
      task: Make it
      artifacts: [{ name: notes, optional: true }]
      handover: { contract: { type: test_suite, name: suite, command: "grep -q two made.txt", on_failure: retry, backoff_strategy: exponential, backoff_base: 1h } }
personas:
  scout: { system_prompt: Scout, command: 'echo "{\\"files\\": [{\\"path\\": \\"a\\"}, {\\"path\\": \\"b\\"}], \\"n\\": 1}"' }
  maker: { system_prompt: Make, command: 'if [ "$WAVE_ATTEMPT" = 1 ]; then echo one; else echo two; fi > made.txt; echo Made > "$WAVE_OUTPUT_DIR/notes.md"' }
`;

const holds = `
recordings: recording
expect:
  steps:
    look:
      status: passed
      attempts: 1
      artifacts: { report: { $.n: 1, "$.files[*].path": [a, b], "$.files[-1]": { path: b } } }
    make: { attempts: 2, verdicts: { suite: pass }, changes: [made.txt], artifacts: { notes: Made } }
snapshot: true
`;

/** A project with a recording of its pipeline, made without the waits that its retries ask for. */
async function recorded(tests: Readonly<Record<string, string>>, more = ""): Promise<Project> {
  const wave = project({ "wave.yaml": manifest.replace("1h", "1ms") });
  const run = await wave.wave("run", "--no-apply", "--input", "this", "--record", "recording");
  expect(run, run.stderr).toMatchObject({ code: 0 });
  const files = Object.entries(tests).map(([name, text]) => [`.wave/tests/${name}.yaml`, text] as const);
  wave.write({ "wave.yaml": `${more}${manifest}`, ...Object.fromEntries(files) });
  return wave;
}

/** Every file of a project but state, with its content. */
const contentOf = (root: string) => contentsBelow(root, (file) => file === ".wave/state");

describe("tests that hold", () => {
  test("pass, change nothing, wait for nothing, and leave no run behind", async () => {
    const wave = await recorded({ good: holds });
    const runs = (await wave.wave("status", "--json")).stdout;
    expect((await wave.wave("test", "--update")).stdout).toMatch(/^✓ good demo, .*\(snapshot written\)\n1 test passed\n$/);
    const before = contentOf(wave.root);
    const ran = await wave.wave("test");
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).toMatch(/^✓ good demo, [\d.]+m?s\n1 test passed\n$/);
    expect([contentOf(wave.root), (await wave.wave("status", "--json")).stdout]).toEqual([before, runs]);
    expect(readdirSync(path.join(wave.root, ".wave/state/tests"))).toEqual([]);
    expect(Object.keys(before)).toContain(".wave/tests/good.snapshot.json");
  });

  test("need nothing but the recording: no program, no key, no sandbox", async () => {
    const steps = manifest.replace(/personas:[\s\S]*/, "personas: { scout: { system_prompt: Scout }, maker: { system_prompt: Make } }\n");
    const agent = `case "$WAVE_STEP_ID" in look) echo '{"n":1}' ;; make) if [ "$WAVE_ATTEMPT" = 1 ]; then echo one; else echo two; fi > made.txt ;; esac`;
    const wave = project({
      "wave.yaml": `adapters: { command: { command: [sh, agent.sh] } }\nsecrets: [KEY]\n${steps}`.replace("1h", "1ms"),
      "agent.sh": agent,
    });
    const run = await wave.start(["run", "--adapter", "command", "--no-apply", "--record", "recording"], { KEY: "k-0123456789" }).finished;
    expect(run, run.stderr).toMatchObject({ code: 0 });
    const other = project({
      "wave.yaml": `secrets: [KEY]\n${steps}`,
      ".wave/tests/good.yaml": "recordings: recording\nexpect: { steps: { make: { attempts: 2 } } }\n",
    });
    cpSync(path.join(wave.root, "recording"), path.join(other.root, "recording"), { recursive: true });
    const ran = await other.start(["test"], { WAVE_ISOLATION: "none" }).finished;
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  });

  test("publish nothing and alarm nobody", async () => {
    const told: string[] = [];
    const server = createServer((request, response) => {
      told.push(request.url ?? "");
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const wave = await recorded(
      { sad: "recordings: recording\ninput: that\nexpect: { status: failed }\n" },
      `alerts: [{ name: us, url: "${url}" }]\n`,
    );
    const text = readFileSync(path.join(wave.root, "wave.yaml"), "utf8");
    wave.write({ "wave.yaml": text.replace("  name: demo\n", "  name: demo\n  publish: [{ pr_comment: { artifact: notes } }]\n") });
    const ran = await wave.wave("test");
    expect([ran.code, told], ran.stdout + ran.stderr).toEqual([0, []]);
    await new Promise((resolve) => server.close(resolve));
  });
});

/** Steps that change, delete, add, and put other kinds in place; the second one on what the first one did. */
const changing = `
pipeline:
  name: demo
  steps:
    - { id: first, persona: one, task: Begin }
    - { id: second, persona: two, task: Go on, dependencies: [first], handover: { contract: { type: test_suite, command: "sh check.sh" } } }
personas:
  one: { command: 'echo two >> text; rm gone; rm kind; mkdir kind; echo in > kind/in; rm -r full; echo file > full; rm link; ln -s full link; chmod +x tool; mkdir hollow' }
  two: { command: 'cat kind/in; echo three >> text; rm tool; rmdir hollow' }
`;

const changed = `
recordings: recording
expect:
  steps:
    first: { attempts: 1, changes: [full, full/a, gone, hollow, kind, kind/in, link, text, tool] }
    second: { attempts: 1, changes: [hollow, text, tool] }
snapshot: true
`;

describe("a recording whose changes the project has", () => {
  const begun = { text: "one\n", gone: "gone\n", kind: "kind\n", "full/a": "a\n", tool: "#!/bin/sh\n" };
  const check = 'test "$(wc -l < text)" -eq 3 && test ! -e gone && test -d kind && test -f full && test -L link && test ! -e tool';

  /** A project in which the run was recorded and applied, with what the test of it left in a snapshot. */
  async function applied(): Promise<Project> {
    const wave = project({ "wave.yaml": changing, "check.sh": check, ".wave/tests/good.yaml": changed, ...begun });
    symlinkSync("text", path.join(wave.root, "link"));
    const before = await wave.wave("run", "--no-apply", "--record", "recording");
    expect([before.code, (await wave.wave("test", "--update")).code], before.stderr).toEqual([0, 0]);
    const run = await wave.wave("run", "--record", "recording");
    expect([run.code, existsSync(path.join(wave.root, "kind/in"))], run.stderr).toEqual([0, true]);
    return wave;
  }

  test("begins with what lay there before, and leaves the project as it is", async () => {
    const wave = await applied();
    expect(contentsBelow(path.join(wave.root, "recording/first/1/before"))).toEqual({
      "full/a.recorded": "a\n",
      "gone.recorded": "gone\n",
      "kind.recorded": "kind\n",
      "link.recorded": "text",
      "text.recorded": "one\n",
      "tool.recorded": "#!/bin/sh\n",
    });
    const content = contentOf(wave.root);
    const ran = await wave.wave("test");
    expect([ran.code, contentOf(wave.root)], ran.stdout).toEqual([0, content]);
  });

  test("also where others have changed the same files since, or taken them away", async () => {
    const wave = await applied();
    writeFileSync(path.join(wave.root, "text"), "something else\n");
    for (const gone of ["kind", "full", "link"]) rmSync(path.join(wave.root, gone), { recursive: true });
    mkdirSync(path.join(wave.root, "link"));
    const ran = await wave.wave("test");
    expect(ran.code, ran.stdout).toBe(0);
  });

  test("and says so where something is in the way that it knows nothing of", async () => {
    const wave = await applied();
    mkdirSync(path.join(wave.root, "gone"));
    writeFileSync(path.join(wave.root, "gone/others"), "ours\n");
    const ran = await wave.wave("test");
    expect([ran.code, ran.stdout.includes('found    ["full","full/a","gone/others",')], ran.stdout).toEqual([1, true]);
    expect(readFileSync(path.join(wave.root, "gone/others"), "utf8")).toBe("ours\n");
  });

  test("but keeps no file that held a secret: such a file is as the project has it", async () => {
    const secret = "very-secret-0123456789";
    const wave = project({
      "wave.yaml": `secrets: [TOKEN]\n${changing.replace("task: Begin", "task: Begin, secrets: [TOKEN]")}`,
      ...{ "check.sh": check, ".wave/tests/good.yaml": changed.replace("snapshot: true", ""), ...begun },
      gone: `${secret}\n`,
    });
    symlinkSync("text", path.join(wave.root, "link"));
    const run = await wave.start(["run", "--no-apply", "--record", "recording"], { TOKEN: secret }).finished;
    expect(run.code, run.stderr).toBe(0);
    const kept = contentsBelow(path.join(wave.root, "recording"));
    expect([Object.keys(kept).filter((file) => file.includes("gone")), JSON.stringify(kept).includes(secret)]).toEqual([[], false]);
    const { changes } = JSON.parse(kept["first/1/attempt.json"] ?? "");
    expect(changes.slice(0, 3)).toEqual([
      { path: "full", mode: "100644", before: "deleted" },
      { path: "full/a", mode: "deleted", before: "100644" },
      { path: "gone", mode: "deleted" },
    ]);
    expect((await wave.wave("test")).code).toBe(0);
  });

  test("and not where what lay there is missing from the recording", async () => {
    const wave = await applied();
    rmSync(path.join(wave.root, "recording/first/1/before/text.recorded"));
    const ran = await wave.wave("test");
    expect([ran.code, ran.stdout], ran.stderr).toEqual([
      4,
      expect.stringMatching(/cannot read `.*recording\/first\/1\/before\/text\.recorded`/),
    ]);
  });
});

describe("tests that do not hold", () => {
  const wrong = `
recordings: recording
expect:
  steps:
    look: { artifacts: { report: { $.n: 2, "$.nothing": 1, "$.files[*].none": [] } }, attempts: 2 }
    make: { status: failed, failure: empty-output, verdicts: { suite: fail }, changes: [other.txt], artifacts: { notes: Unmade } }
`;

  test("say what was expected and what came, at the line that says so; for people, programs, GitHub and JUnit", async () => {
    const wave = await recorded({ good: holds.replace("snapshot: true", ""), wrong });
    const ran = await wave.wave("test", "--format", "github", "--junit", "out.xml");
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(
      [
        "    artifact `report` of step `look` has another value at `$.n`",
        "      at .wave/tests/wrong.yaml:5:41",
        "        4 |   steps:",
        '        5 |     look: { artifacts: { report: { $.n: 2, "$.nothing": 1, "$.files[*].none": [] } }, a…',
        `          | ${" ".repeat(40)}~`,
        "      expected 2",
        "      found    1",
        "",
      ].join("\n"),
    );
    expect(ran.stdout).toContain("1 test passed, 1 failed\n");
    const annotations = ran.stdout.split("\n").filter((line) => line.startsWith("::error"));
    expect(annotations[0]).toBe(
      "::error file=.wave/tests/wrong.yaml,line=5,col=97,title=wave test wrong::step `look` made another number of attempts: expected 2, found 1",
    );
    const found = JSON.parse((await wave.wave("test", "--json")).stdout);
    expect(found).toMatchObject({
      ok: false,
      tests: [
        { test: { name: "good", pipeline: "demo", file: ".wave/tests/good.yaml" }, mismatches: [], snapshot: "none" },
        { test: { name: "wrong" }, failures: [] },
      ],
    });
    expect(found.tests[1].mismatches.map(({ message, expected, actual }: Record<string, unknown>) => [message, expected, actual])).toEqual([
      ["step `look` made another number of attempts", 2, 1],
      ["artifact `report` of step `look` has another value at `$.n`", 2, 1],
      ["artifact `report` of step `look` has another value at `$.nothing`", 1, undefined],
      ["step `make` ended with another status", "failed", "passed"],
      ["step `make` failed for another reason", "empty-output", undefined],
      ["contract `suite` of step `make` has another verdict", "fail", "pass"],
      ["artifact `notes` of step `make` does not contain the text", "Unmade", "Made\n"],
      ["step `make` changed other files", ["other.txt"], ["made.txt"]],
    ]);
    expect(annotations).toHaveLength(8);
    const junit = readFileSync(path.join(wave.root, "out.xml"), "utf8");
    expect(junit).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="wave test" tests="2" failures="1" errors="0" time="[\d.]+">\n/,
    );
    expect(junit).toMatch(/<testcase name="good" classname="demo" time="[\d.]+"\/>/);
    expect(junit).toContain('<property name="file:good" value=".wave/tests/good.yaml"/>');
    // The attributes that junit-10.xsd of Jenkins' xUnit plugin knows.
    for (const [, attributes = ""] of junit.matchAll(/<testcase((?: [a-z]+="[^"]*")*)\/?>/g)) {
      expect([...attributes.matchAll(/ ([a-z]+)=/g)].map(([, name]) => name)).toEqual(["name", "classname", "time"]);
    }
    expect(junit).toContain('<failure message="step `look` made another number of attempts">.wave/tests/wrong.yaml:5:97: step');
  });

  test("name the step that has no recording of what is asked now", async () => {
    const wave = await recorded({ good: holds.replace("snapshot: true", "") });
    wave.write({ "wave.yaml": manifest.replace("Make it", "Make it well") });
    const ran = await wave.wave("test");
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain("the run ended as failed, not as passed");
    expect(ran.stdout).toContain(
      "make: attempt 1 of step `make` has no recording\n      the step has changed since it was recorded: task\n",
    );
  });

  test("tell how a run differs from its snapshot, and `--update` takes the difference", async () => {
    const wave = await recorded({ good: holds });
    const missing = await wave.wave("test");
    expect([missing.code, missing.stdout.includes("there is no snapshot yet: `wave test --update` writes it")]).toEqual([1, true]);
    await wave.wave("test", "--update");
    const message = path.join(wave.root, "recording/look/1/message.md");
    writeFileSync(message, readFileSync(message, "utf8").replace('"n": 1', '"n": 1, "m": 5'));
    const file = path.join(wave.root, "recording/make/1/attempt.json");
    for (const attempt of [1, 2]) {
      const name = file.replace("make/1", `make/${attempt}`);
      const recording = JSON.parse(readFileSync(name, "utf8"));
      delete recording.asked["input:report"];
      writeFileSync(name, JSON.stringify(recording));
    }
    const differs = await wave.wave("test");
    expect(differs.code).toBe(1);
    expect(differs.stdout).toContain("`steps.look.artifacts.report.json.m` differs from the snapshot");
    expect(differs.stdout).toContain("the step has changed since it was recorded: input:report");
    await wave.wave("test", "--update");
    expect(JSON.parse(readFileSync(path.join(wave.root, ".wave/tests/good.snapshot.json"), "utf8"))).toMatchObject({
      ...{ v: 1, status: "failed" },
      steps: { look: { artifacts: { report: { json: { m: 5 } } } }, make: { failure: "recording-missing" } },
    });
  });
});

describe("tests that cannot be run", () => {
  test.each([
    [
      "an unknown step, with what was meant",
      "recordings: recording\nexpect: { steps: { lok: {} } }\n",
      ["odd.yaml:2:20", "did you mean `look`?"],
    ],
    [
      "an artifact that the step does not make",
      "recordings: r\nexpect: { steps: { look: { artifacts: { repot: x } } } }\n",
      ["did you mean `report`?"],
    ],
    [
      "a contract that it does not have",
      "recordings: r\nexpect: { steps: { look: { verdicts: { suite: pass } } } }\n",
      ["has no contract `suite`"],
    ],
    ["what is no JSONPath", "recordings: r\nexpect: { steps: { look: { artifacts: { report: { n: 1 } } } } }\n", ["`n` is not a JSONPath"]],
    ["an unknown key", "recordings: r\nexpct: {}\n", ["did you mean `expect`?"]],
    ["no recording named", "expect: {}\n", ["`recordings` is missing"]],
    ["a recording outside of the project", "recordings: ../r\n", ["is outside the project"]],
    ["an unknown pipeline", "recordings: r\npipeline: dmo\n", ["odd.yaml:2:11", "did you mean `demo`?"]],
    ["what is no YAML", "recordings: [\n", ["odd.yaml:"]],
  ])("for %s", async (_, text, said) => {
    const wave = project({ "wave.yaml": manifest, ".wave/tests/odd.yaml": text });
    const ran = await wave.wave("test");
    expect(ran.code, ran.stderr).toBe(2);
    for (const words of said) expect(ran.stderr).toContain(words);
    // `validate` says the same of them.
    expect(await wave.wave("validate")).toMatchObject({ code: 2, stderr: ran.stderr });
  });

  test("since there are none, none of that name, or none of that pipeline", async () => {
    const wave = project({ "wave.yaml": manifest });
    const none = await wave.wave("test");
    expect([none.code, none.stderr.includes("there are no tests in .wave/tests")]).toEqual([2, true]);
    wave.write({ ".wave/tests/good.yaml": "recordings: recording\n" });
    const misnamed = await wave.wave("test", "god");
    expect([misnamed.code, misnamed.stderr.includes("did you mean `good`?")]).toEqual([2, true]);
    const other = await wave.wave("test", "--pipeline", "other");
    expect([other.code, other.stderr.includes("there is no test of pipeline `other`")]).toEqual([2, true]);
  });

  test("since the recording is not there: exit 4, also in JUnit", async () => {
    const wave = project({ "wave.yaml": manifest, ".wave/tests/good.yaml": "recordings: recording\n" });
    const ran = await wave.wave("test", "--junit", "out.xml");
    expect([ran.code, ran.stdout.includes("there is no recording in")]).toEqual([4, true]);
    expect(readFileSync(path.join(wave.root, "out.xml"), "utf8")).toContain('errors="1"');
    mkdirSync(path.join(wave.root, "directory"));
    const unwritable = await wave.wave("test", "--junit", "directory");
    expect([unwritable.code, unwritable.stderr.includes("directory")]).toEqual([4, true]);
  });
});

test("the example passes in a copy without anything else, also where its files were worked on since", async () => {
  const wave = project({});
  cpSync(path.join(repository, "examples/feature-development"), wave.root, {
    recursive: true,
    filter: (file) => !file.includes("/.wave/state"),
  });
  const worked = { "src/slugify.mjs": "export const slugify = () => {};\n", "test/edges.test.mjs": "throw new Error('ours');\n" };
  for (const files of [{}, worked]) {
    wave.write(files);
    const content = contentOf(wave.root);
    for (const env of [{}, { WAVE_ISOLATION: "none" }, { WAVE_ISOLATION: "copy" }]) {
      const ran = await wave.start(["test"], env).finished;
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      expect(ran.stdout).toMatch(/^✓ slugify feature-development@v1, [\d.]+m?s\n1 test passed\n$/);
    }
    expect(contentOf(wave.root)).toEqual(content);
  }
});

test("docs/testing.md shows the example's test as it stands", () => {
  const page = readFileSync(path.join(repository, "docs/testing.md"), "utf8");
  const name = "examples/feature-development/.wave/tests/slugify.yaml";
  expect(page).toContain(`<!-- file: ${name} -->\n\n\`\`\`yaml\n${readFileSync(path.join(repository, name), "utf8")}\`\`\`\n`);
});
