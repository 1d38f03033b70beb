/** A repository over HTTP as GitHub serves it: git's own CGI program behind a server of Node's. */
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import path from "node:path";

export interface GitServer {
  /** The server's address; the repository is at `URL/octo/demo`. */
  readonly url: string;
  /** Method and path of each request, in their order. */
  readonly requests: string[];
  /** The status of every answer, instead of the repository's own; `hang` for no answer at all. */
  refuseWith?: number | "hang";
  /** Resolves with the first request. */
  readonly asked: Promise<void>;
  close(): Promise<void>;
}

/** Serves a bare repository, for fetches only. */
export async function startGitServer(directory: string): Promise<GitServer> {
  const requests: string[] = [];
  let wasAsked = () => {};
  const asked = new Promise<void>((resolve) => {
    wasAsked = resolve;
  });
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    wasAsked();
    const { refuseWith } = served;
    if (refuseWith === "hang") return;
    if (refuseWith === undefined) answer(directory, request, response);
    else response.writeHead(refuseWith).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const served: GitServer = {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    requests,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return served;
}

function answer(directory: string, request: IncomingMessage, response: ServerResponse): void {
  const [place = "", query = ""] = (request.url ?? "").split("?");
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: path.dirname(directory),
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: place.replace("/octo/demo", `/${path.basename(directory)}`),
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  request.pipe(backend.stdin);
  const chunks: Buffer[] = [];
  backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  backend.on("close", () => {
    const bytes = Buffer.concat(chunks);
    const end = bytes.indexOf("\r\n\r\n");
    const headers = bytes.subarray(0, end).toString("latin1").split("\r\n");
    const pairs = headers.map((line) => line.split(": ", 2) as [string, string]);
    const status = pairs.find(([name]) => name === "Status")?.[1];
    response.writeHead(
      status === undefined ? 200 : Number.parseInt(status, 10),
      Object.fromEntries(pairs.filter(([name]) => name !== "Status")),
    );
    response.end(bytes.subarray(end + 4));
  });
}
