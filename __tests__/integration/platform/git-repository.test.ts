/** Wave's own search for repositories, and git in their shadows, compared with plain git in every layout. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openRepository, runGit } from "../../../src/platform/git.ts";
import { findRepository } from "../../../src/platform/git-repository.ts";
import { listRepository } from "../../../src/workspace/base-git.ts";
import { removeDirectory } from "../../rig/remove-directory.ts";

const made: string[] = [];
const home = scratch();
mkdirSync(path.join(home, ".config/git"), { recursive: true });
writeFileSync(path.join(home, ".config/git/ignore"), "*.mine\n");

beforeEach(() => {
  vi.stubEnv("HOME", home);
  vi.stubEnv("XDG_CONFIG_HOME", "");
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => {
  for (const directory of made.splice(0)) removeDirectory(directory);
});

function scratch(): string {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "wave-layout-")));
  made.push(directory);
  return directory;
}

const always = ["user.name=a", "user.email=a@b", "protocol.file.allow=always", "init.defaultBranch=main"].flatMap((one) => ["-c", one]);

function git(cwd: string, ...words: string[]): string {
  return execFileSync("git", [...always, ...words], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HOME: home },
  });
}

/** A repository with committed, changed, deleted, untracked and ignored files. */
function repository(root: string, ...init: string[]): string {
  mkdirSync(root, { recursive: true });
  git(root, "init", "-q", ...init);
  fill(root);
  return root;
}

function fill(root: string): void {
  const files = { "a.txt": "a\n", "sub/b.txt": "b\n", "sub/deep/c.txt": "c\n", "gone.txt": "g\n", ".gitignore": "*.log\n/sub/out\n" };
  for (const [name, text] of Object.entries(files)) write(root, name, text);
  symlinkSync("a.txt", path.join(root, "link"));
  git(root, "add", "-A");
  git(root, "commit", "-q", "-m", "first");
  dirty(root);
}

function dirty(root: string): void {
  write(root, "sub/b.txt", "changed\n");
  execFileSync("rm", ["-f", path.join(root, "gone.txt")]);
  for (const name of ["new.txt", "x.log", "sub/out/o", "sub/new.txt", "y.mine"]) write(root, name, `${name}\n`);
}

function write(root: string, name: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}

