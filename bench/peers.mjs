/**
 * Wave beside programs that run graphs of commands, on the same graph, in one run. They are installed into a scratch directory
 * with npm, so this needs the network, git, and about two minutes:
 *
 *     node bench/peers.mjs [RUNS]      5 runs of each by default
 *
 * fresh   200 steps of `true` in 20 layers, 2 at a time, nothing remembered
 * again   1,000 such steps that have passed: the program finds that there is nothing to do
 *
 * Each peer gets what is best for it: wireit without npm before it, Nx with its daemon warm, Turborepo with a file of each
 * package to hash and no more. Turborepo starts a script through npm and nothing else; that is most of its fresh run, so it
 * gets one. Its cache of 1,000 is filled through a stand-in for npm, which has no part in what is timed.
 *
 * The others restore logs and outputs by hashes of files, wave takes a step as passed by what its journal says: what is compared
 * is the time until a person has their answer, not how it is come by.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const versions = { wireit: "0.14.13", turbo: "2.11.11", nx: "24.0.6" };
const cli = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../dist/cli.js");
const width = 10;
const runs = Number(process.argv[2] ?? 5);
if (!Number.isInteger(runs) || runs < 1) {
  console.error("usage: node bench/peers.mjs [RUNS]");
  process.exit(2);
}

const scratch = mkdtempSync(path.join(tmpdir(), "wave-peers-"));
const modules = path.join(scratch, "node_modules");
/** Every program: how its project is laid out, its command line, what it must forget to be fresh, and how often a fresh run is timed. */
const programs = {
  wave: {
    lay: layWave,
    words: () => [process.execPath, cli, "run", "--concurrency", "2"],
    again: () => [process.execPath, cli, "resume"],
    forget: [".wave"],
  },
  wireit: {
    lay: layWireit,
    words: () => [process.execPath, path.join(modules, "wireit/bin/wireit.js")],
    env: (directory) => ({
      npm_lifecycle_event: "all",
      npm_package_json: path.join(directory, "package.json"),
      npm_config_user_agent: "npm/10",
      WIREIT_PARALLEL: "2",
    }),
    forget: [".wireit"],
  },
  nx: {
    lay: layNx,
    words: () => [path.join(modules, ".bin/nx"), "run-many", "-t", "build", "--parallel=2", "--outputStyle=stream-without-prefixes"],
    env: () => ({ NX_DAEMON: "true", NX_SKIP_LOG_GROUPING: "true" }),
    forget: [".nx/cache", ".nx/workspace-data"],
    stop: () => [path.join(modules, ".bin/nx"), "daemon", "--stop"],
  },
  turbo: {
    lay: layTurbo,
    words: () => [path.join(modules, ".bin/turbo"), "run", "build", "--concurrency=2", "--output-logs=none"],
    env: () => ({ TURBO_TELEMETRY_DISABLED: "1" }),
    forget: [".turbo"],
    freshRuns: 1,
    fill: { PATH: `${standIn()}${path.delimiter}${process.env.PATH}` },
  },
};

try {
  console.log("installing the peers …");
  writeFileSync(path.join(scratch, "package.json"), JSON.stringify({ private: true, dependencies: versions }));
  check(scratch, ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]);
  const rows = [["", "version", "fresh: 200 steps", "again: 1,000 steps"]];
  for (const [name, program] of Object.entries(programs)) {
    const fresh = timeFresh(name, program);
    rows.push([name, versions[name] ?? "", inSeconds(fresh), inSeconds(timeAgain(name, program))]);
  }
  console.log(`medians of ${runs}, Turborepo's fresh run once; ${process.platform}-${process.arch}, Node ${process.versions.node}\n`);
  print(rows);
} finally {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}

function timeFresh(name, program) {
  const directory = project(name, program, 200);
  const once = () => {
    for (const what of program.forget) rmSync(path.join(directory, what), { recursive: true, force: true });
    return time(directory, program.words(), program.env?.(directory));
  };
  try {
    // The first warms the caches of the system, and a daemon.
    if (program.freshRuns === undefined) once();
    return median(Array.from({ length: program.freshRuns ?? runs }, once));
  } finally {
    if (program.stop !== undefined) check(directory, program.stop());
  }
}

