/**
 * What a workspace costs an attempt, beside `cp -a --reflink=auto` of the same tree, in one run. Needs git and GNU cp besides Node:
 *
 *     node bench/workspaces.mjs [RUNS]      7 runs by default
 *
 * The project has 5,000 tracked and 20,000 ignored files. Four steps in a row change one tracked file each; times are those of their attempts as
 * their events tell them: making the workspace, the child, collecting what it changed, giving the workspace back. The first one, which finds out what
 * the machine can do, is not counted. `isolated` is what a workspace of its own costs, `fenced` what the sandbox adds, and
 * `copied` what an attempt costs where overlays cannot be mounted. It measures and does not judge; the budgets are printed beside it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cli, countFrom, here, median } from "./measure.mjs";

const runs = countFrom(process.argv[2], 7, "node bench/workspaces.mjs [RUNS]");

/** What each manifest says of its steps. */
const kinds = { "in-place": ", workspace: shared, sandbox: off", isolated: ", sandbox: off", fenced: "" };

const scratch = mkdtempSync(path.join(tmpdir(), "wave-bench-"));
try {
  const root = path.join(scratch, "project");
  fill(path.join(root, "src"), 5000);
  fill(path.join(root, "node_modules"), 20_000);
  writeFileSync(path.join(root, ".gitignore"), "node_modules\n.wave\n");
  for (const name of Object.keys(kinds)) writeFileSync(path.join(root, `${name}.yaml`), manifest(kinds[name]));
  execFileSync("git", ["init", "-q"], { cwd: root });
  execFileSync("git", ["add", "."], { cwd: root });
  execFileSync("git", ["-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "files"], { cwd: root });
  const provider = JSON.parse(wave(root, ["doctor", "-f", "isolated.yaml", "--json"])).isolation.overlay ? "overlay" : "copy";
  const [place, isolated, fenced] = ["in-place", "isolated", "fenced"].map((name) => median(times(() => attempts(root, name)).flat()));
  const copied = median(times(() => attempts(root, "isolated", { WAVE_ISOLATION: "copy" })).flat());
  const copy = median(times(() => copyOnce(root)));
  console.log(`${runs} runs each, medians; ${here}, provider: ${provider}\n`);
  console.log(`in place                  ${place.toFixed(0).padStart(6)} ms`);
  console.log(`isolated                  ${isolated.toFixed(0).padStart(6)} ms   ${(isolated - place).toFixed(0)} ms more`);
  console.log(`fenced                    ${fenced.toFixed(0).padStart(6)} ms   ${(fenced - place).toFixed(0)} ms more`);
  if (copied !== undefined)
    console.log(`copied                    ${copied.toFixed(0).padStart(6)} ms   ${(copied / copy).toFixed(2)} x cp`);
  console.log(`cp -a --reflink=auto      ${copy.toFixed(0).padStart(6)} ms`);
  console.log("\nbudget: overlay at most 30 ms an attempt; copy at most 1.2 x cp");
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function manifest(more) {
  const step = (id, before) => `  - { id: ${id}, persona: w${more}${before === undefined ? "" : `, dependencies: [${before}]`} }\n`;
  const steps = ["a", "b", "c", "d"].map((id, index, ids) => step(id, ids[index - 1]));
  return `personas: { w: { command: [sh, -c, "echo $WAVE_RUN_ID $WAVE_STEP_ID > src/0/0.txt"] } }\nsteps:\n${steps.join("")}`;
}

function fill(directory, count) {
  for (let at = 0; at < count; at += 100) {
    const inside = path.join(directory, String(at / 100));
    mkdirSync(inside, { recursive: true });
    for (let file = 0; file < 100; file++) writeFileSync(path.join(inside, `${file}.txt`), `file ${at + file}\n`.repeat(20));
  }
}

/** The milliseconds of the attempts but the first, from their events. */
function attempts(root, name, env = {}) {
  rmSync(path.join(root, ".wave/state/journals"), { recursive: true, force: true });
  wave(root, ["run", "-f", `${name}.yaml`, "--no-apply"], env);
  const journals = path.join(root, ".wave/state/journals");
  const files = readdirSync(journals, { recursive: true }).filter((file) => String(file).endsWith(".jsonl"));
  const lines = files.flatMap((file) =>
    readFileSync(path.join(journals, String(file)), "utf8")
      .trim()
      .split("\n"),
  );
  const passed = lines.map((line) => JSON.parse(line)).filter((event) => event.type === "attempt-passed");
  return passed.filter(({ step }) => step !== "a").map(({ durationMs }) => durationMs);
}

function copyOnce(root) {
  const target = path.join(scratch, "copy");
  const began = performance.now();
  execFileSync("cp", ["-a", "--reflink=auto", root, target]);
  const took = performance.now() - began;
  rmSync(target, { recursive: true });
  return took;
}

function wave(root, words, env = {}) {
  const ran = spawnSync(process.execPath, [cli, ...words], { cwd: root, encoding: "utf8", env: { ...process.env, ...env } });
  if (ran.status !== 0) throw new Error(`wave ${words.join(" ")} exited with ${ran.status}\n${ran.stderr}`);
  return ran.stdout;
}

function times(work) {
  work();
  return Array.from({ length: runs }, work);
}
