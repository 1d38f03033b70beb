/** examples/fails-first, as its comment says. */
import { cpSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { project, repository } from "../rig/project.ts";

it("fails at first, and goes on without building again", async () => {
  const wave = project({});
  const example = path.join(repository, "examples/fails-first");
  cpSync(example, wave.root, { recursive: true, filter: (source) => !source.endsWith(".wave") });
  expect((await wave.wave("run")).code).toBe(1);
  expect((await wave.start(["resume"], { READY: "yes" }).finished).code).toBe(0);
  const started = wave.events().flatMap((event) => (event.type === "attempt-started" ? [event.step] : []));
  expect(started).toEqual(["build", "deploy", "deploy"]);
});
