import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toValue } from "../../../../src/core/document.ts";
import type { LoadedProject } from "../../../../src/core/loaded.ts";
import type { FileRead, FileSource } from "../../../../src/core/ports.ts";
import { diskSource } from "../../../../src/manifest/load/disk-source.ts";
import { loadProject } from "../../../../src/manifest/load/load-project.ts";
import { pinnedSource } from "../../../../src/manifest/load/pinned-source.ts";

let outer = "";
let root = "";

beforeEach(() => {
  outer = mkdtempSync(path.join(tmpdir(), "wave-load-"));
  root = path.join(outer, "project");
  mkdirSync(path.join(root, "dir"), { recursive: true });
  writeFileSync(path.join(outer, "secret.txt"), "outside");
  writeFileSync(path.join(root, "b.txt"), "bee");
  writeFileSync(path.join(root, "a.txt"), "");
  writeFileSync(path.join(root, "dir", "c.txt"), "sea");
});

afterEach(() => {
  rmSync(outer, { recursive: true, force: true });
});

function load(files: readonly string[] = ["wave.yaml"], environment?: string): Promise<LoadedProject> {
  return loadProject({ files, ...(environment === undefined ? {} : { environment }), env: {}, source: diskSource(root) });
}

function shown(read: FileRead): unknown {
  return read.kind === "bytes"
    ? Buffer.from(read.bytes).toString("utf8")
    : read.kind === "unreadable"
      ? `${read.kind} ${read.detail}`
      : read;
}

describe("every file source", () => {
  const sources: readonly (readonly [string, () => FileSource])[] = [
    ["disk", () => diskSource(root)],
    [
      "pinned",
      () =>
        pinnedSource(
          async (file) => Buffer.from({ "a.txt": "", "b.txt": "bee", "dir/c.txt": "sea" }[file] ?? ""),
          ["b.txt", "a.txt", "dir/c.txt"],
        ),
    ],
  ];

  it.each(sources)("reads and lists: %s", async (_, open) => {
    const source = open();
    expect(shown(await source.read("b.txt", 3))).toBe("bee");
    expect(shown(await source.read("./dir/../a.txt", 0))).toBe("");
    expect(shown(await source.read("dir/c.txt", 2))).toEqual({ kind: "too-large", size: 3, limit: 2 });
    for (const missing of ["none.txt", "b.txt/x", "none/x"]) expect(await source.read(missing, 9)).toEqual({ kind: "missing" });
    for (const outside of ["../secret.txt", "dir/../../secret.txt", "/etc/passwd", "C:\\x", "\\\\host\\x", "a\0b", "", ".."]) {
      expect(await source.read(outside, 9)).toEqual({ kind: "outside" });
    }
    expect(await source.list(".")).toEqual(["a.txt", "b.txt"]);
    expect(await source.list("dir")).toEqual(["c.txt"]);
    expect(await source.list("none")).toEqual([]);
  });
});

describe("the disk", () => {
  it("is not left through symlinks", async () => {
    const link = (target: string, name: string) => symlinkSync(target, path.join(root, name));
    link("dir/c.txt", "inside-link");
    link("../secret.txt", "outside-link");
    link("..", "up");
    link("loop", "loop");
    link("nowhere", "dangling");
    const source = diskSource(root);
    expect(shown(await source.read("inside-link", 9))).toBe("sea");
    expect(await source.read("outside-link", 99)).toEqual({ kind: "outside" });
    expect(await source.read("up/secret.txt", 99)).toEqual({ kind: "outside" });
    expect(await source.read("dangling", 9)).toEqual({ kind: "missing" });
    expect(await source.read("loop", 9)).toEqual({ kind: "unreadable", code: "ELOOP", detail: "its symlinks form a cycle" });
    expect(await source.list("up")).toEqual([]);
    expect(await source.list("..")).toEqual([]);
  });

  it("is read where the root itself is a symlink", async () => {
    symlinkSync(root, path.join(outer, "alias"));
    expect(shown(await diskSource(path.join(outer, "alias")).read("dir/c.txt", 9))).toBe("sea");
  });

  it("gives up nothing but regular files, without waiting", async () => {
    const source = diskSource(root);
    expect(await source.read("dir", 9)).toEqual({ kind: "unreadable", code: "EISDIR", detail: "it is a directory" });
    execFileSync("mkfifo", [path.join(root, "pipe")]);
    expect(await source.read("pipe", 9)).toEqual({ kind: "unreadable", code: "EINVAL", detail: "it is not a regular file" });
    symlinkSync("/dev/zero", path.join(root, "zero"));
    expect(await source.read("zero", 9)).toEqual({ kind: "outside" });
    expect(await source.read("zero", 9, "anywhere")).toMatchObject({ kind: "unreadable" });
    expect(await source.read(`${"x".repeat(300)}`, 9)).toMatchObject({ kind: "unreadable", detail: "its path is too long" });
  });

  it("is read up to the limit where a file says that it has no size", async () => {
    expect(await diskSource(root).read("/proc/self/maps", 100, "anywhere")).toMatchObject({ kind: "too-large", limit: 100 });
  });

  it("is left for manifests that the user named", async () => {
    expect(shown(await diskSource(root).read("../secret.txt", 99, "anywhere"))).toBe("outside");
  });
});

