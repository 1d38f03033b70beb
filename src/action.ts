/** The entry of the Action. Loads its bundle only in a process with a clean environment. */
import { ensureCleanProcess } from "./platform/actions/clean-process.ts";

ensureCleanProcess();
void import("./action/enter-action.ts").then(({ enterAction }) => enterAction());
