/**
 * GitHub's REST API as far as wave calls it: a stateful server on GitHub's own description, which validates every request and every answer. What the
 * description does not say (limits, what a conclusion needs, which lines a review may name) it enforces by itself. It fails as it is told to.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import type { Context, Document } from "openapi-backend";
import { OpenAPIBackend } from "openapi-backend";
import { type Answer, answers, type GitHubState, ourselves } from "./answers.ts";

export interface GitHubFault {
  /** `checks/create`, `pulls/create-review` …: the operation's id. */
  readonly operation: string;
  /** Defaults to 502. */
  readonly status?: number;
  /** No answer: the connection is closed at once, or after half of an answer, or stays open. */
  readonly answer?: "dropped" | "broken" | "never";
  /** The call is carried out all the same; the default is that it is not. */
  readonly carriesOut?: true;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Calls of the operation that go well before. */
  after?: number;
  /** How often; absent: always. */
  times?: number;
}

export interface GitHubServer {
  readonly url: string;
  readonly state: GitHubState;
  readonly faults: GitHubFault[];
  /** Operation and body, in the order of the calls; also of those that failed. */
  readonly requests: { readonly operation: string; readonly body: unknown }[];
  /** Requests and answers that the description does not allow. */
  readonly invalid: string[];
  /** Called with the operation and the number of its calls so far, before the state changes. The answer waits for what it returns. */
  hold?: ((operation: string, count: number) => Promise<void> | undefined) | undefined;
  close(): Promise<void>;
}

const description = JSON.parse(readFileSync(path.join(import.meta.dirname, "api.github.com.json"), "utf8")) as Document;

export async function startGitHub(changes: Partial<GitHubState> = {}): Promise<GitHubServer> {
  const state: GitHubState = {
    checks: [],
    comments: [],
    reviews: [],
    pulls: new Map(),
    permissions: {},
    workflowRuns: new Map(),
    caches: [],
    artifacts: [],
    account: ourselves,
    ...changes,
  };
  const faults: GitHubFault[] = [];
  const requests: GitHubServer["requests"] = [];
  const invalid: string[] = [];
  const api = new OpenAPIBackend({
    definition: description,
    quick: false,
    strict: false,
    ajvOpts: { strict: false, formats: formats() },
  });
  for (const [operation, answer] of Object.entries(answers)) api.register(operation, (context: Context) => answer(state, context));
  api.register("validationFail", (context: Context): Answer => {
    invalid.push(`${context.operation?.operationId}: ${JSON.stringify(context.validation.errors)}`);
    return { status: 422, body: { message: "Validation Failed" } };
  });
  api.register("notFound", (): Answer => ({ status: 404, body: { message: "Not Found" } }));
  await api.init();

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString("utf8");
    const [place = "", query = ""] = (request.url ?? "").split("?");
    const call = {
      method: request.method ?? "GET",
      path: place,
      query,
      headers: request.headers as Record<string, string>,
      body: text === "" ? undefined : JSON.parse(text),
    };
    // GraphQL is not part of the description.
    const operation = place === "/graphql" ? "graphql" : (api.router.matchOperation(call)?.operationId ?? "unknown");
    requests.push({ operation, body: call.body });
    await rig.hold?.(operation, requests.filter((one) => one.operation === operation).length);
    const viewer: Answer = { status: 200, body: { data: { viewer: { login: state.account } } } };
    const carryOut = async () => (operation === "graphql" ? viewer : ((await api.handleRequest(call)) as Answer));
    const fault = faultOf(faults, operation);
    if (fault?.carriesOut === true) await carryOut();
    if (fault?.answer === "never") return;
    if (fault?.answer === "dropped") return void request.socket.destroy();
    if (fault?.answer === "broken") {
      response.writeHead(201, { "content-type": "application/json; charset=utf-8", "content-length": "1000" });
      return void response.write('{ "id": ', () => request.socket.destroy());
    }
    const answer = fault === undefined ? await carryOut() : answerOf(fault);
    if (answer.status < 300 && operation !== "graphql") {
      const checked = api.validateResponse(answer.body, operation, answer.status);
      if (checked.errors) invalid.push(`answer of ${operation}: ${JSON.stringify(checked.errors).slice(0, 500)}`);
    }
    response.writeHead(answer.status, { "content-type": "application/json; charset=utf-8", ...answer.headers });
    response.end(answer.status === 204 ? undefined : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const rig: GitHubServer = {
    ...{ url, state, faults, requests, invalid },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return rig;
}

function faultOf(faults: readonly GitHubFault[], operation: string): GitHubFault | undefined {
  const fault = faults.find((one) => one.operation === operation && one.times !== 0);
  if (fault === undefined) return undefined;
  if (fault.after !== undefined && fault.after > 0) {
    fault.after -= 1;
    return undefined;
  }
  if (fault.times !== undefined) fault.times -= 1;
  return fault;
}

function answerOf({ status = 502, message = "as it was told", headers }: GitHubFault): Answer {
  return { status, body: { message }, ...(headers === undefined ? {} : { headers }) };
}

/** Formats of the description: they are taken for what they look like. */
function formats() {
  const any = () => true;
  return Object.fromEntries(
    ["uri", "date-time", "int64", "int32", "email", "repo.nwo", "timestamp", "ipv4", "uuid"].map((name) => [name, any]),
  );
}
