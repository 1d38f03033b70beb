/**
 * Runs git for reading. Never prompts, takes no optional locks, starts no hooks, no file system monitor and no pager, speaks
 * untranslated English, and finds the repository by the directory it runs in, whatever GIT_DIR a hook left in the environment.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { ok, type Result } from "../model/result.ts";
import { type Captured, capture } from "./capture.ts";
import { realPlace } from "./files.ts";

const safeConfig = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "--no-pager"];

/** What `git rev-parse --local-env-vars` lists, but for configuration that a CI service hands over (GIT_CONFIG_COUNT and its like). */
const repositoryVariables = new Set([
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_CONFIG",
  "GIT_OBJECT_DIRECTORY",
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_GRAFT_FILE",
  "GIT_INDEX_FILE",
  "GIT_NAMESPACE",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_REPLACE_REF_BASE",
  "GIT_PREFIX",
  "GIT_SHALLOW_FILE",
  "GIT_COMMON_DIR",
]);

/**
 * Runs `git <args>` in a directory. Fails with `spawn-failed` when git (or the directory) is not there; being no repository
 * is an answer with its status. Ended by SIGKILL after two minutes.
 */
export function runGit(args: readonly string[], cwd: string): Promise<Result<Captured>> {
  return capture({ command: ["git", ...safeConfig, ...args], shown: `git ${args.join(" ")}`, cwd, env: gitEnvironment() });
}

/** Between the answers of `runGitEach`: three NULs, which stand in no list of names, and the exit status. */
const endOfAnswer = /\0\0\0([0-9]+)\0/;

/**
 * The same for several questions, one after the other, from one shell: each program that wave itself starts costs it some milliseconds. What they say
 * on standard error is not told apart; without git each answer has status 127. Those that had no time are missing at the end.
 */
export async function runGitEach(
  questions: readonly (readonly string[])[],
  cwd: string,
  limitMs?: number,
): Promise<Result<readonly Captured[]>> {
  if (process.platform === "win32") {
    const answers: Captured[] = [];
    for (const answer of await Promise.all(questions.map((words) => runGit(words, cwd)))) {
      if (!answer.ok) return answer;
      answers.push(answer.value);
    }
    return ok(answers);
  }
  const script = questions.map((words) => `git ${[...safeConfig, ...words].map(quoted).join(" ")}; printf '\\0\\0\\0%d\\0' $?`).join("\n");
  const asked = await capture({
    ...{ command: ["/bin/sh", "-c", script], shown: "git", cwd, env: gitEnvironment() },
    ...(limitMs === undefined ? {} : { limitMs }),
  });
  if (!asked.ok) return asked;
  return ok(answersIn(asked.value));
}

function answersIn({ stdout, stderr }: Captured): readonly Captured[] {
  const answers: Captured[] = [];
  let rest = stdout;
  for (;;) {
    // As Latin-1 places in the text are those of the bytes.
    const found = endOfAnswer.exec(rest.toString("latin1"));
    if (found === null) return answers;
    answers.push({ code: Number(found[1]), stdout: rest.subarray(0, found.index), stderr });
    rest = rest.subarray(found.index + found[0].length);
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Whether a directory may lie in a repository: it or one above it holds `.git`, or looks like a bare repository. Where it says no, git would
 * too, and need not be asked: a start costs some milliseconds.
 */
export function mayBeInRepository(directory: string): boolean {
  const real = realPlace(directory);
  if (real === undefined) return true;
  for (let at = real; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, ".git")) || existsSync(path.join(at, "HEAD"))) return true;
    if (at === path.dirname(at)) return false;
  }
}

function gitEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !repositoryVariables.has(name));
  return { ...Object.fromEntries(inherited), GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
}