/** Each returns the directories in which git runs. */
const layouts: Readonly<Record<string, (place: string) => readonly string[]>> = {
  "a plain repository, its directories, and a link to it": (place) => {
    const root = repository(path.join(place, "r"));
    symlinkSync(root, path.join(place, "link"));
    return [root, path.join(root, "sub"), path.join(root, "sub/deep"), path.join(place, "link"), path.join(place, "link/sub")];
  },
  "a repository without a commit": (place) => {
    git(place, "init", "-q", "r");
    dirty(path.join(place, "r"));
    return [path.join(place, "r")];
  },
  "a separate git directory": (place) => [repository(path.join(place, "r"), "--separate-git-dir", path.join(place, "git"))],
  "a separate git directory that its file names relatively": (place) => {
    const root = repository(path.join(place, "r"), "--separate-git-dir", path.join(place, "git"));
    write(root, ".git", "gitdir: ../git\n");
    return [root, path.join(root, "sub")];
  },
  "`.git` as a symbolic link": (place) => {
    const root = repository(path.join(place, "r"));
    renameSync(path.join(root, ".git"), path.join(place, "elsewhere"));
    symlinkSync("../elsewhere", path.join(root, ".git"));
    return [root, path.join(root, "sub")];
  },
  "a linked work tree": (place) => {
    const root = repository(path.join(place, "r"));
    git(root, "worktree", "add", "-q", "-b", "topic", "../w");
    dirty(path.join(place, "w"));
    return [path.join(place, "w"), path.join(place, "w/sub")];
  },
  "a linked work tree inside its repository, with relative pointers": (place) => {
    const root = repository(path.join(place, "r"));
    git(root, "worktree", "add", "-q", "--detach", "inner/w");
    write(root, "inner/w/.git", "gitdir: ../../.git/worktrees/w\n");
    return [path.join(root, "inner/w"), root];
  },
  "a work tree of a bare repository, inside it and beside it": (place) => {
    const source = repository(path.join(place, "source"));
    git(place, "clone", "-q", "--bare", source, "bare.git");
    git(path.join(place, "bare.git"), "worktree", "add", "-q", "../w");
    git(path.join(place, "bare.git"), "worktree", "add", "-q", "inside");
    dirty(path.join(place, "w"));
    return [path.join(place, "w"), path.join(place, "bare.git/inside")];
  },
  "work trees with configurations of their own": (place) => {
    const root = repository(path.join(place, "r"));
    git(root, "config", "extensions.worktreeConfig", "true");
    git(root, "worktree", "add", "-q", "../w");
    git(path.join(place, "w"), "config", "--worktree", "core.fileMode", "false");
    return [root, path.join(place, "w")];
  },
  "a submodule, one inside it, and the repository around them": (place) => {
    const source = repository(path.join(place, "source"));
    const middle = repository(path.join(place, "middle"));
    git(middle, "submodule", "--quiet", "add", source, "lib/inner");
    git(middle, "commit", "-q", "-m", "inner");
    const root = repository(path.join(place, "r"));
    git(root, "submodule", "--quiet", "add", middle, "lib/outer");
    git(root, "submodule", "--quiet", "update", "--init", "--recursive");
    dirty(path.join(root, "lib/outer"));
    return [
      root,
      path.join(root, "lib"),
      path.join(root, "lib/outer"),
      path.join(root, "lib/outer/lib/inner"),
      path.join(root, "lib/outer/sub"),
    ];
  },
  "a clone inside a repository": (place) => {
    const root = repository(path.join(place, "r"));
    repository(path.join(root, "nested"));
    return [root, path.join(root, "nested"), path.join(root, "nested/sub")];
  },
  "objects of SHA-256": (place) => [repository(path.join(place, "r"), "--object-format=sha256")],
  "a split index": (place) => {
    const root = repository(path.join(place, "r"));
    git(root, "update-index", "--split-index");
    write(root, "later.txt", "l\n");
    git(root, "add", "later.txt");
    return [root, path.join(root, "sub")];
  },
  "indexes of each version": (place) =>
    ["2", "3", "4"].map((version) => {
      const root = repository(path.join(place, version));
      git(root, "update-index", "--index-version", version);
      return root;
    }),
  "a sparse checkout, and a sparse index": (place) => {
    const root = repository(path.join(place, "r"));
    git(root, "checkout", "-q", "--", ".");
    git(root, "sparse-checkout", "init", "--cone");
    git(root, "sparse-checkout", "set", "sub/deep");
    // Git before 2.32 has no sparse index.
    spawnSync("git", ["sparse-checkout", "reapply", "--sparse-index"], { cwd: root });
    return [root, path.join(root, "sub")];
  },
  "borrowed objects, by a relative path and through a chain": (place) => {
    const source = repository(path.join(place, "source"));
    git(place, "clone", "-q", "--shared", source, "middle");
    git(place, "clone", "-q", "--shared", "middle", "r");
    write(place, "r/.git/objects/info/alternates", "../../../middle/.git/objects\n");
    dirty(path.join(place, "r"));
    return [path.join(place, "r"), path.join(place, "middle")];
  },
  "a partial clone": (place) => {
    const source = repository(path.join(place, "source"));
    git(source, "config", "uploadpack.allowFilter", "true");
    git(place, "clone", "-q", "--filter=blob:none", `file://${source}`, "r");
    dirty(path.join(place, "r"));
    return [path.join(place, "r")];
  },
  "packed references, and a symbolic one": (place) => {
    const root = repository(path.join(place, "r"));
    git(root, "symbolic-ref", "refs/heads/other", "refs/heads/main");
    git(root, "pack-refs", "--all");
    git(root, "symbolic-ref", "HEAD", "refs/heads/other");
    return [root];
  },
  "a detached HEAD": (place) => {
    const root = repository(path.join(place, "r"));
    git(root, "checkout", "-q", "--detach");
    return [root];
  },
  "HEAD as a symbolic link": (place) => {
    const root = repository(path.join(place, "r"));
    execFileSync("ln", ["-sfn", "refs/heads/main", path.join(root, ".git/HEAD")]);
    return [root];
  },
  "files of excludes of the repository": (place) => {
    const root = repository(path.join(place, "r"));
    write(root, ".git/info/exclude", "new.txt\n");
    write(root, ".git/more", "sub/new.txt\n");
    const other = repository(path.join(place, "other"));
    git(other, "config", "core.excludesFile", path.join(root, ".git/more"));
    return [root, other];
  },
  "a work tree that the configuration names, in the directory of `.git`": (place) => {
    const root = repository(path.join(place, "r"));
    git(root, "config", "core.worktree", path.join(root, "sub"));
    return [path.join(root, "sub"), path.join(root, "sub/deep")];
  },
  "a merge with conflicts": (place) => {
    const root = repository(path.join(place, "r"));
    git(root, "checkout", "-q", "-b", "side");
    write(root, "a.txt", "side\n");
    git(root, "commit", "-q", "-m", "side", "a.txt");
    git(root, "checkout", "-q", "main");
    write(root, "a.txt", "main\n");
    git(root, "commit", "-q", "-m", "main", "a.txt");
    execFileSync("sh", ["-c", "git merge -q side >/dev/null 2>&1 || true"], { cwd: root, env: { ...process.env, HOME: home } });
    return [root];
  },
  "odd names": (place) => {
    const root = repository(path.join(place, 'it\'s a "place"\n$(touch no)'));
    for (const name of ["-n", ":(top)x", "two words", 'quo"te', "line\nbreak"]) write(root, name, name);
    git(root, "add", "-A");
    write(root, ":(top)x", "changed");
    return [root];
  },
};

