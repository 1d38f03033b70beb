/** Repositories, and directories that look like ones, never make Wave start a program that they name: one trick at a time, in every scene. */
import { describe, expect, test } from "vitest";
import { allSettings, fewCommands, isLoaded, type LayoutCase, runCase } from "../rig/every-command.ts";
import { type Piece, pieceKinds } from "../rig/git-layouts.ts";
import { type Scene, scenes, sudoScene } from "../rig/scenes.ts";
import { whyNoSudo } from "../rig/sudo-user.ts";

const plain = allSettings.filter((name) => !["worktree", "promisor", "aliases"].includes(name));
const piece = (kind: Piece["kind"], place = "", settings: readonly string[] = plain): Piece => ({ kind, place, settings });

const [first] = scenes as readonly [Scene, ...Scene[]];
const bare = [...plain, "worktree"];

test.each(["bare-looking directory", "git directory", "git file", "git link"] as const)(
  "plain git starts the program of a %s, so that these tests can fail",
  (kind) => {
    const settings = kind === "bare-looking directory" ? [...plain, "worktree"] : plain;
    expect(isLoaded(first, [piece(kind, "", settings)])).toBe(true);
  },
);

describe("in a checkout", () => {
  test.each(pieceKinds)("a %s", async (kind) => {
    const settings = kind === "bare-looking directory" ? bare : plain;
    const given: LayoutCase = { repository: "none", from: "checkout", pieces: [piece(kind, "", settings)] };
    expect(await runCase(first, given, fewCommands)).toEqual({ fired: [], broken: [] });
  });

  test.each(allSettings)("a repository whose only setting is %s", async (setting) => {
    const given: LayoutCase = { repository: "none", from: "checkout", pieces: [piece("git directory", "", [setting])] };
    expect(await runCase(first, given, [[["plan"], ["validate"]]])).toEqual({ fired: [], broken: [] });
  });
});

/** One of each kind, each in a directory of its own; the project itself looks bare. */
const many: readonly Piece[] = pieceKinds.map((kind, index) =>
  kind === "bare-looking directory" ? piece(kind, "", bare) : piece(kind, `d${index}`, plain),
);
const cases: readonly (readonly [name: string, layoutCase: LayoutCase])[] = [
  ["what an isolated step leaves in a project without a repository", { repository: "none", from: "isolated", pieces: many }],
  ["what an isolated step leaves in a directory of a repository", { repository: "inside", from: "isolated", pieces: many }],
  [
    "what a step in place leaves of the project's repository",
    { repository: "own", from: "shared", pieces: [piece("git directory"), piece("tracked attributes"), piece("submodule", "x")] },
  ],
  [
    "what a step without a sandbox leaves of the project's repository",
    { repository: "own", from: "off", pieces: [piece("git directory"), piece("tracked attributes")] },
  ],
];

const noSudo = whyNoSudo();
const inScene = (scene: Scene) =>
  test.each(scene === first ? cases : [cases[0], cases[2]].flatMap((one) => (one === undefined ? [] : [one])))(
    "%s",
    async (_name, given) => {
      expect(await runCase(scene, given)).toEqual({ fired: [], broken: [] });
    },
    // Two dozen processes of Wave, one after the other.
    120_000,
  );

describe.each(scenes)("$name", inScene);
describe.skipIf(noSudo !== undefined)(noSudo === undefined ? sudoScene.name : `${sudoScene.name}: not tested, ${noSudo}`, () =>
  inScene(sudoScene),
);
