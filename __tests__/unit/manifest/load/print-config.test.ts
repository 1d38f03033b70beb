import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type MapNode, toValue } from "../../../../src/core/document.ts";
import { mergeMaps } from "../../../../src/manifest/load/merge.ts";
import { configOrigins, maskSecrets, resolvedConfig } from "../../../../src/manifest/load/print-config.ts";
import { parseYaml } from "../../../../src/manifest/load/yaml-document.ts";

function manifest(text: string, file = "wave.yaml"): MapNode {
  const { node } = parseYaml(file, text);
  if (node?.kind !== "map") throw new Error("not a map");
  return node;
}

const base = manifest(
  [
    "name: demo",
    "secrets: [TOKEN]",
    "env: { TOKEN: hidden, SHOWN: 'yes' }",
    "labels: { TOKEN: visible }",
    "empty: {}",
    "none:",
    "steps:",
    "  - id: one",
    "    secrets: [OTHER]",
    "    env: { OTHER: hidden, TOKEN: hidden }",
    "    task: |",
    "      two # lines",
    "      of text",
    "    list: [true, []]",
  ].join("\n"),
);
const merged = mergeMaps(base, manifest("name: staged\nsteps:\n  - id: one\n    optional: true\n", "wave.staging.yaml"));

describe("resolvedConfig", () => {
  it("prints the manifest with secrets masked", () => {
    expect(resolvedConfig(merged)).toBe(
      [
        "name: staged",
        "secrets:",
        "  - TOKEN",
        "env:",
        '  TOKEN: "***"',
        "  SHOWN: yes",
        "labels:",
        "  TOKEN: visible",
        "empty: {}",
        "none: null",
        "steps:",
        "  - id: one",
        "    secrets:",
        "      - OTHER",
        "    env:",
        '      OTHER: "***"',
        '      TOKEN: "***"',
        "    task: |",
        "      two # lines",
        "      of text",
        "    list:",
        "      - true",
        "      - []",
        "    optional: true",
        "",
      ].join("\n"),
    );
  });

  it("adds the origin of each scalar as a comment, without changing the YAML", () => {
    const text = resolvedConfig(merged, { origins: true });
    expect(parse(text)).toEqual(parse(resolvedConfig(merged)));
    expect(text.split("\n").filter((line) => line.includes(" # w"))).toEqual([
      "name: staged # wave.staging.yaml:1",
      "  - TOKEN # wave.yaml:2",
      '  TOKEN: "***" # wave.yaml:3',
      "  SHOWN: yes # wave.yaml:3",
      "  TOKEN: visible # wave.yaml:4",
      "none: null # wave.yaml:6",
      "  - id: one # wave.staging.yaml:3",
      "      - OTHER # wave.yaml:9",
      '      OTHER: "***" # wave.yaml:10',
      '      TOKEN: "***" # wave.yaml:10',
      "    task: | # wave.yaml:11",
      "      - true # wave.yaml:14",
      "    optional: true # wave.staging.yaml:4",
    ]);
  });
});

describe("configOrigins", () => {
  it("lists every value by JSON pointer, in order", () => {
    expect(configOrigins(manifest("a/b: [1, { '~': x }]\nc: []\n"))).toEqual([
      { pointer: "/a~1b/0", file: "wave.yaml", line: 1, column: 7 },
      { pointer: "/a~1b/1/~0", file: "wave.yaml", line: 1, column: 17 },
      { pointer: "/c", file: "wave.yaml", line: 2, column: 4 },
    ]);
  });
});

describe("maskSecrets", () => {
  it("changes only values under `env`", () => {
    expect(toValue(maskSecrets(manifest("secrets: [A]\nenv: { A: x, B: y }\nadapters: { command: { A: z } }\n")))).toEqual({
      secrets: ["A"],
      env: { A: "***", B: "y" },
      adapters: { command: { A: "z" } },
    });
  });
});
