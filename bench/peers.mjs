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
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cli, countFrom, here, layered, manifestOf, median, print, time } from "./measure.mjs";

const versions = { wireit: "0.14.13", turbo: "2.11.11", nx: "24.0.6" };
const runs = countFrom(process.argv[2], 5, "node bench/peers.mjs [RUNS]");

const scratch = mkdtempSync(path.join(tmpdir(), "wave-peers-"));
const modules = path.join(scratch, "node_modules");
/** Every program: how its project is laid out, its command line, what it must forget to be fresh, and how often a fresh run is timed. */
const programs = {
  wave: {
    lay: (directory, steps) => writeFileSync(path.join(directory, "wave.yaml"), manifestOf(steps)),
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
  inside(scratch, ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]);
  const rows = [["", "version", "fresh: 200 steps", "again: 1,000 steps"]];
  for (const [name, program] of Object.entries(programs)) {
    const fresh = timeFresh(name, program);
    rows.push([name, versions[name] ?? "", inSeconds(fresh), inSeconds(timeAgain(name, program))]);
  }
  console.log(`medians of ${runs}, Turborepo's fresh run once; ${here}\n`);
  print(rows);
} finally {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}

function timeFresh(name, program) {
  const directory = project(name, program, 200);
  const once = () => {
    for (const what of program.forget) rmSync(path.join(directory, what), { recursive: true, force: true });
    return inside(directory, program.words(), program.env?.(directory));
  };
  try {
    // The first warms the caches of the system, and a daemon.
    if (program.freshRuns === undefined) once();
    return median(Array.from({ length: program.freshRuns ?? runs }, once));
  } finally {
    if (program.stop !== undefined) inside(directory, program.stop());
  }
}

function timeAgain(name, program) {
  const directory = project(name, program, 1000);
  const env = program.env?.(directory);
  try {
    inside(directory, program.words(), { ...env, ...program.fill });
    const words = (program.again ?? program.words)();
    inside(directory, words, env);
    return median(Array.from({ length: runs }, () => inside(directory, words, env)));
  } finally {
    if (program.stop !== undefined) inside(directory, program.stop());
  }
}

/** A committed project of `count` steps. */
function project(name, program, count) {
  const directory = path.join(scratch, `${name}-${count}`);
  mkdirSync(directory);
  program.lay(directory, layered(count));
  writeFileSync(path.join(directory, ".gitignore"), "node_modules\n.wave\n.wireit\n.nx\n.turbo\n");
  inside(directory, ["git", "init", "--quiet"]);
  inside(directory, ["git", "add", "--all"]);
  inside(directory, ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "--message", "bench"]);
  return directory;
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

/** Milliseconds of a command in a directory. */
function inside(cwd, words, env) {
  return time(words, { cwd, env });
}

function writeJson(directory, name, value) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, name), `${JSON.stringify(value, null, 2)}\n`);
}

function inSeconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}
