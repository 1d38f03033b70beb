/** Files of the project that the user may not read: no workspace lacks one without a failure or a warning. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { WaveEvent } from "../../../src/core/event.ts";
import { type Scene, sceneProject, scenes, sudoScene } from "../../rig/scenes.ts";
import { whyNoSudo } from "../../rig/sudo-user.ts";

const isRoot = process.getuid?.() === 0;
const noSudo = whyNoSudo();
const user = isRoot ? scenes.filter(({ uid }) => uid !== undefined) : [];

/** Passes if a script is missing, and fails if one is there and cannot be read. */
const loop = "for t in tests/*.sh; do [ -e $t ] || continue; cat $t > /dev/null; done; echo done > new.txt";

interface Row {
  readonly name: string;
  /** Paths relative to the project, with their modes; directories end in `/`. Names with `own` belong to the user. */
  readonly closed: Readonly<Record<string, number>>;
  readonly own?: true;
  /** Files that are committed before. */
  readonly files?: Readonly<Record<string, string>>;
  readonly named: string;
}

const rows: readonly Row[] = [
  { name: "a tracked file of root", closed: { "tests/b.sh": 0o600 }, named: "tests/b.sh" },
  { name: "an own file without permissions", closed: { "tests/b.sh": 0 }, own: true, named: "tests/b.sh" },
  { name: "an untracked file of root", closed: { "tests/c d.sh": 0o600 }, files: { "tests/c d.sh": "x\n" }, named: "tests/c d.sh" },
  { name: "a file at the top", closed: { "top.sh": 0o600 }, files: { "top.sh": "x\n" }, named: "top.sh" },
  { name: "a deeper directory of root", closed: { "a/b/": 0o700 }, files: { "a/b/x": "x\n" }, named: "a/b" },
  { name: "the index of the repository", closed: { ".git/index": 0o600 }, named: ".git/index" },
];

function runClosed(scene: Scene, { closed, own, files = {} }: Omit<Row, "name" | "named">, keys: object) {
  const manifest = {
    pipeline: { name: "p", steps: [{ id: "a", persona: "s", task: "x", ...keys }] },
    personas: { s: { adapter: "command", command: ["sh", "-euc", loop] } },
  };
  const wave = sceneProject(scene, {
    ".gitignore": ".wave/state/\nlocal/\n*.key\n",
    "tests/a.sh": "true\n",
    "tests/b.sh": "false\n",
    "wave.yaml": JSON.stringify(manifest),
  });
  for (const words of [
    ["init", "-q"],
    ["add", "-A"],
    ["commit", "-qm", "base"],
  ])
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: wave.root });
  for (const name of Object.keys(files)) mkdirSync(path.join(wave.root, path.dirname(name)), { recursive: true });
  wave.write(files);
  const running = wave.begin(["run"]);
  for (const [name, mode] of Object.entries(closed)) {
    if (own !== true) chownSync(path.join(wave.root, name), 0, 0);
    chmodSync(path.join(wave.root, name), mode);
  }
  return { wave, finished: running.finished };
}

const failureOf = (events: readonly WaveEvent[]) => events.flatMap((event) => (event.type === "attempt-failed" ? [event.failure] : []))[0];

describe.skipIf(user.length === 0)(
  user.length > 0 ? "a user who may not read all files" : "a user who may not read all files: not tested, this user is not root",
  () => {
    describe.each(user)("$name", (scene) => {
      test.each(rows)("is refused a copy without $name", async ({ named, ...row }) => {
        const { wave, finished } = runClosed(scene, row, { workspace: { provider: "copy" } });
        const run = await finished;
        expect(run.code, run.stderr).not.toBe(0);
        expect(failureOf(wave.events())).toMatchObject({
          ...{
            reason: "file-unreadable",
            code: "EACCES",
            path: expect.stringMatching(new RegExp(`(^|/)${named.replaceAll(".", "\\.")}$`)),
          },
        });
      });

      test("is warned of a copy without ignored files", async () => {
        const closed = { "secret.key": 0o600, "local/": 0o700 };
        const files = { "secret.key": "k\n", "local/x": "x\n" };
        const { wave, finished } = runClosed(scene, { closed, files }, { workspace: { provider: "copy" } });
        const run = await finished;
        expect(run.code, run.stderr).toBe(0);
        const log = await wave.run(["logs", "a"]);
        expect(log.stdout + log.stderr).toContain("warning: not in the workspace, because they cannot be read: local, secret.key");
      });

      test("is refused a copy without a tracked file in a directory of root", async () => {
        const { wave, finished } = runClosed(scene, { closed: { "tests/": 0o700 } }, { workspace: { provider: "copy" } });
        const run = await finished;
        expect(run.code, run.stderr).not.toBe(0);
        expect(failureOf(wave.events())).toMatchObject({
          code: "EACCES",
          detail: expect.stringContaining("tests/a.sh: permission denied"),
        });
      });
    });

    test.skipIf(noSudo !== undefined)(
      `sees a file that cannot be read in an overlay, where reading it fails${noSudo === undefined ? "" : `: not tested, ${noSudo}`}`,
      async () => {
        const { wave, finished } = runClosed(sudoScene, { closed: { "tests/b.sh": 0o600 } }, {});
        const run = await finished;
        expect(run.code, run.stderr).toBe(1);
        expect(failureOf(wave.events())).toMatchObject({ reason: "adapter-exit" });
      },
    );
  },
);
