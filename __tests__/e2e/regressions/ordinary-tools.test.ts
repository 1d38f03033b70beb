/** Ordinary tools work in a step and in a contract as under a shell, in each mode and provider that this machine offers. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { removeDirectory } from "../../rig/remove-directory.ts";
import { allWays, passes, stepProject } from "../../rig/step-project.ts";

const ways = await allWays("ordinary-tools");

const streams = "echo one >/dev/stdout; echo two >/dev/stderr; echo three >/proc/self/fd/1; echo four >/proc/self/fd/2; cat /dev/stdin";

describe.each(ways)("$name", (scene) => {
  it("opens the standard streams of a step and of a contract by path", async () => {
    const wave = stepProject(scene, streams, { contract: streams.replaceAll("echo ", "echo contract-") });
    const log = await passes(wave);
    for (const word of ["one", "two", "three", "four"]) {
      expect(log).toMatch(new RegExp(`^${word}$`, "m"));
      expect(log).toMatch(new RegExp(`^contract-${word}$`, "m"));
    }
  });

  it("has an empty /run, and a TMPDIR that holds nothing but the project", async () => {
    const own = 'for name in $(ls -A /tmp); do case "$PWD/" in "/tmp/$name/"*) ;; *) echo "unknown $name"; exit 1 ;; esac; done';
    const script = `[ -z "$(ls -A /run)" ] && [ "$TMPDIR" = /tmp ] || exit 1\n${own}`;
    await passes(stepProject(scene, script, { contract: script }));
  });

  it("keeps all of an output that is larger than a pipe's buffer", async () => {
    const wave = stepProject(scene, "seq 1 60000 >/dev/stdout; echo end >/dev/stdout", {});
    const lines = (await passes(wave)).split("\n").filter((line) => /^\d+$/.test(line));
    expect(lines).toEqual(Array.from({ length: 60_000 }, (_, index) => String(index + 1)));
  });

  // In a user namespace the kernel refuses redirects.
  it.skipIf(scene.isolation === "user-namespace")("renames directories of the project exactly, also repeatedly", async () => {
    const script = [
      // rename(2) itself: `mv` copies when it fails.
      'mv() { node -e \'fs.renameSync(process.argv[1], process.argv[2])\' "$1" "$2"; }',
      "mv dir dir2; echo more >>dir2/f; rm dir2/gone; mv dir2/sub top; mkdir dir; echo new >dir/n",
      "mkdir x; mv dir2 x/d3; mv left tmp; mv right left; mv tmp right; mv x y",
    ].join("\n");
    const files = {
      ...{ "dir/f": "f\n", "dir/gone": "g\n", "dir/sub/g": "g\n", "dir/sub/deep/h": "h\n" },
      ...{ "left/same": "l\n", "right/same": "r\n" },
    };
    const wave = stepProject(scene, script, { files, contract: "[ -f y/d3/f ] && [ -f top/deep/h ] && [ ! -e dir/f ]" });
    await passes(wave);
    const listed = execFileSync("sh", ["-c", "grep -r . dir* top y left right | sort"], { cwd: wave.root, encoding: "utf8" });
    expect(listed.trim().split("\n")).toEqual([
      "dir/n:new",
      "left/same:r",
      "right/same:l",
      "top/deep/h:h",
      "top/g:g",
      "y/d3/f:f",
      "y/d3/f:more",
    ]);
  });

  it.each([
    ["git mv", "git mv dir dir2"],
    ["os.rename", 'node -e \'fs.renameSync("dir", "dir2")\''],
  ])("renames a directory of the project in a copy that the step asks for (%s)", async (_name, script) => {
    const wave = stepProject(scene, script, {
      files: { "dir/f": "f\n", "dir/sub/g": "g\n" },
      keys: { workspace: { provider: "copy" } },
      contract: "[ -f dir2/sub/g ] && [ ! -e dir ]",
    });
    await passes(wave);
    expect([readdirSync(path.join(wave.root, "dir2")).sort(), existsSync(path.join(wave.root, "dir"))]).toEqual([["f", "sub"], false]);
  });

  const limited = scene.isolation === "user-namespace";
  it.each([
    { name: "a step", script: "git mv dir dir2" },
    { name: "a step without an artifact", script: "mkdir d; set +e; git mv dir dir2; exit 0", keys: { artifacts: ["report"] } },
    { name: "a contract", script: "echo x >new", contract: "git mv dir dir2" },
  ])("names the limit if $name cannot rename a directory, only where it holds", async ({ script, contract, keys = {} }) => {
    const wave = stepProject(scene, script, { files: { "dir/f": "f\n" }, keys, ...(contract === undefined ? {} : { contract }) });
    const [run, plan, doctor] = [await wave.run(["run"]), await wave.run(["plan"]), await wave.run(["doctor"])];
    expect(run.code, run.stderr).toBe(limited || "artifacts" in keys ? 1 : 0);
    const named = [run.stderr, plan.stdout, doctor.stdout].map((text) => text.includes("workspace: { provider: copy }"));
    expect(named).toEqual([limited, limited, limited]);
  });

  it.each([
    { name: "rustup", bin: ".cargo/bin", store: ".rustup", holds: "toolchains", variable: "RUSTUP_HOME" },
    { name: "Volta", bin: ".volta/bin", store: ".volta", holds: "tools", variable: "VOLTA_HOME" },
    { name: "pyenv", bin: ".pyenv/shims", store: ".pyenv", holds: "versions", variable: "PYENV_ROOT" },
    { name: "nvm", bin: ".nvm/versions/node/v1/bin", store: ".nvm", holds: "versions", variable: "NVM_DIR" },
  ])("runs a program of $name in a step and in a contract", async ({ bin, store, holds, variable }) => {
    const home = homePlace();
    for (const directory of [bin, path.join(store, holds)]) mkdirSync(path.join(home, directory), { recursive: true });
    // As the managers' own programs do: the store is in the variable, else in the home.
    const shim = `#!/bin/sh\nexec cat "\${${variable}:-$HOME/${store}}/${holds}/default"\n`;
    writeFileSync(path.join(home, bin, "managed-tool"), shim, { mode: 0o755 });
    writeFileSync(path.join(home, store, holds, "default"), "the default tool\n");
    writeFileSync(path.join(home, "credentials"), "private\n");
    const script = `managed-tool; [ ! -e "${home}/credentials" ]`;
    const wave = stepProject(scene, script, { contract: script });
    wave.own(home);
    const log = await passes(wave, { HOME: home, PATH: `${path.join(home, bin)}:${process.env["PATH"]}` });
    expect(log.match(/^the default tool$/gm)).toHaveLength(2);
  });

  it("shows packages' configuration in /etc, and none of the files in which users keep credentials", async () => {
    const shown = ["maven/m2.conf", "chromium.d", "groff", "xml", "sgml", "shells", "networks"].filter((name) => isOpen(`/etc/${name}`));
    const secret = ["shadow", "npmrc", "pip.conf", "wgetrc", "maven/settings.xml", "environment", "sudoers"];
    const checks = [
      ...shown.map((name) => `[ -r /etc/${name} ] || { echo missing ${name}; exit 1; }`),
      ...secret.map((name) => `[ ! -e /etc/${name} ] || { echo visible ${name}; exit 1; }`),
    ];
    expect(shown.length).toBeGreaterThan(0);
    await passes(stepProject(scene, [...checks, "echo checked"].join("\n"), {}));
  });

  it("shows a place in /etc that the manifest adds, to a step and to a contract", async () => {
    const place = ["adduser.conf", "debconf.conf", "issue", "bash_completion"].map((name) => `/etc/${name}`).find(isOpen) ?? "none";
    const wave = stepProject(scene, `[ -s ${place} ]; [ ! -e /etc/shadow ]`, {
      contract: `[ -s ${place} ]`,
      manifest: { sandbox: { show: [place, "/etc/no-such-place"] } },
    });
    await passes(wave);
    expect((await wave.run(["plan"])).stdout).toContain(`The sandbox also shows ${place}`);
    const without = await stepProject(scene, `[ ! -e ${place} ]`, {}).run(["run"]);
    expect(without.code, without.stderr).toBe(0);
  });

  it("refuses to add places in which secrets are kept, at their lines", async () => {
    const wave = stepProject(scene, "true", {});
    wave.write({
      "wave.yaml":
        "steps:\n  - { id: a, persona: s }\npersonas: { s: { command: 'true' } }\nsandbox:\n  show:\n    - /etc/ssh\n    - /etc/ssl\n",
    });
    const run = await wave.run(["run"]);
    expect(run.code).toBe(2);
    const found = [...run.stderr.matchAll(/`(\/etc\/\w+)` because it usually contains secrets\n\s+at (wave\.yaml:\d+:\d+)/g)];
    expect(found.map(([, place, at]) => [place, at])).toEqual([
      ["/etc/ssh", "wave.yaml:6:7"],
      ["/etc/ssl", "wave.yaml:7:7"],
    ]);
  });
});

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) removeDirectory(home);
});

/** A home outside of `/tmp`, which is the attempt's own in the sandbox. */
function homePlace(): string {
  const home = mkdtempSync(path.join(process.getuid?.() === 0 ? "/home" : homedir(), "wave-tools-"));
  chmodSync(home, 0o755);
  homes.push(home);
  return home;
}

function isOpen(place: string): boolean {
  return existsSync(place) && (statSync(place).mode & 0o004) !== 0;
}
