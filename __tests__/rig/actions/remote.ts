/** A real git remote, and checkouts of it as actions/checkout makes them: detached and shallow. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";

export interface Remote {
  /** The directory of the bare repository. */
  readonly directory: string;
  /** Commits files on a branch, on top of `from` if it is new, and gives the commit. `undefined` deletes a file. */
  commit(branch: string, files: Readonly<Record<string, string | undefined>>, from?: string): string;
  /** Makes a merge commit of two commits as GitHub does for a pull request, with the tree of `second`, and gives it. */
  merge(first: string, second: string): string;
  /** A new checkout of one commit, with a depth of 1. `words` are further options of its fetch. */
  checkout(commit: string, ...words: string[]): string;
}

const open: string[] = [];

afterEach(() => {
  for (const directory of open.splice(0)) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

/** A bare repository; gone after the test. */
export function gitRemote(): Remote {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-remote-"));
  open.push(directory);
  const bare = path.join(directory, "demo.git");
  const work = path.join(directory, "work");
  git(directory, "init", "--quiet", "--bare", "--initial-branch=main", bare);
  // GitHub lets any commit be fetched that a ref leads to.
  git(bare, "config", "uploadpack.allowReachableSHA1InWant", "true");
  git(directory, "clone", "--quiet", bare, work);
  git(bare, "config", "uploadpack.allowFilter", "true");
  let checkouts = 0;
  return {
    directory: bare,
    commit(branch, files, from) {
      const exists = git(work, "branch", "--list", branch) !== "";
      git(work, "checkout", "--quiet", ...(exists ? [branch] : ["-B", branch, ...(from === undefined ? [] : [from])]));
      for (const [name, text] of Object.entries(files)) {
        const file = path.join(work, name);
        mkdirSync(path.dirname(file), { recursive: true });
        if (text === undefined) rmSync(file);
        else writeFileSync(file, text);
      }
      git(work, "add", "-A");
      git(work, "commit", "--quiet", "--allow-empty", "-m", "Change");
      git(work, "push", "--quiet", "origin", branch);
      return git(work, "rev-parse", "HEAD");
    },
    merge(first, second) {
      const commit = git(work, "commit-tree", `${second}^{tree}`, "-p", first, "-p", second, "-m", "Merge");
      git(work, "push", "--quiet", "origin", `${commit}:refs/heads/merge-${commit}`);
      return commit;
    },
    checkout(commit, ...words) {
      checkouts += 1;
      const place = path.join(directory, `checkout-${checkouts}`);
      mkdirSync(place);
      git(place, "init", "--quiet");
      git(place, "remote", "add", "origin", `file://${bare}`);
      git(place, "fetch", "--quiet", "--no-tags", "--depth=1", ...words, "origin", commit);
      git(place, "checkout", "--quiet", "--detach", "FETCH_HEAD");
      return place;
    },
  };
}

function git(cwd: string, ...words: string[]): string {
  const identity = ["-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "commit.gpgsign=false"];
  return execFileSync("git", [...identity, ...words], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}
