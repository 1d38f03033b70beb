/**
 * Runs one step of an agent on a mock model, in a network in which everything but this machine is a device that leads nowhere and counts: what was sent to it, was
 * for somebody else. Takes a project and the model's answers as JSON, and prints what came of it.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { LLMock } from "@copilotkit/aimock";

const { root, cli, manifest, env, toolCalls } = JSON.parse(readFileSync(0, "utf8"));

const mock = new LLMock({ port: 0 });
await mock.start();
mock.on({ hasToolResult: false }, { toolCalls });
mock.on({ hasToolResult: true }, { content: "Done." });
writeFileSync(path.join(root, "wave.yaml"), manifest.replaceAll("MODEL", mock.url));

const child = spawn(process.execPath, [cli, "run"], { cwd: root, env, stdio: ["ignore", "ignore", "pipe"] });
let stderr = "";
child.stderr.on("data", (chunk) => {
  stderr += chunk;
});
const code = await new Promise((resolve) => child.on("close", resolve));
const requests = mock.getRequests().length;
await mock.stop();

/** Bytes that were sent through the device: the ninth number behind its name. */
const counted = /nowhere:\s*(?:\d+\s+){8}(\d+)/.exec(readFileSync("/proc/net/dev", "utf8"));
console.log(JSON.stringify({ code, stderr, requests, elsewhere: Number(counted?.[1]) }));
