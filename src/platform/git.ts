/**
 * The only module that starts git; it runs git for reading. Wave finds the repository itself (`git-repository.ts`) and runs git with a
 * shadow of it (`git-shadow.ts`), so no program that the repository, its configuration or its attributes name can run. Of the user's
 * configuration, only `safe.directory` and `core.excludesFile` apply. Git does not prompt, take optional locks, translate its output
 * or connect to other machines.
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
import { defaultExcludes, excludesArgs, excludesIn, trustArgs, trusts, userVariables, withoutGit } from "./git-user.ts";
import { gitVersionIn, isOutdatedGit } from "./git-version.ts";
import { isInside } from "./paths.ts";

/** The repository around a directory, or why Wave does not run git there. */
export type OpenedRepository =
  | { readonly kind: "open"; readonly repository: GitRepository }
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly why: string }
  /** Another user owns it, and the user's `safe.directory` does not name `top`. */
  | { readonly kind: "foreign"; readonly top: string };

/** Results by directory. Once a root is sealed, only these count in it. */
const discoveries = new Map<string, Discovery>();
/** Roots in which no more repositories are searched for, and those in which git no longer runs. */
const sealed = new Set<string>();
const abandoned = new Set<string>();

/** From now on, ignores repositories in `root` that were not found before: a step can create a directory that looks like one. */
export function sealRepositories(root: string): void {
  sealed.add(realPlace(root) ?? root);
}

/** From now on, git does not run in or below `root`: a step that runs there can write to the repository. */
export function leaveRepository(root: string): void {
  abandoned.add(realPlace(root) ?? root);
}

/** The repository around a directory, without a check of trust. Does not run git. */
export function discoverRepository(directory: string): Discovery {
  const real = realPlace(directory);
  if (real === undefined) return { kind: "none" };
  const discovery = isBelowOne(sealed, real) ? (discoveries.get(real) ?? ({ kind: "none" } as const)) : findRepository(real);
  discoveries.set(real, discovery);
  return discovery;
}

function isBelowOne(roots: ReadonlySet<string>, directory: string): boolean {
  for (const root of roots) if (isInside(root, directory)) return true;
  return false;
}

/** The repository around a directory for git to run in. None after `leaveRepository`. Never rejects. */
export async function openRepository(directory: string): Promise<OpenedRepository> {
  return isBelowOne(abandoned, realPlace(directory) ?? directory) ? { kind: "none" } : trustedRepository(directory);
}

/** The repository around a directory for Wave to read, if this user trusts it by git's rules. Never rejects. */
export async function trustedRepository(directory: string): Promise<OpenedRepository> {
  const discovery = discoverRepository(directory);
  if (discovery.kind !== "found") return discovery;
  const { repository, isOwn } = discovery;
  return isOwn || trusts(await readUserConfig(trustArgs), repository.top)
    ? { kind: "open", repository }
    : { kind: "foreign", top: repository.top };
}

/**
 * Runs `git <args>` in a directory, with `input` on standard input. Fails with `spawn-failed` if git or the directory is missing.
 * Without a repository, returns status 128 like git. Sends SIGKILL after two minutes.
 */
export async function runGit(args: readonly string[], cwd: string, input?: Uint8Array): Promise<Result<Captured>> {
  const shown = `git ${args.join(" ")}`;
  return inShadow(cwd, shown, async (repository, variables) => {
    if (repository === undefined) return ok(noRepository);
    const excludes = ownExcludes(repository) ?? (await userExcludes());
    return start(["-c", `core.excludesFile=${excludes}`, "-C", cwd, ...args], variables, shown, input);
  });
}

/** A directory that contains only files of ignore rules, in place of a work tree. */
export interface RulesTree {
  /** Replaces the repository's work tree. */
  readonly top: string;
  /** Replaces the project: `top` or a directory below it. */
  readonly directory: string;
}

