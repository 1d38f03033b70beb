import { appendFileSync, chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { takeStartStamp } from "../../../src/changeset/start-stamp.ts";
import { scratch } from "../../rig/changeset-places.ts";

describe("a change counts as later", () => {
  test("only if it was made after the stamp, even within one tick of the file system's clock", async () => {
    const root = scratch();
    const wrong: string[] = [];
    for (let round = 0; round < 100; round++) {
      const [before, after] = [path.join(root, `before.${round}`), path.join(root, `after.${round}`)];
      writeFileSync(before, "");
      const stamp = await takeStartStamp(root, root);
      writeFileSync(after, "");
      if (stamp.isLater(lstatSync(before))) wrong.push(`${round}: before`);
      if (!stamp.isLater(lstatSync(after))) wrong.push(`${round}: after`);
    }
    expect(wrong).toEqual([]);
  });

  test.each<[string, (file: string) => void]>([
    ["content", (file) => appendFileSync(file, "more")],
    ["mode", (file) => chmodSync(file, 0o755)],
    ["name", (file) => renameSync(file, `${file}.renamed`)],
  ])("if it changed the %s of a file", async (_, change) => {
    const root = scratch();
    const file = path.join(root, "file");
    writeFileSync(file, "");
    const { isLater } = await takeStartStamp(root, root);
    change(file);
    const [name = ""] = readdirSync(root);
    expect(isLater(lstatSync(path.join(root, name)))).toBe(true);
  });

  test("if the clock was set back meanwhile, at any file time", async () => {
    const root = scratch();
    const file = path.join(root, "file");
    writeFileSync(file, "");
    let wall = 1_000_000;
    const { isLater } = await takeStartStamp(root, root, { wall: () => wall, steady: () => 0 });
    expect(isLater(lstatSync(file))).toBe(false);
    wall += 3_600_000;
    expect(isLater(lstatSync(file))).toBe(false);
    wall -= 3_600_100;
    expect(isLater(lstatSync(file))).toBe(true);
  });

  test.skipIf(process.platform !== "linux")("if the stamp is on another device, which may have a clock of its own", async () => {
    const root = "/proc";
    const directory = scratch();
    mkdirSync(path.join(directory, "inner"));
    const { isLater } = await takeStartStamp(root, path.join(directory, "inner"));
    expect(isLater(lstatSync(directory))).toBe(true);
  });
});

test("a stamp leaves nothing behind", async () => {
  const root = scratch();
  await takeStartStamp(root, root);
  expect(readdirSync(root)).toEqual([]);
});
