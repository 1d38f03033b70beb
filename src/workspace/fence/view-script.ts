/**
 * A view of the machine as a shell script that makes it so, with the tools of util-linux alone: `mount`, `pivot_root`, `umount`,
 * `setpriv`, `unshare`. The script runs inside new namespaces, as their root. Pure: text out.
 *
 * Everything is put together below `/sys` of the new mount namespace, of which a child sees nothing: a tmpfs there holds the new root,
 * and plain names for layers whose paths overlayfs could not parse. Nothing is left on the machine.
 */
import path from "node:path";
import { fstabLine, type MountLine, overlayLines, quote } from "./mount-words.ts";
import { procDescriptor } from "./privileges.ts";
import type { SystemRoot } from "./system-root.ts";
import type { SandboxView, Tree } from "./view.ts";

const bench = "/sys";
/** Where the new root is put together. */
const stage = `${bench}/r`;

/** How the command is to run once the view is there. */
export interface ScriptSetting {
  /** The words that give up privileges; the command's follow. */
  readonly drop: readonly string[];
  /** They need the machine's `/proc`, by its descriptor, which they close. */
  readonly ownUser?: boolean;
  /** A file, on the machine, that says what went wrong before the command began. */
  readonly status: string;
  /** Bring the loopback interface up. */
  readonly loopback?: readonly string[];
  /** Options that overlays are mounted with here. */
  readonly overlayOptions: string;
}

/** Makes the closed view and runs `"$@"` in it, as a child of a first process that reaps, and ends when the command does. */
export function closedScript(view: SandboxView, system: SystemRoot, setting: ScriptSetting): string {
  const lines = [...system.mounts(stage), ...treeAndBinds(view, stage, setting.overlayOptions)];
  const made = new Set([...system.directories, ...lines.flatMap((line) => (line.made === undefined ? [] : [line.made]))]);
  const files = view.binds.filter(({ isFile, target }) => isFile === true && !isBelow(target, view.project)).map(({ target }) => target);
  return [
    ...reporting(setting.status),
    ...(setting.loopback === undefined ? [] : [`${setting.loopback.map(quote).join(" ")} || f 'EIO loopback could not be brought up'`]),
    `mount -t tmpfs -o mode=755 wave ${bench} && mkdir ${stage} && mount -t tmpfs -o mode=755,size=16m wave ${stage} && cd ${stage} || f 'EIO no root could be made'`,
    `mkdir -p ${[...made].map((directory) => quote(`.${directory}`)).join(" ")} || f 'EIO directories of the view could not be made'`,
    ...[...system.files, ...files].map((file) => `: >${quote(`.${file}`)}`),
    ...linkLines(system.links),
    ...mountAll(lines, stage),
    ...(setting.ownUser === true ? [`exec ${procDescriptor}</proc`] : []),
    `mount -o remount,bind,ro ${stage} && cd ${stage} && pivot_root . . && umount -l . && cd ${quote(view.project)} || f 'EIO the view could not be entered'`,
    ...supervise(setting.drop),
  ].join("\n");
}

