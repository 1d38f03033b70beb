/**
 * The child's environment on its way through the setup, which runs as root of new namespaces: there the variables have other names,
 * under which no loader, shell or program takes them for its own. The last shell before the command, without privileges, gives them
 * their names back. Values never stand in a command line, which others could read, nor on a disk. Pure.
 */

const prefix = "WAVE_CHILD_";

/** Where the setup's own programs are found: a PATH. */
export const setupPath = "/usr/sbin:/usr/bin:/sbin:/bin";

/** What `sudo` adds. */
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
  /** All that the setup sees. */
  readonly env: Readonly<Record<string, string>>;
  /** The variables that `sudo` has to let through. */
  readonly carried: readonly string[];
  /** The words before the command, inside, after privileges were given up. */
  readonly unpack: readonly string[];
}

/** Packs an environment whose names are those of shell variables. */
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
