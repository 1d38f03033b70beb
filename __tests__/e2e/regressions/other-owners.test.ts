/** Projects with files of other owners, archives with owners, and long or unusual project paths, in every mode that this machine offers. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { cli, project } from "../../rig/project.ts";
import { type Scene, type SceneProject, sceneProject, scenes, sudoScene } from "../../rig/scenes.ts";
import { whyNoSudo } from "../../rig/sudo-user.ts";

const isRoot = process.getuid?.() === 0;
const other = 45_001;
const noSudo = whyNoSudo();
const rootScenes = isRoot ? scenes.filter(({ uid }) => uid === undefined) : [];
const userScenes = [...scenes.filter(({ uid }) => uid !== undefined), ...(noSudo === undefined ? [sudoScene] : [])];

const manifest = (command: string, contract?: string) =>
  JSON.stringify({
    pipeline: {
      name: "p",
      steps: [
        {
          ...{ id: "a", persona: "s", task: "x" },
          ...(contract === undefined ? {} : { handover: { contract: { type: "test_suite", command: contract } } }),
        },
      ],
    },
    personas: { s: { adapter: "command", command: ["sh", "-euc", command] } },
  });

const files = { "f.txt": "base\n", "src/h.txt": "h\n", "secret.cfg": "key\n", "d/x": "1\n", ".gitignore": ".wave/state/\n" };

function commit(root: string): void {
  for (const words of [
    ["init", "-q"],
    ["add", "-A"],
    ["commit", "-qm", "base"],
  ])
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: root });
}

/** A project in which every file belongs to another user than root. */
function foreignProject(scene: Scene, command: string, contract?: string): SceneProject {
  const wave = sceneProject(scene, { ...files, "wave.yaml": manifest(command, contract) });
  commit(wave.root);
  chmodSync(path.join(wave.root, "secret.cfg"), 0o600);
  chmodSync(path.join(wave.root, "f.txt"), 0o664);
  execFileSync("chown", ["-R", `${other}:${other}`, wave.root]);
  writeFileSync(path.join(wave.home, ".gitconfig"), "[safe]\n\tdirectory = *\n");
  return wave;
}

const ownerOf = (file: string) => {
  const { uid, gid, mode } = statSync(file);
  return [uid, gid, mode & 0o7777];
};

describe.skipIf(!isRoot)(
  isRoot ? "root on another user's project" : "root on another user's project: not tested, this user is not root",
  () => {
    describe.each(rootScenes)("$name", (scene) => {
      test("changes, deletes and reads what exists, and leaves owners and modes as they were", async () => {
        const wave = foreignProject(scene, "echo more >> f.txt; rm src/h.txt; cat secret.cfg; echo n > src/new; git status --short");
        const run = await wave.run(["run"]);
        expect(run.code, run.stderr).toBe(0);
        expect(readFileSync(path.join(wave.root, "f.txt"), "utf8")).toBe("base\nmore\n");
        expect(existsSync(path.join(wave.root, "src/h.txt"))).toBe(false);
        expect(ownerOf(path.join(wave.root, "f.txt"))).toEqual([other, other, 0o664]);
        expect(ownerOf(path.join(wave.root, "secret.cfg"))).toEqual([other, other, 0o600]);
        expect(ownerOf(path.join(wave.root, "src/new"))).toEqual([other, other, 0o644]);
      });

      test("lets a contract write and use git in its own layer", async () => {
        const wave = foreignProject(scene, "echo more >> f.txt", "echo c >> secret.cfg && git log -1 --format=%s | grep base");
        const run = await wave.run(["run"]);
        expect(run.code, run.stderr).toBe(0);
        expect(readFileSync(path.join(wave.root, "secret.cfg"), "utf8")).toBe("key\n");
      });

      test.each(["step", "contract"] as const)(
        "restores the owners of an archive, changes owners, and makes no device, in a %s",
        async (place) => {
          const script = `set -e; tar cf a.tar --owner=${other} --group=${other} d; mkdir out; tar xf a.tar -C out; [ $(stat -c %u out/d/x) = ${other} ]; chown ${other} f.txt; if mknod n c 1 3; then exit 1; fi; rm a.tar; [ $(stat -c %u f.txt) = ${other} ]`;
          const wave = sceneProject(scene, { ...files, "wave.yaml": place === "step" ? manifest(script) : manifest("true", script) });
          const run = await wave.run(["run"]);
          expect(run.code, run.stderr).toBe(0);
          if (place === "contract") return expect(existsSync(path.join(wave.root, "out"))).toBe(false);
          expect(ownerOf(path.join(wave.root, "out/d/x"))).toEqual([0, 0, 0o644]);
          expect(ownerOf(path.join(wave.root, "f.txt"))).toEqual([0, 0, 0o644]);
        },
      );

      test("brings no set-user-id bit into the project", async () => {
        const wave = foreignProject(scene, `echo x > own; chown ${other} own; chmod 6755 own; echo more >> f.txt; chmod 6775 f.txt`);
        const run = await wave.run(["run"]);
        expect(run.code, run.stderr).toBe(0);
        expect(ownerOf(path.join(wave.root, "own"))).toEqual([other, other, 0o755]);
        expect((ownerOf(path.join(wave.root, "f.txt"))[2] ?? 0) & 0o6000).toBe(0);
      });
    });
  },
);

