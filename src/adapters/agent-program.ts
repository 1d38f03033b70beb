/**
 * Finds an agent's program: on PATH, in Wave's cache, or by installing it there with npm. Only the requested version is
 * run: an agent that updated itself may behave differently.
 */
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { type AgentPackage, thisSystem } from "./agent-versions.ts";
import { isProgram, onPath } from "./detect-agents.ts";

export type AgentEnvironment = Readonly<Record<string, string | undefined>>;

export interface AgentSearch {
  /** The program's name on PATH. */
  readonly name: string;
  readonly package: AgentPackage;
  readonly version: string;
  /** The environment of the wave process. */
  readonly env: AgentEnvironment;
  /** Called with a one-line notice before a download starts. */
  onProgress(text: string): void;
}

/** Why an agent cannot run, and how to fix it. */
export interface NoProgram {
  readonly detail: string;
  readonly hint: string;
}

/** The absolute path of the agent's program, installed if needed. */
export async function agentProgram(search: AgentSearch): Promise<Result<string, NoProgram>> {
  const present = await programOnPath(search);
  if (present !== undefined) return ok(present);
  const directory = cacheOf(search);
  const program = path.join(directory, search.package.program(thisSystem()));
  if (isProgram(program)) return ok(program);
  const installed = await install(search, directory);
  if (!installed.ok) return installed;
  if (isProgram(program)) return ok(program);
  const { platform, arch } = process;
  return err({
    detail: `${search.package.package} ${search.version} has no program for ${platform}-${arch}`,
    hint: "choose another adapter with --adapter",
  });
}

/** The first program on PATH, if `--version` prints the requested version within 10 s. */
async function programOnPath({ name, env, version }: AgentSearch): Promise<string | undefined> {
  const program = onPath(name, env);
  if (program === undefined) return undefined;
  const printed = await runProgram([program, "--version"], {
    env: { PATH: env["PATH"] ?? "", HOME: "/nonexistent", DISABLE_AUTOUPDATER: "1" },
    cwd: "/",
    limitMs: 10_000,
  });
  const actual = printed === undefined ? undefined : /\d+\.\d+\.\d+\S*/.exec(printed.stdout)?.[0];
  return actual === version ? realpathSync(program) : undefined;
}

/** `WAVE_CACHE_DIR`, the runner's tool cache on GitHub (kept in its images), or the user's cache directory. */
function cacheOf({ env, name, version }: AgentSearch): string {
  const own = env["WAVE_CACHE_DIR"];
  const tools = env["RUNNER_TOOL_CACHE"];
  const user = env["XDG_CACHE_HOME"] ?? path.join(env["HOME"] ?? "/tmp", ".cache");
  const root = own ?? path.join(tools ?? user, "wave");
  return path.join(root, "agents", name, version);
}

/** Installs into a sibling directory and renames it, so an interrupted install is never mistaken for a complete one. */
async function install(search: AgentSearch, directory: string): Promise<Result<void, NoProgram>> {
  const {
    package: { package: name, megabytes },
    version,
    env,
    onProgress,
  } = search;
  const draft = `${directory}.${process.pid}`;
  onProgress(`installing ${name} ${version} from npm, about ${megabytes} MB, into ${directory}`);
  const hint = `install it yourself (npm install -g ${name}@${version}), or choose another adapter with --adapter`;
  try {
    mkdirSync(draft, { recursive: true });
    // Install scripts are not needed, and would run with the user's rights.
    const args = ["install", "--prefix", draft, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"];
    const ran = await runProgram(["npm", ...args, `${name}@${version}`], { env: installEnvironment(env), cwd: draft, limitMs: 600_000 });
    if (ran === undefined) return err({ detail: `${name} ${version} is not installed, and npm was not found to install it`, hint });
    if (ran.exitCode !== 0)
      return err({ detail: `npm could not install ${name} ${version}: ${ran.stderr.trim().split("\n")[0] ?? ""}`, hint });
    if (!existsSync(directory)) renameSync(draft, directory);
    return ok(undefined);
  } catch (error) {
    // Another Wave process installed it first.
    if (existsSync(directory)) return ok(undefined);
    return err({ detail: `${name} ${version} could not be installed into ${directory}: ${describeIoError(error).detail}`, hint });
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Variables for proxies, registries and npm's cache, without the job's tokens. */
function installEnvironment(env: AgentEnvironment): Record<string, string> {
  const wanted = /^(?:PATH|HOME|TMPDIR|LANG|https?_proxy|no_proxy|npm_config_.*|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)$/i;
  const kept = Object.entries(env).flatMap(([name, value]) => (value !== undefined && wanted.test(name) ? [[name, value] as const] : []));
  return Object.fromEntries(kept);
}

interface Ran {
  /** Undefined if a signal ended the program. */
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program with `env` as its whole environment. Undefined if it cannot be started. SIGKILL ends it after `limitMs` milliseconds, or after
 * 10 MB of output. Execa is imported on the first call, so that commands that run no agent do not load it.
 */
async function runProgram(
  [file, ...args]: readonly [string, ...string[]],
  { env, cwd, limitMs }: { readonly env: Readonly<Record<string, string>>; readonly cwd: string; readonly limitMs: number },
): Promise<Ran | undefined> {
  const { execa } = await import("execa");
  const child = execa(file, args, {
    env,
    extendEnv: false,
    cwd,
    stdin: "ignore",
    maxBuffer: 10_000_000,
    killSignal: "SIGKILL",
    reject: false,
    cleanup: false,
  });
  // Not execa's `timeout`: it waits for descendants that hold the output open.
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    child.stdout.destroy();
    child.stderr.destroy();
  }, limitMs);
  const { exitCode, stdout, stderr } = await child;
  clearTimeout(timer);
  return child.pid === undefined ? undefined : { ...defined({ exitCode }), stdout, stderr };
}
