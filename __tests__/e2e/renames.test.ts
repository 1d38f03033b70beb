/** Directories that steps rename: what the sandbox hides stays hidden, and what it does not hide can be renamed. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { contentsBelow } from "../rig/contents-below.ts";
import { outsidePlace, type Scene, type SceneProject } from "../rig/scenes.ts";
import { allWays, git, passes, stepProject } from "../rig/step-project.ts";

const token = "canary-7d2b41";
const ways = await allWays("renames");
const redirecting = ways.filter(({ isolation }) => isolation === "root" || isolation === "sudo");

/** Makes a repository in `vendor/lib`, of which the configuration contains a token. */
function nest(wave: SceneProject, place = "vendor/lib"): void {
  const directory = path.join(wave.root, place);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, "n.txt"), "n\n");
  git(directory, "init", "-q");
  writeFileSync(path.join(wave.root, ".gitignore"), ".wave/state/\n/vendor/lib/\n");
  git(directory, "config", "http.https://example.invalid/.extraheader", token);
}

/** The files below the project's state that contain the token. */
function leaks(wave: SceneProject): readonly string[] {
  const found = contentsBelow(path.join(wave.root, ".wave/state"));
  return Object.entries(found).flatMap(([file, content]) => (content.includes(token) ? [file] : []));
}

function project(scene: Scene, script: string, contract?: string): SceneProject {
  return stepProject(scene, script, {
    files: { "vendor/a": "a\n", "src/b": "b\n", ".wave/note": "note\n" },
    ...(contract === undefined ? {} : { contract }),
    prepare: nest,
  });
}

describe.each(ways)("$name", (scene) => {
  it("moves files out of a directory that contains a repository without a copy", async () => {
    const script = 'node -e \'fs.renameSync("vendor/a", "src/a"); fs.linkSync("src/b", "vendor/b")\'';
    const wave = project(scene, script);
    await passes(wave);
    expect([readFileSync(path.join(wave.root, "src/a"), "utf8"), existsSync(path.join(wave.root, "vendor/a"))]).toEqual(["a\n", false]);
  });

  it.skipIf(scene.isolation === "user-namespace").each([1, 2, 3])(
    "leaves what random edits and renames leave outside (seed %i)",
    async (seed) => {
      const script = randomEdits(seed);
      const files = Object.fromEntries(["a/x", "a/b/y", "a/b/c/z", "b/x", "b/d/y", "c/a/b/x", "top"].map((file) => [file, `${file}\n`]));
      const wave = stepProject(scene, script, { files });
      const outside = path.join(outsidePlace(scene), "copy");
      execFileSync("cp", ["-a", wave.root, outside]);
      execFileSync("sh", ["-uc", script], { cwd: outside, stdio: "ignore" });
      await passes(wave);
      expect(treeOf(wave.root)).toBe(treeOf(outside));
    },
  );

  it("passes although a process in the background still has the output open", async () => {
    const wave = stepProject(scene, "sleep 300 & echo done", {});
    expect(await passes(wave)).toContain("done");
  });

  it("renames other directories of a project that contains repositories", async () => {
    const renamed = scene.isolation !== "user-namespace";
    const script = renamed ? "mv src src2; mkdir x; mv x y; git status --porcelain | grep src2" : "mkdir x; mv x y";
    const wave = project(scene, script, renamed ? "[ -f src2/b ] && [ ! -e src ]" : "[ -d y ]");
    await passes(wave);
    expect(readdirSync(wave.root)).toContain(renamed ? "src2" : "src");
    expect(leaks(wave)).toEqual([]);
  });
});

/** Sets an attribute of overlays by number, as neither Node nor a shell can. */
const setAttribute = `perl -e 'my ($path, $name, $value) = @ARGV; print syscall(${process.arch === "arm64" ? 5 : 188}, $path, $name, $value, length $value, 0), "\\n"'`;

describe.runIf(existsSync("/usr/bin/perl")).each(ways)("$name, with attributes that a step sets", (scene) => {
  it.each(["on", "off"])("shows nothing that a redirect by the step's own hand leads to (sandbox %s)", async (sandbox) => {
    const names = ["redirect", "opaque", "metacopy"].flatMap((name) => [`trusted.overlay.${name}`, `user.overlay.${name}`]);
    const script = [
      "mkdir d e; echo own >e/f; [ ! -e keys ]",
      ...names.map((name) => `${setAttribute} "$PWD/d" ${name} "$(case ${name} in *redirect) echo /keys ;; *) echo y ;; esac)"`),
      `${setAttribute} "$PWD/e" user.overlay.redirect ../keys; ${setAttribute} "$PWD/e" trusted.overlay.redirect ../keys`,
    ].join("\n");
    const off = sandbox === "off";
    const wave = stepProject(scene, off ? script.replace("[ ! -e keys ]", ":") : script, {
      files: { "keys/k": `${token}\n`, "keys/f": `${token}\n` },
      keys: off ? { sandbox: "off" } : { permissions: { deny: ["file_read:keys/**"] } },
      contract: 'ls -A d e; [ -z "$(ls -A d)" ] && [ "$(ls -A e)" = f ] && grep -q own e/f',
    });
    await passes(wave);
    expect([readdirSync(path.join(wave.root, "d")), readdirSync(path.join(wave.root, "e"))]).toEqual([[], ["f"]]);
    expect(readFileSync(path.join(wave.root, "e/f"), "utf8")).toBe("own\n");
    expect(readFileSync(path.join(wave.root, "keys/k"), "utf8")).toBe(`${token}\n`);
  });
});

