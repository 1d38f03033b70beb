/** The Action's process, from the environment to the exit status. */
import { error } from "@actions/core";
import type { Io } from "../core/io.ts";
import { enter } from "../platform/entry.ts";
import { printable } from "../text/printable.ts";
import { noteForPost } from "./post-state.ts";
import { runJob } from "./run-job.ts";

export function enterAction(): void {
  enter({
    main: (io) => runJob(io, { ...process.env }),
    onBug: (io, thrown) => {
      error("This is a bug in wave, please report it.", { title: "Wave" });
      noteBroken(io, "bug", thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown));
    },
    onTrouble: (io, text) => {
      error(printable(text), { title: "Wave" });
      noteBroken(io, "trouble", text);
    },
  });
}

/** Leaves `post` what ended this process, since it can no longer report that to GitHub itself. */
function noteBroken({ secrets }: Io, kind: "bug" | "trouble", detail: string): void {
  const text = secrets.redactor().text(detail).slice(0, 2000);
  // Without the runner's file, `post` completes the checks as cancelled.
  noteForPost("broken", JSON.stringify({ kind, detail: printable(text) }), () => undefined);
}
