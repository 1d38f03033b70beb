/**
 * How long a job waits for its first child: from the start of the Action's bundle to the first thing that a step does, beside Node's own start. The
 * project is a git repository with one commit and one step in place; there is no service to talk to. Node and git are needed:
 *
 *     node bench/action-start.mjs [PAIRS]      15 pairs by default
 *
 * The Action runs on Node 24: run it with that. It measures and does not judge; the budget is printed beside it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { countFrom, here, median, repository } from "./measure.mjs";

const action = path.join(repository, "dist/action.js");
const pairs = countFrom(process.argv[2], 15, "node bench/action-start.mjs [PAIRS]");

const scratch = mkdtempSync(path.join(tmpdir(), "wave-bench-"));
try {
  const workspace = path.join(scratch, "workspace");
  const seen = path.join(scratch, "seen");
  mkdirSync(workspace);
  writeFileSync(
    path.join(workspace, "wave.yaml"),
    `personas:\n  a: { command: 'date +%s%N > ${seen}' }\npipeline:\n  name: one\n  steps: [{ id: a, persona: a, workspace: shared, sandbox: off }]\n`,
  );
  const git = (...words) => execFileSync("git", words, { cwd: workspace, encoding: "utf8" }).trim();
  git("init", "-q");
  git("add", ".");
  git("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "one");
  const env = jobEnvironment(workspace, git("rev-parse", "HEAD"));
  const found = Array.from({ length: pairs }, () => {
    rmSync(path.join(workspace, ".wave"), { recursive: true, force: true });
    const began = Date.now();
    const ran = spawnSync(process.execPath, [action], { cwd: workspace, env });
    if (ran.status !== 0) throw new Error(`the Action ended with ${ran.status}:\n${ran.stdout}${ran.stderr}`);
    const first = Number(BigInt(readFileSync(seen, "utf8").trim()) / 1000n) / 1000 - began;
    const before = performance.now();
    spawnSync(process.execPath, ["-e", "0"], { env });
    const node = performance.now() - before;
    return { first, node, over: first - node };
  });
  const of = (name) => median(found.map((pair) => pair[name])).toFixed(0);
  console.log(`${pairs} pairs, medians; ${here}\n`);
  console.log(`first child ${of("first")} ms, Node ${of("node")} ms, over it ${of("over")} ms (at most 150 ms)`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** What a runner sets, without its services. */
function jobEnvironment(workspace, sha) {
  const files = Object.fromEntries(["OUTPUT", "STATE", "ENV", "STEP_SUMMARY"].map((name) => [`GITHUB_${name}`, path.join(scratch, name)]));
  for (const file of Object.values(files)) writeFileSync(file, "");
  return {
    ...{ PATH: process.env.PATH, HOME: scratch, CI: "true", GITHUB_ACTIONS: "true", RUNNER_TEMP: path.join(scratch, "temp"), ...files },
    ...{
      GITHUB_REPOSITORY: "octo/demo",
      GITHUB_RUN_ID: "1",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_EVENT_NAME: "push",
      GITHUB_REF: "refs/heads/main",
    },
    ...{ GITHUB_SHA: sha, GITHUB_JOB: "bench", GITHUB_ACTOR: "mona", GITHUB_WORKSPACE: workspace },
  };
}
