/** The trust level of a job, and of the caches and artifacts that carry its state. */
import { expect, it } from "vitest";
import { levelOfArtifacts, levelOfCache, levelOfRun, maySaveCache } from "../../../src/action/carrier-trust.ts";
import type { GitHub } from "../../../src/core/github.ts";
import { err, ok } from "../../../src/core/result.ts";
import { mayUse } from "../../../src/core/trust-level.ts";
import type { PullContext } from "../../../src/core/workflow-context.ts";

const pull = (fromFork: boolean): PullContext => ({ number: 7, headSha: "a", baseSha: "b", baseRef: "main", fromFork, author: "mona" });
const failure = { reason: "github-failed", doing: "ask", detail: "no" } as const;

it("never lets a job use state of a lower level", () => {
  expect([mayUse("own", "own"), mayUse("own", "fork"), mayUse("fork", "own"), mayUse("fork", "fork")]).toEqual([true, false, true, true]);
});

it.each(["push", "schedule", "workflow_dispatch", "repository_dispatch", "merge_group", "release", "pull_request"])(
  "takes artifacts of `%s` for the repository's own, if its head is",
  (event) => {
    expect(levelOfRun({ event, repositoryId: 1, headRepositoryId: 1 })).toBe("own");
    expect(levelOfRun({ event, repositoryId: 1, headRepositoryId: 2 })).toBe("fork");
    expect(levelOfRun({ event, repositoryId: 1 })).toBe("fork");
  },
);

it.each(["issue_comment", "pull_request_target", "workflow_run", "issues", "deployment", "constructor", "a later event"])(
  "takes artifacts of `%s` for a fork's, which that event may have worked on",
  (event) => {
    expect(levelOfRun({ event, repositoryId: 1, headRepositoryId: 1 })).toBe("fork");
  },
);

it("has no level for artifacts without a token or an answer", async () => {
  expect(await levelOfArtifacts(undefined, 55)).toBeUndefined();
  expect(await levelOfArtifacts({ workflowRun: async () => err(failure) } as unknown as GitHub, 55)).toBeUndefined();
});

it("treats every cache entry as `own` for a job that runs the repository's own code", async () => {
  for (const ref of ["refs/heads/main", "refs/pull/7/merge", "refs/tags/v1"])
    expect(await levelOfCache({ key: "k", context: { ref }, job: "own", github: undefined })).toBe("own");
});

it("determines whether a fork's job restored an entry of its pull request or of the base branch", async () => {
  const github = (refs: readonly string[]) => ({ cacheRefs: async () => ok(refs) }) as unknown as GitHub;
  const fork = { key: "k", context: { ref: "refs/pull/7/merge", pull: pull(true) }, job: "fork" } as const;
  expect(await levelOfCache({ ...fork, github: github(["refs/pull/7/merge"]) })).toBe("fork");
  expect(await levelOfCache({ ...fork, github: github([]) })).toBe("own");
  expect(await levelOfCache({ ...fork, github: undefined })).toBeUndefined();
  expect(await levelOfCache({ ...fork, github: { cacheRefs: async () => err(failure) } as unknown as GitHub })).toBeUndefined();
});

it("lets a job that runs a fork's code save only under the ref of its pull request", () => {
  expect(maySaveCache("own", { ref: "refs/heads/main" })).toBe(true);
  expect(maySaveCache("fork", { ref: "refs/pull/7/merge" })).toBe(true);
  expect(maySaveCache("fork", { ref: "refs/heads/main" })).toBe(false);
});
