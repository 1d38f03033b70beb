/** What `validate` and `plan` report of keys that decide where and in what steps run. */
import { describe, expect, test } from "vitest";
import { project } from "../../rig/project.ts";

const manifest = (step: string, more: string) =>
  `pipeline: { name: p, steps: [{ id: a, persona: s, task: x${step} }] }\npersonas: { s: { adapter: command, command: "true" } }\n${more}`;

describe("a wrong value for a key that takes a word or a map is reported against the form that was written:", () => {
  test.each([
    ["an unknown provider", ", workspace: { provider: xyz }", "", "W204] `xyz` is not allowed for `provider`", "use `copy`"],
    [
      "an unknown key beside the provider",
      ", workspace: { provider: copy, foo: 1 }",
      "",
      "W201] unknown key `foo` in `workspace`",
      "known keys: `provider`",
    ],
    [
      "an unknown word for the workspace",
      ", workspace: cow",
      "",
      "W204] `cow` is not allowed for `workspace`",
      "use `shared` or a map with `provider`",
    ],
    ["a list for the workspace", ", workspace: [copy]", "", "W202] `workspace` must be a string or a map, not a list", undefined],
    [
      "an unknown provider in the defaults",
      "",
      "defaults: { workspace: { provider: xyz } }\n",
      "W204] `xyz` is not allowed for `provider`",
      "use `copy`",
    ],
    [
      "a misspelt key of the sandbox",
      "",
      "sandbox: { shows: [/etc/hosts] }\n",
      "W201] unknown key `shows` in `sandbox`",
      "did you mean `show`?",
    ],
    [
      "a map for the sandbox of a step",
      ", sandbox: { show: [/etc/hosts] }",
      "",
      "W204] a map is not allowed for `sandbox`",
      "`show` belongs at the top of the manifest: `sandbox: { show: [PATH] }`",
    ],
    [
      "`on` for the sandbox of a step",
      ", sandbox: on",
      "",
      "W204] `on` is not allowed for `sandbox`",
      "remove the key to run in the sandbox; only `off` runs outside it",
    ],
    [
      "`on` for all sandboxes",
      "",
      "sandbox: on\n",
      "W204] `on` is not allowed for `sandbox`",
      "use `sandbox: { show: [PATH] }` to make files in `/etc` readable, or remove the key to run in the sandbox; only `off` runs outside it",
    ],
    ["a misspelt key of reuse", ", reuse: { ignored: [a] }", "", "W201] unknown key `ignored` in `reuse`", "did you mean `ignore`?"],
    ["a map for an adapter", ", adapter: { name: claude }", "", "W202] `adapter` must be a string, not a map", undefined],
  ])("%s", async (_, step, more, message, hint) => {
    const { code, stderr } = await project({ "wave.yaml": manifest(step, more) }).wave("validate");
    expect([code, stderr]).toEqual([2, expect.stringContaining(`error[${message}`)]);
    if (hint !== undefined) expect(stderr).toContain(`hint: ${hint}\n`);
    expect(stderr.split("error[")).toHaveLength(2);
  });
});

const showing = (...places: readonly string[]) => project({ "wave.yaml": manifest("", `sandbox: { show: ${JSON.stringify(places)} }\n`) });

describe("`sandbox.show`", () => {
  test.each(["/etc/*.conf", "/etc/ld.so.conf.?", "/etc/{hosts,passwd}", "/etc/[h]osts"])("refuses the pattern %s", async (place) => {
    const { code, stderr } = await showing(place).wave("validate");
    expect([code, stderr]).toEqual([2, expect.stringContaining(`error[W205] \`${place}\` is a pattern, but \`show\` requires paths`)]);
  });

  test("reports in plan the places that do not exist, apart from those that are shown", async () => {
    const wave = showing("/etc/ld.so.conf", "/etc/no-such-place");
    const { code, stdout } = await wave.wave("plan");
    expect([code, stdout]).toEqual([0, expect.stringContaining("The sandbox also shows /etc/ld.so.conf.\n")]);
    expect(stdout).toContain("The sandbox cannot show /etc/no-such-place: not found here, or not open to every user.\n");
    const document = JSON.parse((await wave.wave("plan", "--json")).stdout) as { unshownPlaces: readonly string[] };
    expect(document.unshownPlaces).toEqual(["/etc/no-such-place"]);
  });

  test("accepts a slash at the end of a directory", async () => {
    const { code, stdout } = await showing("/etc/ld.so.conf.d/").wave("plan");
    expect([code, stdout]).toEqual([0, expect.stringContaining("The sandbox also shows /etc/ld.so.conf.d.\n")]);
  });

  test.each(["/etc/ssh/", "/etc/shadow/"])("refuses %s, a place for secrets, with a slash at its end too", async (place) => {
    const { code, stderr } = await showing(place).wave("validate");
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`the sandbox does not show \`${place}\` because it usually contains secrets`),
    ]);
  });
});
