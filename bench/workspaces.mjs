/**
 * What a workspace costs an attempt, beside `cp -a --reflink=auto` of the same tree, in one run. Needs git and GNU cp besides Node:
 *
 *     node bench/workspaces.mjs [RUNS]      7 runs by default
 *
 * The project has 5,000 tracked and 20,000 ignored files. The step changes one tracked file; times are those of the attempt as its
 * event tells them: making the workspace, the child, collecting what it changed, giving the workspace back. It measures and does not judge;
 * the budgets are printed beside it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const cli = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../dist/cli.js");
const runs = Number(process.argv[2] ?? 7);
if (!Number.isInteger(runs) || runs < 1) {
  console.error("usage: node bench/workspaces.mjs [RUNS]");
  process.exit(2);
}

const scratch = mkdtempSync(path.join(tmpdir(), "wave-bench-"));
try {
  const root = path.join(scratch, "project");
  fill(path.join(root, "src"), 5000);
  fill(path.join(root, "node_modules"), 20_000);
  writeFileSync(path.join(root, ".gitignore"), "node_modules\n.wave\n");
  for (const name of ["in-place", "isolated"]) writeFileSync(path.join(root, `${name}.yaml`), manifest(name === "in-place"));
  execFileSync("git", ["init", "-q"], { cwd: root });
  execFileSync("git", ["add", "."], { cwd: root });
  execFileSync("git", ["-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "files"], { cwd: root });
  const provider = JSON.parse(wave(root, "doctor", "-f", "isolated.yaml", "--json")).isolation.overlay ? "overlay" : "copy";
  const place = median(times(() => attempt(root, "in-place")));
  const isolated = median(times(() => attempt(root, "isolated")));
  const copied = median(times(() => copyOnce(root)));
  console.log(`${runs} runs each, medians; ${process.platform}-${process.arch}, Node ${process.versions.node}, provider: ${provider}\n`);
  console.log(`in place                  ${place.toFixed(0).padStart(6)} ms`);
  console.log(`isolated                  ${isolated.toFixed(0).padStart(6)} ms   ${(isolated - place).toFixed(0)} ms more`);
  console.log(`cp -a --reflink=auto      ${copied.toFixed(0).padStart(6)} ms`);
  console.log("\nbudget: overlay at most 30 ms an attempt; copy at most 1.2 x cp");
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function manifest(inPlace) {
  const more = inPlace ? ", workspace: shared" : "";
  return `personas: { w: { command: [sh, -c, "echo $WAVE_RUN_ID > src/0/0.txt"] } }\nsteps: [{ id: a, persona: w${more} }]\n`;
}

function fill(directory, count) {
  for (let at = 0; at < count; at += 100) {
    const inside = path.join(directory, String(at / 100));
    mkdirSync(inside, { recursive: true });
    for (let file = 0; file < 100; file++) writeFileSync(path.join(inside, `${file}.txt`), `file ${at + file}\n`.repeat(20));
  }
}

/** The attempt's milliseconds, from its event. */
function attempt(root, name) {
  rmSync(path.join(root, ".wave/state/journals"), { recursive: true, force: true });
  wave(root, "run", "-f", `${name}.yaml`, "--no-apply");
  const journals = path.join(root, ".wave/state/journals");
  const files = readdirSync(journals, { recursive: true }).filter((file) => String(file).endsWith(".jsonl"));
  const lines = files.flatMap((file) =>
    readFileSync(path.join(journals, String(file)), "utf8")
      .trim()
      .split("\n"),
  );
  return lines.map((line) => JSON.parse(line)).find((event) => event.type === "attempt-passed").durationMs;
}

function copyOnce(root) {
  const target = path.join(scratch, "copy");
  const began = performance.now();
  execFileSync("cp", ["-a", "--reflink=auto", root, target]);
  const took = performance.now() - began;
  rmSync(target, { recursive: true });
  return took;
}

function wave(root, ...words) {
  const ran = spawnSync(process.execPath, [cli, ...words], { cwd: root, encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`wave ${words.join(" ")} exited with ${ran.status}\n${ran.stderr}`);
  return ran.stdout;
}

function times(work) {
  work();
  return Array.from({ length: runs }, work);
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
