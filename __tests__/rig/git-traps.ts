/** Repositories that name programs in every way git knows, and a program that leaves a mark when it is started on this machine. */
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface Trap {
  /** The program. */
  readonly program: string;
  /** How it was started, one line each time. */
  readonly fired: () => readonly string[];
  readonly forget: () => void;
}

/** A program in a directory that is there and that a sandbox does not show. */
export function makeTrap(directory: string): Trap {
  const program = path.join(directory, "trap");
  const log = path.join(directory, "fired");
  writeFileSync(program, `#!/bin/sh\necho "$*" >>'${log}'\nexit 0\n`);
  chmodSync(program, 0o755);
  return {
    program,
    fired: () => (existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []),
    forget: () => rmSync(log, { force: true }),
  };
}

/** Every setting of git that names a program, and those that lead to more configuration. `included` is a file that is there. */
function settings({ program }: Trap, included: string): string {
  return `[core]
	fsmonitor = ${program} fsmonitor
	hooksPath = hooks
	attributesFile = ${included}.attributes
	sshCommand = ${program} ssh
	gitProxy = ${program} proxy
	askPass = ${program} askpass
	editor = ${program} editor
	pager = ${program} pager
	alternateRefsCommand = ${program} alternates
[filter "trap"]
	clean = ${program} clean
	smudge = ${program} smudge
	process = ${program} process
	required = true
[diff]
	external = ${program} external
[diff "trap"]
	command = ${program} diff
	textconv = ${program} textconv
[merge "trap"]
	driver = ${program} merge
[gpg]
	program = ${program} gpg
[log]
	showSignature = true
[credential]
	helper = !${program} credential
[alias]
	ls-files = !${program} alias
	config = !${program} alias
[pager]
	ls-files = ${program} pager
	diff-tree = ${program} pager
[uploadpack]
	packObjectsHook = ${program} pack
[remote "trap"]
	url = ext::${program} ext
	promisor = true
	partialCloneFilter = blob:none
[extensions]
	partialClone = trap
[submodule "trap"]
	update = !${program} update
[include]
	path = ${included}
[includeIf "gitdir:/"]
	path = ${included}
`;
}

/** Text of tracked attributes that ask for all drivers. */
export const trappedAttributes = "* filter=trap diff=trap merge=trap\n";

/** Runs git with an identity and without the user's configuration. */
export function gitIn(cwd: string, ...words: string[]): string {
  const always = ["user.name=a", "user.email=a@b", "protocol.file.allow=always", "init.defaultBranch=main", "safe.directory=*"];
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", LANG: "C.UTF-8", GIT_CONFIG_NOSYSTEM: "1" };
  const given = [...always.flatMap((one) => ["-c", one]), ...words];
  return execFileSync("git", given, { cwd, encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] });
}

/** Makes a directory with these files the work tree of a repository that has committed them. */
export function commitAll(root: string): void {
  if (!existsSync(path.join(root, ".git"))) gitIn(root, "init", "-q");
  gitIn(root, "add", "-A");
  gitIn(root, "commit", "-q", "--allow-empty", "-m", "first");
}

/** Puts every trap into a git directory; `place` is where it is going to be. Its work tree's files look changed to git. */
export function setTraps(gitDirectory: string, trap: Trap, place = gitDirectory): void {
  mkdirSync(path.join(gitDirectory, "info"), { recursive: true });
  mkdirSync(path.join(gitDirectory, "hooks"), { recursive: true });
  writeFileSync(path.join(gitDirectory, "more"), `[core]\n\tfsmonitor = ${trap.program} included\n`);
  writeFileSync(path.join(gitDirectory, "more.attributes"), trappedAttributes);
  writeFileSync(path.join(gitDirectory, "info/attributes"), trappedAttributes);
  for (const hook of ["post-index-change", "fsmonitor-watchman", "post-checkout", "pre-commit", "reference-transaction"]) {
    writeFileSync(path.join(gitDirectory, "hooks", hook), `#!/bin/sh\nexec ${trap.program} ${hook}\n`, { mode: 0o755 });
  }
  appendFileSync(path.join(gitDirectory, "config"), settings(trap, path.join(place, "more")));
}

/** Makes `directory` look like a bare repository whose work tree it is: what lies in `.git` of its repository moves up. */
export function moveGitUp(directory: string): void {
  const git = path.join(directory, ".git");
  for (const name of readdirSync(git)) {
    if (existsSync(path.join(directory, name))) rmSync(path.join(git, name), { recursive: true });
    else renameSync(path.join(git, name), path.join(directory, name));
  }
  rmSync(git, { recursive: true });
  appendFileSync(path.join(directory, "config"), "[core]\n\tbare = false\n\tworktree = .\n");
}
