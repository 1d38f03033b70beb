/** The Action's process, from the environment to the exit status. */
import { error } from "@actions/core";
import { printable } from "../model/printable.ts";
import { enter } from "../platform/entry.ts";
import { runJob } from "./run-job.ts";

export function enterAction(): void {
  enter({
    main: (io) => runJob(io, { ...process.env }),
    onBug: () => error("This is a bug in wave, please report it.", { title: "Wave" }),
    onTrouble: (_io, text) => error(printable(text), { title: "Wave" }),
  });
}
