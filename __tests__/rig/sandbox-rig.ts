/**
 * Real fences for tests: every mode in which this machine can build one, and places to run children in. Nothing is mocked. As root the other
 * modes are tried as well, since their words differ; a mode that this machine refuses is not in the list.
 */
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { SpawnOutcome } from "../../src/core/ports.ts";
import { type Isolation, noIsolation, probeIsolation } from "../../src/sandbox/isolation.ts";
import { type Launch, launchInView } from "../../src/sandbox/launch.ts";
import type { SandboxView } from "../../src/sandbox/view.ts";

/** A project with `a.txt`, and an attempt's directories beside it. */
export interface SandboxPlace {
  readonly project: string;
  /** On the machine; the child sees none of it by this path. */
  readonly room: string;
  /** Where the overlay keeps what was written. */
  readonly upper: string;
  readonly isolation: Isolation;
  remove(): void;
}

export interface Ran {
  readonly outcome: SpawnOutcome;
  readonly stdout: string;
  readonly stderr: string;
}

const nobody = { uid: 65_534, gid: 65_534 };

/** The modes that work here, each with an overlay; `none` is always the last one. */
export async function sandboxModes(): Promise<readonly Isolation[]> {
  const root = mkdtempSync(path.join(tmpdir(), "wave-modes-"));
  try {
    const probe = (mode: string) => probeIsolation({ root, stateDir: path.join(root, "state"), env: { WAVE_ISOLATION: mode } });
    const own = await Promise.all(["root", "user-namespace", "sudo"].map(probe));
    const asRoot = own.find(({ mode }) => mode === "root");
    const others: readonly Isolation[] =
      asRoot === undefined
        ? []
        : [
            { ...asRoot, mode: "user-namespace", overlayOptions: "userxattr" },
            { ...asRoot, mode: "sudo", identity: nobody },
          ];
    const candidates = [...own.filter(({ mode }) => mode !== "none"), ...others];
    const works = await Promise.all(candidates.map(canBuild));
    return [...candidates.filter((_, index) => works[index]), noIsolation];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Those of the modes that fence at all. */
export async function buildableModes(): Promise<readonly Isolation[]> {
  return (await sandboxModes()).filter(({ mode }) => mode !== "none");
}

async function canBuild(isolation: Isolation): Promise<boolean> {
  const place = sandboxPlace(isolation);
  try {
    const { outcome } = await runSandboxed(place, ["true"]);
    // A machine without `sudo` ends with a status too: that of the shell that does not find it.
    return outcome.kind === "exited" && outcome.code === 0;
  } finally {
    place.remove();
  }
}

/** A place whose owner is the user that the mode's children are. */
export function sandboxPlace(isolation: Isolation, name = "project"): SandboxPlace {
  const base = mkdtempSync(path.join(tmpdir(), "wave-fence-"));
  const project = path.join(base, name);
  const room = path.join(base, "room");
  const upper = path.join(room, "upper");
  const directories = [project, room, upper, ...["work", "home", "tmp", "output"].map((part) => path.join(room, part))];
  for (const directory of directories) mkdirSync(directory);
  writeFileSync(path.join(project, "a.txt"), "a");
  if (isolation.mode === "sudo" && process.getuid?.() === 0) {
    for (const place of [...directories, path.join(project, "a.txt")]) chownSync(place, isolation.identity.uid, isolation.identity.gid);
  }
  return { project, room, upper, isolation, remove: () => removePlace(base, isolation) };
}

/** What the fence makes below a directory of the attempt is root's where `sudo` is the way. */
function removePlace(base: string, { mode }: Isolation): void {
  if (mode === "sudo" && process.getuid?.() !== 0) execFileSync("sudo", ["-n", "rm", "-rf", base]);
  else rmSync(base, { recursive: true, force: true });
}

/** The closed view of a place: the project under an overlay, no network but loopback, a home, a temporary and an output directory. */
export function viewOf({ project, room, upper }: SandboxPlace, members: Partial<SandboxView> = {}): SandboxView {
  const bind = (source: string, target: string) => ({ source: path.join(room, source), target, writable: true });
  return {
    sandbox: "closed",
    project,
    tree: { kind: "overlay", base: project, layers: [{ upper, work: path.join(room, "work") }] },
    binds: [bind("home", "/wave/home"), bind("tmp", "/tmp"), bind("output", "/wave/output")],
    masks: [],
    readOnly: [],
    network: { kind: "none" },
    ...members,
  };
}

/** Runs a command there. `view` and `child` add to what it would get. `onOutput` sees standard output as it comes. */
export async function runSandboxed(
  place: SandboxPlace,
  command: readonly string[] | string,
  members: { readonly view?: Partial<SandboxView>; readonly child?: Partial<Launch["child"]>; onOutput?(text: string): void } = {},
): Promise<Ran> {
  const printed = { stdout: "", stderr: "" };
  const outcome = await launchInView({
    isolation: place.isolation,
    view: viewOf(place, members.view),
    scratch: place.room,
    child: {
      command,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" },
      timeoutMs: 60_000,
      graceMs: 300,
      signal: new AbortController().signal,
      onOutput: (chunk, stream) => {
        printed[stream] += Buffer.from(chunk).toString();
        if (stream === "stdout") members.onOutput?.(printed.stdout);
      },
      ...members.child,
    },
  });
  return { outcome, ...printed };
}
