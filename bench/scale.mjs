/**
 * What many steps cost, in one run. Needs what `npm ci` installs, and about two minutes:
 *
 *     node bench/scale.mjs [TIMES]      3 times each by default, the 5,000 steps once
 *
 * steps      a step of 200 and a step of 5,000: `true` in layers of ten, 2 at a time, without what starting costs; and the most
 *            memory that wave takes for 5,000
 * manifest   reading, checking and planning 10,000 steps (`wave plan`), beside a program that only parses the same file with
 *            `yaml` and checks it with `ajv` against the schema in schema/
 *
 * It measures and does not judge; the budgets are printed beside what it finds.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const cli = path.join(root, "dist/cli.js");
const width = 10;
const times = Number(process.argv[2] ?? 3);
if (!Number.isInteger(times) || times < 1) {
  console.error("usage: node bench/scale.mjs [TIMES]");
  process.exit(2);
}

/** Parses and checks, and does nothing else. */
const parserAlone = `
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(${JSON.stringify(path.join(root, "package.json"))});
const { parse } = require("yaml");
const { Ajv } = require("ajv");
const check = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(JSON.parse(readFileSync(${JSON.stringify(path.join(root, "schema/manifest.schema.json"))}, "utf8")));
if (!check(parse(readFileSync("wave.yaml", "utf8")))) throw new Error(JSON.stringify(check.errors));
`;

/** Loaded before wave: says at its end how much memory it took. */
const peakWatch = `
const { writeFileSync } = require("node:fs");
process.on("exit", () => writeFileSync(process.env.BENCH_PEAK, String(process.resourceUsage().maxRSS)));
`;

const scratch = mkdtempSync(path.join(tmpdir(), "wave-bench-"));
try {
  for (const [name, text] of [
    ["parser.mjs", parserAlone],
    ["peak.cjs", peakWatch],
  ])
    writeFileSync(path.join(scratch, name), text);
  for (const count of [1, 200, 5000, 10_000]) project(count);
  const one = median(Array.from({ length: times }, () => run(1).ms));
  const few = median(Array.from({ length: times }, () => (run(200).ms - one) / 200));
  const many = run(5000);
  const each = (many.ms - one) / 5000;
  const manifest = Array.from({ length: times }, () => ({ plan: plan(), parser: parse() }));
  console.log(`${times} times, medians; 5,000 steps once; ${process.platform}-${process.arch}, Node ${process.versions.node}\n`);
  const ratio = median(manifest.map(({ plan, parser }) => plan / parser));
  const [planned, parsed] = ["plan", "parser"].map((side) => median(manifest.map((pair) => pair[side])));
  print([
    ["", "wave", "beside", "ratio", "budget"],
    ["a step of 5,000, beside one of 200", inMs(each), inMs(few), (each / few).toFixed(2), "at most 1.3 x"],
    ["memory at most, 5,000 steps", `${(many.peak / 1000).toFixed(0)} MB`, "", "", "at most 150 MB"],
    ["plan of 10,000 steps, beside yaml + ajv", inMs(planned), inMs(parsed), ratio.toFixed(2), "at most 3 x"],
  ]);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Milliseconds of a run from nothing, and kilobytes of memory at most. */
function run(count) {
  rmSync(path.join(scratch, String(count), ".wave"), { recursive: true, force: true });
  const ms = time(count, ["--require", path.join(scratch, "peak.cjs"), cli, "run", "--concurrency", "2"]);
  return { ms, peak: Number(readFileSync(path.join(scratch, "peak"), "utf8")) };
}

function plan() {
  return time(10_000, [cli, "plan"]);
}

function parse() {
  return time(10_000, [path.join(scratch, "parser.mjs")]);
}

/** Every step depends on two of the layer before. */
function project(count) {
  const directory = path.join(scratch, String(count));
  mkdirSync(directory);
  const before = (layer, at) => (layer === 0 ? [] : [at, (at + 1) % width].map((place) => `s${layer - 1}-${place}`));
  const steps = Array.from({ length: count }, (_, index) => {
    const [layer, at] = [Math.floor(index / width), index % width];
    return `    - { id: s${layer}-${at}, persona: worker, workspace: shared, dependencies: [${before(layer, at).join(", ")}] }\n`;
  });
  const head = `personas: { worker: { adapter: command, command: ["true"] } }\npipeline:\n  name: bench\n  steps:\n`;
  writeFileSync(path.join(directory, "wave.yaml"), head + steps.join(""));
}

/** Milliseconds from before a Node process starts until it is gone. Throws when it fails. */
function time(count, words) {
  const began = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, words, {
    cwd: path.join(scratch, String(count)),
    env: { ...process.env, BENCH_PEAK: path.join(scratch, "peak") },
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  if (status !== 0) throw new Error(`node ${words.join(" ")} ended with ${status}\n${stderr}`);
  return ms;
}

function inMs(ms) {
  return `${ms.toFixed(ms < 100 ? 2 : 0)} ms`;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  for (const cells of rows)
    console.log(
      cells
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
}