/**
 * Runs `git <args>` for the repository around `root` with other ignore rules and without its index. Excludes of the repository and the
 * user apply as in {@link runGit}. Fails like it.
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

/** Runs `git <args>` outside of any repository. Paths must be absolute. Fails like `runGit`. */
export function runGitAlone(args: readonly string[], input?: Uint8Array): Promise<Result<Captured>> {
  const shown = `git ${args.join(" ")}`;
  return prepared(shown, () => start(args, aloneVariables(emptyRepository()), shown, input));
}

/** Runs git in the empty repository at `directory`, made by `layOutGitDirectory`. Fails like `runGit`. */
export function runGitIn(directory: string, args: readonly string[], input?: Uint8Array): Promise<Result<Captured>> {
  return start(args, aloneVariables(directory), `git ${args.join(" ")}`, input);
}

/** A private bare git directory, and the limits of git there. */
export interface PrivateGit {
  /** Absolute. */
  readonly directory: string;
  /** The only protocol that git may use, such as `https`. */
  readonly protocol: string;
  /** The part of the machine's environment that git gets. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly limitMs: number;
  /** Bytes of standard output. */
  readonly limit: number;
}

/** Runs git in a private bare directory, where alone it may connect to another machine. Fails like `runGit`. */
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

/** The separator between outputs in `runGitEach`: three NULs, which no list of names contains, and the exit status. */
const endOfOutput = /\0\0\0([0-9]+)\0/;
const printStatus = "printf '\\0\\0\\0%d\\0' $?";

/**
 * Runs several git commands in one directory, in order, from one shell, because each process that Wave starts takes some milliseconds.
 * All results share one standard error. Without git, each has status 127. Commands that do not end within `limitMs` are missing in the
 * result.
 */
export async function runGitEach(
  commands: readonly (readonly string[])[],
  cwd: string,
  limitMs?: number,
): Promise<Result<readonly Captured[]>> {
  if (process.platform === "win32") {
    const results: Captured[] = [];
    for (const args of commands) {
      const result = await runGit(args, cwd);
      if (!result.ok) return result;
      results.push(result.value);
    }
    return ok(results);
  }
  return inShadow(cwd, "git", async (repository, variables) => {
    if (repository === undefined) return ok(commands.map(() => noRepository));
    const own = ownExcludes(repository);
    const readsExcludes = own === undefined && knownExcludes === undefined;
    const readsVersion = knownVersion === undefined;
    const script = [
      ...(readsExcludes ? excludesScript() : [`e=${quote(own ?? (await userExcludes()))}`]),
      ...(readsVersion ? [`git --version; ${printStatus}`] : []),
      ...commands.map((args) => `git -c core.excludesFile="$e" -C ${[cwd, ...args].map(quote).join(" ")}; ${printStatus}`),
    ].join("\n");
    const captured = await capture({
      command: ["/bin/sh", "-c", script],
      shown: "git",
      cwd: directoryOf(variables),
      env: { ...withoutGit(), ...variables },
      ...defined({ limitMs }),
    });
    if (!captured.ok) return captured;
    const results = [...resultsIn(captured.value)];
    const excludes = readsExcludes ? results.shift() : undefined;
    if (excludes !== undefined) knownExcludes = Promise.resolve(excludesIn(excludes));
    const version = readsVersion ? results.shift() : undefined;
    if (version !== undefined) knownVersion = Promise.resolve(gitVersionIn(version.stdout.toString()));
    return ok(results);
  });
}

/** The version of git; undefined if git is missing or prints none. Read once, with the first commands if possible. */
let knownVersion: Promise<string | undefined> | undefined;

/**
 * The version of git if it is older than `oldestGit` and Wave would run it in the repository around a directory. Undefined without such a
 * repository, without git, and for a program that prints no version. Never rejects.
 */
export async function outdatedGit(directory: string): Promise<string | undefined> {
  if ((await openRepository(directory)).kind !== "open") return undefined;
  knownVersion ??= runGitAlone(["--version"]).then((answer) => (answer.ok ? gitVersionIn(answer.value.stdout.toString()) : undefined));
  const version = await knownVersion;
  return version !== undefined && isOutdatedGit(version) ? version : undefined;
}

