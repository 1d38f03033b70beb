/**
 * The one place where Wave starts git, and it runs git for reading. Wave finds the repository itself (`git-repository.ts`), and git
 * runs with a shadow of it (`git-shadow.ts`): no program that a repository, its configuration or its attributes name can run, whoever
 * wrote them. Of the user's own configuration `safe.directory` and `core.excludesFile` count. Git prompts for nothing, takes no
 * optional locks, prints untranslated English and reaches no other machine.
 */

import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";
import { quote } from "../text/shell-quote.ts";
import { type Captured, capture } from "./capture.ts";
import { describeIoError, realPlace } from "./files.ts";
import { type Discovery, findRepository, type GitRepository } from "./git-repository.ts";
import { aloneVariables, hardenedVariables, layOutGitDirectory, shadowVariables, temporaryGitDirectory } from "./git-shadow.ts";
import { defaultExcludes, excludesIn, excludesQuestion, trustQuestion, trusts, userVariables, withoutGit } from "./git-user.ts";
import { gitVersionIn, isOutdatedGit } from "./git-version.ts";
import { isInside } from "./paths.ts";

/** The repository around a directory, or why Wave runs no git there. */
export type OpenedRepository =
  | { readonly kind: "open"; readonly repository: GitRepository }
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly why: string }
  /** Another user owns it, and the user's `safe.directory` does not name `top`. */
  | { readonly kind: "foreign"; readonly top: string };

/** What was found for each directory. It counts once the repositories are sealed. */
const found = new Map<string, Discovery>();
/** Projects in which no more repositories are looked for, and those in which no more git runs. */
const sealed = new Set<string>();
const left = new Set<string>();

/** From now on no repository counts in `root` that was not found before: steps can make directories that look like one. */
export function sealRepositories(root: string): void {
  sealed.add(realPlace(root) ?? root);
}

/** From now on no git runs in `root` or below it: a step that runs there can write to the repository. */
export function leaveRepository(root: string): void {
  left.add(realPlace(root) ?? root);
}

/** The repository around a directory, before any question of trust. No git runs. */
export function discoverRepository(directory: string): Discovery {
  const real = realPlace(directory);
  if (real === undefined) return { kind: "none" };
  const discovery = isBelowOne(sealed, real) ? (found.get(real) ?? ({ kind: "none" } as const)) : findRepository(real);
  found.set(real, discovery);
  return discovery;
}

function isBelowOne(roots: ReadonlySet<string>, directory: string): boolean {
  for (const root of roots) if (isInside(root, directory)) return true;
  return false;
}

/** The repository around a directory for git to run in. None if Wave has left it. Never rejects. */
export async function openRepository(directory: string): Promise<OpenedRepository> {
  return isBelowOne(left, realPlace(directory) ?? directory) ? { kind: "none" } : trustedRepository(directory);
}

/** The repository around a directory for Wave to read, and whether this user trusts it, as git does. Never rejects. */
export async function trustedRepository(directory: string): Promise<OpenedRepository> {
  const discovery = discoverRepository(directory);
  if (discovery.kind !== "found") return discovery;
  const { repository, isOwn } = discovery;
  return isOwn || trusts(await askUser(trustQuestion), repository.top)
    ? { kind: "open", repository }
    : { kind: "foreign", top: repository.top };
}

/**
 * Runs `git <args>` in a directory; git reads `input` on standard input. Fails with `spawn-failed` if git or the directory is missing.
 * Without a repository the answer is git's own: status 128. Ended by SIGKILL after two minutes.
 */
export async function runGit(args: readonly string[], cwd: string, input?: Uint8Array): Promise<Result<Captured>> {
  const shown = `git ${args.join(" ")}`;
  return inShadow(cwd, shown, async (repository, variables) => {
    if (repository === undefined) return ok(noRepository);
    const excludes = ownExcludes(repository) ?? (await userExcludes());
    return start(["-c", `core.excludesFile=${excludes}`, "-C", cwd, ...args], variables, shown, input);
  });
}

/** A directory with files of rules alone, in place of a work tree. */
export interface RulesTree {
  /** Stands in for the repository's work tree. */
  readonly top: string;
  /** Stands in for the project: `top` or a directory below it. */
  readonly directory: string;
}

/**
 * Runs `git <args>` for the repository around `root`, over other rules for ignored files and without its index. Excludes of the repository and the
 * user count as in {@link runGit}. Fails as that does.
 */
