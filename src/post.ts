/** The end of a job when its other steps are done. Its bundle is loaded only by the process that has a clean environment. */
import { ensureCleanProcess } from "./platform/actions/clean-process.ts";

ensureCleanProcess();
void import("./action/enter-post.ts").then(({ enterPost }) => enterPost());
