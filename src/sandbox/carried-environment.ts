/**
 * Carries the child's environment through the setup, which runs as root of new namespaces. There the variables have other
 * names, so that no loader, shell or program interprets them. The last shell before the command, without privileges,
 * restores the names. Values are never written to a command line, which other users can read, or to a disk. Pure.
 */

const prefix = "WAVE_CHILD_";

/** The PATH on which the setup finds its programs. */
export const setupPath = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The variables that `sudo` adds. */
const added = [
  "SUDO_COMMAND",
  "SUDO_USER",
  "SUDO_UID",
  "SUDO_GID",
  "SUDO_HOME",
  "MAIL",
  "LOGNAME",
  "USER",
  "USERNAME",
  "SHELL",
  "TERM",
  "HOME",
];

export interface CarriedEnvironment {
  /** The setup's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The variables that `sudo` has to preserve. */
  readonly carried: readonly string[];
  /** The argv prefix that restores the names, inside the sandbox, after privileges are dropped. */
  readonly unpack: readonly string[];
}

/** Packs an environment. The names must be valid names of shell variables. */
export function carryEnvironment(env: Readonly<Record<string, string>>): CarriedEnvironment {
  const names = Object.keys(env).sort();
  const packed = names.map((name) => [`${prefix}${name}`, env[name] ?? ""] as const);
  const forget = [...added, "LC_ALL", "LANG", "OLDPWD"].filter((name) => !names.includes(name));
  const script = [
    `unset ${forget.join(" ")}`,
    ...names.map((name) => `export ${name}="$${prefix}${name}"; unset ${prefix}${name}`),
    'exec "$@"',
  ];
  return {
    env: { PATH: setupPath, LC_ALL: "C", ...Object.fromEntries(packed) },
    carried: packed.map(([name]) => name),
    unpack: ["/bin/sh", "-c", script.join("\n"), "wave"],
  };
}
