/**
 * A view of the machine as a shell script that makes it so, with the tools of util-linux alone: `mount`, `pivot_root`, `umount`,
 * `setpriv`, `unshare`. The script runs inside new namespaces, as their root. Pure: text out.
 *
 * Everything is put together below `/sys` of the new mount namespace, of which a child sees nothing: a tmpfs there holds the new root,
 * and plain names for layers whose paths overlayfs could not parse. Nothing is left on the machine.
 */

import path from "node:path";
import type { Link } from "../../platform/links.ts";
import { isInside } from "../../platform/paths.ts";
import { deviceBind, fstabLine, type MountLine, overlayLines, quote, readOnlyBind, redirecting, writableBind } from "./mount-words.ts";
import { idMapper, mapperPipes, procDescriptor, readOnlyProc } from "./privileges.ts";
import type { SystemRoot } from "./system-root.ts";
import type { SandboxView, Tree } from "./view.ts";

const bench = "/sys";
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
    tools.filter((line) => isHidden(line, view) && setting.command.some((word) => isUnder(line.where, `${stage}${word}`))),
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
    ...(setting.mapsIds === true ? mapperPipes(bench, "f 'EIO ids could not be mapped'") : []),
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

/** With its place, which what lies above hides. */
function placed(line: MountLine): readonly MountLine[] {
  return [{ ...line, what: "", type: "place", optional: true }, line];
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

/** The tree and everything that lies over it, after `covers`, in the order in which it has to be mounted. */
function treeAndBinds(view: SandboxView, root: string, overlayOptions: string, covers: readonly MountLine[] = []): readonly MountLine[] {
  const { project, tree, binds, layered = [] } = view;
  // In the open view the tree lies over the machine's own, and over what of an attempt is kept there: that is reached by another way.
  const isCovered = (source: string) => root === "" && isUnder(project, source);
  const aside: MountLine = {
    what: project,
    where: `${bench}/p`,
    onBench: true,
    type: "none",
    options: "rbind",
    optional: false,
  };
  const reached = (source: string) => (isCovered(source) ? `${aside.where}${source.slice(project.length)}` : source);
  const bound = (source: string, target: string) => ({ what: reached(source), where: `${root}${target}` });
  // The open view shows devices as the machine does.
  const ownBind = root === "" ? "bind" : writableBind;
  const bindings = binds.map(({ source, target, writable, isFile }): MountLine => {
    const options = writable ? ownBind : readOnlyBind;
    const inTree = root === "" || isUnder(project, target);
    const made = inTree ? undefined : isFile === true ? path.posix.dirname(target) : target;
    return { ...bound(source, target), type: "none", options, made, optional: false };
  });
  // A layered directory around the project hides the project's tree, and the layers that are kept in it.
  const isHiddenHere = root === "" && layered.some(({ base }) => isUnder(base, project));
  const laid = (one: Tree, where: string, prefix?: string) =>
    treeLines(
      isHiddenHere ? movedTree(one, (place) => (place === project ? aside.where : reached(place))) : one,
      `${root}${where}`,
      root === "" ? undefined : where,
      overlayOptions,
      prefix,
    );
  const own = laid(tree, project);
  const layers = layered.map((one, index) => ({ where: `${root}${one.base}`, lines: laid(one, one.base, `g${index}.`) }));
  const sorted = [...bindings].sort((a, b) => depth(a.where) - depth(b.where));
  const inTree = (line: MountLine) => isUnder(project, line.where.slice(root.length));
  const covering: readonly MountLine[] =
    view.hidden === undefined
      ? []
      : [{ ...bound(view.hidden.instead, view.hidden.place), type: "none", options: readOnlyBind, optional: false }];
  const first = isHiddenHere || binds.some(({ source }) => isCovered(source)) ? [aside] : [];
  return [
    ...first,
    ...withPlaces([...covers, ...withLayers(layers, sorted.filter((line) => !inTree(line))), ...own]), // biome-ignore format: one thought
    ...pinned(view, root, overlayOptions),
    ...frozenLines(view, root),
    ...covering,
    ...maskLines(view, root),
    ...sorted.filter(inTree),
  ];
}

function frozenLines({ readOnly }: SandboxView, root: string): readonly MountLine[] {
  const places = readOnly.map((target) => `${root}${target}`);
  return places.map((where) => ({ what: where, where, type: "none", options: readOnlyBind, optional: true }));
}

/** The masks, and places in them that something is mounted on. */
function maskLines({ masks, binds }: SandboxView, root: string): readonly MountLine[] {
  const inside = masks.flatMap((mask) => placesIn(mask, binds, root));
  const masked = masks.map((target): MountLine => {
    const options = placesIn(target, binds, root).length > 0 ? "" : ",ro";
    return { what: "wave", where: `${root}${target}`, type: "mask", options, optional: true };
  });
  return [...masked, ...inside];
}

interface LayerLines {
  readonly where: string;
  readonly lines: readonly MountLine[];
}

/** Layered directories cover the repository around the project. What is shown inside them, such as configurations, covers them. */
function withLayers(layers: readonly LayerLines[], lines: readonly MountLine[]): readonly MountLine[] {
  const isInLayer = ({ where }: MountLine) => layers.some((layer) => isUnder(layer.where, where));
  return [...lines.filter((line) => !isInLayer(line)), ...layers.flatMap((layer) => layer.lines), ...lines.filter(isInLayer)];
}

function movedTree(tree: Tree, moved: (place: string) => string): Tree {
  if (tree.kind === "directory") return { ...tree, source: moved(tree.source) };
  const layers = tree.layers.map(({ upper, work }) => ({ upper: moved(upper), work: moved(work) }));
  return { ...tree, base: moved(tree.base), layers };
}

/**
 * Directories around what the view hides or replaces, each mounted on itself. A mount point cannot be renamed or removed in its
 * namespace (EBUSY); without it, a child could move aside what is hidden: on the machine in a tree shown as it is, and for later views,
 * whose masks have fixed places, in an overlay with redirects.
 *
 * In an overlay these are state's parents and the directories that contain masks and replaced files, which are repositories. Their parents
 * are left out, because files cannot be renamed across mount points: `settleRenames` checks them.
 */
function pinned(view: SandboxView, root: string, overlayOptions: string): readonly MountLine[] {
  const { project, tree, masks, hidden } = view;
  const pin = (place: string, optional: boolean) => ({ place, optional });
  const around = (place: string) => parentsBetween(project, place);
  let pins: readonly { readonly place: string; readonly optional: boolean }[] = [];
  if (tree.kind === "overlay") {
    if (!overlayOptions.includes(redirecting)) return [];
    const state = hidden === undefined ? [] : around(hidden.place);
    pins = [
      ...state.map((place) => pin(place, false)),
      ...(root === "" ? [] : maskedDirectories(view).filter((place) => !state.includes(place))).map((place) => pin(place, true)),
    ];
  } else if (root !== "" && tree.source === project) {
    // A copy has no state.
    pins = [...new Set(masks.flatMap(around))].map((place) => pin(place, true));
  }
  const options = root === "" ? "bind" : writableBind;
  return [...pins]
    .sort((a, b) => depth(a.place) - depth(b.place))
    .map(({ place, optional }) => ({ what: `${root}${place}`, where: `${root}${place}`, type: "none", options, optional }));
}

/** The directories in the project that contain a mask or a replaced file, without those inside a mask or in state. */
function maskedDirectories({ project, binds, masks, hidden }: SandboxView): readonly string[] {
  const covers = [...masks, ...(hidden === undefined ? [] : [hidden.place])];
  const files = binds.flatMap(({ target, isFile }) => (isFile === true ? [target] : []));
  const directories = [...masks, ...files].map((place) => path.posix.dirname(place));
  return [...new Set(directories)].filter(
    (directory) => isUnder(project, directory) && !covers.some((cover) => isInside(cover, directory)),
  );
}

function parentsBetween(project: string, mask: string): readonly string[] {
  const parents: string[] = [];
  for (let at = path.posix.dirname(mask); isUnder(project, at); at = path.posix.dirname(at)) parents.push(at);
  return parents;
}

/** Places that a mask hides and something is to lie on. */
function placesIn(mask: string, binds: SandboxView["binds"], root: string): readonly MountLine[] {
  return binds
    .filter(({ target }) => isUnder(mask, target))
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
    const covered = line.where !== "" && lines.slice(0, index).some((above) => above.where !== "" && isUnder(above.where, line.where));
    return covered && line.onBench !== true ? placed(line) : [line];
  });
}

