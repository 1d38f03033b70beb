/** Tests copies of projects with their repositories, removing hostile trees, and configurations without credentials. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { copyTree } from "../../../src/changeset/copy-tree.ts";
import { gitConfigFiles, maskedGitConfig } from "../../../src/changeset/git-config.ts";
import { removeTree } from "../../../src/changeset/remove-tree.ts";
import { freshProject } from "../../rig/changeset-conformance.ts";
import { isState, must, scratch } from "../../rig/changeset-places.ts";
import { leafTree } from "../../rig/leaf-tree.ts";
import fc from "../../rig/property.ts";

const sh = (cwd: string, script: string) => execFileSync("bash", ["-euc", script], { cwd, stdio: ["ignore", "pipe", "pipe"] }).toString();
const identity = "git config user.email a@b.c; git config user.name A";
const secret =
  "git config credential.helper store; git config http.https://h/.extraheader 'AUTHORIZATION: basic s3cret'; git remote add origin https://u:s3cret@h/r.git; echo x > .git/hooks/post-checkout";

async function copied(root: string): Promise<string> {
  const directory = scratch();
  must(await copyTree({ root, directory, isExcluded: isState }));
  return directory;
}

describe("copying a project", () => {
  test("copies its tree with times and modes, without state", async () => {
    const root = freshProject();
    const copy = await copied(root);
    expect(leafTree(copy)).toEqual(leafTree(root, isState));
    for (const file of ["a.txt", "dir", "dir/one", ".wave", "link", "locked", "hard1"]) {
      const [a, b] = [lstatSync(path.join(root, file)), lstatSync(path.join(copy, file))];
      expect([file, b.mode, Math.round(b.mtimeMs)]).toEqual([file, a.mode, Math.round(a.mtimeMs)]);
    }
    expect(existsSync(path.join(copy, ".wave/state"))).toBe(false);
  });

  test("creates a working repository that borrows objects and has no hooks or credentials", async () => {
    const root = freshProject();
    sh(root, `${identity}; ${secret}; git commit -qm one; echo more >> a.txt`);
    const copy = await copied(root);
    expect(sh(copy, "git status --porcelain -uno; git log --format=%s; git diff --stat | tail -1")).toBe(
      " M a.txt\none\n 1 file changed, 1 insertion(+)\n",
    );
    expect(sh(copy, "grep -r s3cret .git || true; ls .git/hooks 2>/dev/null || true")).toBe("");
    sh(copy, `git commit -qam two`);
    expect(sh(root, "git log --format=%s; git status --porcelain -uno")).toBe("one\n M a.txt\n");
    expect(readdirSync(path.join(copy, ".git/objects"))).not.toContain("pack.lock");
  });

  test("creates separate repositories for work trees and submodules", async () => {
    const place = scratch();
    sh(place, `git init -q sub; cd sub; ${identity}; echo s > s; git add s; git commit -qm sub`);
    sh(
      place,
      `git init -q main; cd main; ${identity}; git -c protocol.file.allow=always submodule -q add ${place}/sub inner; git commit -qm main; ${secret}`,
    );
    sh(place, "cd main; git worktree add -q -b other ../tree; cd ../tree; git -c protocol.file.allow=always submodule -q update --init");
    const tree = await copied(path.join(place, "tree"));
    expect(sh(tree, "git status --porcelain; git branch --show-current; git log --format=%s")).toBe("other\nmain\n");
    sh(tree, `echo x > x; git add x; git -c user.name=A -c user.email=a@b.c commit -qm two`);
    expect(sh(path.join(place, "tree"), "git status --porcelain; git log --format=%s")).toBe("main\n");
    const main = await copied(path.join(place, "main"));
    expect(sh(main, "git status --porcelain; cd inner; git log --format=%s; git status --porcelain")).toBe("sub\n");
    expect(sh(main, "grep -r s3cret .git || true")).toBe("");
    const inner = await copied(path.join(place, "main/inner"));
    expect(sh(inner, "git log --format=%s; git status --porcelain; git rev-parse --show-toplevel")).toBe(`sub\n${inner}\n`);
  });

  test("treats a repository inside the project the same way", async () => {
    const root = freshProject();
    sh(root, `mkdir -p vendor/lib; cd vendor/lib; git init -q .; ${identity}; ${secret}; echo l > l; git add l; git commit -qm lib`);
    const copy = await copied(root);
    expect(sh(copy, "cd vendor/lib; git log --format=%s; git status --porcelain; grep -r s3cret . || true")).toBe("lib\n");
  });
});

describe("removing a tree", () => {
  test("accepts a missing path, a file and a symlink", async () => {
    const place = scratch();
    sh(place, "mkdir kept; echo k > kept/f; ln -s kept link; echo f > file");
    for (const name of ["missing", "link", "file"]) must(await removeTree(path.join(place, name)));
    expect(sh(place, "ls . kept")).toBe(".:\nkept\n\nkept:\nf\n");
  });

  test("never follows symlinks", async () => {
    const place = scratch();
    sh(place, "mkdir -p kept tree/d; echo k > kept/f; ln -s ../kept tree/a; ln -s ../../kept tree/d/b; ln -s / tree/c");
    must(await removeTree(path.join(place, "tree")));
    expect(sh(place, "ls . kept")).toBe(".:\nkept\n\nkept:\nf\n");
  });

  test("removes trees that are closed, have odd names, and exceed the longest path", async () => {
    const place = scratch();
    const deep = "import os\nfor i in range(1500):\n  n=f'a-rather-long-name-{i}'\n  os.mkdir(n); os.chdir(n)\nopen('f','w').close()";
    sh(
      place,
      `mkdir tree; cd tree; mkdir -p $'x\\xff/y' closed/c; echo f > $'x\\xff/y/\\n'; mkfifo pipe; (python3 -c "${deep}"); chmod 000 closed/c closed x*`,
    );
    must(await removeTree(path.join(place, "tree")));
    expect(readdirSync(place)).toEqual([]);
  });
});

describe("masking a configuration", () => {
  const masked = async (text: string) => {
    const file = path.join(scratch(), "config");
    writeFileSync(file, text);
    return must(maskedGitConfig(file));
  };

  test("keeps what git needs, and drops credentials, programs and redirections", async () => {
    const text = await masked(`[core]
	repositoryformatversion = 0
	filemode
	bare = false
	hooksPath = /evil
	fsmonitor = /evil
	sshCommand = ssh -i /evil
	askPass = /evil
	pager = evil
	editor = evil
	worktree = ../x
	sparseCheckout = true
[include]
	path = /evil
[includeIf "gitdir:/"]
	path = /evil
[credential "https://h"]
	helper = "!evil"
[http "https://h/"]
	extraheader = AUTHORIZATION: basic evil
	proxy = http://evil
[url "https://u:evil@h/"]
	insteadOf = https://h/
[remote "origin"]
	url = https://user:evil@host/path/repo.git?token=evil#evil
	pushurl = ssh://evil@host/r
	fetch = +refs/heads/*:refs/remotes/origin/*
	uploadpack = evil
	proxy = evil
	vcs = evil
[remote "ext"]
	url = ext::sh -c evil
[remote "scp"]
	url = git@host:path
[branch "feature/a b"]
	remote = https://evil@h/r
	merge = refs/heads/x
[filter "lfs"]
	process = evil
[diff "x"]
	textconv = evil
[merge "x"]
	driver = evil
[alias]
	x = !evil
[gpg]
	program = evil
[submodule "s"]
	url = https://evil@h/s
	update = !evil
	path = s
[user]
	name = \\"A\\" \\\\ B
	email = a@b
[extensions]
	worktreeConfig = true
`);
    expect(text).not.toMatch(/evil/);
    const file = path.join(scratch(), "config");
    writeFileSync(file, text);
    expect(sh("/", `git config --file ${file} --list`).trim().split("\n")).toEqual([
      "core.repositoryformatversion=0",
      "core.filemode",
      "core.bare=false",
      "core.worktree=../x",
      "core.sparsecheckout=true",
      "remote.origin.url=https://host/path/repo.git",
      "remote.origin.pushurl=ssh://host/r",
      "remote.origin.fetch=+refs/heads/*:refs/remotes/origin/*",
      "remote.scp.url=git@host:path",
      "branch.feature/a b.remote=https://h/r",
      "branch.feature/a b.merge=refs/heads/x",
      "submodule.s.url=https://h/s",
      "submodule.s.path=s",
      'user.name="A" \\ B',
      "user.email=a@b",
      "extensions.worktreeconfig=true",
    ]);
  });

  test("quotes any value and any name for git", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", '"', "\\", "\n", "\t", " ", ";", "#", "]", "ü", "=", "\b", "\r", "[core]") });
    await fc.assert(
      fc.asyncProperty(text, text, async (value, branch) => {
        const name = branch.replaceAll("\n", "");
        const file = path.join(scratch(), "config");
        execFileSync("git", ["config", "--file", file, "user.name", value]);
        execFileSync("git", ["config", "--file", file, `branch.${name}x.description`, value]);
        const list = (one: string) => execFileSync("git", ["config", "--file", one, "--list", "-z"]).toString();
        const before = list(file);
        writeFileSync(file, must(maskedGitConfig(file)));
        expect(list(file)).toBe(before);
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  test("returns an empty text for a missing file, and fails for a broken one", async () => {
    expect(must(maskedGitConfig(path.join(scratch(), "config")))).toBe("");
    const file = path.join(scratch(), "config");
    writeFileSync(file, "[core\n");
    expect(maskedGitConfig(file)).toMatchObject({ ok: false, error: { reason: "workspace-failed" } });
  });

  test("finds every configuration of a repository", async () => {
    const git = scratch();
    const repository = (place: string) => {
      for (const name of ["objects/info", "refs/heads"]) mkdirSync(path.join(git, place, name), { recursive: true });
      for (const name of ["HEAD", "config", "objects/config", "refs/heads/config"]) writeFileSync(path.join(git, place, name), "");
    };
    for (const place of ["", "modules/a", "modules/b/c", "modules/a/modules/d"]) repository(place);
    for (const name of ["worktrees/w", "worktrees/w/modules"]) mkdirSync(path.join(git, name), { recursive: true });
    for (const name of ["config.worktree", "worktrees/w/config.worktree", "worktrees/w/HEAD"]) writeFileSync(path.join(git, name), "");
    repository("worktrees/w/modules/e");
    expect(gitConfigFiles(git)).toEqual([
      "config",
      "config.worktree",
      "modules/a/config",
      "modules/a/modules/d/config",
      "modules/b/c/config",
      "worktrees/w/config.worktree",
      "worktrees/w/modules/e/config",
    ]);
    expect(gitConfigFiles(path.join(git, "missing"))).toEqual([]);
    expect(readFileSync(path.join(git, "config"), "utf8")).toBe("");
  });
});
