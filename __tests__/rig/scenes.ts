/** The ways in which this machine can run wave's steps, and projects to run in each of them. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach } from "vitest";
import { cli, type Finished, type Project, project } from "./project.ts";
import { removeDirectory } from "./remove-directory.ts";
import { asUser, userFiles } from "./sudo-user.ts";

export interface Scene {
  readonly name: string;
  /** `WAVE_ISOLATION`. */
  readonly isolation: string;
  /** Another user than the one who runs the tests. */
  readonly uid?: number;
  /** That user may run everything through `sudo`, and exists only in the mount namespace that wave is run in. */
  readonly sudo?: true;
}

export interface SceneProject extends Project {
  readonly home: string;
  /** Runs wave as the scene's user, with these variables besides PATH, HOME and LANG; `inherited` descriptors are 3 and up. */
  readonly run: (words: readonly string[], env?: Readonly<Record<string, string>>, inherited?: readonly number[]) => Promise<Finished>;
  /** Runs wave on a terminal of its own; both outputs are in `stdout`. Needs `script` (util-linux). */
  readonly runOnTerminal: (words: readonly string[]) => Promise<Finished>;
  /** The same, to be watched and killed. */
  readonly begin: (
    words: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => { readonly child: ChildProcess; readonly finished: Promise<Finished> };
  /** Gives what a test made to the scene's user. */
  readonly own: (place: string) => void;
}

const root = process.getuid?.() === 0;
/** No users of any machine. */
const stranger = 61_234;
const sudoer = 61_235;

/** Every way to try here. Root can be an ordinary user too, where others may run this Node. */
export const scenes: readonly Scene[] = [
  { name: root ? "root, overlay" : "as this user", isolation: root ? "root" : "" },
  { name: root ? "root, copy" : "as this user, copy", isolation: root ? "root,copy" : "copy" },
  ...(root && othersMayRun(process.execPath) ? [{ name: "an ordinary user", isolation: "user-namespace", uid: stranger }] : []),
];

/** The scene of a user with passwordless `sudo`. Its tests are to be skipped where `whyNoSudo` names a reason. */
export const sudoScene: Scene = {
  name: "a user with sudo",
  isolation: "sudo",
  ...(root ? { uid: sudoer, sudo: true } : {}),
};

/** Whether a scene has a sandbox here, as `wave doctor` reports. */
export async function isFencedHere(scene: Scene): Promise<boolean> {
  const wave = sceneProject(scene, {});
  const { stdout } = await wave.run(["doctor"]);
  wave.remove();
  return /^\S+ sandbox\s+available/m.test(stdout) && /^\S+ network\s+can be turned off/m.test(stdout);
}

const made: { place: string; children: Set<ChildProcess> }[] = [];
let bundle: string | undefined;

function removeAll(): void {
  for (const { place, children } of made.splice(0)) {
    for (const child of children) child.kill("SIGKILL");
    removeDirectory(place);
  }
}
afterEach(removeAll);
afterAll(() => {
  if (bundle !== undefined) rmSync(bundle, { recursive: true, force: true });
});

/** Gone after the test. */
function outsidePlaceOf(place: string): string {
  made.push({ place, children: new Set() });
  return place;
}

/** A directory of a test's own, outside of every project; gone after the test. */
export function outsidePlace(scene: Scene): string {
  const place = mkdtempSync(path.join(tmpdir(), "wave-outside-"));
  made.push({ place, children: new Set() });
  if (scene.uid !== undefined) chownSync(place, scene.uid, scene.uid);
  return place;
}

/** A project whose files, state and HOME belong to the scene's user. `remove` ends it before its test does. */
export function sceneProject(scene: Scene, files: Readonly<Record<string, string>>): SceneProject & { readonly remove: () => void } {
  const wave = project(files);
  const home = outsidePlace(scene);
  const children = made.at(-1)?.children ?? new Set();
  const own = (place: string) => giveTo(scene, place);
  if (scene.uid !== undefined) chmodSync(wave.root, 0o755);
  const program = scene.uid === undefined ? cli : path.join(bundleForOthers(), "cli.js");
  const begin = (words: readonly string[], env: Readonly<Record<string, string>> = {}, inherited: readonly number[] = []) =>
    start([process.execPath, program, ...words], env, inherited);
  const start = (command: readonly string[], env: Readonly<Record<string, string>>, inherited: readonly number[]) => {
    own(wave.root);
    const users = scene.sudo === true ? outsidePlaceOf(userFiles(scene.uid ?? 0)) : undefined;
    const [file = "", ...rest] = users === undefined ? command : ["unshare", ...asUser(scene.uid ?? 0, users), ...command];
    const child = spawn(file, rest, {
      cwd: wave.root,
      env: { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8", WAVE_ISOLATION: scene.isolation, ...env },
      stdio: ["ignore", "pipe", "pipe", ...inherited],
      ...(scene.uid === undefined || users !== undefined ? {} : { uid: scene.uid, gid: scene.uid }),
    });
    children.add(child);
    return { child, finished: finishedOf(child) };
  };
  const run = (...given: Parameters<typeof begin>) => begin(...given).finished;
  const runOnTerminal = (words: readonly string[]) => {
    const line = [process.execPath, program, ...words].map((word) => `'${word}'`).join(" ");
    return start(["script", "-qec", line, "/dev/null"], {}, []).finished;
  };
  return { ...wave, home, run, runOnTerminal, begin, own, remove: () => removeDirectory(wave.root) };
}

function finishedOf(child: ChildProcess): Promise<Finished> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
}

/** The repository may lie where only root can read. */
function bundleForOthers(): string {
  if (bundle === undefined) {
    bundle = mkdtempSync(path.join(tmpdir(), "wave-bundle-"));
    cpSync(path.dirname(cli), bundle, { recursive: true });
    writeFileSync(path.join(bundle, "package.json"), '{ "type": "module" }');
    chmodSync(bundle, 0o755);
  }
  return bundle;
}

/** With the machine's own program: names need not be text. */
function giveTo({ uid }: Scene, place: string): void {
  if (uid !== undefined) execFileSync("chown", ["-hR", `${uid}:${uid}`, place]);
}

function othersMayRun(program: string): boolean {
  for (let place = program; place !== "/"; place = path.dirname(place)) {
    if (((statSync(place, { throwIfNoEntry: false })?.mode ?? 0) & 0o001) === 0) return false;
  }
  return true;
}

/** Processes of this machine, or those that were started as one program, whose command line holds a text. Zombies have none. */
export function processesWith(text: string, program?: string): readonly number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, "latin1");
      const isMeant = program === undefined || path.basename(line.split("\0", 1)[0] ?? "") === program;
      return isMeant && line.includes(text) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** The mounts of this machine that a project's name shows in. */
export function mountsOf(place: string): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(place));
}
