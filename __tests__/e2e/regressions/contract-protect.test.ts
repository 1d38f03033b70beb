/** Files that judge a step are not the step's own, nor those of the pull request that is judged. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openPullRequest } from "../../rig/github/pull-request.ts";
import { type GitHubServer, startGitHub } from "../../rig/github/server.ts";
import { gitRepository } from "../../rig/ignored-project.ts";
import type { Project } from "../../rig/project.ts";

/** A step that runs `command`, judged by `check.sh`, which calls `tests/all.sh`. */
function manifest(command: string, protect: string, more = ""): string {
  const contract = `{ name: t, type: test_suite, command: [sh, check.sh]${protect === "" ? "" : `, protect: ${protect}`} }`;
  return `pipeline: { name: ci, steps: [{ id: a, persona: s, task: x, handover: { contract: ${contract} }${more} }] }\npersonas: { s: { adapter: command, command: ${JSON.stringify(command)} } }\n`;
}

const files = { "check.sh": "sh tests/all.sh && ! test -e tests/extra.sh\n", "tests/all.sh": "grep -q good value\n", value: "bad\n" };
const everything = '["check.sh", "tests/**"]';

function judged(command: string, protect: string, more = ""): Project {
  return gitRepository({ "wave.yaml": manifest(command, protect, more), ".gitignore": ".wave/state/\n", ...files });
}

describe.each([["overlay"], ["copy"]])("`protect` with the %s provider", (isolation) => {
  const run = (wave: Project) => wave.start(["run"], { WAVE_ISOLATION: isolation }).finished;

  test.each([
    ["edits", "echo exit 0 > check.sh"],
    ["deletes and adds", "rm tests/all.sh; mkdir -p tests; echo true > tests/all.sh; echo true > tests/extra.sh"],
    ["replaces by a link", "ln -sf /bin/true check.sh"],
    ["replaces the directory of", "rm -r tests; ln -s /tmp tests"],
  ])("judges by the files of the base when the step %s them", async (_case, command) => {
    const wave = judged(command, everything);
    const ended = await run(wave);
    expect([ended.code, ended.stderr.includes("`sh check.sh` exited with 1")], ended.stderr).toEqual([1, true]);
  });

  test("removes an ignored file that matches and was there when the run started", async () => {
    const wave = judged("echo good > value", everything);
    wave.write({ ".gitignore": ".wave/state/\ntests/extra.sh\n", "tests/extra.sh": "true\n" });
    const ended = await run(wave);
    // The contract's script fails if `tests/extra.sh` exists.
    expect(ended.code, ended.stderr).toBe(0);
    expect(readFileSync(`${wave.root}/tests/extra.sh`, "utf8")).toBe("true\n");
  });

  test("keeps the step's own edits of protected files in its changes", async () => {
    const wave = judged("echo good > value; echo '# more' >> tests/all.sh", everything);
    const ended = await run(wave);
    expect(ended.code, ended.stderr).toBe(0);
    expect([readFileSync(`${wave.root}/value`, "utf8"), readFileSync(`${wave.root}/tests/all.sh`, "utf8")]).toEqual([
      "good\n",
      `${files["tests/all.sh"]}# more\n`,
    ]);
  });

  test("judges by the base's files although a step before changed them", async () => {
    const text = manifest("echo exit 0 > tests/all.sh", '["tests/**"]').replace(
      "steps: [{ id: a,",
      "steps: [{ id: before, persona: s, task: x }, { id: a, dependencies: [before],",
    );
    const wave = gitRepository({ "wave.yaml": text, ".gitignore": ".wave/state/\n", ...files });
    expect((await run(wave)).code).toBe(1);
  });
});

describe("without `protect`", () => {
  test("a step can change the script that judges it", async () => {
    expect((await judged("echo exit 0 > check.sh", "").wave("run")).code).toBe(0);
  });
});