export async function runGitOver(
  { top, directory }: RulesTree,
  args: readonly string[],
  root: string,
  input?: Uint8Array,
): Promise<Result<Captured>> {
  const shown = `git ${args.join(" ")}`;
  return inShadow(root, shown, async (repository, variables) => {
    if (repository === undefined) return ok(noRepository);
    const excludes = ownExcludes(repository) ?? (await userExcludes());
    const over = { ...variables, GIT_WORK_TREE: top, GIT_INDEX_FILE: path.join(directoryOf(variables), "no-index") };
    return start(["-c", `core.excludesFile=${excludes}`, "-C", directory, ...args], over, shown, input);
  });
}

/** Runs `git <args>` apart from every repository, with absolute paths. Fails as `runGit` does. */
export function runGitAlone(args: readonly string[], input?: Uint8Array): Promise<Result<Captured>> {
  const shown = `git ${args.join(" ")}`;
  return prepared(shown, () => start(args, aloneVariables(emptyRepository()), shown, input));
}

/** Runs git in an empty repository of its own at `directory`, which `layOutGitDirectory` has made. Fails as `runGit` does. */
export function runGitIn(directory: string, args: readonly string[], input?: Uint8Array): Promise<Result<Captured>> {
  return start(args, aloneVariables(directory), `git ${args.join(" ")}`, input);
}

/** A private bare directory, and how git may use it. */
export interface PrivateGit {
  /** Absolute. */
  readonly directory: string;
  /** The only protocol that git may speak, `https` for one. */
  readonly protocol: string;
  /** All that git sees of the machine's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly limitMs: number;
  /** Bytes of standard output. */
  readonly limit: number;
}

/** Runs git in a private bare directory, the only place in which it may reach another machine. Fails as `runGit` does. */
export function runPrivateGit(
  { directory, protocol, env, settings, signal, limitMs, limit }: PrivateGit,
  args: readonly string[],
): Promise<Result<Captured>> {
  const config = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return capture({
    command: ["git", `--git-dir=${directory}`, ...config, "--no-pager", ...args],
    shown: `git ${args[0]}`,
    cwd: directory,
    signal,
    limitMs,
    limit,
    env: { ...env, ...hardenedVariables(directory), GIT_ALLOW_PROTOCOL: protocol, GIT_ASKPASS: "", SSH_ASKPASS: "" },
  });
}

/** Between the answers of `runGitEach`: three NULs, which no list of names contains, and the exit status. */
const endOfAnswer = /\0\0\0([0-9]+)\0/;
const printStatus = "printf '\\0\\0\\0%d\\0' $?";

/**
 * Runs several questions in one directory, one after the other, from one shell: each program that Wave itself starts costs some milliseconds. Their
 * standard error is not told apart; without git each answer has status 127. Answers that were not given within `limitMs` are missing at the end.
 */
export async function runGitEach(
  questions: readonly (readonly string[])[],
  cwd: string,
  limitMs?: number,
): Promise<Result<readonly Captured[]>> {
  if (process.platform === "win32") {
    const answers: Captured[] = [];
    for (const args of questions) {
      const answer = await runGit(args, cwd);
      if (!answer.ok) return answer;
      answers.push(answer.value);
    }
    return ok(answers);
  }
  return inShadow(cwd, "git", async (repository, variables) => {
    if (repository === undefined) return ok(questions.map(() => noRepository));
    const own = ownExcludes(repository);
    const asksUser = own === undefined && knownExcludes === undefined;
    const asksVersion = knownVersion === undefined;
    const script = [
      ...(asksUser ? askingUser() : [`e=${quote(own ?? (await userExcludes()))}`]),
      ...(asksVersion ? [`git --version; ${printStatus}`] : []),
      ...questions.map((args) => `git -c core.excludesFile="$e" -C ${[cwd, ...args].map(quote).join(" ")}; ${printStatus}`),
    ].join("\n");
    const asked = await capture({
      command: ["/bin/sh", "-c", script],
      shown: "git",
      cwd: directoryOf(variables),
      env: { ...withoutGit(), ...variables },
      ...defined({ limitMs }),
    });
    if (!asked.ok) return asked;
    const answers = [...answersIn(asked.value)];
    const excludes = asksUser ? answers.shift() : undefined;
    if (excludes !== undefined) knownExcludes = Promise.resolve(excludesIn(excludes));
    const named = asksVersion ? answers.shift() : undefined;
    if (named !== undefined) knownVersion = Promise.resolve(gitVersionIn(named.stdout.toString()));
    return ok(answers);
  });
}

/** The version of git, undefined if git is missing or prints none. Asked once, with the first questions where there are some. */
let knownVersion: Promise<string | undefined> | undefined;

/**
 * The version of git if it is older than `oldestGit` and Wave would run it in the repository around a directory. Undefined without such a
 * repository, without git, and for a program that prints no version. Never rejects.
 */
