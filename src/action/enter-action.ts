/** The Action's process, from the environment to the exit status. */
import { error } from "@actions/core";
import type { Io } from "../core/io.ts";
import { enter } from "../platform/entry.ts";
import { printable } from "../text/printable.ts";
import { savePostState } from "./post-state.ts";
import { runJob } from "./run-job.ts";

export function enterAction(): void {
  enter({
    main: (io) => runJob(io, { ...process.env }),
    onBug: (io, thrown) => {
      error("This is a bug in wave, please report it.", { title: "Wave" });
      saveError(io, "bug", thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown));
    },
    onTrouble: (io, text) => {
      error(printable(text), { title: "Wave" });
      saveError(io, "trouble", text);
    },
  });
}

/** Saves the error for `post`, which reports it to GitHub: this process no longer can. */
function saveError({ secrets }: Io, kind: "bug" | "trouble", detail: string): void {
  const text = secrets.redactor().text(detail).slice(0, 2000);
  // If the runner's file cannot be written, `post` completes the checks as cancelled.
  savePostState("broken", JSON.stringify({ kind, detail: printable(text) }), () => undefined);
}