describe("`protect`", () => {
  test("is refused for a step that works in the project itself", async () => {
    const validated = await judged("true", everything, ", workspace: shared").wave("validate");
    expect([validated.code, validated.stderr]).toEqual([2, expect.stringContaining("`protect` restores no files in a shared workspace")]);
  });

  test("is refused if it leads out of the project", async () => {
    expect((await judged("true", '["../**"]').wave("validate")).code).toBe(2);
  });

  test("judges the stored output again after its globs changed", async () => {
    const wave = judged("echo good > value; echo exit 0 > tests/all.sh", '["check.sh"]', ", reuse: true");
    expect((await wave.wave("run", "--no-apply")).code).toBe(0);
    wave.write({ "wave.yaml": manifest("echo good > value; echo exit 0 > tests/all.sh", everything, ", reuse: true") });
    expect((await wave.wave("plan", "--detailed-exitcode")).code).toBe(3);
  });
});

describe("a fork's pull request", () => {
  let github: GitHubServer;
  beforeEach(async () => {
    github = await startGitHub();
  });
  afterEach(async () => {
    expect(github.invalid).toEqual([]);
    await github.close();
  });
  const inputs = { comment: "true", cache: "false", artifacts: "false" };

  test.each([
    ["REST", {}],
    ["one fetch", { "github-token": "" }],
  ])("is judged by the protected scripts of its base, read through %s", async (_how, token) => {
    const changes = { "check.sh": "exit 0\n", "tests/all.sh": undefined, "tests/extra.sh": "exit 0\n" };
    const rig = openPullRequest(github, { "wave.yaml": manifest("true", everything), ...files }, changes, { fork: true });
    const { startGitServer } = await import("../../rig/github/git-server.ts");
    const server = await startGitServer(rig.remote.directory);
    const job = await rig.job({ serverUrl: server.url, inputs: { ...inputs, ...token } });
    await server.close();
    expect(job.code, job.log).toBe(1);
    expect(job.log).toContain("`sh check.sh` exited with 1");
    expect(job.log).not.toContain("The pull request changes");
  });

  test("in a subdirectory of the repository is judged by the protected scripts of its base", async () => {
    const below = (all: object) => Object.fromEntries(Object.entries(all).map(([name, text]) => [`app/${name}`, text]));
    const base = below({ "wave.yaml": manifest("true", everything), ...files });
    const rig = openPullRequest(github, base, { "app/check.sh": "exit 0\n" }, { fork: true });
    expect((await rig.job({ inputs: { ...inputs, "working-directory": "app" } })).code).toBe(1);
  });

  test.each([
    ["edits", { "check.sh": "exit 0\n" }],
    ["adds", { "check.sh": "exit 0\n" }],
  ])("that %s an unprotected script of a contract is warned about in check, comment and summary", async (how, changes) => {
    const base = { "wave.yaml": manifest("true", ""), ...files, ...(how === "adds" ? { "check.sh": undefined } : {}) };
    const known = Object.fromEntries(Object.entries(base).filter(([, text]) => text !== undefined));
    const rig = openPullRequest(github, known, changes, { fork: true });
    const job = await rig.job({ inputs });
    expect(job.code, job.log).toBe(0);
    const warning = "The pull request changes &#96;check&#46;sh&#96;, which contract &#96;t&#96; of step &#96;a&#96; runs";
    const places = [
      ...github.state.checks.map(({ output }) => output.summary),
      ...github.state.comments.map(({ body }) => body),
      job.summary,
    ];
    expect(places.map((text) => text.includes(warning))).toEqual([true, true, true, true]);
    expect(job.annotations.filter(({ level }) => level === "warning").map(({ message }) => message)).toContainEqual(
      expect.stringContaining("The pull request changes `check.sh`"),
    );
  });

  test("that changes other files is not warned about", async () => {
    const rig = openPullRequest(github, { "wave.yaml": manifest("true", ""), ...files }, { value: "good\n" }, { fork: true });
    const job = await rig.job({ inputs });
    expect([job.code, job.log.includes("The pull request changes")], job.log).toEqual([0, false]);
  });
});
