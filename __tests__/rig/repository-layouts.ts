/** Layouts in which git's own files are not a plain directory inside the project. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { commitAll, gitIn } from "./git-traps.ts";

/** A project in a layout, and the directories of git that no attempt may change. Absolute paths. */
export interface LaidOut {
  readonly project: string;
  readonly guarded: readonly string[];
}

const move = (from: string, to: string) => void execFileSync("mv", [from, to]);

/** Turns `project` into a linked work tree of the repository `main`, which has the same commit. */
function linkTo(main: string, project: string): void {
  rmSync(path.join(project, ".git"), { recursive: true, force: true });
  const place = path.join(path.dirname(main), "linked");
  gitIn(main, "worktree", "add", "-q", "--no-checkout", "-b", "topic", place);
  renameSync(path.join(place, ".git"), path.join(project, ".git"));
  rmSync(place, { recursive: true });
  gitIn(project, "worktree", "repair");
  gitIn(project, "reset", "-q");
}

function mainCopy(root: string, beside: string): string {
  const main = path.join(beside, "main");
  cpSync(root, main, { recursive: true });
  return main;
}

/** By name: each changes the repository at `root`, where everything is committed, and may put files into the empty directory `beside`. */
export const repositoryLayouts: Readonly<Record<string, (root: string, beside: string) => LaidOut>> = {
  "a linked work tree": (root, beside) => {
    const main = mainCopy(root, beside);
    linkTo(main, root);
    return { project: root, guarded: [path.join(main, ".git")] };
  },
  "a linked work tree that is named by a path with links": (root, beside) => {
    const main = mainCopy(root, beside);
    linkTo(main, root);
    mkdirSync(path.join(beside, "links"));
    symlinkSync("../main", path.join(beside, "links/relative"));
    symlinkSync(path.join(beside, "links/relative"), path.join(beside, "links/absolute"));
    const entry = path.join(root, ".git");
    writeFileSync(entry, readFileSync(entry, "utf8").replace(main, path.join(beside, "links/absolute")));
    return { project: root, guarded: [path.join(main, ".git")] };
  },
  "a separate git directory": (root, beside) => {
    gitIn(root, "init", "-q", "--separate-git-dir", path.join(beside, "git"));
    return { project: root, guarded: [path.join(beside, "git")] };
  },
  "a link to a directory elsewhere": (root, beside) => {
    move(path.join(root, ".git"), path.join(beside, "git"));
    symlinkSync(path.join(beside, "git"), path.join(root, ".git"));
    return { project: root, guarded: [path.join(beside, "git")] };
  },
  "a link to a directory of the project": (root) => {
    move(path.join(root, ".git"), path.join(root, "store"));
    symlinkSync("store", path.join(root, ".git"));
    writeFileSync(path.join(root, "store/info/exclude"), "/store/\n");
    return { project: root, guarded: [path.join(root, "store")] };
  },
  "a file that names a directory of the project": (root) => {
    move(path.join(root, ".git"), path.join(root, "store"));
    writeFileSync(path.join(root, ".git"), `gitdir: ${root}/store\n`);
    writeFileSync(path.join(root, "store/info/exclude"), "/store/\n");
    return { project: root, guarded: [path.join(root, "store")] };
  },
  "a work tree of a bare repository": (root, beside) => {
    const bare = path.join(beside, "bare.git");
    gitIn(beside, "clone", "-q", "--bare", root, bare);
    linkTo(bare, root);
    return { project: root, guarded: [bare] };
  },
  "a work tree inside its bare repository": (root, beside) => {
    const bare = path.join(root, "bare.git");
    gitIn(beside, "clone", "-q", "--bare", root, bare);
    const project = path.join(bare, "tree");
    gitIn(bare, "worktree", "add", "-q", "-b", "topic", project);
    const guarded = readdirSync(bare).filter((name) => name !== "tree");
    return { project, guarded: guarded.map((name) => path.join(bare, name)) };
  },
  "a work tree with a configuration of its own": (root, beside) => {
    const bare = path.join(beside, "bare.git");
    gitIn(beside, "clone", "-q", "--bare", root, bare);
    gitIn(bare, "config", "extensions.worktreeConfig", "true");
    gitIn(bare, "config", "--file", path.join(bare, "config.worktree"), "core.bare", "true");
    gitIn(bare, "config", "--unset", "core.bare");
    linkTo(bare, root);
    gitIn(root, "config", "--worktree", "user.name", "of the work tree");
    return { project: root, guarded: [bare] };
  },
  "a subdirectory": (root) => ({ project: path.join(root, "sub"), guarded: [path.join(root, ".git")] }),
  "a subdirectory of a linked work tree": (root, beside) => {
    const main = mainCopy(root, beside);
    linkTo(main, root);
    return { project: path.join(root, "sub"), guarded: [path.join(main, ".git")] };
  },
  "a submodule": (root, beside) => {
    const source = mainCopy(root, beside);
    const outer = path.join(root, "outer");
    mkdirSync(outer);
    writeFileSync(path.join(outer, "o.txt"), "o\n");
    commitAll(outer);
    gitIn(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source, "lib/module");
    return { project: path.join(outer, "lib/module"), guarded: [path.join(outer, ".git")] };
  },
};

/** Every file of the directories and files with its bytes. */
export function bytesOf(places: readonly string[]): Readonly<Record<string, string>> {
  const files = places.flatMap((place) => execFileSync("find", [place, "-type", "f"], { encoding: "utf8" }).split("\n"));
  return Object.fromEntries(files.filter((file) => file !== "").map((file) => [file, readFileSync(file, "base64")] as const));
}

/** Every path below the directories and files with its kind, mode, owner, and the target of a link. */
export function treeOf(places: readonly string[]): readonly string[] {
  return execFileSync("find", [...places, "-printf", "%p %y %m %U:%G %l\n"], { encoding: "utf8" })
    .split("\n")
    .sort();
}
