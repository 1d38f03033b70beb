/** What the README shows is what happens. */
import { cpSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { version } from "../../src/core/version.ts";
import { artifactText, project, repository } from "../rig/project.ts";

const readme = readFileSync(path.join(repository, "README.md"), "utf8");

/** The fenced block after a marker comment. */
function blockAfter(marker: string): string {
  const found = new RegExp(`<!-- ${marker} -->\\n+\`\`\`\\w*\\n([\\s\\S]*?)\`\`\``).exec(readme);
  return found?.[1] ?? "";
}

/** Ids, times and the machine's speed are not part of what is shown. */
function steady(text: string): string {
  return text
    .replace(/\b[0-9a-f]{10}\b/g, "RUN")
    .replace(/\b\d+(?:\.\d+)?(?:ms|s)\b/g, "TIME")
    .replace(/[0-9a-f]{12,64}/g, "DIGEST")
    .replace(/\s+$/gm, "");
}

describe("README", () => {
  it("shows the example's manifest as it stands", () => {
    expect(blockAfter("file: examples/hello/wave.yaml")).toBe(readFileSync(path.join(repository, "examples/hello/wave.yaml"), "utf8"));
  });

  it("shows what the example prints", async () => {
    const wave = project({});
    cpSync(path.join(repository, "examples/hello"), path.join(wave.root, "examples/hello"), {
      recursive: true,
      filter: (file) => !file.includes(".wave"),
    });
    const run = await wave.wave("run", "-f", "examples/hello/wave.yaml");
    expect(run.code).toBe(0);
    expect(steady(blockAfter("output"))).toBe(steady(run.stderr.replaceAll(wave.root + path.sep, "")));
  });

  it("lists every command", () => {
    for (const { name } of commands) expect(readme).toContain(`\`wave ${name}\``);
  });

  it("has a version that package.json shares", async () => {
    const { version: published } = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8")) as { version: string };
    expect(version).toBe(published);
    expect(await project({}).wave("--version")).toMatchObject({ code: 0, stdout: `${published}\n` });
  });
});

describe("examples/change-review", () => {
  it("reviews a repository offline; its first findings are sent back once", async () => {
    const wave = project({ "src/pay.js": "export const pay = 1;\n" });
    cpSync(path.join(repository, "examples/change-review"), path.join(wave.root, "examples/change-review"), {
      recursive: true,
      filter: (file) => !file.includes(".wave"),
    });
    const { execFileSync } = await import("node:child_process");
    const git = (...words: string[]) =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...words], { cwd: wave.root, stdio: "pipe" });
    git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "first");
    wave.write({ "src/pay.js": 'export const pay = () => eval("2");\n' });
    git("commit", "-qam", "second");
    const run = await wave.wave("run", "-f", "examples/change-review/wave.yaml", "--json");
    expect(run.code).toBe(0);
    const events = run.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(
      events.flatMap((event) =>
        event.type === "attempt-failed" ? [[event.step, event.attempt, event.failure.reason, event.retry?.attempt]] : [],
      ),
    ).toEqual([["risks", 1, "contract-failed", 2]]);
    const root = path.join(wave.root, "examples/change-review");
    const passed = events.filter((event) => event.type === "attempt-passed");
    expect(passed.map((event) => event.step).sort()).toEqual(["review", "risks", "survey", "tests"]);
    const { createHash } = await import("node:crypto");
    for (const { digest } of passed.flatMap((event) => event.artifacts)) {
      expect(`sha256:${createHash("sha256").update(artifactText(root, digest)).digest("hex")}`).toBe(digest);
    }
    const review = passed.find((event) => event.step === "review").artifacts[0];
    const text = artifactText(root, review.digest);
    expect(text).toContain("src/pay.js");
    expect(text).toContain("eval");
  });
});
