/** How namespaces are made and privileges given up, for each way that a machine may allow. Pure. */
import type { IsolationMode } from "./isolation.ts";

/** Who the child is to be. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export interface NamespaceSetting {
  readonly mode: Exclude<IsolationMode, "none">;
  /** Processes and `/proc` of its own, and no shared memory with others. */
  readonly closed: boolean;
  /** A network of its own. */
  readonly network: boolean;
}

/** The words before a script: it runs as root of new namespaces, and dies when wave does. `sudo` does not pass that on. */
export function namespaceWords({ mode, closed, network }: NamespaceSetting): readonly string[] {
  const own = [
    ...(mode === "user-namespace" ? ["--user", "--map-root-user"] : []),
    "--mount",
    ...["--propagation", "private"],
    ...(closed ? ["--pid", "--fork", "--kill-child=KILL", "--ipc", "--uts"] : []),
    ...(network ? ["--net"] : []),
  ];
  const unshare = ["unshare", ...own, "--", "/bin/sh", "-c"];
  return mode === "sudo" ? ["sudo", "-n", "--", ...unshare] : ["setpriv", "--pdeathsig", "KILL", "--", ...unshare];
}

/** The words before the command, inside: the caller's user again, without any capability and no way to gain one. */
export function dropWords(mode: Exclude<IsolationMode, "none">, { uid, gid }: Identity, closed: boolean): readonly string[] {
  const bare = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"];
  switch (mode) {
    case "root":
      return closed ? ["setpriv", ...bare, "--"] : [];
    case "sudo":
      return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", ...(closed ? bare : []), "--"];
    case "user-namespace":
      // A second namespace gives the user its own id back; what is mounted cannot be taken apart from in there.
      return [
        "unshare",
        "--user",
        `--map-user=${uid}`,
        `--map-group=${gid}`,
        "--",
        "setpriv",
        ...(closed ? bare : ["--no-new-privs"]),
        "--",
      ];
  }
}
