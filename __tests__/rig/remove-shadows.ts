/** Removes the private git directories of a test's process, which ends by a signal and so does not remove them itself. */
import { afterAll } from "vitest";
import { removeTemporaryGitDirectories } from "../../src/platform/git-shadow.ts";

afterAll(removeTemporaryGitDirectories);