describe.each(redirecting)("$name, with redirects", (scene) => {
  it("refuses to rename state's parents, repositories and masked places, with the error of a mount point", async () => {
    const script = [
      't() { if mv -T "$1" "$2" 2>err; then echo moved "$1"; else grep -o \'resource busy\' err || cat err; fi; rm -f err; }',
      "t .git g; t .wave w; t .wave/state .wave/s; t vendor/lib/.git g; t .git/hooks h; [ -f .wave/note ]",
    ].join("\n");
    const log = await passes(project(scene, script));
    expect(log.match(/^resource busy$/gm)).toHaveLength(5);
    expect(log).not.toContain("moved");
  });

  it("refuses to rename state's parent in a step without a sandbox", async () => {
    const wave = stepProject(scene, "! mv .wave w 2>/dev/null; mv src s", { files: { "src/b": "b" }, keys: { sandbox: "off" } });
    await passes(wave);
    expect(readdirSync(wave.root).sort()).toEqual([".git", ".gitignore", ".wave", "s", "wave.yaml"]);
  });

  it.each([
    ["is renamed", "mv vendor v"],
    ["is renamed behind a link", "mv vendor v; ln -s v vendor"],
    [
      "is renamed and made again",
      "mv vendor v; mkdir -p vendor/lib/.git; echo '[core]' >vendor/lib/.git/config; mkdir vendor/lib/.git/hooks",
    ],
    ["is renamed twice", "mv vendor v; mv v vendor"],
    ["is renamed and removed in parts", "mv vendor v; rm -r v/a v/lib/n.txt"],
    ["moves into another directory", "mv vendor src/; mkdir vendor"],
    ["changes places with another", "mv vendor v; mv src vendor; mv v src"],
    ["is itself in one that is renamed", "mkdir d; mv vendor/lib d/; mv d e"],
  ])("fails an attempt in which the directory around a repository %s", async (_name, script) => {
    const wave = project(scene, script, "cat v/lib/.git/config src/vendor/lib/.git/config; true");
    const run = await wave.run(["run"]);
    expect(run.code, run.stdout).toBe(1);
    expect(run.stderr).not.toContain("could not be found");
    expect(run.stderr).toMatch(/renamed a directory around `vendor\/lib\/\.git\/\w+`/);
    expect(leaks(wave)).toEqual([]);
    expect(readdirSync(path.join(wave.root, "vendor")).sort()).toEqual(["a", "lib"]);
  });

  it("renames directories that contain files which the step may not read", async () => {
    const wave = stepProject(scene, "mv src s2; [ ! -e s2/hidden ]; mkdir src; echo n >src/new; mv src/new s2/; rmdir src", {
      files: { "src/b": "b\n", "src/hidden": "hidden\n", "src/deep/c": "c\n" },
      keys: { permissions: { deny: ["file_read:src/hidden"] } },
      contract: "[ -f s2/deep/c ] && [ ! -e s2/hidden ] && [ -f s2/new ]",
    });
    await passes(wave);
    const found = execFileSync("find", ["src", "s2", "-type", "f"], { cwd: wave.root, encoding: "utf8" });
    expect(found.trim().split("\n").sort()).toEqual(["s2/b", "s2/deep/c", "s2/new", "src/hidden"]);
  });

  it("finds a renamed directory in one that is closed to everybody", async () => {
    const wave = stepProject(scene, "mkdir shut; mv src shut/s; chmod 000 shut", { files: { "src/b": "b\n" } });
    const run = await wave.run(["run"]);
    if (run.code === 0) expect(readFileSync(path.join(wave.root, "shut/s/b"), "utf8")).toBe("b\n");
    else expect(run.stderr).toContain("shut");
  });

  it("renames the directories that a step before renamed", async () => {
    const wave = stepProject(scene, "mv src s2", {
      files: { "src/b": "b\n" },
      manifest: {
        pipeline: {
          name: "p",
          steps: [
            { id: "a", persona: "s" },
            { id: "b", persona: "t", dependencies: ["a"] },
          ],
        },
        personas: {
          s: { adapter: "command", command: "mv src s2; mkdir src; echo n >src/n" },
          t: { adapter: "command", command: "mv s2 s3; mv src s2" },
        },
      },
    });
    await passes(wave);
    const files = execFileSync("sh", ["-c", "cat s3/b s2/n; ls -A s3 s2"], { cwd: wave.root, encoding: "utf8" });
    expect(files).toBe("b\nn\ns2:\nn\n\ns3:\nb\n");
    expect(existsSync(path.join(wave.root, "src"))).toBe(false);
  });
});

/** Commands of which some fail: names are taken from few, so that paths meet again and again. */
function randomEdits(seed: number): string {
  let state = seed;
  const below = (limit: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
  const place = () => Array.from({ length: 1 + below(3) }, () => "abcd"[below(4)]).join("/");
  const command = (index: number) => {
    const [one, two] = [place(), place()];
    return [
      `mv ${one} ${two}`,
      `mv -T ${one} ${two}`,
      `rm -rf ${one}`,
      `mkdir -p ${one}; echo ${index} >${one}/x`,
      `echo ${index} >>${one}/y`,
    ][below(10) % 5];
  };
  return `set +e; { ${Array.from({ length: 60 }, (_, index) => command(index)).join("\n")}\n} 2>/dev/null; true`;
}

/** Every path with its type, and every file with its content. */
function treeOf(root: string): string {
  const script =
    "find . -mindepth 1 \\( -name .git -o -name .wave \\) -prune -o -printf '%p %y\\n' | sort; find . \\( -name .git -o -name .wave \\) -prune -o -type f -print | sort | xargs grep -H ''";
  return execFileSync("sh", ["-c", script], { cwd: root, encoding: "utf8" });
}
