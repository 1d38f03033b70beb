/** The loop between a model and its tools, on the AI SDK. Loaded on first use: the SDK is large. */
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  generateText,
  jsonSchema,
  type LanguageModel,
  type LanguageModelUsage,
  Output,
  RetryError,
  stepCountIs,
  tool,
} from "ai";
import { defined } from "../../core/defined.ts";
import type { Denial, Failure } from "../../core/failure.ts";
import type { AdapterContext, AdapterOutcome } from "../../core/ports.ts";
import { priced } from "../../core/price.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { fetchByProxy } from "../../platform/fetch-by-proxy.ts";
import { counted } from "../../text/quantity.ts";
import { retryAfterOf } from "../../text/retry-after.ts";
import type { AgentEnvironment } from "../agent-program.ts";
import { emptyAnswerReason, errorKind, overBudget } from "../budget.ts";
import { expectedSchema } from "./output-schema.ts";
import { toolDefinitions } from "./tool-definitions.ts";
import { apiTools } from "./tools.ts";

/** The model API that a step calls. */
export interface ApiProvider {
  readonly protocol: "anthropic" | "openai";
  /** The model's name in the API. */
  readonly model: string;
  readonly baseUrl: string;
  /** The variable that holds the key. */
  readonly key: string;
}

/** Default limit of turns per attempt. */
const stepCap = 50;

/** Retries per request, after `Retry-After` if the API sends it. Later failures retry the whole attempt. */
const maxRetries = 1;

// The SDK would print warnings about unsupported settings to the console.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

interface Progress {
  usage: Usage;
  denied: readonly Denial[];
  over?: Failure;
}

/** `environment` is Wave's own, for proxies. Fails with `agent-failed`, `budget-exceeded`, `empty-output`, `timeout` and `cancelled`. */
export async function runLoop(
  context: AdapterContext,
  provider: ApiProvider,
  environment: AgentEnvironment,
): Promise<Result<AdapterOutcome>> {
  const { step, prompt, signal, log, files } = context;
  const { resources } = step;
  const fetch = await fetchByProxy(environment);
  if (!fetch.ok) return err({ reason: "agent-failed", kind: "config", detail: fetch.error, tail: "" });
  const progress: Progress = { usage: noUsage, denied: [] };
  const stop = new AbortController();
  const clock = AbortSignal.timeout(resources.timeoutMs);
  const { system, task } = partsOf(step.persona.systemPrompt, prompt);
  const schema = expectedSchema(step, files);
  try {
    const answer = await generateText({
      model: modelOf(provider, context, fetch.value),
      ...(system === "" ? {} : { system }),
      prompt: task,
      tools: toolsOf(context, progress),
      stopWhen: stepCountIs(resources.maxTurns ?? stepCap),
      ...(schema === undefined ? {} : { output: Output.object({ schema: jsonSchema(schema) }) }),
      maxRetries,
      abortSignal: AbortSignal.any([signal, stop.signal, clock]),
      onStepFinish({ text, usage }) {
        if (text.trim() !== "") log.write(Buffer.from(`${text}\n`), "stdout");
        progress.usage = priced(added(progress.usage, usage), step.adapter?.price);
        context.onUsage?.(progress.usage);
        const over = overBudget(progress.usage, resources);
        if (over === undefined) return;
        progress.over ??= over;
        stop.abort("over");
      },
    });
    if (progress.over !== undefined) return err(progress.over);
    if (answer.finishReason === "tool-calls") return err(turnLimitFailure(resources.maxTurns, progress.usage));
    const detail = emptyAnswerReason(answer.text, progress.usage, prompt, progress.denied);
    if (detail !== undefined) return err({ reason: "empty-output", detail });
    return ok(answer.text.trim() === "" ? {} : { finalMessage: answer.text });
  } catch (error) {
    if (signal.aborted) return err({ reason: "cancelled", by: String(signal.reason) });
    if (progress.over !== undefined) return err(progress.over);
    if (clock.aborted) return err({ reason: "timeout", limitMs: resources.timeoutMs, tail: log.tail() });
    return err(failureOf(error, log.tail()));
  }
}

