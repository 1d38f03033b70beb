/**
 * Connects a sandboxed child to the network proxy: a small program in the sandbox listens on loopback and forwards to the
 * proxy's socket.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ChildRequest } from "../platform/child-process.ts";
import type { SandboxView } from "./view.ts";

const targets = { socket: "/wave/proxy.sock", bridge: "/wave/bridge.mjs" } as const;

/** Adds the socket and the bridge to the view, and runs the command behind the bridge. */
export function bridged(view: SandboxView, socket: string, child: Pick<ChildRequest, "command" | "env">) {
  const args = typeof child.command === "string" ? ["/bin/sh", "-c", child.command] : child.command;
  return {
    view: {
      ...view,
      binds: [
        ...view.binds,
        { source: socket, target: targets.socket, writable: false, isFile: true },
        { source: bridgeFile(), target: targets.bridge, writable: false, isFile: true },
      ],
    },
    command: [process.execPath, targets.bridge, targets.socket, "--", ...args],
    env: child.env,
  };
}

/** Next to the bundle; when running from source, in `dist/`. */
function bridgeFile(): string {
  const built = fileURLToPath(new URL("./bridge.js", import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL("../../dist/bridge.js", import.meta.url));
}
