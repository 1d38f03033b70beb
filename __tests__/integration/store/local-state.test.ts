/** State on the machine when a job starts: only state that the same job wrote is used. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { prepareLocalState } from "../../../src/action/local-state.ts";
import { lineSigner } from "../../../src/store/line-signature.ts";
import { must, passingRun, storeIn, temporary } from "../../rig/state-rig.ts";

let workspace: string;
let runnerTemp: string;
let stateDir: string;
beforeEach(() => {
  workspace = temporary();
  runnerTemp = temporary();
  stateDir = path.join(workspace, ".wave/state");
});

const settle = async (changes: Partial<Parameters<typeof prepareLocalState>[0]> = {}) =>
  must(await prepareLocalState({ stateDir, root: workspace, workspace, runnerTemp, job: "100/1/build", ...changes }));
const left = (place = stateDir) => {
  mkdirSync(path.join(place, "journals/r"), { recursive: true });
  writeFileSync(path.join(place, "journals/r/w.jsonl"), "{}\n");
};

describe("state that exists when a job starts", () => {
  it("is moved aside if its origin is unknown", async () => {
    left();
    writeFileSync(path.join(stateDir, "wave.db"), "rows");
    expect(await settle()).toBe(".wave/state/refused");
    expect(readdirSync(stateDir)).toEqual(["refused"]);
    expect(readdirSync(path.join(stateDir, "refused")).sort()).toEqual(["journals", "wave.db"]);
  });

  it("is left alone if it is a directory without state", async () => {
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(path.join(stateDir, ".gitignore"), "*\n");
    expect(await settle()).toBeUndefined();
  });

  it("is moved aside by the next job, which removes what was moved aside before", async () => {
    left();
    await settle();
    writeFileSync(path.join(stateDir, "wave.db"), "rows");
    expect(await settle({ runnerTemp: temporary() })).toBe(".wave/state/refused");
    expect(readdirSync(path.join(stateDir, "refused"))).toEqual(["wave.db"]);
  });
});

describe("state that an earlier use of the Action wrote", () => {
  it("is used by the next use in the same job", async () => {
    expect(await settle()).toBeUndefined();
    left();
    expect(await settle()).toBeUndefined();
    expect(existsSync(path.join(stateDir, "journals/r/w.jsonl"))).toBe(true);
  });

  it.each([
    ["another attempt", { job: "100/2/build" }],
    ["another job", { job: "100/1/deploy" }],
    ["a runner that has no directory for the job", { runnerTemp: undefined }],
  ])("is not used by %s", async (_what, changes) => {
    await settle();
    left();
    expect(await settle(changes)).toBe(".wave/state/refused");
  });

  it("is used by a use with a key if every journal is signed with it, without the database", async () => {
    const signer = lineSigner("a key");
    await settle({ signer });
    await passingRun(storeIn(stateDir, { stateKey: "a key" }), "r");
    writeFileSync(path.join(stateDir, "wave.db"), "rows");
    expect(await settle({ signer })).toBeUndefined();
    expect(existsSync(path.join(stateDir, "wave.db"))).toBe(false);
    expect(existsSync(path.join(stateDir, "journals/r"))).toBe(true);
  });

  it("is moved aside by a use with a key if a journal is not signed with it", async () => {
    await settle();
    await passingRun(storeIn(stateDir), "r");
    expect(await settle({ signer: lineSigner("a key") })).toBe(".wave/state/refused");
  });
});

describe("a link", () => {
  it("in place of the state directory is moved aside, and its target is kept", async () => {
    const elsewhere = temporary();
    left(elsewhere);
    mkdirSync(path.dirname(stateDir), { recursive: true });
    symlinkSync(elsewhere, stateDir);
    expect(await settle()).toBe(".wave/state/refused");
    expect(readFileSync(path.join(elsewhere, "journals/r/w.jsonl"), "utf8")).toBe("{}\n");
    left();
    expect(readdirSync(path.join(elsewhere, "journals/r"))).toEqual(["w.jsonl"]);
  });

  it.each([
    ["another directory", () => temporary()],
    ["nowhere", () => "/nowhere/at/all"],
  ])("above it that leads to %s is refused", async (_what, target) => {
    symlinkSync(target(), path.join(workspace, ".wave"));
    const settled = await prepareLocalState({ stateDir, root: workspace, workspace, runnerTemp, job: "100/1/build" });
    expect(settled).toMatchObject({ ok: false, error: { reason: "state-unwritable", code: "ELOOP" } });
  });

  it("above it that stays in the checkout is followed", async () => {
    mkdirSync(path.join(workspace, "kept"));
    symlinkSync("kept", path.join(workspace, ".wave"));
    expect(await settle()).toBeUndefined();
  });
});

it("keeps the project's own files if its root is the state directory", async () => {
  left(workspace);
  writeFileSync(path.join(workspace, "wave.yaml"), "");
  mkdirSync(path.join(workspace, "tests"));
  expect(await settle({ stateDir: workspace })).toBe("refused");
  expect(readdirSync(workspace).sort()).toEqual(["refused", "tests", "wave.yaml"]);
});
