/**
 * What of the machine a fenced child sees besides its tree: system directories, the directories of PATH and of Node, a few files of
 * `/etc`, and a minimal `/dev` and `/proc`. An allowlist: what is not named here is not there.
 */
import { existsSync, lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { MountLine } from "./mount-words.ts";

/** The parts of a root that do not depend on the attempt. Paths are those of the view. */
export interface SystemRoot {
  readonly directories: readonly string[];
  readonly files: readonly string[];
  readonly links: readonly { readonly from: string; readonly to: string }[];
  /** Everything to mount, below a directory that stands for the root. */
  mounts(root: string): readonly MountLine[];
}

const systemDirectories = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store", "/snap"];

/** Of `/etc`: what programs need to find users, hosts, certificates, libraries and their own defaults. No secrets of the machine. */
const etcNames = [
  ..."passwd group nsswitch.conf hosts host.conf gai.conf resolv.conf protocols services mime.types localtime timezone os-release".split(
    " ",
  ),
  ..."debian_version alpine-release ld.so.cache ld.so.conf ld.so.conf.d alternatives ssl pki ca-certificates ca-certificates.conf".split(
    " ",
  ),
  ..."crypto-policies gitconfig inputrc profile bash.bashrc terminfo fonts java-11-openjdk java-17-openjdk java-21-openjdk".split(" "),
  ..."python3 python3.11 python3.12 perl php magic manpath.config locale.alias locale.conf default/locale npmrc nix".split(" "),
];

const devices = ["null", "zero", "full", "random", "urandom", "tty"];
/** Root without capabilities may still write these, by its user id alone. */
const guardedProc = ["sys", "sysrq-trigger", "irq", "bus", "fs"];

/** The root for children that look for programs in `searchPath`. `withNames`: they may ask for hosts' addresses. */
export function systemRoot(searchPath: string, home: string | undefined): SystemRoot {
  const shown = [...systemDirectories, ...toolDirectories(searchPath, home)];
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
    const source = realOf(target);
    if (source === undefined) return;
    const isDirectory = statSync(source).isDirectory();
    directories.push(isDirectory ? target : path.dirname(target));
    if (!isDirectory) files.push(target);
    binds.push({ source, target });
  };
  for (const directory of outermost(shown)) show(directory);
  for (const name of etcNames) show(`/etc/${name}`);
  return {
    directories: ["/proc", "/dev/pts", "/dev/shm", "/tmp", "/var/tmp", "/run", "/wave", ...directories],
    files: [...devices.map((name) => `/dev/${name}`), ...files],
    links: [...links, ...devLinks],
    mounts: (root) => [
      ...binds.map(({ source, target }) => bindLine(source, `${root}${target}`, "bind,ro,nosuid,nodev")),
      ...devices.map((name) => bindLine(`/dev/${name}`, `${root}/dev/${name}`, "bind")),
      line("tmpfs", "wave", `${root}/dev/shm`, "mode=1777,nosuid,nodev"),
      line("devpts", "devpts", `${root}/dev/pts`, "newinstance,ptmxmode=0666,mode=620"),
      line("proc", "proc", `${root}/proc`, "nosuid,nodev,noexec"),
      ...guardedProc
        .filter((name) => existsSync(`/proc/${name}`))
        .map((name) => bindLine(`${root}/proc/${name}`, `${root}/proc/${name}`, "bind,ro")),
    ],
  };
}

const devLinks = [
  { from: "/dev/fd", to: "/proc/self/fd" },
  { from: "/dev/stdin", to: "/proc/self/fd/0" },
  { from: "/dev/stdout", to: "/proc/self/fd/1" },
  { from: "/dev/stderr", to: "/proc/self/fd/2" },
  { from: "/dev/ptmx", to: "pts/ptmx" },
];

/**
 * The directories of PATH and of Node that lie elsewhere. For `PREFIX/bin` the whole prefix, since libraries lie beside programs; but only
 * the directory itself where the prefix is a home, the root, or a place that also keeps credentials.
 */
export function toolDirectories(searchPath: string, home: string | undefined): readonly string[] {
  const found: string[] = [];
  for (const entry of [...searchPath.split(":"), path.dirname(process.execPath)]) {
    if (!path.isAbsolute(entry) || !existsSync(entry)) continue;
    for (const directory of new Set([entry, realOf(entry) ?? entry])) {
      const prefix = path.dirname(directory);
      const isTool = ["bin", "sbin", "shims"].includes(path.basename(directory));
      const closed = prefix === "/" || prefix === home || keepsCredentials.has(path.basename(prefix)) || prefix.split("/").length < 3;
      found.push(isTool && !closed ? prefix : directory);
      // Cargo's programs are links into what rustup installs.
      if (path.basename(prefix) === ".cargo") found.push(path.join(path.dirname(prefix), ".rustup"));
    }
  }
  return found.filter((directory) => directory !== home && directory !== "/" && existsSync(directory));
}

const keepsCredentials = new Set([".cargo", ".local", ".npm", ".docker", ".config"]);

/** Without those that lie in another one of them. */
function outermost(directories: readonly string[]): readonly string[] {
  const once = [...new Set(directories.map((directory) => path.posix.normalize(directory).replace(/(?<=.)\/$/, "")))];
  return once.filter((one) => !once.some((other) => other !== one && one.startsWith(`${other}/`)));
}

function realOf(place: string): string | undefined {
  try {
    return realpathSync(place);
  } catch {
    return undefined;
  }
}

function bindLine(what: string, where: string, options: string): MountLine {
  return { what, where, type: "none", options, optional: false };
}

function line(type: string, what: string, where: string, options: string): MountLine {
  return { what, where, type, options, optional: false };
}
