/**
 * Copies files and directories with content (shared, if the file system supports it), mode, times and symlinks; with GNU
 * `cp` also with owners and extended attributes. Hard links become separate files: as in overlays, a change of one does
 * not change the others. Unreadable files are reported, or fail the copy: a command that does not find them could pass for
 * the wrong reason.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from "node:fs";
import path from "node:path";
import { err, ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { breather } from "../platform/breather.ts";
import { type Captured, capture, noLimitMs } from "../platform/capture.ts";
import { describeIoError } from "../platform/files.ts";
import { walkTree } from "../platform/walk.ts";
import { fsPath, hasEscapes } from "../text/path-bytes.ts";
import { lstatAt, shown } from "./disk.ts";

/** The total length of names for one `cp`: well below the system's limit for arguments. */
const mostArguments = 100_000;
/** Copies at the same time: directories differ in size, and disks handle several requests. */
const mostCopies = 4;
const yieldEvery = 500;

let gnu: Promise<boolean> | undefined;

/** Whether `cp` can share content and accepts a target directory. */
function hasGnuCopy(): Promise<boolean> {
  gnu ??=
    process.platform === "linux"
      ? runCopy(["--version"], "/").then((ran) => ran.ok && /coreutils/.test(ran.value.stdout.toString()))
      : Promise.resolve(false);
  return gnu;
}

