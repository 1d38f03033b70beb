/**
 * Builds the shell script that creates a view of the machine with the tools of util-linux only: `mount`, `pivot_root`,
 * `umount`, `setpriv`, `unshare`. The script runs inside new namespaces, as their root. Pure: returns text.
 *
 * The view is assembled below `/sys` of the new mount namespace, which a child does not see. A tmpfs there contains the
 * new root, and short names for layers whose paths overlayfs could not parse. Nothing remains on the machine.
 */

import path from "node:path";
import type { Link } from "../platform/links.ts";
import { quote } from "../text/shell-quote.ts";
import { deviceBind, fstabLine, type MountLine, readOnlyBind } from "./mount-lines.ts";
import { idMapper, mapperPipes, procDescriptor, readOnlyProc } from "./privileges.ts";
import type { SystemRoot } from "./system-root.ts";
import type { SandboxView } from "./view.ts";
import { isUnder, placed, stagingDirectory, treeAndBinds } from "./view-mounts.ts";

/** The new root while it is assembled. */
const newRoot = `${stagingDirectory}/r`;

/** How to run the command once the view exists. */
export interface ScriptSetting {
  /** The argv prefix that drops privileges; the command follows. */
  readonly drop: readonly string[];
  /** The command's arguments. A program among them stays visible even if a mount of the attempt covers it. */
  readonly command: readonly string[];
  /** `drop` needs the machine's `/proc` as a descriptor, which it closes. */
  readonly ownUser?: boolean;
  /** `drop` waits for the mapper of ids. */
  readonly mapsIds?: boolean;
  /** The child is root without a user namespace of its own: the script makes `/proc` read-only. */
  readonly rootChild?: boolean;
  /** A file on the machine that receives the failure before the command started. */
  readonly status: string;
  /** Paths of the machine to hide. Defaults to none. */
  readonly covered?: readonly string[];
  /** The command that brings up the loopback interface. */
  readonly loopback?: readonly string[];
  /** Options for overlays on this machine. */
  readonly overlayOptions: string;
}

/** Creates the closed view and runs `"$@"` in it, below a first process that reaps orphans and ends when the command does. */
export function closedScript(view: SandboxView, system: SystemRoot, setting: ScriptSetting): string {
  const tools = system.mounts(newRoot);
  const late = new Set(
    tools.filter((line) => isHidden(line, view) && setting.command.some((arg) => isUnder(line.where, `${newRoot}${arg}`))),
  );
  const covers = (setting.covered ?? []).map((place) => coverOf(place, view));
  const isLate = ({ where }: MountLine) => [...late].some((line) => isUnder(line.where, where));
  // `mount -a` skips what is already mounted, even if another mount covers it.
  const lines = [
    ...tools.filter((line) => !late.has(line)),
    ...treeAndBinds(
      view,
      newRoot,
      setting.overlayOptions,
      covers.filter((line) => !isLate(line)),
    ),
    ...[...late].flatMap(placed),
    ...covers.filter(isLate),
  ];
  const made = new Set([...system.directories, ...lines.flatMap((line) => (line.made === undefined ? [] : [line.made]))]);
  const files = view.binds.filter(({ isFile, target }) => isFile === true && !isUnder(view.project, target)).map(({ target }) => target);
  return [
    ...reporting(setting.status),
    ...(setting.loopback === undefined ? [] : [`${setting.loopback.map(quote).join(" ")} || f 'EIO cannot bring up loopback'`]),
    `mount -n -t tmpfs -o mode=755 wave ${stagingDirectory} && mkdir ${newRoot} && mount -n -t tmpfs -o mode=755,size=16m,nosuid,nodev wave ${newRoot} && cd ${newRoot} || f 'EIO cannot create the root'`,
    `mkdir -p ${[...made].map((directory) => quote(`.${directory}`)).join(" ")} || f 'EIO cannot create the directories of the view'`,
    ...[...system.files, ...files].map((file) => `: >${quote(`.${file}`)}`),
    ...linkLines(system.links),
    ...mountAll(lines, newRoot),
    ...(view.machine?.links ?? []).map(machineLink),
    ...(setting.rootChild === true ? [`${readOnlyProc(`${newRoot}/proc`)} || f 'EIO cannot make /proc read-only'`] : []),
    ...(setting.mapsIds === true ? [mapperPipes(stagingDirectory, "f 'EIO cannot map ids'")] : []),
    ...(setting.ownUser === true ? [`exec ${procDescriptor}</proc`] : []),
    `mount -n -o remount,${readOnlyBind} ${newRoot} && cd ${newRoot} && pivot_root . . && umount -n -l . && cd ${quote(view.project)} || f 'EIO cannot enter the view'`,
    ...supervise(setting.drop, setting.mapsIds === true ? [idMapper] : []),
  ].join("\n");
}