function plainAnswers(directory: string) {
  const list = (...words: string[]) =>
    git(directory, "ls-files", "-z", ...words)
      .split("\0")
      .filter((name) => name !== "");
  const head = (() => {
    try {
      return git(directory, "rev-parse", "-q", "--verify", "HEAD").trim();
    } catch {
      return undefined;
    }
  })();
  return {
    top: git(directory, "rev-parse", "--show-toplevel").replace(/\n$/, ""),
    directory: realpathSync(git(directory, "rev-parse", "--absolute-git-dir").replace(/\n$/, "")),
    common: realpathSync(path.resolve(realpathSync(directory), git(directory, "rev-parse", "--git-common-dir").replace(/\n$/, ""))),
    format: git(directory, "rev-parse", "--show-object-format").trim(),
    head,
    tracked: list("--stage"),
    dirty: [...new Set(list("--modified", "--deleted", "--others", "--exclude-standard"))].sort(),
    ignored: list("--others", "--ignored", "--exclude-standard").sort(),
  };
}

async function wavesAnswers(directory: string) {
  const found = findRepository(directory);
  if (found.kind !== "found") return found;
  const { repository } = found;
  const listing = await listRepository(directory);
  const list = async (...words: string[]) => {
    const answer = await runGit(["ls-files", "-z", ...words], directory);
    return answer.ok && answer.value.code === 0
      ? answer.value.stdout
          .toString()
          .split("\0")
          .filter((name) => name !== "")
      : answer;
  };
  return {
    top: repository.top,
    directory: repository.directory,
    common: repository.common,
    format: listing?.algorithm,
    head: listing?.head,
    tracked: await list("--stage"),
    dirty: [...new Set(listing?.dirty)].sort(),
    ignored: ((await list("--others", "--ignored", "--exclude-standard")) as string[]).sort(),
  };
}

/** Layouts that git supports since 2.45. */
const newer: typeof layouts = {
  "references in a table": (place) => {
    const root = repository(path.join(place, "r"), "--ref-format=reftable");
    return [root, path.join(root, "sub")];
  },
  "a linked work tree with references in a table": (place) => {
    const root = repository(path.join(place, "r"), "--ref-format=reftable");
    git(root, "worktree", "add", "-q", "-b", "topic", "../w");
    git(path.join(place, "w"), "commit", "-q", "--allow-empty", "-m", "topic");
    dirty(path.join(place, "w"));
    return [path.join(place, "w"), root];
  },
};
const gitVersion =
  git("/", "version")
    .match(/ (\d+)\.(\d+)/)
    ?.slice(1)
    .map(Number) ?? [];

describe("finds a repository and lists its files like plain git", () => {
  const compare = async (directories: readonly string[] = []) => {
    for (const directory of directories) expect(await wavesAnswers(directory), directory).toEqual(plainAnswers(directory));
  };
  test.each(Object.keys(layouts))("%s", async (name) => compare(layouts[name]?.(scratch())));
  const [major = 0, minor = 0] = gitVersion;
  test.runIf(major > 2 || minor >= 45).each(Object.keys(newer))("%s", async (name) => compare(newer[name]?.(scratch())));
});

