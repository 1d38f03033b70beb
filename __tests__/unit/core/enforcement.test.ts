import { describe, expect, test } from "vitest";
import {
  enforcementOf,
  isSandboxed,
  noSandbox,
  type SandboxSupport,
  unenforceable,
  wantsIsolation,
  writesRepository,
} from "../../../src/core/enforcement.ts";
import { type PermissionLayer, parsePermission } from "../../../src/core/permissions.ts";
import type { Step } from "../../../src/core/pipeline.ts";
import { pipeline, step } from "../../rig/plan-fixtures.ts";

const all: SandboxSupport = { available: true, network: true };

function layer(allow: readonly string[], deny: readonly string[] = []): PermissionLayer {
  const rules = (texts: readonly string[]) => texts.flatMap((text) => parsePermission(text) ?? []);
  return { source: "step", allow: rules(allow), deny: rules(deny) };
}

const permissions = {
  layers: [layer(["file_read:**", "file_write:src/**", "command:git *"], ["network_access:*", "file_read:.env", "command:rm *"])],
};

function levels(members: Parameters<typeof step>[1], sandbox: SandboxSupport): string[] {
  return enforcementOf(step("a", { permissions, ...members }), sandbox).map(({ rule, level }) => `${rule}: ${level}`);
}

describe("the enforcement of a rule", () => {
  test.each([
    ["a fence", {}, all, ["verified", "none", "sandbox", "sandbox", "none"]],
    ["a fence that leaves the network open", {}, { available: true, network: false }, ["verified", "none", "none", "sandbox", "none"]],
    ["only the check of writes where there is no sandbox", {}, noSandbox, ["verified", "none", "none", "none", "none"]],
    ["`sandbox: off`: only the check afterwards", { sandbox: "off" }, all, ["verified", "none", "none", "none", "none"]],
    ["in place: only the network", { workspace: "shared" }, all, ["none", "none", "sandbox", "none", "none"]],
    ["an agent's flags", { adapter: { name: "claude", chosenBy: "step" } }, all, ["verified", "agent", "sandbox", "sandbox", "agent"]],
  ] as const)("%s", (_name, members, sandbox, expected) => {
    const rules = ["file_write:src/**", "command:git *", "network_access:*", "file_read:.env", "command:rm *"];
    expect(levels(members, sandbox)).toEqual(rules.map((rule, at) => `${rule}: ${expected[at]}`));
  });

  test("denied files and network refuse a run, unless the sandbox is off", () => {
    const steps = [step("a", { permissions }), step("b", { permissions, sandbox: "off" }), step("c")];
    expect(unenforceable(pipeline(steps), noSandbox)).toEqual([
      { step: "a", rule: "network_access:*" },
      { step: "a", rule: "file_read:.env" },
    ]);
    expect(unenforceable(pipeline(steps), all)).toEqual([]);
    expect(unenforceable(pipeline([step("a", { permissions, workspace: "shared" })]), all)).toEqual([
      { step: "a", rule: "file_read:.env" },
    ]);
  });
});

describe("the isolation of a step", () => {
  test("is not needed in place without a sandbox", () => {
    expect(wantsIsolation(step("a", { workspace: "shared" }))).toBe(true);
    expect(wantsIsolation(step("a", { workspace: "shared", sandbox: "off" }))).toBe(false);
    expect(wantsIsolation(step("a", { workspace: "shared", permissions, sandbox: "off" }))).toBe(false);
    expect(wantsIsolation(step("a", { sandbox: "off" }))).toBe(true);
  });

  test("includes a sandbox if the environment supports one and the manifest does not disable it", () => {
    expect(isSandboxed(step("a"), all)).toBe(true);
    expect(isSandboxed(step("a"), noSandbox)).toBe(false);
    expect(isSandboxed(step("a", { sandbox: "off" }), all)).toBe(false);
    expect(isSandboxed(step("a", { workspace: "shared" }), all)).toBe(true);
  });

  test("allows writes to the project's repository only in place without a sandbox", () => {
    const written = (members: Partial<Step>, sandbox = all) => writesRepository(step("a", members), sandbox);
    expect(written({ workspace: "shared", sandbox: "off" })).toBe(true);
    expect(written({ workspace: "shared" })).toBe(false);
    expect(written({ workspace: "shared" }, noSandbox)).toBe(true);
    expect(written({ sandbox: "off" })).toBe(false);
  });
});