/** Whether a mount of the attempt, such as its `/tmp`, would cover it. Paths in the tree belong to the tree. */
function isHidden({ where }: MountLine, { binds, project }: SandboxView): boolean {
  return !isUnder(`${newRoot}${project}`, where) && binds.some(({ target }) => isUnder(`${newRoot}${target}`, where));
}

/** Hides a path, except for the attempt's mounts below it. */
function coverOf(place: string, { project, binds }: SandboxView): MountLine {
  const holdsMounts = [project, ...binds.map(({ target }) => target)].some((target) => isUnder(place, target));
  return { what: "wave", where: `${newRoot}${place}`, type: "mask", options: holdsMounts ? "" : ",ro", optional: true };
}

/** Creates the open view (the machine with the tree at the project's path) and replaces itself by `"$@"`. */
export function openScript(view: SandboxView, setting: ScriptSetting): string {
  const lines = treeAndBinds(view, "", setting.overlayOptions);
  return [
    ...reporting(setting.status),
    ...(needsStaging(lines)
      ? [`mount -n -t tmpfs -o mode=755 wave ${stagingDirectory} || f 'EIO cannot create the staging directory'`, ...mountAll(lines, "")]
      : mountEach(lines)),
    `cd ${quote(view.project)} || f 'EIO cannot enter the view'`,
    `unset OLDPWD; exec ${setting.drop.map(quote).join(" ")} "$@" 9>&-`,
  ].join("\n");
}

/**
 * One `cp` for the links of a directory that the machine has too, and one `ln` for each other link: starting a program
 * takes a millisecond.
 */
function linkLines(links: SystemRoot["links"]): string[] {
  const directories = [...new Set(links.filter(({ copied }) => copied).map(({ from }) => path.posix.dirname(from)))];
  const sources = (directory: string) => links.filter(({ copied, from }) => copied && path.posix.dirname(from) === directory);
  return [
    ...directories.map(
      (directory) =>
        `cp -P ${sources(directory)
          .map(({ from }) => quote(from))
          .join(" ")} ${quote(`.${directory}`)}`,
    ),
    ...links.filter(({ copied }) => !copied).map(({ from, to }) => `ln -s ${quote(to)} ${quote(`.${from}`)}`),
  ];
}

/** Creates a link unless the view has something at its path. Ignores failures: below a read-only mount it cannot exist. */
function machineLink({ from, to }: Link): string {
  const place = quote(`.${from}`);
  return `[ -e ${place} ] || [ -L ${place} ] || { mkdir -p ${quote(`.${path.posix.dirname(from)}`)} && ln -s ${quote(to)} ${place}; } 2>/dev/null || :`;
}

/** Defines `f`, which reports a failure with the first line of `mount`'s errors, and exits. */
function reporting(status: string): string[] {
  return [
    `exec 9>${quote(status)}; m=; f() { [ ! -e ${stagingDirectory}/errors ] || read -r m <${stagingDirectory}/errors; printf '%s %s' "$1" "$m" >&9; exit 125; }`,
  ];
}

