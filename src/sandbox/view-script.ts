/**
 * A view of the machine as a shell script that makes it so, with the tools of util-linux alone: `mount`, `pivot_root`, `umount`,
 * `setpriv`, `unshare`. The script runs inside new namespaces, as their root. Pure: text out.
 *
 * Everything is put together below `/sys` of the new mount namespace, of which a child sees nothing: a tmpfs there holds the new root,
 * and plain names for layers whose paths overlayfs could not parse. Nothing is left on the machine.
 */

import path from "node:path";
import type { Link } from "../platform/links.ts";
import { quote } from "../text/shell-quote.ts";
import { deviceBind, fstabLine, type MountLine, readOnlyBind } from "./mount-lines.ts";
import { idMapper, mapperPipes, procDescriptor, readOnlyProc } from "./privileges.ts";
import type { SystemRoot } from "./system-root.ts";
import type { SandboxView } from "./view.ts";
import { bench, isUnder, placed, treeAndBinds } from "./view-mounts.ts";

/** Where the new root is put together. */
const stage = `${bench}/r`;

/** How the command is to run once the view is there. */
export interface ScriptSetting {
  /** The words that give up privileges; the command's follow. */
  readonly drop: readonly string[];
  /** The command's words: a program among them is shown also where a place of the attempt lies over it. */
  readonly command: readonly string[];
  /** They need the machine's `/proc`, by its descriptor, which they close. */
  readonly ownUser?: boolean;
  /** The words wait for the mapper of ids. */
  readonly mapsIds?: boolean;
  /** The child is root without a user namespace of its own: `/proc` is made read-only here. */
  readonly rootChild?: boolean;
  /** A file, on the machine, that says what went wrong before the command began. */
  readonly status: string;
  /** Places of the machine of which nothing shows; none by default. */
  readonly covered?: readonly string[];
  /** Bring the loopback interface up. */
  readonly loopback?: readonly string[];
  /** Options that overlays are mounted with here. */
  readonly overlayOptions: string;
}

