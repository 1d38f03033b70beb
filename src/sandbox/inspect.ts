/**
 * Reads and prepares an overlay from outside. It runs the machine's own programs in a view of their own, and nothing that
 * an agent wrote. This is needed because the overlay is not mounted anywhere else, and because its layers alone do not
 * show what it hides.
 */
import path from "node:path";
import { defined } from "../core/defined.ts";
import type { WorkspaceEntry } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { type Captured, capture } from "../platform/capture.ts";
import { globBase, pathPattern } from "../text/glob.ts";
import { pathFromBytes, pathToBytes } from "../text/path-bytes.ts";
import { refusedArtifact } from "./area-files.ts";
import type { Isolation } from "./isolation.ts";
import { unshareArgv } from "./privileges.ts";
import { systemRoot } from "./system-root.ts";
import type { SandboxView, Tree } from "./view.ts";
import { closedScript, openScript } from "./view-script.ts";

/** The system's directories only, because a PATH may contain programs of an agent. */
const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" };

const nul = Buffer.from("\0");

/** The names in each directory. Directories are relative to the project, which itself is `""`. */
export async function listMerged(
  isolation: Isolation,
  view: SandboxView,
  directories: readonly string[],
): Promise<Result<ReadonlyMap<string, readonly string[]>>> {
  if (directories.length === 0) return ok(new Map());
  const each = ["-mindepth", "1", "-maxdepth", "1", "-printf", "%H\\0%f\\0"];
  const args = asArguments(directories);
  const found =
    args === undefined
      ? await runInView(
          isolation,
          view,
          ["xargs", "-0", "sh", "-c", `exec find "$@" ${each.map((arg) => `'${arg}'`).join(" ")}`, "sh"],
          nulTerminated(directories),
        )
      : await runInView(isolation, view, ["find", ...args, ...each], undefined);
  if (!found.ok) return found;
  const children = new Map<string, string[]>(directories.map((directory) => [directory, []]));
  const fields = records(found.value.stdout);
  for (let at = 0; at + 1 < fields.length; at += 2) children.get((fields[at] ?? "").slice("./".length))?.push(fields[at + 1] ?? "");
  return ok(children);
}

/** Directories as command line arguments; undefined if they are too long for one command line or not UTF-8. */
function asArguments(directories: readonly string[]): readonly string[] | undefined {
  const args = directories.map((directory) => `./${directory}`);
  const isText = directories.every((directory) => pathToBytes(directory).toString() === directory);
  return isText && args.join(" ").length < 32_000 ? args : undefined;
}

/** Lists the paths that match a glob, sorted. `.git` is listed only if the glob spells it. */
export async function listInView(
  isolation: Isolation,
  view: SandboxView,
  glob: string,
  isExcluded: (path: string) => boolean,
): Promise<Result<readonly WorkspaceEntry[]>> {
  if (glob.includes("\0") || glob.split("/").includes("..")) return refusedArtifact(glob, "it is outside the workspace");
  const base = globBase(glob);
  const find = '[ -e "$1" ] || [ -L "$1" ] || exit 0; exec find "$1" -printf "%y%s/%p\\0"';
  const found = await runInView(isolation, view, ["sh", "-c", find, "sh", base === "" ? "." : `./${base}`], undefined);
  if (!found.ok) return found;
  const matches = pathPattern(glob);
  const entries = records(found.value.stdout).flatMap((record): WorkspaceEntry[] => {
    const slash = record.indexOf("/");
    const path = record.slice(slash + 1).replace(/^\.\/?/, "");
    if (path === "" || isExcluded(path) || !matches(path)) return [];
    return [{ path, kind: kinds[record[0] ?? ""] ?? "other", size: Number(record.slice(1, slash)) }];
  });
  return ok(entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)));
}

const kinds: Readonly<Record<string, WorkspaceEntry["kind"]>> = { f: "file", d: "directory", l: "symlink" };

/**
 * Reads a regular file, with the failures of `Workspace.read`. Symlinks are followed inside the tree, except into `.git`:
 * the agent saw a masked configuration, and this is the real one.
 */