/** Splits the prompt: the persona's text becomes the system message, the rest the user message. */
function partsOf(systemPrompt: string, prompt: string): { readonly system: string; readonly task: string } {
  const system = systemPrompt.trim();
  return system !== "" && prompt.startsWith(`${system}\n`)
    ? { system, task: prompt.slice(system.length).trim() }
    : { system: "", task: prompt };
}

function modelOf({ protocol, model, baseUrl, key }: ApiProvider, { env }: AdapterContext, fetch: typeof globalThis.fetch): LanguageModel {
  const apiKey = env[key] ?? "";
  if (protocol === "anthropic") return createAnthropic({ apiKey, fetch, baseURL: baseUrl }).languageModel(model);
  const provider = createOpenAICompatible({
    name: "openai",
    apiKey,
    fetch,
    baseURL: baseUrl,
    supportsStructuredOutputs: true,
    includeUsage: true,
  });
  return provider.languageModel(model);
}

function toolsOf({ step, workspace, log }: AdapterContext, progress: Progress) {
  const tools = toolDefinitions(apiTools(step, workspace)).map(({ name, description, properties, optional, call }) => {
    const inputSchema = jsonSchema<Record<string, unknown>>({
      type: "object",
      properties: { ...properties },
      required: Object.keys(properties).filter((key) => !optional.includes(key)),
      additionalProperties: false,
    });
    const execute = async (args: Record<string, unknown>) => {
      log.write(Buffer.from(`→ ${name} ${JSON.stringify(args).slice(0, 300)}\n`), "stdout");
      const answer = await call(args);
      const { toolCalls, denials } = progress.usage;
      progress.usage = { ...progress.usage, toolCalls: toolCalls + 1, denials: denials + (answer.denied === undefined ? 0 : 1) };
      if (answer.denied !== undefined) {
        progress.denied = [...progress.denied, { ...answer.denied, access: callText(name, args) }];
        log.write(Buffer.from(`← ${answer.text}\n`), "stdout");
      }
      return answer.text;
    };
    return [name, tool({ description, inputSchema, execute })] as const;
  });
  return Object.fromEntries(tools);
}

/** The tool's name and its first text argument, at most 120 characters. */
function callText(name: string, args: Record<string, unknown>): string {
  const file = Object.values(args).find((value) => typeof value === "string");
  return file === undefined ? name : `${name} ${file.slice(0, 120)}`;
}

/** Adds one turn. The API counts cached tokens as input too. */
function added(before: Usage, { inputTokens = 0, outputTokens = 0, inputTokenDetails }: LanguageModelUsage): Usage {
  const { cacheReadTokens = 0, cacheWriteTokens = 0 } = inputTokenDetails;
  return {
    ...before,
    turns: before.turns + 1,
    inputTokens: before.inputTokens + Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens),
    outputTokens: before.outputTokens + outputTokens,
    cacheReadTokens: before.cacheReadTokens + cacheReadTokens,
    cacheWriteTokens: before.cacheWriteTokens + cacheWriteTokens,
  };
}

/** The failure of a model that still called tools at the turn limit. */
function turnLimitFailure(maxTurns: number | undefined, { turns }: Usage): Failure {
  return maxTurns === undefined
    ? { reason: "empty-output", detail: `the model called tools for ${counted(turns, "turn")} without a final answer` }
    : { reason: "budget-exceeded", what: "turns", limit: maxTurns, used: turns };
}

function failureOf(error: unknown, tail: string): Failure {
  const last = RetryError.isInstance(error) ? error.lastError : error;
  const text = last instanceof Error ? last.message : String(last);
  const status = APICallError.isInstance(last) ? last.statusCode : undefined;
  const retryAfterMs = APICallError.isInstance(last) ? retryAfterOf(last.responseHeaders ?? {}, Date.now()) : undefined;
  const cause = last instanceof Error && last.cause instanceof Error ? `: ${last.cause.message}` : "";
  return {
    reason: "agent-failed",
    kind: errorKind(status, `${text}${cause}`),
    detail: `${text}${cause}`.trim().slice(0, 500),
    ...defined({ status, retryAfterMs }),
    tail,
  };
}