describe.skipIf(!isRoot)(
  isRoot ? "an ordinary user's project with files of root" : "files of root: not tested, this user is not root",
  () => {
    if (noSudo !== undefined) test.skip(`a user with sudo: not tested, ${noSudo}`);

    test.each(userScenes)("$name: writes and renames files of others below the first level", async (scene) => {
      const script = "echo more >> a/b/shared.txt; mv a/b/moved.txt a/b/other.txt";
      const wave = sceneProject(scene, { "a/b/shared.txt": "base\n", "a/b/moved.txt": "m\n", "wave.yaml": manifest(script) });
      const run = await runWithForeign(wave, ["a/b/shared.txt", "a/b/moved.txt"]);
      expect(run.code, run.stderr).toBe(0);
      expect(readFileSync(path.join(wave.root, "a/b/shared.txt"), "utf8")).toBe("base\nmore\n");
      expect(readFileSync(path.join(wave.root, "a/b/other.txt"), "utf8")).toBe("m\n");
    });
  },
);

/** Runs wave while the given files belong to root: they are given to it after the rig has given everything to the user. */
function runWithForeign(wave: SceneProject, names: readonly string[]) {
  const running = wave.begin(["run"]);
  for (const name of names) {
    chownSync(path.join(wave.root, name), 0, 0);
    chmodSync(path.join(wave.root, name), 0o666);
  }
  return running.finished;
}

describe("unusual project paths", () => {
  test.each(scenes)("$name: runs in a path of 2,000 characters", async (scene) => {
    const wave = sceneProject(scene, { "f.txt": "base\n", "wave.yaml": manifest("echo more >> f.txt") });
    const deep = path.join(...Array.from({ length: 10 }, () => "n".repeat(200)));
    mkdirSync(path.join(wave.root, deep), { recursive: true });
    for (const name of ["f.txt", "wave.yaml"]) renameSync(path.join(wave.root, name), path.join(wave.root, deep, name));
    const run = await wave.run(["run", "-C", deep]);
    expect(run.code, run.stderr).toBe(0);
    expect(readFileSync(path.join(wave.root, deep, "f.txt"), "utf8")).toBe("base\nmore\n");
  });

  test.skipIf(process.platform !== "linux")("names a path that is not UTF-8 before any work", () => {
    const wave = project({ "wave.yaml": manifest("true") });
    const script = 'd=$(printf "caf\\351"); mkdir "$d" && cp wave.yaml "$d/" && cd "$d" && exec "$0" "$1" run';
    const run = spawnSync("sh", ["-c", script, process.execPath, cli], { cwd: wave.root, encoding: "utf8" });
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/is not UTF-8, which Wave needs\n.*rename the directory/s);
  });
});