export async function readInView(isolation: Isolation, view: SandboxView, file: string, limit: number): Promise<Result<Uint8Array>> {
  if (file.includes("\0")) return refusedArtifact(file, "it is not a path");
  if (/^\.\.(?:\/|$)/.test(path.posix.normalize(file))) return refusedArtifact(file, "it is outside the workspace");
  const script = [
    'p=$(realpath -e -- "$1" 2>/dev/null) || exit 10',
    'case "$p/" in "$PWD"/.git/* | "$PWD"/*/.git/*) exit 14 ;; "$PWD"/*) ;; *) exit 11 ;; esac',
    '[ -f "$p" ] || exit 12',
    // A step that works in place may have replaced a parent by a symlink since the path was resolved.
    'exec 3<"$p" && [ "$(readlink "/proc/$$/fd/3")" = "$p" ] || exit 11',
    '[ "$(stat -L -c %s "/proc/$$/fd/3")" -le "$2" ] || { stat -L -c %s "/proc/$$/fd/3"; exit 13; }',
    "exec cat <&3",
  ].join("\n");
  const found = await runInView(isolation, view, ["sh", "-c", script, "sh", file, String(limit)], undefined, [10, 11, 12, 13, 14], limit);
  if (!found.ok) return found;
  switch (found.value.code) {
    case 10:
      return err({
        reason: "file-unreadable",
        path: file,
        code: "ENOENT",
        detail: "the file does not exist, or it is a symlink with a missing target",
      });
    case 11:
      return refusedArtifact(file, "it is outside the workspace");
    case 14:
      return refusedArtifact(file, "it is in `.git`");
    case 12:
      return refusedArtifact(file, "it is not a regular file");
    case 13:
      return err({ reason: "artifact-too-large", artifact: file, size: Number(found.value.stdout.toString()), limit });
    default:
      return ok(found.value.stdout);
  }
}

/**
 * Removes paths in a mounted tree so that the kernel writes to the layer what hides them. The tree is mounted at the
 * project's path in a namespace of its own.
 */
export async function hideInTree(isolation: Isolation, project: string, tree: Tree, hidden: readonly string[]): Promise<Result<void>> {
  const removed = await changeInView(isolation, treeView(project, tree), ["xargs", "-0", "rm", "-rf", "--"], nulTerminated(hidden));
  return removed.ok ? ok(undefined) : removed;
}

/**
 * Like `runInView`, for programs that change the tree. The view is closed, so nothing else on the machine can be written:
 * a symlink in the tree may point anywhere, and another process may create one at any time.
 */
export async function changeInView(
  isolation: Isolation,
  view: SandboxView,
  args: readonly string[],
  input: Uint8Array,
): Promise<Result<Captured>> {
  const { mode, overlayOptions } = isolation;
  if (mode === "none") return workspaceFailed("EIO", "this machine cannot mount an overlay");
  const closed: SandboxView = { ...view, sandbox: "closed" };
  const system = systemRoot({ searchPath: env.PATH, home: undefined, project: view.project });
  // `sudo` keeps no variables.
  const named = ["/usr/bin/env", `PATH=${env.PATH}`, `LC_ALL=${env.LC_ALL}`, ...args];
  const script = closedScript(closed, system, { drop: [], command: named, status: "/dev/null", overlayOptions });
  const command = [...unshareArgv({ mode, closed: true, network: false, brief: true }), script, "wave", ...named];
  return endedWell(await capture({ command, env, cwd: "/", input }), args, []);
}

/** The machine with a tree mounted at the project's path, without `masks`. */
export function treeView(project: string, tree: Tree, masks: readonly string[] = []): SandboxView {
  return { sandbox: "open", project, tree, binds: [], masks, readOnly: [], network: { kind: "host" } };
}

/** Runs one of the machine's programs in a view. Fails with `workspace-failed` unless it exits with 0 or an expected code. */
export async function runInView(
  isolation: Isolation,
  view: SandboxView,
  args: readonly string[],
  input: Uint8Array | undefined,
  expected: readonly number[] = [],
  limit?: number,
): Promise<Result<Captured>> {
  const { mode, overlayOptions } = isolation;
  if (mode === "none") return workspaceFailed("EIO", "this machine cannot mount an overlay");
  const script = openScript(view, { drop: [], command: [], status: "/dev/null", overlayOptions });
  const command = [...unshareArgv({ mode, closed: false, network: false, brief: true }), script, "wave", ...args];
  const ran = await capture({
    command,
    env,
    cwd: "/",
    ...defined({ input }),
    ...(limit === undefined ? {} : { limit: Math.max(limit, 100) }),
  });
  return endedWell(ran, args, expected);
}

function endedWell(ran: Result<Captured>, [program]: readonly string[], expected: readonly number[]): Result<Captured> {
  if (!ran.ok || ran.value.code === 0 || expected.includes(ran.value.code ?? -1)) return ran;
  return workspaceFailed(
    "EIO",
    `\`${program}\` failed (${ran.value.code === undefined ? "killed by a signal" : `exit code ${ran.value.code}`}): ${ran.value.stderr.trim().split("\n")[0] ?? ""}`,
  );
}

/** Paths as input for `xargs -0`. */
export function nulTerminated(paths: readonly string[], before = "./"): Buffer {
  return Buffer.concat(paths.flatMap((path) => [Buffer.from(before), pathToBytes(path), nul]));
}

/** Splits NUL-terminated fields. */
export function records(bytes: Buffer): readonly string[] {
  const fields: string[] = [];
  for (let from = 0, end = bytes.indexOf(0); end !== -1; from = end + 1, end = bytes.indexOf(0, from))
    fields.push(pathFromBytes(bytes.subarray(from, end)));
  return fields;
}
