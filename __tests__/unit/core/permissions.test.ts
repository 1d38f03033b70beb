import { describe, expect, test } from "vitest";
import { isAllowed, parsePermission, readFilter, restrictions, viewKey, viewNamesGit } from "../../../src/core/permissions.ts";
import { layer } from "../../rig/plan-fixtures.ts";

const none = { layers: [] };

test("a rule is a known capability and a pattern", () => {
  expect(parsePermission("command:git log: *")).toEqual({ capability: "command", pattern: "git log: *", text: "command:git log: *" });
  expect(["file_read", "file_read:", "write:**", ":x", "toString:x"].map(parsePermission)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

describe("allowed requests", () => {
  test("include everything except .git, if there is no rule", () => {
    expect([
      isAllowed(none, "file_read", "a/b"),
      isAllowed(none, "file_write", ".git/hooks/x"),
      isAllowed(none, "network_access", "h:1"),
      isAllowed(none, "command", "rm"),
    ]).toEqual([true, false, true, true]);
  });

  test("are those that every layer allows and none denies", () => {
    const permissions = {
      layers: [layer("persona", ["file_write:src/**"]), layer("step", ["file_write:**/*.ts"], ["file_write:src/generated"])],
    };
    const paths = ["src/a.ts", "src/a.js", "lib/a.ts", "src/generated/a.ts"];
    expect(paths.filter((path) => isAllowed(permissions, "file_write", path))).toEqual(["src/a.ts"]);
    expect(isAllowed(permissions, "file_read", "lib/a.js")).toBe(true);
  });

  test("include .git only if every layer with rules spells it", () => {
    const said = layer("step", ["file_read:**", "file_read:.git/**"]);
    expect(readFilter({ layers: [said] })(".git/HEAD")).toBe(true);
    expect(readFilter({ layers: [layer("persona", ["file_read:**"]), said] })(".git/HEAD")).toBe(false);
    expect(readFilter({ layers: [{ ...said, deny: layer("step", [], ["file_read:**"]).deny }] })(".git/HEAD")).toBe(false);
  });

  test("match hosts with and without ports", () => {
    const permissions = {
      layers: [
        layer(
          "step",
          ["network_access:*.GitHub.com:443", "network_access:localhost", "network_access:[::1]:80"],
          ["network_access:evil.github.com"],
        ),
      ],
    };
    const hosts = [
      "api.github.com:443",
      "api.github.com:80",
      "api.github.com",
      "github.com:443",
      "LOCALHOST:9",
      "[::1]:80",
      "[::1]:81",
      "evil.github.com:443",
    ];
    expect(hosts.filter((host) => isAllowed(permissions, "network_access", host))).toEqual([
      "api.github.com:443",
      "LOCALHOST:9",
      "[::1]:80",
    ]);
  });

  test("match commands by their arguments", () => {
    const permissions = { layers: [layer("persona", ["command:git *", "command:npm test"], ["command:git push*"])] };
    const commands = ["git", "git log -1", "git push", "git push -f", "gitx", "npm test", "npm test -- x"];
    expect(commands.filter((command) => isAllowed(permissions, "command", command))).toEqual(["git", "git log -1", "npm test"]);
  });
});

describe("the key of a view", () => {
  const keyOf = (...layers: ReturnType<typeof layer>[]) => viewKey({ permissions: { layers } });

  test("is `all` without a rule for reading", () => {
    expect([keyOf(), keyOf(layer("persona", ["file_write:src/**"]), layer("step", []))]).toEqual(["all", "all"]);
  });

  test("counts `file_read:**` as a rule, since it leaves out `.git`", () => {
    expect(keyOf(layer("persona", ["file_read:**", "file_write:src/**"]))).toBe('[{"allow":["**"],"deny":[]}]');
    expect(readFilter({ layers: [layer("persona", ["file_read:**"])] })(".git/HEAD")).toBe(false);
  });

  test("does not depend on order, repetition or layer", () => {
    const one = keyOf(layer("persona", ["file_read:a/**", "file_read:b"], ["file_read:c"]));
    expect(keyOf(layer("persona", []), layer("step", ["file_read:b", "file_read:a/**", "file_read:b", "command:x"], ["file_read:c"]))).toBe(
      one,
    );
    expect(one).toBe('[{"allow":["a/**","b"],"deny":["c"]}]');
  });

  test("differs if the readable files differ", () => {
    const keys = [
      keyOf(),
      keyOf(layer("step", ["file_read:a"])),
      keyOf(layer("step", [], ["file_read:a"])),
      keyOf(layer("persona", ["file_read:a"]), layer("step", ["file_read:b"])),
      keyOf(layer("step", ["file_read:a", "file_read:b"])),
      keyOf(layer("step", ["file_read:**", "file_read:.git/**"])),
      keyOf(layer("persona", ["file_read:**"]), layer("step", ["file_read:**", "file_read:.git/**"])),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.map(viewNamesGit)).toEqual([false, false, false, false, false, true, true]);
  });
});

test("restrictions are deny rules, allow rules that exclude something, and every network rule", () => {
  const permissions = {
    layers: [
      layer("persona", ["file_read:**", "file_read:src/**", "network_access:*", "command:*", "file_write:*"], ["network_access:*"]),
      layer("step", ["file_read:docs/**", "file_write:**/*"], ["network_access:*"]),
    ],
  };
  expect(restrictions(permissions).map(({ rule, kind, source }) => `${source} ${kind} ${rule.text}`)).toEqual([
    "persona allow network_access:*",
    "persona allow file_write:*",
    "persona deny network_access:*",
    "step allow file_read:docs/**",
  ]);
});