export async function outdatedGit(directory: string): Promise<string | undefined> {
  if ((await openRepository(directory)).kind !== "open") return undefined;
  knownVersion ??= runGitAlone(["--version"]).then((answer) => (answer.ok ? gitVersionIn(answer.value.stdout.toString()) : undefined));
  const named = await knownVersion;
  return named !== undefined && isOutdatedGit(named) ? named : undefined;
}

/** The file of ignored files that counts in all of the user's repositories. Asked once. */
let knownExcludes: Promise<string> | undefined;

function userExcludes(): Promise<string> {
  knownExcludes ??= askUser(excludesQuestion).then(excludesIn);
  return knownExcludes;
}

/** The same question for a shell with a shadow's variables: it prints the answer, and leaves it in `e`. */
function askingUser(): readonly string[] {
  const variables = Object.entries(userVariables()).map(([name, value]) =>
    value === undefined ? `unset ${name}` : `export ${name}=${quote(value)}`,
  );
  return [
    `e=$(${variables.join("; ")}; git ${excludesQuestion.join(" ")}); s=$?`,
    `printf '%s\\n\\0\\0\\0%d\\0' "$e" $s`,
    `[ -n "$e" ] || e=${quote(defaultExcludes())}`,
  ];
}

/** A setting of the user's own configuration; undefined if it is not set, or git does not answer. No repository is read. */
export async function userSetting(name: string): Promise<string | undefined> {
  const answer = await askUser(["config", "--get", name]);
  return answer?.code === 0 ? answer.stdout.toString().replace(/\n$/, "") : undefined;
}

/** Asks git about the user's own configuration, apart from every repository. Undefined without an answer. */
async function askUser(question: readonly string[]): Promise<Captured | undefined> {
  const answer = await prepared("git config", () =>
    start(question, { ...aloneVariables(emptyRepository()), ...userVariables() }, "git config", undefined),
  );
  return answer.ok ? answer.value : undefined;
}

/** Git's answer where there is no repository. */
const noRepository: Captured = { code: 128, stdout: Buffer.alloc(0), stderr: "fatal: not a git repository\n" };

/** Does work with the shadow of the repository around `cwd`; without one there are no variables. */
async function inShadow<T>(
  cwd: string,
  shown: string,
  work: (repository: GitRepository | undefined, variables: Readonly<Record<string, string>>) => Promise<Result<T>>,
): Promise<Result<T>> {
  if (!existsSync(cwd)) return err({ reason: "spawn-failed", command: shown, code: "ENOENT", detail: `${cwd} is not there` });
  const opened = await openRepository(cwd);
  if (opened.kind !== "open") return work(undefined, {});
  return prepared(shown, () => work(opened.repository, shadowVariables(opened.repository)));
}

/** A full disk keeps git from starting, as other limits of the machine do. */
async function prepared<T>(shown: string, work: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work();
  } catch (error) {
    return err({ reason: "spawn-failed", command: shown, ...describeIoError(error) });
  }
}

function start(
  args: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
  shown: string,
  input: Uint8Array | undefined,
): Promise<Result<Captured>> {
  // In the shadow a relative entry of PATH leads to no program of the project.
  const request = { command: ["git", ...args], shown, cwd: directoryOf(variables), env: { ...withoutGit(), ...variables } };
  return capture(input === undefined ? request : { ...request, input });
}

function directoryOf(variables: Readonly<Record<string, string | undefined>>): string {
  return variables["GIT_DIR"] ?? path.sep;
}

let empty: string | undefined;

/** A repository without anything, for questions that concern none. Throws the file system's errors. */
function emptyRepository(): string {
  if (empty === undefined) {
    const directory = temporaryGitDirectory("wave-git-");
    layOutGitDirectory(directory);
    empty = directory;
  }
  return empty;
}

/** The repository's own file of ignored files, which wins over the user's. A pipe or a device is none. */
function ownExcludes({ excludesFile, top }: GitRepository): string | undefined {
  if (excludesFile === undefined) return undefined;
  const place = path.resolve(top, excludesFile.replace(/^~(?=\/)/, homedir()));
  return statSync(place, { throwIfNoEntry: false })?.isFile() === true ? place : undefined;
}

function answersIn({ stdout, stderr }: Captured): readonly Captured[] {
  const answers: Captured[] = [];
  let rest = stdout;
  for (;;) {
    // As Latin-1 places in the text are those of the bytes.
    const match = endOfAnswer.exec(rest.toString("latin1"));
    if (match === null) return answers;
    answers.push({ code: Number(match[1]), stdout: rest.subarray(0, match.index), stderr });
    rest = rest.subarray(match.index + match[0].length);
  }
}