describe("a project on the disk", () => {
  it("takes an overlay from outside, but no file that a manifest names there", async () => {
    writeFileSync(path.join(root, "wave.yaml"), "name: a\n");
    writeFileSync(path.join(outer, "ci.yaml"), "name: b\npersonas: { p: { prompt: ../secret.txt } }\npipelines: { x: ../ci.yaml }\n");
    const loaded = await load(["wave.yaml", "../ci.yaml"]);
    expect(loaded.manifest && toValue(loaded.manifest)).toMatchObject({ name: "b" });
    expect(loaded.diagnostics.map(({ code, origin }) => `${code} ${origin.file}:${origin.range.start.line}`)).toEqual([
      "W304 ../ci.yaml:3",
    ]);
    expect(loaded.files.get("../secret.txt")).toEqual({ kind: "outside", path: "../secret.txt" });
  });

  it("says what is wrong with manifests that are too large, binary, empty or no file", async () => {
    writeFileSync(path.join(root, "large.yaml"), "a: 1\n");
    truncateSync(path.join(root, "large.yaml"), 50_000_000);
    writeFileSync(path.join(root, "nul.yaml"), "a: 1\nb: \0\n");
    writeFileSync(path.join(root, "latin.yaml"), Buffer.from("a: 1\nb: caf\xe9\n", "latin1"));
    writeFileSync(path.join(root, "utf16.yaml"), Buffer.from("\uFEFFa: 1\n", "utf16le"));
    writeFileSync(path.join(root, "empty.yaml"), "");
    const found: string[] = [];
    for (const file of ["large", "nul", "latin", "utf16", "empty", "none"].map((name) => `${name}.yaml`).concat("dir")) {
      const { manifest, diagnostics } = await load([file]);
      expect(manifest).toBeUndefined();
      found.push(
        ...diagnostics.map(({ code, origin, message }) => `${code} ${origin.range.start.line}:${origin.range.start.column} ${message}`),
      );
    }
    expect(found).toEqual([
      "W104 1:1 `large.yaml` is too large: 50 MB, the limit is 10 MB",
      "W103 2:4 `nul.yaml` is not UTF-8 text",
      "W103 2:7 `latin.yaml` is not UTF-8 text",
      "W103 1:1 `utf16.yaml` is not UTF-8 text",
      "W102 1:1 `empty.yaml` is empty",
      "W107 1:1 `none.yaml` does not exist",
      "W107 1:1 `dir` cannot be read: it is a directory",
    ]);
  });

  it("may begin with a byte order mark", async () => {
    writeFileSync(path.join(root, "wave.yaml"), "\uFEFFname: a\n");
    const { manifest, diagnostics } = await load();
    expect(diagnostics).toEqual([]);
    expect(manifest?.entries.get("name")?.keyOrigin.range.start).toEqual({ line: 1, column: 1 });
  });

  it("of thousands of pipelines is read", async () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `p${index}`);
    for (const name of names) writeFileSync(path.join(root, "dir", `${name}.yaml`), `pipeline: { name: ${name} }\n`);
    writeFileSync(path.join(root, "wave.yaml"), `pipelines:\n${names.map((name) => `  ${name}: dir/${name}.yaml\n`).join("")}`);
    const loaded = await load();
    expect(loaded.diagnostics).toEqual([]);
    expect(loaded.pipelines.map(({ document }) => document && toValue(document))).toEqual(names.map((name) => ({ pipeline: { name } })));
  });
});
