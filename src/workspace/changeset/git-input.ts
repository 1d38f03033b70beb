/**
 * Runs git on a list of paths, which it reads on standard input. Like `platform/git.ts` it prompts for nothing, starts no hooks and no
 * file system monitor, and finds the repository by the directory alone.
 */
import { spawn } from "node:child_process";
import { err, ok, type Result } from "../../model/result.ts";

/** What git said; `code` is missing when a signal ended it. */
export interface GitReply {
  readonly code?: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Settings that a CI service hands over, and where git's programs are; all other `GIT_…` variables speak of some other repository. */
const keptVariable =
  /^GIT_(?:CONFIG_(?:COUNT|KEY_\d+|VALUE_\d+|GLOBAL|SYSTEM|NOSYSTEM)|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)$/;
const limitMs = 120_000;

/** Fails with `spawn-failed` when git (or the directory) is not there. Ended by SIGKILL after two minutes. */
export function runGitOn(args: readonly string[], cwd: string, input: Uint8Array): Promise<Result<GitReply>> {
  return new Promise((resolve) => {
    const child = spawn("git", ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", ...args], {
      cwd,
      env: environment(),
      stdio: ["pipe", "pipe", "pipe"],
      timeout: limitMs,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // It may end before it has read everything; its status says why.
    child.stdin.on("error", () => undefined);
    child.on("error", (error: NodeJS.ErrnoException) =>
      resolve(err({ reason: "spawn-failed", command: `git ${args.join(" ")}`, code: error.code ?? "UNKNOWN", detail: error.message })),
    );
    child.on("close", (code) =>
      resolve(ok({ ...(code === null ? {} : { code }), stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() })),
    );
    child.stdin.end(input);
  });
}

function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_") || keptVariable.test(name));
  return { ...Object.fromEntries(kept), GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
}
