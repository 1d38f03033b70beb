/**
 * Runs git for reading. Never prompts, takes no optional locks, starts no hooks, no file system monitor and no pager, speaks
 * untranslated English, and finds the repository by the directory it runs in, whatever GIT_DIR a hook left in the environment.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { err, ok, type Result } from "../model/result.ts";
import { realPlace } from "./files.ts";

/** What git said. A status other than 0 is for the caller to judge. */
export interface GitAnswer {
  /** The exit status; nothing when a signal ended it. */
  readonly code?: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

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

/** A hung network file system must not hang a plan. */
const limitMs = 120_000;

/**
 * Runs `git <args>` in a directory. Fails with `spawn-failed` when git (or the directory) is not there; being no repository
 * is an answer with its status. Ended by SIGKILL after two minutes.
 */
export function runGit(args: readonly string[], cwd: string): Promise<Result<GitAnswer>> {
  return start("git", [...safeConfig, ...args], cwd, { command: `git ${args.join(" ")}`, limit: limitMs });
}

interface Start {
  /** For people. */
  readonly command: string;
  /** Milliseconds. */
  readonly limit: number;
}

function start(program: string, words: readonly string[], cwd: string, { command, limit }: Start): Promise<Result<GitAnswer>> {
  return new Promise((resolve) => {
    const child = spawn(program, [...words], {
      cwd,
      env: gitEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    // Not the option of `spawn`: its timer keeps the process alive when the program is not there.
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      // What the program started may hold on to its output: that is not waited for, and ends when it next writes.
      child.stdout.destroy();
      child.stderr.destroy();
    }, limit);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve(err({ reason: "spawn-failed", command, code: error.code ?? "UNKNOWN", detail: error.message }));
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve(ok({ ...(code === null ? {} : { code }), stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }));
    });
  });
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
  limit = limitMs,
): Promise<Result<readonly GitAnswer[]>> {
  if (process.platform === "win32") {
    const answers: GitAnswer[] = [];
    for (const answer of await Promise.all(questions.map((words) => runGit(words, cwd)))) {
      if (!answer.ok) return answer;
      answers.push(answer.value);
    }
    return ok(answers);
  }
  const script = questions.map((words) => `git ${[...safeConfig, ...words].map(quoted).join(" ")}; printf '\\0\\0\\0%d\\0' $?`).join("\n");
  const asked = await start("/bin/sh", ["-c", script], cwd, { command: "git", limit });
  if (!asked.ok) return asked;
  return ok(answersIn(asked.value));
}

function answersIn({ stdout, stderr }: GitAnswer): readonly GitAnswer[] {
  const answers: GitAnswer[] = [];
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