/** The user's file of ignored files for all repositories. Read once. */
let knownExcludes: Promise<string> | undefined;

function userExcludes(): Promise<string> {
  knownExcludes ??= readUserConfig(excludesArgs).then(excludesIn);
  return knownExcludes;
}

/** `userExcludes` as a shell script for a shadow's variables: prints the result and stores it in `e`. */
function excludesScript(): readonly string[] {
  const variables = Object.entries(userVariables()).map(([name, value]) =>
    value === undefined ? `unset ${name}` : `export ${name}=${quote(value)}`,
  );
  return [
    `e=$(${variables.join("; ")}; git ${excludesArgs.join(" ")}); s=$?`,
    `printf '%s\\n\\0\\0\\0%d\\0' "$e" $s`,
    `[ -n "$e" ] || e=${quote(defaultExcludes())}`,
  ];
}

/** A setting of the user's own configuration, outside of any repository; undefined if it is not set or git fails. */
export async function userSetting(name: string): Promise<string | undefined> {
  const answer = await readUserConfig(["config", "--get", name]);
  return answer?.code === 0 ? answer.stdout.toString().replace(/\n$/, "") : undefined;
}

/** Runs git with the user's own configuration, outside of any repository. Undefined if git cannot run. */
async function readUserConfig(args: readonly string[]): Promise<Captured | undefined> {
  const answer = await prepared("git config", () =>
    start(args, { ...aloneVariables(emptyRepository()), ...userVariables() }, "git config", undefined),
  );
  return answer.ok ? answer.value : undefined;
}

/** Git's result without a repository. */
const noRepository: Captured = { code: 128, stdout: Buffer.alloc(0), stderr: "fatal: not a git repository\n" };

/** Runs `work` with the shadow of the repository around `cwd`; without a repository, there are no variables. */
async function inShadow<T>(
  cwd: string,
  shown: string,
  work: (repository: GitRepository | undefined, variables: Readonly<Record<string, string>>) => Promise<Result<T>>,
): Promise<Result<T>> {
  if (!existsSync(cwd)) return err({ reason: "spawn-failed", command: shown, code: "ENOENT", detail: `${cwd} does not exist` });
  const opened = await openRepository(cwd);
  if (opened.kind !== "open") return work(undefined, {});
  return prepared(shown, () => work(opened.repository, shadowVariables(opened.repository)));
}

/** Converts a full disk and other limits of the machine to `spawn-failed`. */
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
  // Runs in the shadow, so that a relative entry of PATH finds no program of the project.
  const request = { command: ["git", ...args], shown, cwd: directoryOf(variables), env: { ...withoutGit(), ...variables } };
  return capture(input === undefined ? request : { ...request, input });
}

function directoryOf(variables: Readonly<Record<string, string | undefined>>): string {
  return variables["GIT_DIR"] ?? path.sep;
}

let empty: string | undefined;

/** An empty repository, for commands that need none. Throws the file system's errors. */
function emptyRepository(): string {
  if (empty === undefined) {
    const directory = temporaryGitDirectory("wave-git-");
    layOutGitDirectory(directory);
    empty = directory;
  }
  return empty;
}

/** The repository's own file of ignored files, which overrides the user's. Undefined for a pipe or a device. */
function ownExcludes({ excludesFile, top }: GitRepository): string | undefined {
  if (excludesFile === undefined) return undefined;
  const place = path.resolve(top, excludesFile.replace(/^~(?=\/)/, homedir()));
  return statSync(place, { throwIfNoEntry: false })?.isFile() === true ? place : undefined;
}

function resultsIn({ stdout, stderr }: Captured): readonly Captured[] {
  const results: Captured[] = [];
  let rest = stdout;
  for (;;) {
    // In Latin-1, text offsets equal byte offsets.
    const match = endOfOutput.exec(rest.toString("latin1"));
    if (match === null) return results;
    results.push({ code: Number(match[1]), stdout: rest.subarray(0, match.index), stderr });
    rest = rest.subarray(match.index + match[0].length);
  }
}
