/**
 * Copies files and directories as they are: content (shared, where the file system can), mode, times, symlinks; owners and extended
 * attributes where GNU `cp` does it. Names of one file become files of their own: a change of one is no change of the others, as in overlays.
 * What may not be read is left out: the attempt could not read it either.
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { fsPath, hasEscapes } from "../../model/path-bytes.ts";
import { err, ok, type Result } from "../../model/result.ts";
import { breather } from "../../platform/breather.ts";
import { type Captured, capture, noLimitMs } from "../../platform/capture.ts";
import { describeIoError } from "../../platform/files.ts";
import { walkTree } from "../../platform/walk.ts";
import { lookAt } from "./disk.ts";

/** Characters of names for one `cp`: well below what a system takes as arguments. */
const mostArguments = 100_000;
/** Copies at the same time: directories are of uneven size, and disks take more than one request. */
const mostCopies = 4;
const yieldEvery = 500;

let gnu: Promise<boolean> | undefined;

/** Whether `cp` is one that shares content and takes a target directory. */
function hasGnuCopy(): Promise<boolean> {
  gnu ??=
    process.platform === "linux"
      ? runCopy(["--version"], "/").then((ran) => ran.ok && /coreutils/.test(ran.value.stdout.toString()))
      : Promise.resolve(false);
  return gnu;
}

/** Copies what has these names in `from` into `to`, a directory. Fails with `workspace-failed`, and with `spawn-failed` where nothing can be started. */
export async function copyNames(from: string, to: string, names: readonly string[]): Promise<Result<void>> {
  const plain = (await hasGnuCopy()) ? names.filter((name) => !hasEscapes(name)) : [];
  const batched = new Set(plain);
  const copies = await Promise.all(
    batches(plain).map((batch) =>
      runCopy(["-a", "--no-preserve=links", "--reflink=auto", "-t", to, "--", ...batch.map((name) => `./${name}`)], from),
    ),
  );
  for (const ran of copies) {
    if (!ran.ok) return ran;
    const { code, stderr } = ran.value;
    const problem = stderr.split("\n").find((line) => line !== "" && !/: Permission denied$/.test(line));
    if (code !== 0 && (problem !== undefined || stderr === "")) return failed("ECOPY", problem ?? `cp ended with status ${code}`);
  }
  try {
    const breathe = breather(yieldEvery);
    for (const name of names) if (!batched.has(name)) await copyOne(from, to, name, breathe);
    return ok(undefined);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return failed(code, detail);
  }
}

/** A few shares that are copied beside each other, none of them too long for a command line. */
function batches(names: readonly string[]): readonly (readonly string[])[] {
  const length = names.reduce((sum, name) => sum + name.length + 3, 0);
  const count = Math.max(Math.min(mostCopies, names.length), Math.ceil(length / mostArguments));
  return Array.from({ length: count }, (_, share) => names.filter((__, at) => at % count === share));
}

function runCopy(args: readonly string[], cwd: string): Promise<Result<Captured>> {
  return capture({ command: ["cp", ...args], cwd, env: { PATH: process.env["PATH"], LC_ALL: "C" }, limitMs: noLimitMs });
}

async function copyOne(from: string, to: string, name: string, breathe: () => Promise<void> | undefined): Promise<void> {
  await breathe();
  if (copyEntry(from, to, name)?.isDirectory() !== true) return;
  const leave = (path: string) => {
    const stats = lookAt(from, path);
    if (stats !== undefined) likeIt(fsPath(to, path), stats);
  };
  await walkTree(from, {
    from: name,
    visit: ({ path }) => void copyEntry(from, to, path),
    enter: ({ path }) => lookAt(to, path)?.isDirectory() === true,
    leave: ({ path }) => leave(path),
    onDenied: (_, error) => passOver(error),
  });
  leave(name);
}

/** Copies a file or a symlink, or makes the directory, whose mode and times have to wait for what is in it. Returns what was found. */
function copyEntry(from: string, to: string, path: string): Stats | undefined {
  const stats = lookAt(from, path);
  if (stats === undefined) return undefined;
  const [source, target] = [fsPath(from, path), fsPath(to, path)];
  if (stats.isSymbolicLink()) symlinkSync(readlinkSync(source, { encoding: "buffer" }), target);
  else if (stats.isDirectory()) mkdirSync(target);
  else if (stats.isFile()) copyReadable(source, target);
  if (!stats.isDirectory() && lookAt(to, path) !== undefined) likeIt(target, stats);
  return stats;
}

/** Gives a copy the mode, the times and, where that is possible, the owner of what it was copied from. */
export function likeIt(target: string | Buffer, stats: Stats): void {
  if (process.geteuid?.() === 0) lchownSync(target, stats.uid, stats.gid);
  if (stats.isSymbolicLink()) {
    lutimesSync(target, stats.atimeMs / 1000, stats.mtimeMs / 1000);
    return;
  }
  chmodSync(target, stats.mode & 0o7777);
  utimesSync(target, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}

function copyReadable(source: string | Buffer, target: string | Buffer): void {
  try {
    copyFileSync(source, target, constants.COPYFILE_FICLONE);
  } catch (error) {
    passOver(error);
  }
}

/** What is closed to us is left out. Throws every other error. */
function passOver(error: unknown): void {
  if (!["EACCES", "EPERM"].includes(describeIoError(error).code)) throw error;
}

function failed(code: string, detail: string): Result<never> {
  return err({ reason: "workspace-failed", code, detail: `the project cannot be copied: ${detail}` });
}
