/**
 * Project files as a commit has them, whatever lies in the work tree: how the manifest of a pull request from a fork is read. Symlinks and
 * submodules are no files here.
 */
import { describeFailure } from "../model/describe.ts";
import type { Failure } from "../model/failure.ts";
import type { FileRead, FileSource } from "../model/ports.ts";
import { staysInside } from "../model/project-path.ts";
import { err, ok, type Result } from "../model/result.ts";
import { runGit } from "../platform/git.ts";

interface TreeEntry {
  readonly kind: "file" | "link" | "other";
  readonly object: string;
  readonly size: number;
}

/**
 * Reads files below a directory of a repository as `commit` has them; a commit that a shallow checkout lacks is fetched from `origin`. Fails
 * with `usage` where that cannot be had.
 */
export async function gitSource(root: string, commit: string): Promise<Result<FileSource, Failure>> {
  const tree = await listTree(root, commit);
  if (!tree.ok) return tree;
  const files = tree.value;
  return ok({
    async read(file, limit) {
      if (!staysInside(file)) return { kind: "outside" };
      const entry = files.get(file.replace(/^(?:\.\/)+/, ""));
      if (entry === undefined) return { kind: "missing" };
      if (entry.kind !== "file")
        return { kind: "unreadable", code: "EINVAL", detail: `it is no regular file in commit ${commit.slice(0, 12)}` };
      if (entry.size > limit) return { kind: "too-large", size: entry.size, limit };
      return readObject(root, entry.object);
    },
    async list(directory) {
      const prefix = directory === "." || directory === "" ? "" : `${directory.replace(/\/+$/, "")}/`;
      const below = [...files]
        .filter(([file, { kind }]) => kind === "file" && file.startsWith(prefix))
        .map(([file]) => file.slice(prefix.length));
      return below.filter((name) => !name.includes("/")).sort();
    },
  });
}

async function listTree(root: string, commit: string): Promise<Result<ReadonlyMap<string, TreeEntry>, Failure>> {
  if (!/^[0-9a-f]{40,64}$/.test(commit)) return err(unavailable(commit, "it is no commit id"));
  const there = await runGit(["cat-file", "-e", `${commit}^{commit}`], root);
  if (!there.ok) return err(unavailable(commit, describeFailure(there.error).title));
  if (there.value.code !== 0) {
    const fetched = await runGit(["fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit], root);
    if (!fetched.ok) return err(unavailable(commit, describeFailure(fetched.error).title));
    if (fetched.value.code !== 0) return err(unavailable(commit, fetched.value.stderr.trim().split("\n").at(-1) ?? ""));
  }
  // Paths relative to the directory that git runs in, so that a project in a subdirectory sees its own.
  const listed = await runGit(["ls-tree", "-r", "-l", "-z", commit, "--", "."], root);
  if (!listed.ok) return err(unavailable(commit, describeFailure(listed.error).title));
  if (listed.value.code !== 0) return err(unavailable(commit, listed.value.stderr.trim()));
  return ok(new Map(listed.value.stdout.toString("utf8").split("\0").flatMap(entryOf)));
}

/** `100644 blob 3f9a…     120<tab>path` */
function entryOf(line: string): [string, TreeEntry][] {
  const found = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t(.+)$/s.exec(line);
  if (found === null) return [];
  const [, mode = "", object = "", size = "", file = ""] = found;
  const kind = mode.startsWith("100") ? "file" : mode === "120000" ? "link" : "other";
  return [[file, { kind, object, size: Number(size) || 0 }]];
}

async function readObject(root: string, object: string): Promise<FileRead> {
  const read = await runGit(["cat-file", "blob", object], root);
  if (read.ok && read.value.code === 0) return { kind: "bytes", bytes: read.value.stdout };
  return { kind: "unreadable", code: "EIO", detail: read.ok ? read.value.stderr.trim() : describeFailure(read.error).title };
}

function unavailable(commit: string, detail: string): Failure {
  return {
    reason: "usage",
    message: `commit ${commit.slice(0, 12)} cannot be read: ${detail}`,
    hint: "check the repository out with actions/checkout before this step; a private repository needs its `persist-credentials`",
  };
}