function timeAgain(name, program) {
  const directory = project(name, program, 1000);
  const env = program.env?.(directory);
  try {
    time(directory, program.words(), { ...env, ...program.fill });
    const words = (program.again ?? program.words)();
    time(directory, words, env);
    return median(Array.from({ length: runs }, () => time(directory, words, env)));
  } finally {
    if (program.stop !== undefined) check(directory, program.stop());
  }
}

/** A committed project of `count` steps, each of which depends on two of the layer before. */
function project(name, program, count) {
  const directory = path.join(scratch, `${name}-${count}`);
  mkdirSync(directory);
  const before = (layer, at) => (layer === 0 ? [] : [at, (at + 1) % width].map((place) => `s${layer - 1}-${place}`));
  const steps = Array.from({ length: count }, (_, index) => {
    const [layer, at] = [Math.floor(index / width), index % width];
    return { id: `s${layer}-${at}`, after: before(layer, at) };
  });
  program.lay(directory, steps);
  writeFileSync(path.join(directory, ".gitignore"), "node_modules\n.wave\n.wireit\n.nx\n.turbo\n");
  check(directory, ["git", "init", "--quiet"]);
  check(directory, ["git", "add", "--all"]);
  check(directory, ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "--message", "bench"]);
  return directory;
}

function layWave(directory, steps) {
  const lines = steps.map(
    ({ id, after }) => `    - { id: ${id}, persona: worker, workspace: shared, dependencies: [${after.join(", ")}] }\n`,
  );
  const head = `personas: { worker: { adapter: command, command: ["true"] } }\npipeline:\n  name: bench\n  steps:\n`;
  writeFileSync(path.join(directory, "wave.yaml"), head + lines.join(""));
}

function layWireit(directory, steps) {
  const names = steps.map(({ id }) => id);
  const scripts = Object.fromEntries(["all", ...names].map((name) => [name, "wireit"]));
  const wireit = { all: { dependencies: names } };
  for (const { id, after } of steps) wireit[id] = { command: "true", dependencies: after, files: [], output: [] };
  writeJson(directory, "package.json", { name: "bench", private: true, scripts, wireit });
}

function layNx(directory, steps) {
  writeJson(directory, "package.json", { name: "bench", private: true });
  const build = { dependsOn: ["^build"], cache: true, inputs: ["{projectRoot}/**/*"] };
  writeJson(directory, "nx.json", { analytics: false, targetDefaults: { build } });
  for (const { id, after } of steps) {
    const targets = { build: { executor: "nx:run-commands", options: { command: "true" } } };
    writeJson(path.join(directory, "packages", id), "project.json", { name: id, implicitDependencies: after, targets });
  }
  symlinkSync(modules, path.join(directory, "node_modules"));
}

function layTurbo(directory, steps) {
  const workspaces = ["packages/*"];
  writeJson(directory, "package.json", { name: "bench", private: true, packageManager: "npm@10.8.2", workspaces });
  writeJson(directory, "turbo.json", { tasks: { build: { dependsOn: ["^build"], outputs: [] } } });
  const packages = { "": { name: "bench", workspaces } };
  for (const { id, after } of steps) {
    const dependencies = Object.fromEntries(after.map((name) => [name, "*"]));
    const own = { name: id, version: "1.0.0", dependencies };
    writeJson(path.join(directory, "packages", id), "package.json", { ...own, scripts: { build: "true" } });
    packages[`packages/${id}`] = own;
    packages[`node_modules/${id}`] = { resolved: `packages/${id}`, link: true };
  }
  writeJson(directory, "package-lock.json", { name: "bench", lockfileVersion: 3, requires: true, packages });
}

/** A directory with an `npm` that does nothing, as the scripts do. */
function standIn() {
  const directory = path.join(scratch, "stand-in");
  mkdirSync(directory);
  writeFileSync(path.join(directory, "npm"), "#!/bin/sh\n");
  chmodSync(path.join(directory, "npm"), 0o755);
  return directory;
}

function writeJson(directory, name, value) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, name), `${JSON.stringify(value, null, 2)}\n`);
}

/** Milliseconds that a command takes. Throws when it fails. */
function time(directory, words, env = {}) {
  const began = process.hrtime.bigint();
  check(directory, words, env);
  return Number(process.hrtime.bigint() - began) / 1e6;
}

function check(directory, [program, ...words], env = {}) {
  const child = spawnSync(program, words, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (child.status === 0) return;
  throw new Error(`${program} ${words.join(" ")} ended with ${child.status ?? child.error?.message}\n${child.stdout}${child.stderr}`);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function inSeconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
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
