/** A project in which a layout lies, or is left by a step, and every command of Wave that looks at the project's files. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Layout, layingProgram, layOut, layoutOf, type Marker, makeMarker, type Piece, settings } from "./git-layouts.ts";
import type { Scene, SceneProject } from "./scenes.ts";
import { outsidePlace, sceneProject } from "./scenes.ts";

export interface LayoutCase {
  /** `none`: a project without a repository; `own`: one that is the top of a repository; `inside`: a directory of a repository. */
  readonly repository: "none" | "own" | "inside";
  /** Who puts the layout there: a checkout, or a step in a workspace of one of these kinds. `off` is `shared` without a sandbox. */
  readonly from: "checkout" | "isolated" | "shared" | "off";
  readonly pieces: readonly Piece[];
}

/** What came of a case. */
export interface LayoutOutcome {
  /** How the marker was started, one line each time. */
  readonly fired: readonly string[];
  /** Commands that ended as no command may: by a signal, or as a bug. */
  readonly broken: readonly string[];
}

/** Commands that run at once, then the next ones. Each looks at the project, at repositories in it, or at what a run left. */
type Commands = readonly (readonly (readonly string[])[])[];

export const everyCommand: Commands = [
  [["validate"], ["plan"], ["doctor"]],
  [["run"]],
  [
    ...[["status"], ["plan", "--json"], ["trace", "latest"], ["workspace", "bad"]],
    ...[
      ["artifacts", "latest", "--changes"],
      ["artifacts", "latest", "--patch"],
    ],
  ],
  [["run", "--reuse"]],
  [["resume", "latest"]],
  [["rollback", "latest", "--yes"]],
  [["cleanup"], ["plan"]],
];

/** One command for each way in which Wave looks at a project. */
export const fewCommands: Commands = [[["plan"], ["validate"]], [["run"]], [["artifacts", "latest", "--patch"], ["plan"]]];

/** Runs a case in a scene. */
export async function runCase(scene: Scene, layoutCase: LayoutCase, commands: Commands = everyCommand): Promise<LayoutOutcome> {
  const wave = sceneProject(scene, {});
  const marker = makeMarker(outsidePlace(scene));
  const root = layoutCase.repository === "inside" ? path.join(wave.root, "part") : wave.root;
  prepare(wave.root, root, layoutCase, layoutOf(layoutCase.pieces, marker.program));
  wave.own(wave.root);
  const broken: string[] = [];
  const run = async (words: readonly string[]) => {
    const { code, signal, stderr } = await wave.run([...words, "-C", root], { PATH: `.:${process.env["PATH"]}` });
    if (signal !== null || code === 70) broken.push(`${words.join(" ")}: ${signal ?? code} ${stderr}`);
  };
  for (const together of commands) await Promise.all(together.map(run));
  wave.remove();
  return { fired: marker.fired(), broken };
}

function prepare(top: string, root: string, { repository, from }: LayoutCase, layout: Layout): void {
  const files: Readonly<Record<string, string>> = {
    "wave.yaml": manifest(from),
    "tracked.txt": "tracked\n",
    "sub/tracked.txt": "tracked\n",
    ".gitignore": ".wave/state\n",
    "layout.json": JSON.stringify(layout),
    "lay.mjs": layingProgram,
  };
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
  }
  if (repository !== "none") {
    const git = (...words: string[]) =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...words], {
        cwd: top,
        stdio: "pipe",
        env: { PATH: process.env["PATH"] },
      });
    git("init", "-q", "-b", "main");
    git("add", "-A");
    git("commit", "-q", "-m", "first");
  }
  if (from === "checkout") layOut(root, layout);
}

function manifest(from: LayoutCase["from"]): string {
  const place = {
    checkout: {},
    isolated: {},
    shared: { workspace: "shared", permissions: { deny: ["network_access:*"] } },
    off: { workspace: "shared", sandbox: "off" },
  }[from];
  const lay = from === "checkout" ? "true" : "node lay.mjs";
  return JSON.stringify({
    personas: {
      layer: { command: `${lay}; echo done >"$WAVE_OUTPUT_DIR/report"` },
      editor: { command: "echo more >>tracked.txt; echo new >sub/new.txt" },
      loser: { command: "echo half >half.txt; exit 1" },
    },
    steps: [
      { id: "lay", persona: "layer", artifacts: ["report"], ...place },
      {
        id: "edit",
        persona: "editor",
        dependencies: ["lay"],
        handover: { contract: { type: "test_suite", command: "test -e tracked.txt" } },
      },
      { id: "bad", persona: "loser", dependencies: ["edit"], optional: true },
    ],
  });
}

/** Whether plain git starts the marker for a layout, as a person would run it there: a test with it could fail. */
export function isLoaded(scene: Scene, pieces: readonly Piece[]): boolean {
  const wave: Pick<SceneProject, "root"> = sceneProject(scene, {});
  const marker: Marker = makeMarker(outsidePlace(scene));
  prepare(wave.root, wave.root, { repository: "none", from: "checkout", pieces }, layoutOf(pieces, marker.program));
  try {
    execFileSync("git", ["-c", "safe.directory=*", "ls-files", "--modified"], {
      cwd: wave.root,
      stdio: "ignore",
      env: { PATH: process.env["PATH"] },
    });
  } catch {
    // A filter that is required and fails ends git; it was started all the same.
  }
  return marker.fired().length > 0;
}

/** Every setting. */
export const allSettings = Object.keys(settings);