/** Makes the closed view and runs `"$@"` in it, as a child of a first process that reaps, and ends when the command does. */
export function closedScript(view: SandboxView, system: SystemRoot, setting: ScriptSetting): string {
  const tools = system.mounts(stage);
  const late = new Set(
    tools.filter((line) => isHidden(line, view) && setting.command.some((arg) => isUnder(line.where, `${stage}${arg}`))),
  );
  const covers = (setting.covered ?? []).map((place) => coverOf(place, view));
  const isLate = ({ where }: MountLine) => [...late].some((line) => isUnder(line.where, where));
  // `mount -a` passes over what is mounted already, also where it is hidden.
  const lines = [
    ...tools.filter((line) => !late.has(line)),
    ...treeAndBinds(
      view,
      stage,
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
    ...(setting.loopback === undefined ? [] : [`${setting.loopback.map(quote).join(" ")} || f 'EIO loopback could not be brought up'`]),
    `mount -n -t tmpfs -o mode=755 wave ${bench} && mkdir ${stage} && mount -n -t tmpfs -o mode=755,size=16m,nosuid,nodev wave ${stage} && cd ${stage} || f 'EIO no root could be made'`,
    `mkdir -p ${[...made].map((directory) => quote(`.${directory}`)).join(" ")} || f 'EIO directories of the view could not be made'`,
    ...[...system.files, ...files].map((file) => `: >${quote(`.${file}`)}`),
    ...linkLines(system.links),
    ...mountAll(lines, stage),
    ...(view.links ?? []).map(machineLink),
    ...(setting.rootChild === true ? [`${readOnlyProc(`${stage}/proc`)} || f 'EIO /proc could not be made read-only'`] : []),
    ...(setting.mapsIds === true ? [mapperPipes(bench, "f 'EIO ids could not be mapped'")] : []),
    ...(setting.ownUser === true ? [`exec ${procDescriptor}</proc`] : []),
    `mount -n -o remount,${readOnlyBind} ${stage} && cd ${stage} && pivot_root . . && umount -n -l . && cd ${quote(view.project)} || f 'EIO the view could not be entered'`,
    ...supervise(setting.drop, setting.mapsIds === true ? [idMapper] : []),
  ].join("\n");
}

/** Whether a place of the attempt, such as its `/tmp`, would lie over it; what is in the tree is the tree's. */
function isHidden({ where }: MountLine, { binds, project }: SandboxView): boolean {
  return !isUnder(`${stage}${project}`, where) && binds.some(({ target }) => isUnder(`${stage}${target}`, where));
}

/** Nothing shows of a place but what of the attempt is mounted below it. */
function coverOf(place: string, { project, binds }: SandboxView): MountLine {
  const holdsMounts = [project, ...binds.map(({ target }) => target)].some((target) => isUnder(place, target));
  return { what: "wave", where: `${stage}${place}`, type: "mask", options: holdsMounts ? "" : ",ro", optional: true };
}

/** Makes the open view, the machine as it is with the tree at its place, and becomes `"$@"`. */
export function openScript(view: SandboxView, setting: ScriptSetting): string {
  const lines = treeAndBinds(view, "", setting.overlayOptions);
  return [
    ...reporting(setting.status),
    ...(needsBench(lines)
      ? [`mount -n -t tmpfs -o mode=755 wave ${bench} || f 'EIO no place to mount'`, ...mountAll(lines, "")]
      : mountEach(lines)),
    `cd ${quote(view.project)} || f 'EIO the view could not be entered'`,
    `unset OLDPWD; exec ${setting.drop.map(quote).join(" ")} "$@" 9>&-`,
  ].join("\n");
}

/**
 * One `cp` for the links of a directory that the machine has too, and one `ln` for each other: a program that is started costs a millisecond.
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

/** A link where nothing of the view is; below a read-only mount there can be none. */
function machineLink({ from, to }: Link): string {
  const place = quote(`.${from}`);
  return `[ -e ${place} ] || [ -L ${place} ] || { mkdir -p ${quote(`.${path.posix.dirname(from)}`)} && ln -s ${quote(to)} ${place}; } 2>/dev/null || :`;
}

/** `f` says what went wrong, with the first line of what `mount` said, and ends. */
function reporting(status: string): string[] {
  return [
    `exec 9>${quote(status)}; m=; f() { [ ! -e ${bench}/said ] || read -r m <${bench}/said; printf '%s %s' "$1" "$m" >&9; exit 125; }`,
  ];
}

/** Whether there is more to mount than a line or two that stand for themselves. */
function needsBench(lines: readonly MountLine[]): boolean {
  return lines.length > 2 || lines.some(({ onBench, optional }) => onBench === true || optional);
}

/** A `mount` for each line, which needs nothing beside it. */
function mountEach(lines: readonly MountLine[]): string[] {
  return lines.map(({ what, where, type, options }) => {
    const args = ["mount", "-n", ...(type === "none" ? [] : ["-t", type]), "-o", options, what, where].map(quote).join(" ");
    return `m=$(${args} 2>&1) || f 'EIO the tree could not be mounted'`;
  });
}

/** One `mount` for as many lines as there are, and one `mkdir` for their places; what may be missing is asked for first. */
function mountAll(lines: readonly MountLine[], root: string): string[] {
  const script: string[] = [];
  let batch: MountLine[] = [];
  let places: string[] = [];
  const flush = (what: string) => {
    if (batch.length === 0) return;
    const onBench = batch.flatMap(({ onBench: own, where }) => (own === true ? [quote(where)] : []));
    if (onBench.length > 0) script.push(`mkdir ${onBench.join(" ")} || f 'EIO no place to mount could be made'`);
    script.push(
      `printf %s ${quote(batch.map(fstabLine).join(""))} >${bench}/fstab && mount -n -a -T ${bench}/fstab 2>${bench}/said || f 'EIO ${what} could not be mounted'`,
    );
    batch = [];
  };
  const makePlaces = () => {
    const there = places.map((place) => `[ -e ${place} ]`).join(" && ");
    if (places.length > 0) script.push(`${there} || mkdir -p ${places.join(" ")} || f 'EIO no place for the tree could be made'`);
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
      script.push(`mkdir -p ${quote(path.posix.dirname(line.where))} && : >${where} || f 'EIO no place for a file could be made'`);
    else if (line.type === "mask") {
      script.push(
        `if [ -d ${where} ]; then mount -n -t tmpfs -o mode=755,size=4k,nosuid,nodev${line.options} wave ${where}; elif [ -e ${where} ]; then mount -n -o ${deviceBind} /dev/null ${where}; fi || [ ! -e ${where} ] || f 'EIO a mask could not be laid'`,
      );
    } else
      script.push(
        `if [ -e ${where} ]; then mount -n -o ${line.options} ${where} ${where}; fi || f 'EIO a path could not be made read-only'`,
      );
  }
  makePlaces();
  flush(root === "" ? "the tree" : "the view");
  return script;
}

/**
 * The first process of the namespace: it reaps what is left alone, and its end is the end of all of them. A command that a signal ended gives
 * 128 and the signal's number, as shells do.
 */
function supervise(drop: readonly string[], before: readonly string[]): string[] {
  return [
    `case "$1" in */*) [ -x "$1" ] ;; *) PATH=$WAVE_CHILD_PATH command -v "$1" >/dev/null ;; esac || { printf %s 'ENOENT there is no such program in the sandbox' >&9; exit 125; }`,
    // Not with `&`: a shell starts what it does not wait for with SIGINT and SIGQUIT ignored, for good. The first process of a namespace gets no
    // signal that it has no handler for, so it outlives the TERM that is meant for the command. What it says of the command's end is not the command's.
    `unset OLDPWD; exec 4>&2 2>/dev/null`,
    ...before,
    `${drop.map(quote).join(" ")} "$@" 2>&4 4>&- 9>&-`,
    `exit $?`,
  ];
}
