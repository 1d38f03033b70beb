/**
 * Finds an agent's program in the version that is wanted: on PATH, else in wave's cache, else by installing it there with npm, once. Nothing but
 * the wanted version is ever run: an agent that updated itself is another agent.
 */
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { err, ok, type Result } from "../core/result.ts";
import { capture } from "../platform/capture.ts";
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
  /** Told before anything is downloaded. */
  onProgress(text: string): void;
}

/** Why there is no program to run, and what would help. */
export interface NoProgram {
  readonly detail: string;
  readonly hint: string;
}

/** The program's real path. */
export async function agentProgram(search: AgentSearch): Promise<Result<string, NoProgram>> {
  const onPath = await programOnPath(search);
  if (onPath !== undefined) return ok(onPath);
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

/** The first one on PATH, if it is of the wanted version. */
async function programOnPath({ name, env, version }: AgentSearch): Promise<string | undefined> {
  const found = onPath(name, env);
  if (found === undefined) return undefined;
  const asked = await capture({
    command: [found, "--version"],
    env: { PATH: env["PATH"] ?? "", HOME: "/nonexistent", DISABLE_AUTOUPDATER: "1" },
    cwd: "/",
    limitMs: 10_000,
  });
  const said = asked.ok ? /\d+\.\d+\.\d+\S*/.exec(asked.value.stdout.toString())?.[0] : undefined;
  return said === version ? realpathSync(found) : undefined;
}

/** On GitHub the runner's tool cache, which its images keep; elsewhere the user's. */
function cacheOf({ env, name, version }: AgentSearch): string {
  const own = env["WAVE_CACHE_DIR"];
  const tools = env["RUNNER_TOOL_CACHE"];
  const user = env["XDG_CACHE_HOME"] ?? path.join(env["HOME"] ?? "/tmp", ".cache");
  const root = own ?? path.join(tools ?? user, "wave");
  return path.join(root, "agents", name, version);
}

/** Installs beside the place and moves it there: an install that was cut off leaves nothing that could be taken for whole. */
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
    // Its scripts are not needed for what is used of it, and would run as you.
    const args = ["install", "--prefix", draft, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"];
    const ran = await capture({
      command: ["npm", ...args, `${name}@${version}`],
      env: installEnvironment(env),
      cwd: draft,
      limitMs: 600_000,
    });
    if (!ran.ok) return err({ detail: `${name} ${version} is not installed, and npm is not there to install it`, hint });
    if (ran.value.code !== 0)
      return err({ detail: `npm could not install ${name} ${version}: ${ran.value.stderr.trim().split("\n")[0] ?? ""}`, hint });
    if (!existsSync(directory)) renameSync(draft, directory);
    return ok(undefined);
  } catch (error) {
    // Another wave was faster.
    if (existsSync(directory)) return ok(undefined);
    return err({ detail: `${name} ${version} could not be installed into ${directory}: ${describeIoError(error).detail}`, hint });
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What npm needs to know of proxies, registries and its own cache; none of a job's tokens. */
function installEnvironment(env: AgentEnvironment): Record<string, string> {
  const wanted = /^(?:PATH|HOME|TMPDIR|LANG|https?_proxy|no_proxy|npm_config_.*|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)$/i;
  const kept = Object.entries(env).flatMap(([name, value]) => (value !== undefined && wanted.test(name) ? [[name, value] as const] : []));
  return Object.fromEntries(kept);
}