/** `made` is undefined for the open view. */
function treeLines(tree: Tree, where: string, made: string | undefined, overlayOptions: string, prefix?: string): readonly MountLine[] {
  if (tree.kind === "directory") {
    const options = made === undefined ? "bind" : writableBind;
    return tree.source === where ? [] : [{ what: tree.source, where, type: "none", options, made, optional: false }];
  }
  const options = [overlayOptions, ...(made === undefined ? [] : ["nosuid,nodev"])].filter((part) => part !== "").join(",");
  return overlayLines(tree, bench, options, prefix).map((line) => (line.where === "" ? { ...line, where, made } : line));
}

/** Whether there is more to mount than a line or two that stand for themselves. */
function needsBench(lines: readonly MountLine[]): boolean {
  return lines.length > 2 || lines.some(({ onBench, optional }) => onBench === true || optional);
}

/** A `mount` for each line, which needs nothing beside it. */
function mountEach(lines: readonly MountLine[]): string[] {
  return lines.map(({ what, where, type, options }) => {
    const words = ["mount", "-n", ...(type === "none" ? [] : ["-t", type]), "-o", options, what, where].map(quote).join(" ");
    return `m=$(${words} 2>&1) || f 'EIO the tree could not be mounted'`;
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
        `if [ -d ${where} ]; then mount -n -t tmpfs -o mode=755,size=4k,nosuid,nodev${line.options} wave ${where}; elif [ -e ${where} ]; then mount -n -o ${deviceBind} /dev/null ${where}; fi || f 'EIO a mask could not be laid'`,
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

/** Whether a mount point is below a directory; the directory itself is not. */
function isUnder(directory: string, target: string): boolean {
  return target !== directory && isInside(directory, target);
}

function depth(place: string): number {
  return path.posix.normalize(place).split("/").length;
}
