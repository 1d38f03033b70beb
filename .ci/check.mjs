/**
 * `npm run check`: everything that has to hold besides the tests. All checks run, also when one fails; each prints one
 * line, and its output when it failed. The last line is `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);

/** Name → arguments of node. The longest come first, so that the end does not wait for one of them. */
const checks = [
  ["types", [program("typescript", "tsc"), "-p", "."]],
  ["dist is fresh", [".ci/build.mjs", "--check"]],
  ["generated files are fresh", [".ci/run-ts.mjs", ".ci/generate.ts", "--check"]],
  ["workflows and action.yml", [".ci/run-ts.mjs", ".ci/lint-workflows.ts"]],
  ["language", [".ci/run-ts.mjs", ".ci/language.ts"]],
  ["unused files, exports and dependencies", [program("knip", "knip"), "--no-progress"]],
  ["architecture", [program("vitest", "vitest"), "run", "__tests__/architecture.test.ts"]],
  ["style and lint", [program("@biomejs/biome", "biome"), "ci", "--colors=off", "--error-on-warnings", "--no-errors-on-unmatched", "."]],
];

const queue = [...checks];
const results = [];
await Promise.all(Array.from({ length: Math.min(checks.length, Math.max(1, availableParallelism())) }, runQueue));

const failed = results.filter((passed) => !passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function runQueue() {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [name, args] = next;
    const started = performance.now();
    const { code, output } = await run(args);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${code === 0 ? "ok    " : "failed"}  ${name} (${seconds} s)`);
    if (code !== 0) console.log(output.trimEnd().replace(/^/gm, "        "));
    results.push(code === 0);
  }
}

function run(args) {
  return new Promise((resolve) => {
    // The results file of `.ci/run` is for its own test run, and colours are for no one here.
    const { WAVE_TEST_RESULTS: _, ...env } = process.env;
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...env, NO_COLOR: "1" } });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => resolve({ code: 1, output: String(error) }));
    child.on("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") }));
  });
}

/** The script behind a package's command: `node_modules/.bin` has none that node could run on Windows. */
function program(name, command) {
  const directory = path.join(root, "node_modules", name);
  const { bin } = require(path.join(directory, "package.json"));
  return path.join(directory, typeof bin === "string" ? bin : bin[command]);
}