/** A file or directory that this process may not read; the path is relative to the copied directory. */
export interface DeniedPath {
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * Copies these names from `from` into the directory `to`. Omits unreadable files and adds them to `denied`; without that
 * list, fails with `file-unreadable`. Fails with `workspace-failed`, and with `spawn-failed` if no program can be started.
 */
export async function copyNames(from: string, to: string, names: readonly string[], denied?: DeniedPath[]): Promise<Result<void>> {
  const found: DeniedPath[] = [];
  const copied = await copyReadable(from, to, names, found);
  if (!copied.ok) return copied;
  const [first] = found;
  if (denied === undefined && first !== undefined) return unreadable(path.join(from, first.path));
  denied?.push(...found);
  return ok(undefined);
}

/** The failure of a copy that would lack a file. `file` is printable. */
export function unreadable(file: string): Result<never> {
  const detail = "the workspace is a copy of the project and would lack it";
  return err({ reason: "file-unreadable", path: shown(file), code: "EACCES", detail });
}

async function copyReadable(from: string, to: string, names: readonly string[], denied: DeniedPath[]): Promise<Result<void>> {
  const plain = (await hasGnuCopy()) ? names.filter((name) => !hasEscapes(name)) : [];
  const batched = new Set(plain);
  const copies = await Promise.all(
    batches(plain).map((batch) =>
      runCopy(["-a", "--no-preserve=links", "--reflink=auto", "-t", to, "--", ...batch.map((name) => `./${name}`)], from),
    ),
  );
  let isDenied = false;
  for (const ran of copies) {
    if (!ran.ok) return ran;
    const { code, stderr } = ran.value;
    const problem = stderr.split("\n").find((line) => line !== "" && !/: Permission denied$/.test(line));
    if (code !== 0 && (problem !== undefined || stderr === ""))
      return copyFailed("ECOPY", problem ?? `\`cp\` failed with exit code ${code}`);
    isDenied ||= code !== 0;
  }
  try {
    const breathe = breather(yieldEvery);
    if (isDenied) {
      // `cp` quotes names in its messages, so the unreadable paths are searched for.
      for (const name of plain) await findDenied(from, name, denied);
      if (denied.length === 0) return copyFailed("ECOPY", copies.map((ran) => (ran.ok ? ran.value.stderr.trim() : "")).join("\n").trim()); // biome-ignore format: one thought
    }
    for (const name of names) if (!batched.has(name)) await copyOne(from, to, name, breathe, denied);
    return ok(undefined);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return copyFailed(code, detail);
  }
}

/** Splits names into batches to copy concurrently, each short enough for a command line. */
function batches(names: readonly string[]): readonly (readonly string[])[] {
  const length = names.reduce((sum, name) => sum + name.length + 3, 0);
  const count = Math.max(Math.min(mostCopies, names.length), Math.ceil(length / mostArguments));
  return Array.from({ length: count }, (_, share) => names.filter((__, at) => at % count === share));
}

function runCopy(args: readonly string[], cwd: string): Promise<Result<Captured>> {
  return capture({ command: ["cp", ...args], cwd, env: { PATH: process.env["PATH"], LC_ALL: "C" }, limitMs: noLimitMs });
}

/** Adds the unreadable paths at and below a name. */
async function findDenied(from: string, name: string, denied: DeniedPath[]): Promise<void> {
  const isDirectory = lstatAt(from, name)?.isDirectory() === true;
  const examine = (file: string) => {
    try {
      if (lstatAt(from, file)?.isFile() === true) closeSync(openSync(fsPath(from, file), constants.O_RDONLY | constants.O_NOFOLLOW));
    } catch (error) {
      ignoreDenied(error);
      denied.push({ path: file, isDirectory: false });
    }
  };
  if (!isDirectory) return examine(name);
  await walkTree(from, {
    from: name,
    visit: ({ path: file, kind }) => (kind === "directory" ? undefined : examine(file)),
    onDenied(file, error) {
      ignoreDenied(error);
      denied.push({ path: file, isDirectory: true });
    },
  });
}

async function copyOne(
  from: string,
  to: string,
  name: string,
  breathe: () => Promise<void> | undefined,
  denied: DeniedPath[],
): Promise<void> {
  await breathe();
  const copy = (file: string, isDirectory: boolean) => {
    try {
      return copyEntry(from, to, file);
    } catch (error) {
      ignoreDenied(error);
      denied.push({ path: file, isDirectory });
      return undefined;
    }
  };
  if (copy(name, false)?.isDirectory() !== true) return;
  const leave = (file: string) => {
    const stats = lstatAt(from, file);
    if (stats !== undefined) copyMetadata(fsPath(to, file), stats);
  };
  await walkTree(from, {
    from: name,
    visit: ({ path: file, kind }) => void copy(file, kind === "directory"),
    enter: ({ path: file }) => lstatAt(to, file)?.isDirectory() === true,
    leave: ({ path: file }) => leave(file),
    onDenied(file, error) {
      ignoreDenied(error);
      denied.push({ path: file, isDirectory: true });
    },
  });
  leave(name);
}

/**
 * Copies a file or symlink, or creates the directory, whose mode and times are set after its content. Returns the stat
 * data of the source.
 */
function copyEntry(from: string, to: string, file: string): Stats | undefined {
  const stats = lstatAt(from, file);
  if (stats === undefined) return undefined;
  const [source, target] = [fsPath(from, file), fsPath(to, file)];
  if (stats.isSymbolicLink()) symlinkSync(readlinkSync(source, { encoding: "buffer" }), target);
  else if (stats.isDirectory()) mkdirSync(target);
  else if (stats.isFile()) copyFileSync(source, target, constants.COPYFILE_FICLONE);
  if (!stats.isDirectory() && lstatAt(to, file) !== undefined) copyMetadata(target, stats);
  return stats;
}

/** Sets the mode, the times and, if permitted, the owner of a copy. */
export function copyMetadata(target: string | Buffer, stats: Stats): void {
  if (process.geteuid?.() === 0) lchownSync(target, stats.uid, stats.gid);
  if (stats.isSymbolicLink()) {
    lutimesSync(target, stats.atimeMs / 1000, stats.mtimeMs / 1000);
    return;
  }
  chmodSync(target, stats.mode & 0o7777);
  utimesSync(target, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}

/** Throws every error except denied access. */
function ignoreDenied(error: unknown): void {
  if (!["EACCES", "EPERM"].includes(describeIoError(error).code)) throw error;
}

export function copyFailed(code: string, detail: string): Result<never> {
  return workspaceFailed(code, `the project cannot be copied: ${detail}`);
}
