/** Annotations of checks that a job writes: each place that a test command prints, at its level, with the right count. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { gitRemote } from "../../rig/actions/remote.ts";
import { type JobResult, runJob } from "../../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../../rig/github/server.ts";

const manifest = `
pipeline: { name: p, steps: [{ id: a, persona: s, task: x, handover: { contract: { name: t, type: test_suite, command: [sh, check.sh] } } }] }
personas: { s: { adapter: command, command: "true" } }
`;

let github: GitHubServer;
beforeAll(async () => {
  github = await startGitHub();
});
afterAll(() => github.close());
beforeEach(() => {
  for (const list of [github.state.checks, github.requests]) list.splice(0);
  delete github.state.refusesAnnotation;
});
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});

/** A job whose contract prints `output`, given in the syntax of printf. */
function jobThatPrints(output: string): Promise<JobResult> {
  const remote = gitRemote();
  const files = { "wave.yaml": manifest, "src/a.js": "1;\n2;\n3;\n", "check.sh": `printf '${output}'\nexit 1\n` };
  const sha = remote.commit("main", files);
  return runJob({ workspace: remote.checkout(sha), sha, apiUrl: github.url, inputs: { "github-token": "t" } });
}

const annotations = () => github.state.checks.find(({ name }) => name.includes("a: t"))?.annotations ?? [];

describe("the check of a test suite", () => {
  test.each([
    ["coloured gcc", "\\033[01msrc/a.js:2:1:\\033[m \\033[01;31merror:\\033[m bad\\n", [2, "failure", "error: bad"]],
    ["tsc --pretty", "src/a.js:3:1 - error TS1: bad\\n", [3, "failure", "error TS1: bad"]],
    ["a compiler that warns", "src/a.js:2:1: warning: unused\\n", [2, "warning", "warning: unused"]],
    ["Python", '  File "src/a.js", line 3, in f\\n    f()\\nValueError: boom\\n', [3, "failure", "ValueError: boom"]],
    ["V8", "TypeError: boom\\n    at f (src/a.js:2:1)\\n", [2, "failure", "TypeError: boom"]],
    ["webpack", "ERROR in src/a.js:2\\nbad\\n", [2, "failure", "bad"]],
    ["ESLint", "src/a.js\\n  3:1  error  bad  no-bad\\n", [3, "failure", "error  bad  no-bad"]],
    ["a tool that counts from zero", "src/a.js:0:0: bad\\n", [1, "failure", "bad"]],
  ])("has an annotation on the line that %s prints", async (_, output, expected) => {
    await jobThatPrints(output);
    const [, place] = annotations();
    expect(place).toMatchObject({ path: "src/a.js" });
    expect([place?.start_line, place?.annotation_level, place?.message]).toEqual(expected);
  });

  test("counts the places above its limit, and mentions them", async () => {
    const lines = Array.from({ length: 700 }, (_, at) => `src/a.js:1:1: bad ${at}\\n`).join("");
    await jobThatPrints(lines);
    const check = github.state.checks.find(({ name }) => name.includes("a: t"));
    expect(check?.output.title).toContain("701 violations");
    expect(annotations().at(-1)?.message).toBe("200 more violations are not listed");
  });

  test.each([
    ["one", [57], 1],
    ["the first and the last", [0, 119], 2],
  ])("keeps all annotations except %s that GitHub refuses, which the log has", async (_case, refused, dropped) => {
    github.state.refusesAnnotation = ({ message }) => refused.some((at) => message === `bad ${at}.`);
    const job = await jobThatPrints(Array.from({ length: 120 }, (_, at) => `src/a.js:1:1: bad ${at}.\\n`).join(""));
    expect(annotations()).toHaveLength(121 - dropped);
    expect(github.state.checks.map(({ conclusion }) => conclusion)).toEqual(["failure", "failure"]);
    const logged = job.annotations.filter(({ level }) => level === "error");
    expect(logged.map(({ message, properties }) => [properties["file"], properties["line"], message])).toEqual(
      refused.map((at) => ["src/a.js", "1", `bad ${at}.`]),
    );
  });

  test("has its verdict when GitHub refuses every annotation, in a bounded number of requests", async () => {
    github.state.refusesAnnotation = () => true;
    const job = await jobThatPrints(Array.from({ length: 400 }, (_, at) => `src/a.js:1:1: bad ${at}\\n`).join(""));
    expect(github.state.checks.map(({ conclusion }) => conclusion)).toEqual(["failure", "failure"]);
    expect(github.requests.length).toBeLessThan(220);
    expect(job.annotations.filter(({ level }) => level === "error").at(-1)?.message).toContain("more in the job summary");
  });
});