describe("a repository is refused", () => {
  const refused: Readonly<Record<string, (root: string) => string>> = {
    "if its `.git` file names nothing": (root) => {
      execFileSync("rm", ["-rf", path.join(root, ".git")]);
      write(root, ".git", "gitdir: ../nowhere\n");
      return "its `.git` file does not name a repository";
    },
    "if its format is newer than this": (root) => {
      git(root, "config", "core.repositoryFormatVersion", "2");
      return "its repository format is unknown";
    },
    "if it needs an extension that nobody knows": (root) => {
      git(root, "config", "core.repositoryFormatVersion", "1");
      git(root, "config", "extensions.newer", "true");
      return "its `extensions.newer` is unknown";
    },
    "if its configuration is malformed": (root) => {
      write(root, ".git/config", "[core\n");
      return "its configuration cannot be read";
    },
    "if its configuration is a pipe": (root) => {
      execFileSync("sh", ["-c", "rm .git/config && mkfifo .git/config"], { cwd: root });
      return "its configuration cannot be read";
    },
    "if its index is a pipe": (root) => {
      execFileSync("sh", ["-c", "rm .git/index && mkfifo .git/index"], { cwd: root });
      return "its `index` is not a file";
    },
    "if its list of alternates is a pipe": (root) => {
      execFileSync("mkfifo", [".git/objects/info/alternates"], { cwd: root });
      return "its `alternates` is not a file";
    },
    "if its work tree is elsewhere": (root) => {
      git(root, "config", "core.worktree", path.dirname(root));
      return "its `core.worktree` names another directory";
    },
  };
  test.each(Object.keys(refused))("%s", async (name) => {
    const root = repository(path.join(scratch(), "r"));
    const why = refused[name]?.(root);
    expect(await openRepository(root)).toEqual({ kind: "refused", why });
    expect(await listRepository(root)).toBeUndefined();
    expect(await runGit(["ls-files"], root)).toMatchObject({ ok: true, value: { code: 128 } });
  });

  const bare = (root: string) => {
    for (const name of ["objects", "refs"]) mkdirSync(path.join(root, name), { recursive: true });
    write(root, "HEAD", "ref: refs/heads/main\n");
    write(root, "config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n");
    return root;
  };

  test("a directory that only looks like a bare repository is ignored, below a repository or alone", () => {
    const alone = bare(path.join(scratch(), "alone"));
    expect(git(alone, "rev-parse", "--git-dir").trim()).toBe(".");
    expect(findRepository(alone)).toEqual({ kind: "none" });
    const root = repository(path.join(scratch(), "r"));
    const inside = bare(path.join(root, "sub/deep"));
    expect(findRepository(inside)).toMatchObject({ kind: "found", repository: { top: root } });
  });

  test("a bare repository and the inside of `.git` have no work tree", () => {
    const place = scratch();
    git(place, "init", "-q", "--bare", "bare");
    const root = repository(path.join(place, "r"));
    for (const directory of [path.join(place, "bare"), path.join(root, ".git"), path.join(root, ".git/refs")]) {
      expect(findRepository(directory), directory).toEqual({ kind: "none" });
    }
    git(root, "config", "core.bare", "true");
    expect(findRepository(root)).toEqual({ kind: "none" });
  });

  test("the search stops at a ceiling directory", () => {
    const place = scratch();
    const root = repository(path.join(place, "r"));
    const sub = path.join(root, "sub");
    expect(findRepository(sub, { GIT_CEILING_DIRECTORIES: root })).toEqual({ kind: "none" });
    expect(findRepository(sub, { GIT_CEILING_DIRECTORIES: `relative:${sub}:${place}` })).toMatchObject({ kind: "found" });
    expect(findRepository(root, { GIT_CEILING_DIRECTORIES: root })).toMatchObject({ kind: "found" });
  });
});

describe.runIf(process.getuid?.() === 0)("a repository of another user", () => {
  const foreign = (...places: string[]) => {
    const root = repository(path.join(scratch(), "r"));
    for (const place of places) execFileSync("chown", ["-R", "61234:61234", path.join(root, place)]);
    return root;
  };

  test("is not listed unless `safe.directory` names it, in each form that git supports", async () => {
    const root = foreign(".");
    const values: readonly (readonly [string, boolean])[] = [
      ["", false],
      [`\tdirectory = ${root}\n`, true],
      ["\tdirectory = *\n", true],
      [`\tdirectory = ${path.dirname(root)}\n`, false],
      [`\tdirectory = *\n\tdirectory =\n`, false],
      [`\tdirectory = *\n\tdirectory =\n\tdirectory = ${root}\n`, true],
    ];
    for (const [text, isTrusted] of values) {
      writeFileSync(path.join(home, ".gitconfig"), `[safe]\n${text}`);
      const plain = (() => {
        try {
          return git(root, "rev-parse", "--is-inside-work-tree").trim() === "true";
        } catch {
          return false;
        }
      })();
      expect([text, plain]).toEqual([text, isTrusted]);
      expect([text, (await openRepository(root)).kind]).toEqual([text, isTrusted ? "open" : "foreign"]);
      expect([text, (await listRepository(root)) !== undefined]).toEqual([text, isTrusted]);
    }
    writeFileSync(path.join(home, ".gitconfig"), "");
  });

  test("is not trusted because of its own configuration", async () => {
    const root = foreign(".");
    writeFileSync(path.join(root, ".git/config"), "[safe]\n\tdirectory = *\n");
    expect((await openRepository(root)).kind).toBe("foreign");
  });

  test("is one whose `.git` belongs to another user, unless that user called sudo", async () => {
    const root = foreign(".git");
    expect((await openRepository(root)).kind).toBe("foreign");
    vi.stubEnv("SUDO_UID", "61234");
    expect((await openRepository(root)).kind).toBe("open");
  });
});
