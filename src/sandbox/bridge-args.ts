/** The way from a fenced child to the network proxy: a small program inside that listens on loopback and leads to the proxy's socket. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ChildRequest } from "../platform/child-process.ts";
import type { SandboxView } from "./view.ts";

const places = { socket: "/wave/proxy.sock", bridge: "/wave/bridge.mjs" } as const;

/** The view with the socket and the bridge in it, and the command behind the bridge. */
export function bridged(view: SandboxView, socket: string, child: Pick<ChildRequest, "command" | "env">) {
  const args = typeof child.command === "string" ? ["/bin/sh", "-c", child.command] : child.command;
  return {
    view: {
      ...view,
      binds: [
        ...view.binds,
        { source: socket, target: places.socket, writable: false, isFile: true },
        { source: bridgeFile(), target: places.bridge, writable: false, isFile: true },
      ],
    },
    command: [process.execPath, places.bridge, places.socket, "--", ...args],
    env: child.env,
  };
}

/** Beside the bundle; in the sources where there is none. */
function bridgeFile(): string {
  const built = fileURLToPath(new URL("./bridge.js", import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL("../../dist/bridge.js", import.meta.url));
}
