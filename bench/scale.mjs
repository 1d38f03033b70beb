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
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cli, countFrom, here, layered, manifestOf, median, print, repository, time } from "./measure.mjs";

const times = countFrom(process.argv[2], 3, "node bench/scale.mjs [TIMES]");

/** Parses and checks, and does nothing else. */
const parserAlone = `
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(${JSON.stringify(path.join(repository, "package.json"))});
const { parse } = require("yaml");
const { Ajv } = require("ajv");
const check = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(JSON.parse(readFileSync(${JSON.stringify(path.join(repository, "schema/manifest.schema.json"))}, "utf8")));
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
  console.log(`${times} times, medians; 5,000 steps once; ${here}\n`);
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
  const ms = node(count, ["--require", path.join(scratch, "peak.cjs"), cli, "run", "--concurrency", "2"]);
  return { ms, peak: Number(readFileSync(path.join(scratch, "peak"), "utf8")) };
}

function plan() {
  return node(10_000, [cli, "plan"]);
}

function parse() {
  return node(10_000, [path.join(scratch, "parser.mjs")]);
}

function project(count) {
  const directory = path.join(scratch, String(count));
  mkdirSync(directory);
  writeFileSync(path.join(directory, "wave.yaml"), manifestOf(layered(count)));
}

/** Milliseconds of a Node process in the project of so many steps. */
function node(count, words) {
  return time([process.execPath, ...words], { cwd: path.join(scratch, String(count)), env: { BENCH_PEAK: path.join(scratch, "peak") } });
}

function inMs(ms) {
  return `${ms.toFixed(ms < 100 ? 2 : 0)} ms`;
}
