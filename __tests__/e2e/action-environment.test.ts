/** A job's tokens and secrets: what code of the checkout that runs without a sandbox can read of the Action's processes. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { gitRemote } from "../rig/actions/remote.ts";
import { startResultsService } from "../rig/actions/results-service.ts";
import { runJob } from "../rig/actions/runner.ts";

/** Prints command line, environment, open files and memory map of each process above the shell. */
const spy = `#!/bin/sh
at=$$
while [ "$at" -gt 1 ]; do
  at=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$at/status")
  [ "$at" -gt 1 ] || break
  echo "--- process $at"
  tr '\\0' ' ' < "/proc/$at/cmdline"
  tr '\\0' '\\n' < "/proc/$at/environ" && echo "environment of $at was read"
  ls -l "/proc/$at/fd" 2>&1
  for thread in /proc/$at/task/*; do tr '\\0' '\\n' < "$thread/environ"; done
done >> "$1"
`;

const values = {
  ACTIONS_RUNTIME_TOKEN: "rt-0123456789abcdef",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "id-0123456789abcdef",
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://oidc.example/0123456789abcdef",
  GITHUB_TOKEN: "gt-0123456789abcdef",
  DECLARED_KEY: "dk-0123456789abcdef",
  UNDECLARED_KEY: "uk-0123456789abcdef",
};
/** The default of the rig's `github-token`. */
const jobToken = "ghs_rigtoken0000000000000000000000000000";
const input = "text of the input 0123456789abcdef";
const secrets = [...Object.values(values), jobToken, input];

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function scratch(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-spy-"));
  directories.push(directory);
  return directory;
}

/** A job with a step and a contract that look at the processes above them, both without a sandbox. */
async function spiedJob(seen: string, env: Readonly<Record<string, string>> = {}) {
  const remote = gitRemote();
  const commit = remote.commit("main", {
    "spy.sh": spy,
    "wave.yaml": `
sandbox: off
personas:
  key: { command: 'test "$DECLARED_KEY" = ${values.DECLARED_KEY}', secrets: [DECLARED_KEY] }
  spy: { command: 'sh spy.sh ${seen}.step' }
pipeline:
  name: spied
  steps:
    - { id: key, persona: key }
    - id: look
      persona: spy
      dependencies: [key]
      handover:
        contract: { type: test_suite, command: [sh, spy.sh, ${seen}.contract] }
`,
  });
  return runJob({
    workspace: remote.checkout(commit),
    sha: commit,
    env: { ...values, ...env },
    inputs: { input, checks: "none", cache: "false", artifacts: "false" },
  });
}

describe.runIf(process.platform === "linux")("without a sandbox", () => {
  it("no token, input or secret is readable in the environment of a process above a step or a contract", async () => {
    const seen = path.join(scratch(), "seen");
    const result = await spiedJob(seen);
    expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
    for (const kind of ["step", "contract"]) {
      const text = readFileSync(`${seen}.${kind}`, "utf8");
      const action = /--- process (\d+)\n\S*node \S*dist\/action\.js/.exec(text)?.[1];
      expect(text).toContain(`environment of ${action} was read`);
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
      const own = text.split("--- process ").find((section) => section.startsWith(`${action}\n`));
      // Pipes of standard streams are removed at once, and keep nothing.
      const deleted = own?.split("\n").filter((line) => line.includes("(deleted)") && !/\/wave-pipes-\w+\/\d+ \(deleted\)$/.test(line));
      expect(deleted).toEqual([]);
    }
  });

  it("outputs, state and the summary still reach the runner", async () => {
    const result = await spiedJob(path.join(scratch(), "seen"));
    expect(result.outputs).toMatchObject({ status: "passed", steps: expect.stringContaining('"look"') });
    expect(Object.keys(result.state)).toEqual(expect.arrayContaining(["state", "run"]));
    expect(result.summary).toContain("spied");
  });

  it("neither of the Action's two processes has a readable environment when it ends", async () => {
    const directory = scratch();
    const [hook, found] = [path.join(directory, "hook.cjs"), path.join(directory, "found")];
    writeFileSync(
      hook,
      `const { appendFileSync, readFileSync } = require("node:fs");
process.on("exit", () => {
  if (/dist\\/(action|post)\\.js$/.test(process.argv[1])) appendFileSync(${JSON.stringify(found)}, process.argv[1] + readFileSync("/proc/self/environ", "latin1") + "\\n");
});\n`,
    );
    await spiedJob(path.join(directory, "seen"), { NODE_OPTIONS: `--require ${hook}` });
    expect(existsSync(found)).toBe(true);
    const text = readFileSync(found, "latin1");
    expect(text).toMatch(/dist\/action\.js[\s\S]*dist\/post\.js/);
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("a program that the cache client starts", () => {
  it("inherits no token, input or secret", async () => {
    const service = await startResultsService();
    try {
      const directory = scratch();
      const seen = path.join(directory, "seen");
      const real = execFileSync("sh", ["-c", "command -v tar"], { encoding: "utf8" }).trim();
      writeFileSync(path.join(directory, "tar"), `#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/environ >> '${seen}'\nexec '${real}' "$@"\n`, {
        mode: 0o755,
      });
      const remote = gitRemote();
      const sha = remote.commit("main", {
        "wave.yaml": "steps: [{ id: a, persona: p }]\npersonas: { p: { command: 'true', secrets: [DECLARED_KEY] } }\n",
      });
      const identity = { runId: 100, job: "build", attempt: 1, ref: "refs/heads/main" };
      const { ACTIONS_RUNTIME_TOKEN: _token, ...env } = values;
      const given = service.environment(identity);
      const result = await runJob({
        ...{ workspace: remote.checkout(sha), sha, service: given },
        env: { ...env, PATH: `${directory}:${process.env["PATH"]}` },
        inputs: { input, checks: "none", artifacts: "false" },
      });
      expect({ code: result.code, warnings: result.annotations }).toEqual({ code: 0, warnings: [] });
      expect(service.caches).toHaveLength(1);
      const text = readFileSync(seen, "utf8");
      expect(text).toContain("PATH=");
      expect([...secrets, given["ACTIONS_RUNTIME_TOKEN"] ?? "no token"].filter((secret) => text.includes(secret))).toEqual([]);
    } finally {
      await service.close();
    }
  });
});
