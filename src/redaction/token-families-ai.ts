/**
 * Keys of model providers and related services. Prefixes, characters and lengths are from the vendors' documentation, else from the rules
 * of gitleaks and the detectors of TruffleHog. Pure data.
 */
import type { TokenFamily } from "./token-family.ts";

export const aiFamilies: readonly TokenFamily[] = [
  // api03 and admin01 with 95 more characters, oat01 and ort01 with 40 or more.
  { kind: "anthropic-key", prefixes: ["sk-ant-"], characters: "dashed", length: [24, 255], body: /[0-9]/ },
  // langfuse.com/docs: a UUID.
  { kind: "langfuse-key", prefixes: ["sk-lf-"], characters: "dashed", length: 36, body: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ },
  // OpenAI has T3BlbkFJ in the middle. DeepSeek, OpenRouter and LiteLLM use 32 or more random letters and digits.
  {
    kind: "openai-key",
    prefixes: ["sk-"],
    characters: "dashed",
    length: [24, 255],
    body: /^(?!ant-|lf-)(?:.*T3BlbkFJ|(?:.*[-_])?(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{24})/,
  },
  // huggingface.co/docs/hub/security-tokens: 34 letters. Camel-case names have fewer capitals.
  {
    kind: "huggingface-token",
    prefixes: ["hf_", "api_org_"],
    length: [34, 40],
    body: /^(?=.*[a-z])(?:[a-z]*[A-Z0-9]){7}[A-Za-z0-9]*$/,
  },
  { kind: "perplexity-key", prefixes: ["pplx-"], length: 48, body: /^[A-Za-z0-9]+$/ },
  { kind: "groq-key", prefixes: ["gsk_"], length: 52, body: /^[A-Za-z0-9]+$/ },
  { kind: "xai-key", prefixes: ["xai-"], length: 80 },
  { kind: "replicate-token", prefixes: ["r8_"], characters: "dashed", length: 37 },
  { kind: "pinecone-key", prefixes: ["pcsk_"], length: [60, 80], body: /^[A-Za-z0-9]{4,8}_[A-Za-z0-9]{50,70}$/ },
  { kind: "langsmith-key", prefixes: ["lsv2_pt_", "lsv2_sk_"], length: 43, body: /^[0-9a-f]{32}_[0-9a-f]{10}$/ },
  { kind: "nvidia-key", prefixes: ["nvapi-"], characters: "dashed", length: [60, 80] },
  { kind: "elevenlabs-key", prefixes: ["sk_"], length: 48, body: /^[0-9a-f]+$/ },
  { kind: "tavily-key", prefixes: ["tvly-"], characters: "dashed", length: [32, 64] },
  { kind: "together-key", prefixes: ["tgp_v1_"], characters: "dashed", length: 43 },
  { kind: "jina-key", prefixes: ["jina_"], length: [50, 80] },
  { kind: "cerebras-key", prefixes: ["csk-"], length: 48, body: /^[a-z0-9]+$/ },
  { kind: "llamacloud-key", prefixes: ["llx-"], length: 48, body: /^[A-Za-z0-9]+$/ },
  { kind: "e2b-key", prefixes: ["e2b_"], length: 40, body: /^[0-9a-f]+$/ },
  { kind: "firecrawl-key", prefixes: ["fc-"], length: 32, body: /^[0-9a-f]+$/ },
];
