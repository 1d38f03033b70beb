/** `wave persona` and `wave plan --show-prompt`, through the built binary. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { project } from "../rig/project.ts";

const files = {
  "wave.yaml": `
personas:
  worker: { description: Works in place, command: 'cat > "$WAVE_OUTPUT_DIR/seen.md"', permissions: { allow: ["file_read:**"] } }
defaults: { workspace: shared }
pipeline:
  name: demo
  steps:
    - { id: look, persona: worker, task: "Look at {{ input }}", artifacts: [{ name: seen, media_type: text/markdown }] }
    - { id: tell, persona: navigator-v2, adapter: command, task: "Tell of {{ inputs.seen }}", dependencies: [look], inputs: [seen] }
adapters: { command: { command: [cat] } }
`,
  ".wave/personas/navigator-v2.md":
    "---\ndescription: The next navigator\nmodel: big\npermissions: { deny: ['command:*'] }\n---\nYou are the next navigator.\nBe brief.\n",
};

test("lists the project's personas and the library's, and shows one with its prompt and where it is defined", async () => {
  const wave = project(files);
  const listed = await wave.wave("persona", "list");
  expect(listed).toMatchObject({ code: 0, stderr: "" });
  const lines = listed.stdout.trimEnd().split("\n");
  expect(lines[0]).toMatch(/^PERSONA +ADAPTER +SOURCE +DESCRIPTION$/);
  expect(lines.slice(1).map((line) => line.split(" ")[0])).toEqual([
    ...["navigator-v2", "worker"],
    ...["navigator", "craftsman", "tester", "reviewer", "documenter", "auditor", "planner", "debugger", "summarizer"],
  ]);
  expect(listed.stdout).toMatch(/^navigator-v2 +default, big +\.wave\/personas\/navigator-v2\.md:2 +The next navigator$/m);
  expect(listed.stdout).toMatch(/^worker +command +wave\.yaml:3 +Works in place$/m);
  expect(listed.stdout).toMatch(/^navigator +default +built in +Explores a codebase/m);

  const shown = await wave.wave("persona", "show", "navigator-v2");
  expect(shown).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("  deny     command:*\n\nYou are the next navigator.\nBe brief.\n"),
  });
  const { persona } = JSON.parse((await wave.wave("persona", "show", "navigator", "--json")).stdout) as {
    persona: Record<string, unknown>;
  };
  expect(persona).toMatchObject({
    name: "navigator",
    definedAt: "built-in",
    permissions: { allow: [], deny: ["file_write:**"] },
    prompt: expect.stringContaining("You are a navigator."),
  });

  expect(await wave.wave("persona", "show", "navigatr")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("did you mean `navigator`?"),
  });
  expect(await wave.wave("persona", "show")).toMatchObject({ code: 2 });
  expect(await wave.wave("persona", "paint")).toMatchObject({ code: 2, stderr: expect.stringContaining("expected `list` or `show`") });
});

test("shows what would be sent: word for word what a run sends, but for its id", async () => {
  const wave = project(files);
  const shown = await wave.wave("plan", "--show-prompt", "look", "--input", "the door");
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect((await wave.wave("run", "--input", "the door")).code).toBe(0);
  const run = wave.events()[0]?.run ?? "";
  const sent = wave.events().flatMap((event) => (event.type === "attempt-passed" && event.step === "look" ? event.artifacts : []))[0];
  const hex = sent?.digest.slice("sha256:".length) ?? "";
  const blob = readFileSync(path.join(wave.root, ".wave/state/blobs/sha256", hex.slice(0, 2), hex.slice(2)), "utf8");
  expect(blob.replaceAll(run, "RUN")).toBe(shown.stdout);
});

test("says which inputs nobody knows yet, and takes those that equal work left", async () => {
  const wave = project(files);
  const before = await wave.wave("plan", "--show-prompt", "tell");
  expect(before).toMatchObject({ code: 0, stderr: expect.stringContaining("`seen` does not exist yet (step `look` makes it)") });
  expect(before.stdout).toContain("(text/markdown, 0B, sha256:…), from step `look`");
  expect((await wave.wave("run", "--input", "x")).code).toBe(0);
  const after = JSON.parse((await wave.wave("plan", "--show-prompt", "tell", "--input", "x", "--json")).stdout) as {
    prompt: string;
    unknown: unknown[];
  };
  expect(after.unknown).toEqual([]);
  expect(after.prompt).toContain("Contents of `seen`:\n\n```");
  expect(before.stdout).not.toContain("All of");
  expect(after.prompt).toMatch(/\(text\/markdown, \d+B, sha256:[0-9a-f]{64}\), from step `look`/);
  expect(await wave.wave("plan", "--show-prompt", "tel")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("did you mean `tell`?"),
  });
});
