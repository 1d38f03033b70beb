/** Tests the pure parts of the sandbox: shell arguments, lines for `mount`, dropped privileges, and the directories to show. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fstabLine, octal, overlayLines } from "../../../src/sandbox/mount-lines.ts";
import { firstNonDirectoryParent } from "../../../src/sandbox/path-safety.ts";
import { dropPrivilegesArgv, unshareArgv } from "../../../src/sandbox/privileges.ts";
import { procLines } from "../../../src/sandbox/proc-lines.ts";
import { hasSessionKeyring } from "../../../src/sandbox/session-keyring.ts";
import { systemRoot } from "../../../src/sandbox/system-root.ts";
import { toolDirectories } from "../../../src/sandbox/tool-directories.ts";
import type { SandboxView } from "../../../src/sandbox/view.ts";
import { closedScript, openScript } from "../../../src/sandbox/view-script.ts";
import { quote } from "../../../src/text/shell-quote.ts";

const odd = [
  "plain",
  "with space",
  "it's",
  '"quoted"',
  "$(touch x)",
  "`x`",
  "back\\slash",
  "new\nline",
  "-dash",
  "*",
  "~",
  "",
  "#",
  "ü☂",
  "a;b",
  "a&b",
];

describe("arguments", () => {
  test.each(odd)("a shell reads %j unchanged", (word) => {
    expect(execFileSync("sh", ["-c", `printf '%s\\0' ${quote(word)}`]).toString()).toBe(`${word}\0`);
  });

  test("fields of fstab contain no blanks, comments or quotes", () => {
    expect(octal("a b\tc\nd\\e#f\"g'h")).toBe("a\\040b\\011c\\012d\\134e\\043f\\042g\\047h");
    expect(fstabLine({ what: "/a b", where: "/c", type: "none", options: "", optional: false })).toBe("/a\\040b /c none defaults 0 0\n");
  });

  test("an overlay with plain paths is one mount, and other paths get short names first", () => {
    const layer = (at: string) => ({ upper: `${at}/upper`, work: `${at}/work` });
    const plain = overlayLines({ kind: "overlay", base: "/p", layers: [layer("/s/1")] }, "/sys", "userxattr");
    expect(plain.map(({ where, options }) => [where, options])).toEqual([
      ["", "lowerdir=/p,upperdir=/s/1/upper,workdir=/s/1/work,userxattr"],
    ]);
    const named = overlayLines({ kind: "overlay", base: "/p:q", layers: [layer("/s,1"), layer("/s/2")] }, "/sys", "");
    expect(named.map(({ what, where, options }) => [what, where, options])).toEqual([
      ["/p:q", "/sys/l0", "bind"],
      ["/s,1", "/sys/l1", "bind"],
      ["overlay", "/sys/l2", "lowerdir=/sys/l0,upperdir=/sys/l1/upper,workdir=/sys/l1/work"],
      ["overlay", "", "lowerdir=/sys/l2,upperdir=/s/2/upper,workdir=/s/2/work"],
    ]);
  });
});

test("no mount is recorded in the machine's table, which an ordinary user cannot write", () => {
  const binds = [{ source: "/p/.wave/state/o", target: "/p/.wave/state/o", writable: true }];
  const layers = [{ upper: "/p/.wave/state/w/upper", work: "/p/.wave/state/w/work" }];
  const view: Omit<SandboxView, "sandbox"> = {
    project: "/p",
    tree: { kind: "overlay", base: "/p", layers },
    binds,
    masks: ["/p/.git/hooks"],
    readOnly: ["/p/src"],
    network: { kind: "host" },
  };
  const setting = { drop: [], command: ["sh"], status: "/s", overlayOptions: "userxattr" };
  const system = systemRoot({ searchPath: "/usr/bin", home: "/home/u", project: "/p" });
  const scripts = [openScript({ ...view, sandbox: "open" }, setting), closedScript({ ...view, sandbox: "closed" }, system, setting)];
  for (const script of scripts) {
    expect(script.match(/(?<![-\w/])u?mount -n /g)?.length).toBeGreaterThan(2);
    expect(script.match(/(?<![-\w/])u?mount -(?!n )/g)).toBeNull();
  }
});

describe("privileges", () => {
  const identity = { uid: 7, gid: 8 };
  const all = { identity, closed: true, ownUser: true, allIds: true, keyring: [], filter: [] };

  test("root keeps the capabilities for files of every owner in a user namespace that the script maps", () => {
    const words = dropPrivilegesArgv({ ...all, identity: { uid: 0, gid: 0 }, mode: "root" });
    expect(words.slice(-3)).toEqual(["--inh-caps=-all", "--bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+setuid,+setgid", "--"]);
    expect(words.join(" ")).not.toContain("--map-user");
  });

  test.each(["sudo", "user-namespace"] as const)(
    "%s: a sandboxed command has no capabilities and cannot create a namespace to regain them",
    (mode) => {
      const words = dropPrivilegesArgv({ ...all, mode });
      expect(words.slice(-6)).toEqual(["setpriv", "--no-new-privs", "--ambient-caps=-all", "--inh-caps=-all", "--bounding-set=-all", "--"]);
      expect(words.join(" ")).toContain("--user --map-user=7 --map-group=8");
      expect(words.join(" ")).toContain("user/max_user_namespaces");
    },
  );

  test("with sudo the command becomes the user's first", () => {
    const become = ["setpriv", "--reuid=7", "--regid=8", "--clear-groups"];
    expect(dropPrivilegesArgv({ ...all, mode: "sudo", ownUser: false }).slice(0, 5)).toEqual([...become, "--"]);
    // The capability that creates the user namespace, which removes it.
    const right = ["--inh-caps=+sys_admin", "--ambient-caps=+sys_admin", "--", "unshare", "--keep-caps", "--user"];
    expect(dropPrivilegesArgv({ ...all, mode: "sudo" }).slice(0, 10)).toEqual([...become, ...right]);
    expect(dropPrivilegesArgv({ ...all, mode: "sudo", closed: false })).toEqual([
      "setpriv",
      "--reuid=7",
      "--regid=8",
      "--clear-groups",
      "--",
    ]);
  });

  test("the keyring is left after the namespace is entered and before capabilities are dropped", () => {
    const words = dropPrivilegesArgv({ ...all, mode: "root", keyring: ["leave"] });
    expect([words.indexOf("unshare") < words.indexOf("leave"), words.indexOf("leave") < words.indexOf("setpriv")]).toEqual([true, true]);
  });

  test("without a sandbox root stays root and gets only its own mounts", () => {
    expect(dropPrivilegesArgv({ ...all, mode: "root", closed: false })).toEqual([]);
    const words = unshareArgv({ mode: "root", closed: false, network: false });
    expect(words.filter((word) => ["--mount", "--pid", "--net", "--ipc", "--user"].includes(word))).toEqual(["--mount"]);
  });

  test.each([
    ["", false],
    [
      "3202d895 I--Q---     2 perm 1f3f0000     0 65534 keyring   _uid.0: empty\n28126d35 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: empty",
      false,
    ],
    ["1aff I--Q---     2 perm 1f3f0000     0 65534 keyring   _ses: 1", true],
    ["1aff I--Q---     2 perm 1f3f0000     0 65534 keyring   session-42: 1", true],
    ["1aff I--Q---     2 perm 1f3f0000     0 65534 user      _ses: 1", false],
  ])("recognizes a session keyring in listing %#", (listing, expected) => {
    expect(hasSessionKeyring(listing)).toBe(expected);
  });
});

describe("the directories to show", () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(path.join(tmpdir(), "wave-tools-"));
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));
  const make = (...places: string[]) => {
    for (const place of places) mkdirSync(path.join(base, place), { recursive: true });
  };
  const shown = (...entries: string[]) =>
    toolDirectories({
      searchPath: entries.map((entry) => path.join(base, entry)).join(":"),
      home: path.join(base, "home"),
      project: path.join(base, "home/dev/project"),
    })
      .filter((directory) => directory.startsWith(base))
      .map((directory) => path.relative(base, directory))
      .sort();

  test("include programs and libraries of a tool in a home, but not its settings", () => {
    make(
      "home/.tool/bin",
      "home/.tool/lib",
      "home/.tool/etc",
      "home/.cargo/bin",
      "home/.rustup",
      "home/bin",
      "home/.local/bin",
      "home/.local/lib",
      "home/.local/state",
    );
    writeFileSync(path.join(base, "home/.tool/credentials.json"), "");
    expect(shown("home/.tool/bin", "home/.cargo/bin", "home/bin", "home/.local/bin")).toEqual(
      ["home/.cargo/bin", "home/.local/bin", "home/.local/lib", "home/.rustup", "home/.tool/bin", "home/.tool/lib", "home/bin"].sort(),
    );
  });

  test("include version managers and toolchains completely", () => {
    make("home/.nvm/versions/node/v20/bin", "home/.pyenv/shims", "home/jdk/bin", "home/jdk/lib");
    writeFileSync(path.join(base, "home/jdk/release"), "");
    expect(shown("home/.nvm/versions/node/v20/bin", "home/.pyenv/shims", "home/jdk/bin")).toEqual([
      "home/.nvm/versions/node/v20",
      "home/.pyenv",
      "home/jdk",
    ]);
  });

  test("exclude the project, homes, the directories around them, and missing directories", () => {
    make("home/dev/project/node_modules/.bin", "home/dev/bin", "bin");
    expect(shown("home/dev/project", "home/dev", "home", ".", "gone/bin")).toEqual([]);
    expect(shown("home/dev/bin", "bin")).toEqual(["bin", "home/dev/bin"]);
    expect(
      toolDirectories({ searchPath: ".:relative/bin::/", home: "/h", project: "/p" }).filter(
        (place) => !place.startsWith(path.dirname(path.dirname(process.execPath))),
      ),
    ).toEqual([]);
  });

  test("exclude paths where an administrator keeps keys and tokens", () => {
    const { directories, files, mounts } = systemRoot({ searchPath: "/usr/bin:/bin", home: "/home/someone", project: "/srv/project" });
    const places = new Set([...directories, ...files, ...mounts("").map(({ where }) => where)]);
    const closed = [
      "/etc",
      "/etc/ssl",
      "/etc/ssl/private",
      "/etc/pki",
      "/etc/npmrc",
      "/etc/gitconfig",
      "/etc/nix",
      "/etc/shadow",
      "/opt",
      "/home",
      "/root",
      "/var/lib",
      "/run/secrets",
    ];
    expect(mounts("").filter(({ what, where }) => closed.includes(what) || closed.includes(where))).toEqual([]);
    expect([places.has("/usr"), places.has("/etc/passwd"), places.has("/dev/null")]).toEqual([true, true, true]);
    expect(mounts("/r").every(({ where }) => where.startsWith("/r/"))).toBe(true);
  });

  test("exclude entries of /proc that root may write or that expose the machine's memory and keys", () => {
    const lines = procLines("/r/proc");
    const sources = Object.fromEntries(lines.map(({ what, where, options }) => [where, [what, options]]));
    expect(sources["/r/proc/sys"]).toEqual(["/r/proc/sys", "bind,ro,nosuid,nodev,noexec"]);
    expect(sources["/r/proc/kmsg"]).toEqual(["/dev/null", "bind,ro,nosuid,noexec"]);
    expect(lines.every(({ options }) => options.split(",").includes("ro"))).toBe(true);
    expect(lines.some(({ where }) => /\/proc\/(?:\d+|self|net|cpuinfo|meminfo|stat)$/.test(where))).toBe(false);
  });
});

describe("a path in an untrusted tree", () => {
  test("passes only through directories", () => {
    const base = mkdtempSync(path.join(tmpdir(), "wave-stray-"));
    mkdirSync(path.join(base, "a/b"), { recursive: true });
    writeFileSync(path.join(base, "file"), "");
    execFileSync("ln", ["-s", "/etc", path.join(base, "a/link")]);
    expect(
      ["a/b/c", "a/link", "x/y/z", "top", "a/link/passwd", "a/link/x/y", "file/x"].map((file) => firstNonDirectoryParent(base, file)),
    ).toEqual([
      ...[undefined, undefined, undefined, undefined],
      ...[path.join(base, "a/link"), path.join(base, "a/link"), path.join(base, "file")],
    ]);
    rmSync(base, { recursive: true });
  });
});
