/**
 * What state costs when there is much of it: the same questions with 10 runs and with 1,000 runs of 20 steps, in one run. Only Node is needed:
 *
 *     node bench/state-queries.mjs [TIMES]      5 times each by default
 *
 * One pipeline is run once. Its journal is then written again for each further run, with an id, times and hashes of its own. The first question after
 * that folds all of them into the database, and is told apart. It measures and does not judge; the budget is printed beside it.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cli, countFrom, here, median, print, time } from "./measure.mjs";

const times = countFrom(process.argv[2], 5, "node bench/state-queries.mjs [TIMES]");

const counts = [10, 1000];
const questions = [["status"], ["status", "latest"], ["plan"], ["logs"], ["trace", "latest"], ["metrics"]];

const scratch = mkdtempSync(path.join(tmpdir(), "wave-bench-"));
try {
  const projects = counts.map((count) => project(count));
  const folded = projects.map((directory) => wave(directory, ["status"]));
  const asked = questions.map((words) => projects.map((directory) => median(Array.from({ length: times }, () => wave(directory, words)))));
  console.log(`${times} times each, medians; ${here}\n`);
  print([
    ["", ...counts.map((count) => `${count} runs`), "ratio"],
    ["the first question", ...row(folded)],
    ...questions.map((words, index) => [`wave ${words.join(" ")}`, ...row(asked[index])]),
  ]);
  console.log("\nbudget: status, plan, logs and trace below 3 x");
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** A project whose state remembers so many runs. */
function project(count) {
  const directory = path.join(scratch, String(count));
  mkdirSync(directory);
  const steps = Array.from(
    { length: 20 },
    (_, at) => `  - { id: s${at}, persona: worker${at === 0 ? "" : `, dependencies: [s${at - 1}]`} }\n`,
  );
  const head = "sandbox: off\ndefaults: { workspace: shared }\npersonas: { worker: { command: [echo, done] } }\nsteps:\n";
  writeFileSync(path.join(directory, "wave.yaml"), head + steps.join(""));
  wave(directory, ["run"]);
  const journals = path.join(directory, ".wave/state/journals");
  const [first] = readdirSync(journals);
  const [file] = readdirSync(path.join(journals, first));
  const events = readFileSync(path.join(journals, first, file), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (let copy = 1; copy < count; copy++) {
    const id = createHash("sha256").update(`${count} ${copy}`).digest("hex").slice(0, 10);
    mkdirSync(path.join(journals, id));
    writeFileSync(path.join(journals, id, file), sealed(events, id, copy * 60_000));
  }
  return directory;
}

/** The events as those of another run that was so many milliseconds earlier: each line is hashed, and names the hash before it. */
function sealed(events, id, earlier) {
  let head = "0".repeat(64);
  const lines = events.map(({ hash: _hash, prev: _prev, ...event }) => {
    const ts = new Date(Date.parse(event.ts) - earlier).toISOString();
    const own = { ...event, run: id, ts, ...(event.type === "writer-closed" ? { head } : {}), prev: head };
    const body = JSON.stringify(own).slice(0, -1);
    head = createHash("sha256").update(body).digest("hex");
    return `${body},"hash":"${head}"}\n`;
  });
  return lines.join("");
}

/** Milliseconds of a command. */
function wave(directory, words) {
  return time([process.execPath, cli, ...words, "-C", directory]);
}

function row(pair) {
  return [...pair.map((ms) => `${ms.toFixed(0)} ms`), (pair[1] / pair[0]).toFixed(2)];
}