/** Whether the lines need the staging directory: more than two, or optional ones. */
function needsStaging(lines: readonly MountLine[]): boolean {
  return lines.length > 2 || lines.some(({ inStaging, optional }) => inStaging === true || optional);
}

/** One `mount` per line, without the staging directory. */
function mountEach(lines: readonly MountLine[]): string[] {
  return lines.map(({ what, where, type, options }) => {
    const args = ["mount", "-n", ...(type === "none" ? [] : ["-t", type]), "-o", options, what, where].map(quote).join(" ");
    return `m=$(${args} 2>&1) || f 'EIO cannot mount the tree'`;
  });
}

/** One `mount` for as many lines as possible, and one `mkdir` for their mount points. Optional paths are tested first. */
function mountAll(lines: readonly MountLine[], root: string): string[] {
  const script: string[] = [];
  let batch: MountLine[] = [];
  let places: string[] = [];
  const flush = (what: string) => {
    if (batch.length === 0) return;
    const inStaging = batch.flatMap(({ inStaging: own, where }) => (own === true ? [quote(where)] : []));
    if (inStaging.length > 0) script.push(`mkdir ${inStaging.join(" ")} || f 'EIO cannot create a mount point'`);
    script.push(
      `printf %s ${quote(batch.map(fstabLine).join(""))} >${stagingDirectory}/fstab && mount -n -a -T ${stagingDirectory}/fstab 2>${stagingDirectory}/errors || f 'EIO cannot mount ${what}'`,
    );
    batch = [];
  };
  const makePlaces = () => {
    const there = places.map((place) => `[ -e ${place} ]`).join(" && ");
    if (places.length > 0) script.push(`${there} || mkdir -p ${places.join(" ")} || f 'EIO cannot create a mount point for the tree'`);
    places = [];
  };
  for (const line of lines) {
    if (line.type !== "place") makePlaces();
    if (!line.optional) {
      batch.push(line);
      continue;
    }
    flush("the tree");
    const where = quote(line.where);
    if (line.type === "place") places.push(where);
    else if (line.type === "file")
      script.push(`mkdir -p ${quote(path.posix.dirname(line.where))} && : >${where} || f 'EIO cannot create a mount point for a file'`);
    else if (line.type === "mask") {
      script.push(
        `if [ -d ${where} ]; then mount -n -t tmpfs -o mode=755,size=4k,nosuid,nodev${line.options} wave ${where}; elif [ -e ${where} ]; then mount -n -o ${deviceBind} /dev/null ${where}; fi || [ ! -e ${where} ] || f 'EIO cannot hide a path'`,
      );
    } else
      script.push(`if [ -e ${where} ]; then mount -n -o ${line.options} ${where} ${where}; fi || f 'EIO cannot make a path read-only'`);
  }
  makePlaces();
  flush(root === "" ? "the tree" : "the view");
  return script;
}

/**
 * The first process of the namespace: it reaps orphans, and its end kills all other processes. For a command killed by a
 * signal, it exits with 128 plus the signal's number, as shells do.
 */
function supervise(drop: readonly string[], before: readonly string[]): string[] {
  return [
    `case "$1" in */*) [ -x "$1" ] ;; *) PATH=$WAVE_CHILD_PATH command -v "$1" >/dev/null ;; esac || { printf %s 'ENOENT the program does not exist in the sandbox' >&9; exit 125; }`,
    // Not with `&`: a shell starts background jobs with SIGINT and SIGQUIT permanently ignored. The first process of a
    // namespace ignores signals without a handler, so it survives the TERM meant for the command. The shell's own messages
    // about the command's end are not the command's output.
    `unset OLDPWD; exec 4>&2 2>/dev/null`,
    ...before,
    `${drop.map(quote).join(" ")} "$@" 2>&4 4>&- 9>&-`,
    `exit $?`,
  ];
}
