/**
 * Selects what a sandboxed child sees of the machine besides its tree: system directories, the directories of PATH and of
 * Node, a few files of `/etc`, and a minimal `/dev` and `/proc`. This is an allowlist: anything else does not exist in the
 * sandbox.
 */

import { existsSync, lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { etcRefusal } from "../core/etc-places.ts";
import { realPlace } from "../platform/files.ts";
import { isInside } from "../platform/paths.ts";
import { entriesBelow, readableNames } from "../platform/walk.ts";
import { bindLine, deviceBind, line, type MountLine, readOnlyBind } from "./mount-lines.ts";
import { procLines } from "./proc-lines.ts";
import { type ToolPlaces, toolDirectories } from "./tool-directories.ts";

/** The parts of a root that do not depend on the attempt. Paths are those of the view. */
export interface SystemRoot {
  readonly directories: readonly string[];
  readonly files: readonly string[];
  /** `copied`: the machine has the same link at the same path. */
  readonly links: readonly { readonly from: string; readonly to: string; readonly copied: boolean }[];
  /** Everything to mount, below the directory that becomes the root. */
  mounts(root: string): readonly MountLine[];
}

const systemDirectories = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store", "/snap"];

/**
 * Files of `/etc` that programs need to find users, hosts, certificates, libraries and their own defaults. Excluded are
 * paths where an administrator may have stored keys and tokens: private keys next to certificates, and the configuration
 * of registries and git (`gitBinds` adds a masked one).
 */
const etcNames = [
  ..."passwd group nsswitch.conf hosts host.conf gai.conf resolv.conf protocols services mime.types localtime timezone os-release".split(
    " ",
  ),
  ..."debian_version alpine-release ld.so.cache ld.so.conf ld.so.conf.d alternatives ca-certificates ca-certificates.conf".split(" "),
  ..."ssl/certs ssl/cert.pem ssl/openssl.cnf ssl/ct_log_list.cnf pki/tls/certs pki/tls/cert.pem pki/tls/openssl.cnf pki/ca-trust".split(
    " ",
  ),
  ..."crypto-policies inputrc profile bash.bashrc terminfo fonts perl magic manpath.config locale.alias locale.conf default/locale".split(
    " ",
  ),
];

/**
 * Configuration that packages of distributions install and their programs require. Excluded are files in which users keep
 * credentials, such as `maven/settings.xml`, `wgetrc`, `pip.conf`, `R/Renviron.site`, `profile.d` and `environment`.
 */
const packageNames = [
  ..."maven/m2.conf maven/logging maven/toolchains.xml ant chromium.d chromium firefox firefox-esr groff xml sgml texmf".split(" "),
  ..."R/ldpaths R/Makeconf R/Renviron R/Rprofile.site R/repositories ghostscript erlang ocamlfind.conf mono dotnet".split(" "),
  ..."gdb vim nanorc emacs glvnd OpenCL vulkan gtk-2.0 gtk-3.0 pango xdg alsa asound.conf papersize paperspecs".split(" "),
  ..."postgresql-common/user_clusters postgresql-common/supported_versions lsb-release redhat-release fedora-release".split(" "),
  ..."system-release shells networks rpc ethertypes magic.mime mailcap dpkg/origins dpkg/shlibs.default".split(" "),
];

/** The same for names that contain a version. */
const versionedEtc = /^(?:java-\d+-openjdk|python3(?:\.\d+)?|ImageMagick-\d+|ld-musl-\w+\.path)$/;
const phpParts = ["cli", "mods-available"];

/** Programs read these at any path, and they are known to contain tokens. */
const tokenFiles = ["/usr/etc/npmrc", "/usr/local/etc/npmrc", "/usr/etc/gitconfig", "/usr/local/etc/gitconfig"];

const devices = ["null", "zero", "full", "random", "urandom", "tty"];

/**
 * Directories and files that users and administrators fill and that every child sees. Excludes those of packages, which
 * install no private files of other users.
 */
export function filledPlaces(places: ToolPlaces): readonly string[] {
  const etc = [...etcNames, ...versionedNames()].map((name) => `/etc/${name}`);
  const isPackaged = (place: string) => systemDirectories.some((one) => isInside(one, place)) && !isInside("/usr/local", place);
  const all = ["/usr/local", ...openIn("/opt"), ...toolDirectories(places), ...etc];
  return outermost(all.filter((place) => existsSync(place) && !isPackaged(place) && !isPackaged(realPlace(place) ?? place)));
}

/** The root for the children of one view. */
export function systemRoot(places: ToolPlaces): SystemRoot {
  const shown = [...systemDirectories, ...openIn("/opt"), ...toolDirectories(places)];
  const directories: string[] = [];
  const files: string[] = [];
  const links: { from: string; to: string }[] = [];
  const binds: { source: string; target: string }[] = [];
  const show = (target: string) => {
    const stat = lstatSync(target, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isSymbolicLink() && target.startsWith("/etc/") === false) {
      links.push({ from: target, to: readlinkSync(target) });
      return;
    }
    const source = realPlace(target);
    if (source === undefined) return;
    const isDirectory = statSync(source).isDirectory();
    directories.push(isDirectory ? target : path.dirname(target));
    if (!isDirectory) files.push(target);
    binds.push({ source, target });
  };
  for (const directory of outermost(shown)) show(directory);
  for (const name of [...etcNames, ...versionedNames()]) show(`/etc/${name}`);
  const added = (places.etc ?? []).filter((place) => isShowable(place));
  const packages = [...packageNames.map((name) => `/etc/${name}`), ...added].map((place) => ({ place, closed: closedFiles(place) }));
  for (const { place, closed } of packages) if (closed !== undefined && !binds.some(({ target }) => isInside(target, place))) show(place);
  const ownTemp = isInside("/var/tmp", places.project);
  const covered = [
    ...packages.flatMap(({ closed }) => closed ?? []),
    ...tokenFiles,
    path.join(path.dirname(path.dirname(process.execPath)), "etc/npmrc"),
  ];
  return {
    directories: ["/proc", "/dev/pts", "/dev/shm", "/tmp", ownTemp ? "/var/tmp" : "/var", "/run", "/wave", ...directories],
    files: [...devices.map((name) => `/dev/${name}`), ...files],
    links: [...links, ...devLinks, ...(ownTemp ? [] : [{ from: "/var/tmp", to: "/tmp" }])].map((link) => ({
      ...link,
      copied: isOnMachine(link),
    })),
    mounts: (root) => [
      ...binds.map(({ source, target }) => bindLine(source, `${root}${target}`, readOnlyBind)),
      ...[...new Set(covered)]
        .filter((file) => isShownFile(file, binds))
        .map((file) => bindLine("/dev/null", `${root}${file}`, deviceBind)),
      ...devices.map((name) => bindLine(`/dev/${name}`, `${root}/dev/${name}`, deviceBind)),
      line("tmpfs", "wave", `${root}/dev/shm`, "mode=1777,nosuid,nodev,size=256m"),
      line("devpts", "devpts", `${root}/dev/pts`, "newinstance,ptmxmode=0666,mode=620,nosuid,noexec"),
      line("proc", "proc", `${root}/proc`, "nosuid,nodev,noexec"),
      ...procLines(`${root}/proc`),
    ],
  };
}

/** The entries of a directory that every user may read: children of root see no others. */
function openIn(directory: string): readonly string[] {
  return readableNames(directory)
    .map((name) => path.join(directory, name))
    .filter((place) => ((statSync(place, { throwIfNoEntry: false })?.mode ?? 0) & 0o005) === 0o005);
}

/** Whether the sandbox can show a path that a manifest adds: it exists, contains no secrets, and is open to every user. */
export function isShowable(place: string): boolean {
  return isOrdinary(place) && closedFiles(place) !== undefined;
}

/** Whether a manifest may add a path, by its name and by the target of links. */
function isOrdinary(place: string): boolean {
  const real = realPlace(place);
  return etcRefusal(place) === undefined && real !== undefined && (isInside("/usr", real) || etcRefusal(real) === undefined);
}

/** Each is a separate mount. */
const mostClosed = 50;

const knownClosed = new Map<string, readonly string[] | undefined>();

/**
 * The files at or below a path of package configuration that not every user may read; they stay closed to root's children.
 * Undefined if the path cannot be shown: it or a directory in it is closed, too many of its files are, or it does not
 * exist. Checked once per process.
 */
function closedFiles(place: string): readonly string[] | undefined {
  if (!knownClosed.has(place)) knownClosed.set(place, findClosedFiles(place));
  return knownClosed.get(place);
}

function findClosedFiles(place: string): readonly string[] | undefined {
  const own = statSync(place, { throwIfNoEntry: false });
  if (own === undefined || !isOpen(own)) return undefined;
  if (!own.isDirectory()) return [];
  const closed: string[] = [];
  try {
    for (const { path: inner, kind } of entriesBelow(place)) {
      if (kind === "symlink" || isOpen(lstatSync(path.join(place, inner)))) continue;
      if (kind === "directory") return undefined;
      if (closed.push(path.join(place, inner)) > mostClosed) return undefined;
    }
  } catch {
    // The directory cannot be listed, or changed meanwhile.
    return undefined;
  }
  return closed;
}

/** Whether every user may read a file, or list and enter a directory. */
function isOpen(stats: Stats): boolean {
  const wanted = stats.isDirectory() ? 0o005 : 0o004;
  return (stats.mode & wanted) === wanted;
}

function versionedNames(): readonly string[] {
  const php = readableNames("/etc/php").flatMap((version) => phpParts.map((part) => `php/${version}/${part}`));
  return [...readableNames("/etc").filter((name) => versionedEtc.test(name)), ...php];
}

function isShownFile(file: string, binds: readonly { readonly target: string }[]): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true && binds.some(({ target }) => isInside(target, file));
}

const devLinks = [
  { from: "/dev/fd", to: "/proc/self/fd" },
  { from: "/dev/stdin", to: "/proc/self/fd/0" },
  { from: "/dev/stdout", to: "/proc/self/fd/1" },
  { from: "/dev/stderr", to: "/proc/self/fd/2" },
  { from: "/dev/ptmx", to: "pts/ptmx" },
];

/** Without directories that are inside another one. */
function outermost(directories: readonly string[]): readonly string[] {
  const once = [...new Set(directories.map((directory) => path.posix.normalize(directory).replace(/(?<=.)\/$/, "")))];
  return once.filter((one) => !once.some((other) => other !== one && isInside(other, one)));
}

function isOnMachine({ from, to }: { readonly from: string; readonly to: string }): boolean {
  return lstatSync(from, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(from) === to;
}