/** Makes the open view, the machine as it is with the tree at its place, and becomes `"$@"`. */
export function openScript(view: SandboxView, setting: ScriptSetting): string {
  const lines = treeAndBinds(view, "", setting.overlayOptions);
  return [
    ...reporting(setting.status),
    ...(lines.length === 0 ? [] : [`mount -t tmpfs -o mode=755 wave ${bench} || f 'EIO no place to mount'`]),
    ...mountAll(lines, ""),
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

/** `f` says what went wrong, with the first line of what `mount` said, and ends. */
function reporting(status: string): string[] {
  return [
    `exec 9>${quote(status)}; f() { m=; [ ! -e ${bench}/said ] || read -r m <${bench}/said; printf '%s %s' "$1" "$m" >&9; exit 125; }`,
  ];
}

/** The tree and everything that lies over it, in the order in which it has to be mounted. */
function treeAndBinds({ project, tree, binds, masks, readOnly }: SandboxView, root: string, overlayOptions: string): readonly MountLine[] {
  // In the open view the tree lies over the machine's own, and over what of an attempt is kept there: that is reached by another way.
  const isCovered = (source: string) => root === "" && isBelow(source, project);
  const aside: MountLine = { what: project, where: `${bench}/p`, bench: `${bench}/p`, type: "none", options: "rbind", optional: false };
  const placed = binds.map(({ source, target, writable, isFile }): MountLine => {
    const options = writable ? "bind" : "bind,ro,nosuid,nodev";
    const inTree = root === "" || isBelow(target, project);
    const made = inTree ? undefined : isFile === true ? path.posix.dirname(target) : target;
    const what = isCovered(source) ? `${aside.where}${source.slice(project.length)}` : source;
    return { what, where: `${root}${target}`, type: "none", options, made, optional: false };
  });
  const own = treeLines(tree, `${root}${project}`, root === "" ? undefined : project, overlayOptions);
  const sorted = [...placed].sort((a, b) => depth(a.where) - depth(b.where));
  const inTree = (line: MountLine) => isBelow(line.where.slice(root.length), project);
  const hidden = masks.map(
    (target): MountLine => ({
      what: "wave",
      where: `${root}${target}`,
      type: "mask",
      options: placesIn(target, binds, root).length > 0 ? "" : ",ro",
      optional: true,
    }),
  );
  const frozen = readOnly.map(
    (target): MountLine => ({ what: `${root}${target}`, where: `${root}${target}`, type: "none", options: "bind,ro", optional: true }),
  );
  const first = binds.some(({ source }) => isCovered(source)) ? [aside] : [];
  const inside = masks.flatMap((mask) => placesIn(mask, binds, root));
  return [
    ...first,
    ...withPlaces([...sorted.filter((line) => !inTree(line)), ...own]),
    ...frozen,
    ...hidden,
    ...inside,
    ...sorted.filter(inTree),
  ];
}

/** Places that a mask hides and something is to lie on. */
function placesIn(mask: string, binds: SandboxView["binds"], root: string): readonly MountLine[] {
  return binds
    .filter(({ target }) => isBelow(target, mask))
    .map(({ target, isFile }) => ({
      what: "",
      where: `${root}${target}`,
      type: isFile === true ? "file" : "place",
      options: "",
      optional: true,
    }));
}

/** What is mounted above a place hides that it was made: it is made again, where it is not there. */
function withPlaces(lines: readonly MountLine[]): readonly MountLine[] {
  return lines.flatMap((line, index) => {
    const covered = line.where !== "" && lines.slice(0, index).some((above) => above.where !== "" && isBelow(line.where, above.where));
    return covered && line.bench === undefined ? [{ ...line, what: "", type: "place", optional: true }, line] : [line];
  });
}

function treeLines(tree: Tree, where: string, made: string | undefined, overlayOptions: string): readonly MountLine[] {
  if (tree.kind === "directory") {
    return tree.source === where ? [] : [{ what: tree.source, where, type: "none", options: "bind", made, optional: false }];
  }
  return overlayLines(tree, bench, overlayOptions).map((line) => (line.where === "" ? { ...line, where, made } : line));
}

/** One `mount` for as many lines as there are; what may be missing is asked for first. */
function mountAll(lines: readonly MountLine[], root: string): string[] {
  const script: string[] = [];
  let batch: MountLine[] = [];
  const flush = (what: string) => {
    if (batch.length === 0) return;
    script.push(
      `printf %s ${quote(batch.map(fstabLine).join(""))} >${bench}/fstab && mount -a -T ${bench}/fstab 2>${bench}/said || f 'EIO ${what} could not be mounted'`,
    );
    batch = [];
  };
  for (const line of lines) {
    // What lies in a tree that is mounted here exists only now, and a bind below the tree needs a place to lie on.
    if (line.bench !== undefined) script.push(`mkdir -p ${quote(line.bench)}`);
    if (!line.optional) {
      batch.push(line);
      continue;
    }
    flush("the tree");
    const where = quote(line.where);
    if (line.type === "place") script.push(`[ -e ${where} ] || mkdir -p ${where} || f 'EIO no place for the tree could be made'`);
    else if (line.type === "file")
      script.push(`mkdir -p ${quote(path.posix.dirname(line.where))} && : >${where} || f 'EIO no place for a file could be made'`);
    else if (line.type === "mask") {
      script.push(
        `if [ -d ${where} ]; then mount -t tmpfs -o mode=755,size=4k${line.options} wave ${where}; elif [ -e ${where} ]; then mount -o bind,ro /dev/null ${where}; fi || f 'EIO a mask could not be laid'`,
      );
    } else
      script.push(`if [ -e ${where} ]; then mount -o ${line.options} ${where} ${where}; fi || f 'EIO a path could not be made read-only'`);
  }
  flush(root === "" ? "the tree" : "the view");
  return script;
}

/**
 * The first process of the namespace: it reaps what is left alone, and its end is the end of all of them. A command that a signal ended gives
 * 128 and the signal's number, as shells do.
 */
function supervise(drop: readonly string[]): string[] {
  return [
    `case "$1" in */*) [ -x "$1" ] ;; *) PATH=$WAVE_CHILD_PATH command -v "$1" >/dev/null ;; esac || { printf %s 'ENOENT there is no such program in the sandbox' >&9; exit 125; }`,
    // Not with `&`: a shell starts what it does not wait for with SIGINT and SIGQUIT ignored, for good. The first process of a namespace gets no
    // signal that it has no handler for, so it outlives the TERM that is meant for the command. What it says of the command's end is not the command's.
    `unset OLDPWD; exec 4>&2 2>/dev/null`,
    `${drop.map(quote).join(" ")} "$@" 2>&4 4>&- 9>&-`,
    `exit $?`,
  ];
}

function isBelow(target: string, directory: string): boolean {
  return target.startsWith(directory === "/" ? "/" : `${directory}/`);
}

function depth(place: string): number {
  return path.posix.normalize(place).split("/").length;
}
