/** The Action. Its bundle is loaded only by the process that has a clean environment. */
import { ensureCleanProcess } from "./platform/actions/clean-process.ts";

ensureCleanProcess();
void import("./action/enter-action.ts").then(({ enterAction }) => enterAction());
