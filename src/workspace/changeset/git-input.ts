/**
 * Runs git on a list of paths, which it reads on standard input. Like `platform/git.ts` it prompts for nothing, starts no hooks and no
 * file system monitor, and finds the repository by the directory alone.
 */
import type { Result } from "../../model/result.ts";
import { type Captured, capture } from "../../platform/capture.ts";

/** Settings that a CI service hands over, and where git's programs are; all other `GIT_…` variables speak of some other repository. */
const keptVariable =
  /^GIT_(?:CONFIG_(?:COUNT|KEY_\d+|VALUE_\d+|GLOBAL|SYSTEM|NOSYSTEM)|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)$/;

/** Fails with `spawn-failed` when git (or the directory) is not there. Ended by SIGKILL after two minutes. */
export function runGitOn(args: readonly string[], cwd: string, input: Uint8Array): Promise<Result<Captured>> {
  const command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", ...args];
  return capture({ command, env: environment(), cwd, input });
}

function environment(): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || (name.startsWith("GIT_") && !keptVariable.test(name)) ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(kept), GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
}
