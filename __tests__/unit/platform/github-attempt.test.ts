/** Retries of calls of GitHub's API, their waits, and when the API is given up. */
import { describe, expect, it, test } from "vitest";
import { ok } from "../../../src/core/result.ts";
import type { Api } from "../../../src/platform/github/api.ts";
import { answerOf, attempt, pauseOf } from "../../../src/platform/github/attempt.ts";
import { openServiceHealth } from "../../../src/platform/service-health.ts";
import { fakeClock } from "../../rig/fake-clock.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const seconds = (ms: number) => String(Math.ceil((now + ms) / 1000));

test.each([
  ["`retry-after`", { "retry-after": "60" }, 0, 60_000],
  ["a reset alone", { "x-ratelimit-reset": seconds(12_000) }, 0, 12_000],
  ["the reset of a limit that is used up", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": seconds(12_000) }, 0, 12_000],
  ["a reset in the past", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": seconds(-9000) }, 0, 1000],
  ["the reset of another limit, which is not used up", { "x-ratelimit-remaining": "4000", "x-ratelimit-reset": seconds(9000) }, 0, 60_000],
  ["nothing", {}, 0, 60_000],
  ["nothing for the third time", {}, 2, 240_000],
])("the pause after a rate limit follows %s", (_, headers, limited, expected) => {
  expect(pauseOf(headers, now, limited)).toBe(expected);
});

test.each([
  ["403 with a secondary rate limit", 403, "You have exceeded a secondary rate limit", {}, "limited"],
  ["403 with `retry-after`", 403, "Forbidden", { "retry-after": "60" }, "limited"],
  ["403 with a limit that is used up", 403, "Forbidden", { "x-ratelimit-remaining": "0" }, "limited"],
  ["429", 429, "Too many requests", {}, "limited"],
  ["403 without the permission", 403, "Resource not accessible by integration", { "x-ratelimit-remaining": "4999" }, "refused"],
  ["404", 404, "Not Found", {}, "refused"],
  ["502", 502, "Bad Gateway", {}, "lost"],
])("an answer of %s is classified", (_, status, message, headers, kind) => {
  const answer = answerOf({ status, message, response: { headers } }, "write a check run", now);
  expect(answer).toMatchObject({ kind, failure: { reason: "github-failed", status } });
  expect(answer.failure).toMatchObject(kind === "limited" ? { limited: true, hint: expect.stringContaining("later") } : {});
});

const broken = { status: 500, message: "fetch failed" };
const limited = (headers: Readonly<Record<string, string>>) => ({ status: 403, message: "secondary rate limit", response: { headers } });

/** A call that fails first. */
function calling(errors: readonly object[]) {
  const clock = fakeClock();
  const warned: number[] = [];
  const health = openServiceHealth({ clock, warn: (lostMs) => warned.push(lostMs) });
  const left = [...errors];
  let sent = 0;
  const call = (more: { readonly lookUp?: () => Promise<ReturnType<typeof ok<object | undefined>>> } = {}) =>
    attempt<object>(
      { clock, health },
      {
        doing: "write a comment",
        send: async () => {
          sent += 1;
          const error = left.shift();
          if (error !== undefined) throw error;
          return { data: { id: 1 } };
        },
        ...more,
      },
    );
  return { call, clock, health, warned, sent: () => sent };
}

describe("a call", () => {
  it("waits for the time that GitHub requests", async () => {
    const { call, clock } = calling([limited({ "retry-after": "60" })]);
    expect(await call()).toEqual(ok({ id: 1 }));
    expect(clock.waits).toEqual([60_000]);
  });

  it("fails at once if the wait exceeds the job's limit, and later calls send no request", async () => {
    const { call, clock, sent } = calling([limited({ "retry-after": "3600" })]);
    expect(await call()).toMatchObject({ ok: false, error: { limited: true, status: 403 } });
    expect(await call()).toMatchObject({ ok: false, error: { limited: true } });
    expect([clock.waits, sent()]).toEqual([[], 1]);
  });

  it("shares its waits with all calls of the job", async () => {
    const { call, clock } = calling(Array.from({ length: 20 }, () => limited({ "retry-after": "50" })));
    await Promise.all([call(), call()]);
    expect(clock.monotonic()).toBeLessThanOrEqual(300_000);
  });

  it("is tried three times without an answer", async () => {
    const { call, sent } = calling([broken, broken, broken, broken]);
    expect(await call()).toMatchObject({ ok: false, error: { unanswered: true } });
    expect(sent()).toBe(3);
  });

  it("that adds something does not compile without a look-up", () => {
    const api: Api = async () => ok({} as never);
    // @ts-expect-error A POST needs a look-up.
    void api("write a comment", "POST /repos/{owner}/{repo}/issues/{issue_number}/comments", { issue_number: 7, body: "x" });
    // @ts-expect-error So does an update that adds annotations.
    void api("write a check run", "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", { check_run_id: 7 });
    const words = { issue_number: 7, body: "x" };
    const lookUp = async () => ok(undefined);
    expect(api("write a comment", "POST /repos/{owner}/{repo}/issues/{issue_number}/comments", words, lookUp)).toBeInstanceOf(Promise);
  });

  it("is looked up before each retry and after the last try", async () => {
    const { call, sent } = calling([broken, broken, broken]);
    let looked = 0;
    const result = await call({ lookUp: async () => ok(++looked === 3 ? { id: 7 } : undefined) });
    expect([result, sent()]).toEqual([ok({ id: 7 }), 3]);
  });
});

describe("a service", () => {
  const miss = (kind: "timeout" | "error", startedAt: number, server?: string) => ({
    kind,
    startedAt,
    ...(server === undefined ? {} : { server }),
  });

  it("is given up after two timeouts, and reports the lost time", () => {
    const clock = fakeClock();
    const warned: number[] = [];
    const health = openServiceHealth({ clock, warn: (lostMs) => warned.push(lostMs) });
    for (const started of [0, 15_000]) {
      clock.advance(15_000);
      health.missed(miss("timeout", started));
    }
    expect([health.isGivenUp, warned]).toEqual([true, [30_000]]);
  });

  it("is given up after a lost minute, even if it answered in between", () => {
    const clock = fakeClock();
    const health = openServiceHealth({ clock });
    for (let time = 0; time < 60_000; time += 15_000) {
      expect(health.isGivenUp).toBe(false);
      clock.advance(15_000);
      health.missed(miss("timeout", clock.monotonic() - 15_000));
      health.answered();
    }
    expect(health.isGivenUp).toBe(true);
  });

  it("is given up after one timeout of each of two servers", () => {
    const health = openServiceHealth({ clock: fakeClock() });
    for (const server of [undefined, "results"]) health.missed(miss("timeout", 0, server));
    expect(health.isGivenUp).toBe(true);
  });

  it("is used again after an answer", () => {
    const clock = fakeClock();
    const health = openServiceHealth({ clock });
    health.missed(miss("timeout", 0));
    health.answered();
    health.missed(miss("timeout", 0));
    expect(health.isGivenUp).toBe(false);
  });

  it("is given up for errors only if they last", () => {
    const clock = fakeClock();
    const health = openServiceHealth({ clock });
    for (const _ of [1, 2, 3, 4]) health.missed(miss("error", clock.monotonic()));
    expect(health.isGivenUp).toBe(false);
    clock.advance(5000);
    health.missed(miss("error", clock.monotonic()));
    expect(health.isGivenUp).toBe(true);
  });

  it("is not given up for errors with minutes between them", () => {
    const clock = fakeClock();
    const health = openServiceHealth({ clock });
    for (const _ of [1, 2, 3, 4]) {
      health.missed(miss("error", clock.monotonic()));
      clock.advance(120_000);
    }
    expect(health.isGivenUp).toBe(false);
  });

  it("is given up if one of its servers does not answer, while another one does", () => {
    const health = openServiceHealth({ clock: fakeClock() });
    health.missed(miss("timeout", 0, "blobs"));
    health.answered("results");
    health.missed(miss("timeout", 0, "blobs"));
    expect(health.isGivenUp).toBe(true);
  });

  it("has the same record in `post` as at the end of `main`", async () => {
    const clock = fakeClock();
    let record: Parameters<typeof openServiceHealth>[0]["record"];
    const main = openServiceHealth({ clock, note: (changed) => (record = changed) });
    main.missed(miss("timeout", 0));
    main.pause(10_000);
    const warned: number[] = [];
    const post = openServiceHealth({ clock, ...(record === undefined ? {} : { record }), warn: (lostMs) => warned.push(lostMs) });
    expect(await post.ready()).toBe(true);
    expect(clock.waits).toEqual([10_000]);
    post.missed(miss("timeout", clock.monotonic()));
    expect([post.isGivenUp, warned.length]).toEqual([true, 1]);
  });
});
