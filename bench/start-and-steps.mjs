/**
 * What wave adds to the work itself, beside the floor, in one run. Nothing but Node is needed:
 *
 *     node bench/start-and-steps.mjs [PAIRS]      15 pairs by default
 *
 * start   one step that runs `true` in place, from process start to exit, beside Node's own start (`node -e 0`)
 * steps   200 such steps in 20 layers, 2 at a time, beside a Node loop that spawns the same children
 * kept    the same steps beside a loop that does for each child what wave promises at the least: a group of its own, its
 *         task on standard input, its output read, directories for output and temporary files, and a line of what begins and
 *         ends on disk before the next begins
 * bound   what the steps would take if wave did nothing for them: `wave validate` on their manifest and that loop, without Node's start
 *
 * Each pair runs both commands right after one another, so that a machine that gets slower or faster changes both. The ratio is
 * the median of the pairs' ratios. It measures and does not judge; the budgets are printed beside it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cli, countFrom, here, layered, manifestOf, median, print, time } from "./measure.mjs";

const count = 200;
const pairs = countFrom(process.argv[2], 15, "node bench/start-and-steps.mjs [PAIRS]");

const loop = `
import { spawn } from "node:child_process";
let left = ${count};
const next = () => {
  if (left-- > 0) spawn("true", [], { stdio: "ignore" }).on("close", next);
};
next();
next();
`;

const keptLoop = `
import { spawn } from "node:child_process";
import { closeSync, fdatasync, mkdirSync, mkdtempSync, openSync, readdirSync, rmdirSync, rmSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
const room = mkdtempSync(process.argv[2]);
const journal = openSync(room + "/journal", "ax");
const line = "x".repeat(600) + "\\n";
let waiting = [];
let syncing = false;
const kept = (lines) => new Promise((done) => {
  writeSync(journal, line.repeat(lines));
  waiting.push(done);
  if (!syncing) sync();
});
const sync = () => {
  syncing = true;
  const those = waiting.splice(0);
  fdatasync(journal, () => {
    for (const done of those) done();
    syncing = waiting.length > 0;
    if (syncing) sync();
  });
};
const child = (place) => new Promise((done) => {
  for (const directory of [place, place + ".tmp"]) mkdirSync(directory);
  writeFileSync(place + ".md", "task");
  const task = openSync(place + ".md");
  const started = spawn("true", [], { stdio: [task, "pipe", "pipe"], detached: true });
  closeSync(task);
  for (const stream of [started.stdout, started.stderr]) stream.on("data", () => {});
  started.on("close", () => {
    readdirSync(place);
    for (const directory of [place, place + ".tmp"]) rmdirSync(directory);
    unlinkSync(place + ".md");
    done();
  });
});
let left = ${count};
const lane = async () => {
  await kept(1);
  while (left-- > 0) {
    await child(room + "/" + left);
    await kept(3);
  }
};
await Promise.all([lane(), lane()]);
rmSync(room, { recursive: true });
`;

const scratch = mkdtempSync(path.join(tmpdir(), "wave-bench-"));
try {
  const one = project("one", 1);
  const many = project("many", count);
  const [bare, keeping] = ["loop.mjs", "kept-loop.mjs"].map((name) => path.join(scratch, name));
  writeFileSync(bare, loop);
  writeFileSync(keeping, keptLoop);
  const start = compare(wave(one), ["-e", "0"]);
  const steps = compare(wave(many, "--concurrency", "2"), [bare]);
  const kept = compare(wave(many, "--concurrency", "2"), [keeping, path.join(scratch, "room-")]);
  const read = compare([cli, "validate", "-C", many], ["-e", "0"]);
  const over = median(start.map(({ work, floor }) => work - floor));
  const each = median(steps.map(({ work, floor }) => work - floor)) / count;
  const bound = median(read.map(({ work, floor }) => work - floor)) + median(kept.map(({ floor }) => floor));
  const floor = median(steps.map(({ floor }) => floor));
  console.log(`${pairs} pairs each, medians; ${here}\n`);
  print([
    ["", "wave", "floor", "ratio", "over the floor", "budget"],
    ["start", ...row(start), `${over.toFixed(0)} ms`, "at most 100 ms over the floor"],
    ["steps", ...row(steps), `${each.toFixed(2)} ms a step`, "at most 2 x the floor"],
    ["kept", ...row(kept), "", ""],
    ["bound", `${bound.toFixed(0)} ms`, `${floor.toFixed(0)} ms`, (bound / floor).toFixed(2), "", ""],
  ]);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** A project of its own, so that nothing of the repository is looked at. */
function project(name, steps) {
  const directory = path.join(scratch, name);
  mkdirSync(directory);
  writeFileSync(path.join(directory, "wave.yaml"), manifestOf(layered(steps)));
  return directory;
}

/** The words of a fresh run: what earlier runs left is not part of the cost. */
function wave(directory, ...words) {
  return [cli, "run", "-C", directory, ...words];
}

/** Times two commands in turn; the first pair warms caches and is not counted. */
function compare(words, floorWords) {
  const timed = Array.from({ length: pairs + 1 }, () => {
    for (const name of ["one", "many"]) rmSync(path.join(scratch, name, ".wave"), { recursive: true, force: true });
    return { work: time([process.execPath, ...words]), floor: time([process.execPath, ...floorWords]) };
  });
  return timed.slice(1);
}

function row(timed) {
  const ratio = median(timed.map(({ work, floor }) => work / floor));
  return [
    `${median(timed.map(({ work }) => work)).toFixed(0)} ms`,
    `${median(timed.map(({ floor }) => floor)).toFixed(0)} ms`,
    ratio.toFixed(2),
  ];
}
