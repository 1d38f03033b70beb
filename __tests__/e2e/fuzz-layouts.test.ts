/** Random layouts of repositories, followed by every command: a program that they name never runs, and no command breaks. */
import { expect, test } from "vitest";
import { allSettings, type LayoutCase, runCase } from "../rig/every-command.ts";
import { type Piece, pieceKinds } from "../rig/git-layouts.ts";
import fc from "../rig/property.ts";
import { type Scene, scenes } from "../rig/scenes.ts";
import { fuzzLimitMs } from "../rig/thorough.ts";

/** A third of what all fuzz tests may take. */
const limitMs = fuzzLimitMs(1 / 3);

const piece: fc.Arbitrary<Piece> = fc.record({
  kind: fc.constantFrom(...pieceKinds),
  place: fc.constantFrom("", "", "", "sub", "sub/deep", "x"),
  settings: fc.subarray(allSettings, { minLength: 1 }),
});

const layoutCase: fc.Arbitrary<LayoutCase> = fc.record({
  repository: fc.constantFrom("none", "own", "inside"),
  from: fc.constantFrom("checkout", "isolated", "shared", "off"),
  pieces: fc.array(piece, { minLength: 1, maxLength: 4 }),
});

test(
  "no layout makes a command start a program or break",
  async () => {
    const [scene] = scenes as readonly [Scene, ...Scene[]];
    const end = performance.now() + limitMs;
    let tried = 0;
    const property = fc.asyncProperty(layoutCase, async (given) => {
      // A case that has begun is finished: its processes must not outlive the test.
      if (performance.now() > end) return;
      tried++;
      expect(await runCase(scene, given)).toEqual({ fired: [], broken: [] });
    });
    await fc.assert(property, { numRuns: 2000 });
    expect(tried).toBeGreaterThan(0);
  },
  limitMs + 60_000,
);
