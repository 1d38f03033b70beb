/**
 * Runs in the network of a sandboxed child: listens on loopback, forwards every connection to the socket of Wave's proxy, and runs the
 * command with the proxy variables set. Exits with the status of the command.
 *
 *     node bridge.js SOCKET -- COMMAND ARGUMENT...
 */
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { constants } from "node:os";

const [socket = "", , command = "", ...args] = process.argv.slice(2);
const server = createServer((inner) => {
  const outer = connect(socket);
  for (const [from, to] of [
    [inner, outer],
    [outer, inner],
  ] as const) {
    from.on("error", () => to.destroy());
    from.pipe(to);
  }
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const proxy = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"].map((name) => [name, proxy]);
  const { NO_PROXY: own = "localhost,127.0.0.1,::1" } = process.env;
  const local = { NO_PROXY: own, no_proxy: own, NODE_USE_ENV_PROXY: "1" };
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...Object.fromEntries(proxies), ...local } });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(127);
  });
  child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
});
