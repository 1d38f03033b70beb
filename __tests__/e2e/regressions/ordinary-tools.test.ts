/** Ordinary tools work in a step and in a contract as under a shell, in each mode and provider that this machine offers. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { removeDirectory } from "../../rig/remove-directory.ts";
import { isFencedHere, type Scene, type SceneProject, sceneProject, scenes, sudoScene } from "../../rig/scenes.ts";
import { whyNoSudo } from "../../rig/sudo-user.ts";

const noSudo = whyNoSudo();
const candidates: readonly (Scene & { readonly why?: string | undefined })[] = [
  ...scenes,
  { ...sudoScene, why: noSudo },
  { ...sudoScene, name: "a user with sudo, copy", isolation: "sudo,copy", why: noSudo },
];
const ways = await Promise.all(
  candidates.map(async (scene) => ({
    ...scene,
    why: scene.why ?? ((await isFencedHere(scene)) ? undefined : "no sandbox can be made in this mode"),
  })),
);
for (const { name, why } of ways) if (why !== undefined) process.stderr.write(`ordinary-tools: skips ${name}: ${why}\n`);

interface Setting {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly contract?: string;
  readonly keys?: object;
  readonly prepare?: (wave: SceneProject) => void;
}

/** A project in a repository, everything committed, with one step that runs a script. */
function stepProject(scene: Scene, script: string, { files = {}, contract, keys = {}, prepare }: Setting): SceneProject {
  const handover = contract === undefined ? {} : { handover: { contract: { type: "test_suite", command: ["sh", "-euc", contract] } } };
  const wave = sceneProject(scene, {
    ".gitignore": ".wave/state/\n",
    ...files,
    "wave.yaml": JSON.stringify({
      pipeline: { name: "p", steps: [{ id: "a", persona: "s", ...handover, ...keys }] },
      personas: { s: { adapter: "command", command: ["sh", "-euc", script] } },
    }),
  });
  prepare?.(wave);
  const git = (...words: string[]) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: wave.root });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "base");
  return wave;
}

async function passes(wave: SceneProject, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const run = await wave.run(["run"], env);
  const logs = await wave.run(["logs", "a"], env);
  expect(run.code, `${run.stderr}\n${logs.stdout}`).toBe(0);
  return logs.stdout;
}

const streams = "echo one >/dev/stdout; echo two >/dev/stderr; echo three >/proc/self/fd/1; echo four >/proc/self/fd/2; cat /dev/stdin";

describe.each(ways.filter(({ why }) => why === undefined))("$name", (scene) => {
  it("opens the standard streams of a step and of a contract by path", async () => {
    const wave = stepProject(scene, streams, { contract: streams.replaceAll("echo ", "echo contract-") });
    const log = await passes(wave);
    for (const word of ["one", "two", "three", "four"]) {
      expect(log).toMatch(new RegExp(`^${word}$`, "m"));
      expect(log).toMatch(new RegExp(`^contract-${word}$`, "m"));
    }
  });

  it("keeps all of an output that is larger than a pipe's buffer", async () => {
    const wave = stepProject(scene, "seq 1 60000 >/dev/stdout; echo end >/dev/stdout", {});
    const lines = (await passes(wave)).split("\n").filter((line) => /^\d+$/.test(line));
    expect(lines).toEqual(Array.from({ length: 60_000 }, (_, index) => String(index + 1)));
  });

  it("passes although a process in the background still has the output open", async () => {
    const wave = stepProject(scene, "sleep 300 & echo done", {});
    expect(await passes(wave)).toContain("done");
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
