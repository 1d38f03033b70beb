/** Projects with one step that runs a script, in each mode and provider that this machine offers. */
import { execFileSync } from "node:child_process";
import { expect } from "vitest";
import { isFencedHere, type Scene, type SceneProject, sceneProject, scenes, sudoScene } from "./scenes.ts";
import { whyNoSudo } from "./sudo-user.ts";

/** A scene, and why this machine cannot make it. */
export type Way = Scene & { readonly why?: string | undefined };

/** Every scene, with `sudo` too. Prints those that cannot be tested here. */
export async function allWays(suite: string): Promise<readonly Way[]> {
  const noSudo = whyNoSudo();
  const candidates: readonly Way[] = [
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
  for (const { name, why } of ways) if (why !== undefined) process.stderr.write(`${suite}: skips ${name}: ${why}\n`);
  return ways.filter(({ why }) => why === undefined);
}

export interface StepSetting {
  readonly files?: Readonly<Record<string, string>>;
  /** A shell script. */
  readonly contract?: string;
  /** Keys of the step. */
  readonly keys?: object;
  /** Keys of the manifest. */
  readonly manifest?: object;
  readonly prepare?: (wave: SceneProject) => void;
}

/** A project in a repository, everything committed, with one step `a` that runs a shell script. */
export function stepProject(
  scene: Scene,
  script: string,
  { files = {}, contract, keys = {}, manifest = {}, prepare }: StepSetting,
): SceneProject {
  const handover = contract === undefined ? {} : { handover: { contract: { type: "test_suite", command: ["sh", "-euc", contract] } } };
  const wave = sceneProject(scene, {
    ".gitignore": ".wave/state/\n",
    ...files,
    "wave.yaml": JSON.stringify({
      pipeline: { name: "p", steps: [{ id: "a", persona: "s", ...handover, ...keys }] },
      personas: { s: { adapter: "command", command: ["sh", "-euc", script] } },
      ...manifest,
    }),
  });
  prepare?.(wave);
  git(wave.root, "init", "-q");
  git(wave.root, "add", "-A");
  git(wave.root, "commit", "-qm", "base");
  return wave;
}

export function git(cwd: string, ...words: string[]): string {
  return execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd, encoding: "utf8", stdio: "pipe" });
}

/** Runs the project. Returns the log of the step and its contracts. */
export async function passes(wave: SceneProject, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const run = await wave.run(["run"], env);
  const logs = await wave.run(["logs", "a"], env);
  expect(run.code, `${run.stderr}\n${logs.stdout}`).toBe(0);
  return logs.stdout;
}
