/** Creates, updates and lists check runs. https://docs.github.com/en/rest/checks/runs */
import { defined } from "../../core/defined.ts";
import type { CheckOutput, GitHub, ListedCheck, NewCheck } from "../../core/github.ts";
import { ok, type Result } from "../../core/result.ts";
import { type Api, type Data, pages } from "./api.ts";

const list = "GET /repos/{owner}/{repo}/commits/{ref}/check-runs";
const one = "/repos/{owner}/{repo}/check-runs/{check_run_id}";
type CheckRun = Data<`GET ${typeof one}`>;

export function checkCalls(api: Api): Pick<GitHub, "createCheck" | "updateCheck" | "listChecks"> {
  const listed = (ref: string, name: string) =>
    pages<CheckRun>(async (page) => {
      const read = await api("read check runs", list, { ref, check_name: name, filter: "all", ...page });
      return read.ok ? ok(read.value.check_runs) : read;
    });
  /** The number of annotations that this client wrote, by check run. */
  const annotations = new Map<number, number>();
  /** Checks that may have been created, by name and external id: there was no answer, and the look-up failed. */
  const uncertain = new Set<string>();
  const update: GitHub["updateCheck"] = async (id, { conclusion, output }) => {
    const added = output?.annotations?.length ?? 0;
    const before = annotations.get(id) ?? 0;
    const lookUp = async (): Promise<Result<CheckRun | undefined>> => {
      if (added === 0) return ok(undefined);
      const found = await api("read a check run", `GET ${one}`, { check_run_id: id });
      return found.ok ? ok(found.value.output.annotations_count >= before + added ? found.value : undefined) : found;
    };
    const body = {
      ...(conclusion === undefined ? {} : { status: "completed" as const, conclusion }),
      ...(output === undefined ? {} : { output: outputBody(output) }),
    };
    const made = await api("write a check run", `PATCH ${one}`, { check_run_id: id, ...body }, lookUp);
    if (!made.ok) return made;
    annotations.set(id, before + added);
    return ok(undefined);
  };
  return {
    async createCheck(check) {
      const find = async (which: (run: CheckRun) => boolean): Promise<Result<CheckRun | undefined>> => {
        const found = await listed(check.headSha, check.name);
        return found.ok ? ok(newest(found.value.filter((run) => isSame(run, check) && which(run)))) : found;
      };
      const key = `${check.name}\n${check.externalId}`;
      // An earlier call may have created the check in another state.
      const before = uncertain.has(key) ? await find(() => true) : ok(undefined);
      if (!before.ok) return before;
      if (before.value !== undefined) {
        const id = Number(before.value.id);
        uncertain.delete(key);
        const isDone = before.value.conclusion === (check.conclusion ?? null);
        const updated = isDone ? ok(undefined) : await update(id, check);
        return updated.ok ? ok({ id }) : updated;
      }
      const isNew = (run: CheckRun) => run.conclusion === (check.conclusion ?? null) && !annotations.has(Number(run.id));
      const made = await api("write a check run", "POST /repos/{owner}/{repo}/check-runs", checkBody(check), () => find(isNew));
      if (made.ok) uncertain.delete(key);
      else if (made.error.reason === "github-failed" && made.error.unanswered === true) uncertain.add(key);
      if (!made.ok) return made;
      const id = Number(made.value.id);
      annotations.set(id, check.output.annotations?.length ?? 0);
      return ok({ id });
    },
    updateCheck: update,
    async listChecks(ref, name) {
      const found = await listed(ref, name);
      return found.ok ? ok(found.value.map(listedOf)) : found;
    },
  };
}

function listedOf({ id, external_id: externalId, details_url: detailsUrl, status }: CheckRun): ListedCheck {
  return { id: Number(id), externalId: externalId ?? "", detailsUrl: detailsUrl ?? "", isCompleted: status === "completed" };
}

/** Whether a check run is for the same job, attempt, step and contract, which name and external id identify. */
function isSame(run: CheckRun, { name, externalId }: NewCheck): boolean {
  return run.name === name && run.external_id === externalId;
}

function newest(runs: readonly CheckRun[]): CheckRun | undefined {
  return runs.toSorted((a, b) => Number(b.id) - Number(a.id))[0];
}

function checkBody({ name, headSha, externalId, detailsUrl, conclusion, output }: NewCheck) {
  const state = conclusion === undefined ? { status: "in_progress" as const } : { status: "completed" as const, conclusion };
  return { name, head_sha: headSha, external_id: externalId, details_url: detailsUrl, ...state, output: outputBody(output) };
}

function outputBody({ title, summary, text, annotations = [] }: CheckOutput) {
  return {
    title,
    summary,
    ...defined({ text }),
    annotations: annotations.map(({ path, startLine, endLine, startColumn, endColumn, level, title: about, message }) => ({
      path,
      start_line: startLine,
      end_line: endLine,
      annotation_level: level,
      message,
      ...(startColumn === undefined || endColumn === undefined ? {} : { start_column: startColumn, end_column: endColumn }),
      ...defined({ title: about }),
    })),
  };
}
