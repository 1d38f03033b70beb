import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { lazyGitHub } from "../../../../src/github/client/lazy-client.ts";
import { systemClock } from "../../../../src/platform/clock.ts";
import { openServiceHealth } from "../../../../src/platform/service-health.ts";

const event = mkdtempSync(path.join(tmpdir(), "wave-event-"));
afterEach(() => {
  vi.unstubAllEnvs();
  rmdirSync(event);
});

test("each call fails without throwing if the client cannot be loaded", async () => {
  // GitHub's library reads the event when it is loaded; a directory is there, and cannot be read.
  vi.stubEnv("GITHUB_EVENT_PATH", event);
  const health = openServiceHealth({ clock: systemClock });
  const github = lazyGitHub({ token: "t", owner: "octo", repo: "demo", apiUrl: "http://127.0.0.1:9", clock: systemClock, health });
  const failed = {
    ok: false,
    error: {
      reason: "github-failed",
      doing: "call its API",
      detail: expect.stringMatching(/^its client cannot be loaded: EISDIR/),
    },
  };
  expect(await Promise.all([github.updateCheck(1, { conclusion: "success" }), github.updateCheck(2, {})])).toEqual([failed, failed]);
});
