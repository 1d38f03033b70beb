/**
 * What every contract type keeps to, whatever it judges: one suite for all of them, and the pieces that their own tests
 * share. A context here is complete by default, so that a test names only what it is about.
 */
import { describe, expect, test } from "vitest";
import { digestOfBytes } from "../../src/core/digest.ts";
import type { ContractDefinition } from "../../src/core/pipeline.ts";
import type { ContractContext, ContractFile, ContractType, SpawnOutcome, SpawnRequest, Workspace } from "../../src/core/ports.ts";
import { err, ok } from "../../src/core/result.ts";
import { step } from "./plan-fixtures.ts";

/** Files by path; a value that is no text is written as indented JSON. */
export function gateFiles(files: Readonly<Record<string, unknown>>): ReadonlyMap<string, ContractFile> {
  return new Map(
    Object.entries(files).map(([path, content]) => {
      const text = typeof content === "string" ? content : JSON.stringify(content, undefined, 2);
      return [path, { path, text, digest: digestOfBytes(text) }];
    }),
  );
}

/** A workspace in which nothing lies, and whose children do what `spawn` says. */
export function spawningWorkspace(spawn: (request: SpawnRequest) => Promise<SpawnOutcome>): Workspace {
  const refused = err({ reason: "workspace-failed", detail: "nothing lies here", code: "ENOENT" } as const);
  const paths = { root: "/w", inputs: "/w-inputs", output: "/w-output", taskFile: "/w-task.md", home: "/w-home", temp: "/w-tmp" };
  return {
    paths,
    spawn,
    read: async () => refused,
    list: async () => ok([]),
    write: async () => ({ ok: true, value: undefined }),
    changeset: async () => ok(undefined),
    discard: async () => {},
  };
}

/** A context in which the step made the given artifacts, in its output directory. */
export function contractContext(
  contract: ContractDefinition,
  members: Partial<ContractContext> = {},
  artifacts: Readonly<Record<string, Uint8Array | string>> = {},
): ContractContext {
  const made = new Map(
    Object.entries(artifacts).map(([name, content]) => [name, typeof content === "string" ? Buffer.from(content) : content]),
  );
  return {
    contract,
    step: step("build", { contracts: [contract] }),
    attempt: { runId: "run1", number: 1 },
    workspace: spawningWorkspace(async () => ({ kind: "exited", code: 0 })),
    artifacts: [...made].map(([name, bytes]) => ({
      name,
      digest: digestOfBytes(bytes),
      size: bytes.length,
      mediaType: "application/json",
      source: `output/${name}.json`,
    })),
    readArtifact: async (name) => {
      const bytes = made.get(name);
      return bytes === undefined ? err({ reason: "state-damaged", path: `blobs/${name}`, detail: "its digest differs" }) : ok(bytes);
    },
    files: new Map(),
    signal: new AbortController().signal,
    log: { write: () => {}, tail: () => "" },
    ...members,
  };
}

/** One contract type, and a context for each verdict it can give. */
export interface ContractSubject {
  readonly type: ContractType;
  readonly passes: ContractContext;
  readonly fails: ContractContext;
  readonly errors: ContractContext;
  /** A definition of another type. */
  readonly foreign: ContractDefinition;
}

/** Declares the suite. */
export function contractConformance({ type, passes, fails, errors, foreign }: ContractSubject): void {
  describe(`${type.type} is a contract type`, () => {
    test("a pass has no violations", async () => {
      expect(await type.verify(passes)).toMatchObject({ verdict: "pass", violations: [] });
    });

    test("a failure and an error say why", async () => {
      for (const [context, verdict] of [
        [fails, "fail"],
        [errors, "error"],
      ] as const) {
        const outcome = await type.verify(context);
        expect(outcome.verdict).toBe(verdict);
        expect(outcome.violations.length).toBeGreaterThan(0);
        expect(outcome.violations.every(({ message }) => message.trim() !== "")).toBe(true);
      }
    });

    test("the same context gives the same outcome", async () => {
      expect(await type.verify(fails)).toEqual(await type.verify(fails));
    });

    test("a definition that can be evaluated has no problems", async () => {
      expect(await type.check(passes.contract, passes.files)).toEqual([]);
    });

    test("another type's definition is never passed", async () => {
      expect(await type.check(foreign, new Map())).toEqual([]);
      expect((await type.verify({ ...passes, contract: foreign })).verdict).toBe("error");
    });

    test("outcomes are plain JSON, as the journal needs them", async () => {
      const outcome = await type.verify(fails);
      expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
    });
  });
}
