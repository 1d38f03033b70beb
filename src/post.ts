/** The entry of the Action's post step, after all other steps of the job. Loads its bundle only in a process with a clean environment. */
import { ensureCleanProcess } from "./platform/actions/clean-process.ts";

ensureCleanProcess();
void import("./action/enter-post.ts").then(({ enterPost }) => enterPost());
