/** The Action: a runner's variables in, exit status out; nothing else. */
import { error } from "@actions/core";
import { runJob } from "./job/run-job.ts";
import { enter } from "./platform/entry.ts";

enter({
  main: (io) => runJob(io, { ...process.env }),
  onBug: () => error("This is a bug in wave, please report it.", { title: "Wave" }),
  onTrouble: (_io, text) => error(text, { title: "Wave" }),
});
