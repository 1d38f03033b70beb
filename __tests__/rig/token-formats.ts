/**
 * The formats of tokens, written from the vendors' documentation and public detectors, independently of the shapes in `src/`. A
 * format is a text with `{LENGTH:SET}` or `{MIN-MAX:SET}` for random characters; no token is in this file.
 */

export interface TokenFormats {
  /** Whose tokens these are. */
  readonly family: string;
  /** What is shown in place of one. */
  readonly kind: string;
  readonly formats: readonly string[];
}

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const lower = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";
const sets: Readonly<Record<string, string>> = {
  hex: "0123456789abcdef",
  HEX: "0123456789ABCDEF",
  num: digits,
  alnum: upper + lower + digits,
  alpha: upper + lower,
  lower: lower + digits,
  upper: upper + digits,
  base32: `${upper}234567`,
  url: `${upper}${lower}${digits}-_`,
  word: `${upper}${lower}${digits}_`,
  base64: `${upper}${lower}${digits}+/`,
  bech32: "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
};
const uuid = "{8:hex}-{4:hex}-{4:hex}-{4:hex}-{12:hex}";
const jwt = `${Buffer.from('{"alg":"RS256","typ":"JWT"}').toString("base64url")}.{200-360:url}.{86:url}`;
const base64Of = (text: string) => Buffer.from(text).toString("base64").replaceAll("=", "");

export const tokenFormats: readonly TokenFormats[] = [
  {
    family: "GitHub",
    kind: "github-token",
    formats: ["ghp_{36:alnum}", "gho_{36:alnum}", "ghu_{36:alnum}", "ghs_{36:alnum}", "ghr_{76:alnum}"],
  },
  { family: "GitHub, new installation tokens", kind: "github-token", formats: [`ghs_{6-8:num}_${jwt}`] },
  { family: "GitHub, fine-grained", kind: "github-token", formats: ["github_pat_{22:alnum}_{59:alnum}"] },
  {
    family: "GitLab",
    kind: "gitlab-token",
    formats: [
      ...["glpat-{20:url}", "glpat-{27-300:url}.{2:lower}{7:lower}", "gloas-{64:url}", "gldt-{20:url}", "glrt-{20:url}", "glrtr-{20:url}"],
      ...["glrt-t{1:num}_{27-300:url}.{2:lower}{7:lower}", "glcbt-{1-5:hex}_{20:url}", "glptt-{40:hex}", "glft-{20:url}", "glimt-{25:url}"],
      ...["glagent-{50:url}", "glwt-{20:url}", "glsoat-{20:url}", "glffct-{20:url}", "GR1348941{20:url}", "_gitlab_session={32:hex}"],
    ],
  },
  {
    family: "Atlassian",
    kind: "atlassian-token",
    formats: ["ATATT3xFfGF0{171:url}={8:HEX}", "ATCTT3xFfGN0{171:url}={8:HEX}", "ATBB{24:alnum}{8:HEX}"],
  },
  { family: "npm", kind: "npm-token", formats: ["npm_{36:alnum}"] },
  { family: "PyPI", kind: "pypi-token", formats: ["pypi-AgEIcHlwaS5vcmc{150-200:url}", "pypi-AgENdGVzdC5weXBpLm9yZw{150-200:url}"] },
  { family: "RubyGems", kind: "rubygems-token", formats: ["rubygems_{48:hex}"] },
  { family: "NuGet", kind: "nuget-key", formats: ["oy2{43:lower}"] },
  { family: "crates.io", kind: "crates-token", formats: ["cio{32:alnum}"] },
  { family: "Clojars", kind: "clojars-token", formats: ["CLOJARS_{60:hex}"] },
  { family: "Docker", kind: "docker-token", formats: ["dckr_pat_{27:url}", "dckr_oat_{32:url}"] },
  { family: "JFrog", kind: "jfrog-token", formats: ["AKCp{69:alnum}", "cmVmdGtu{56:alnum}"] },
  {
    family: "Vault",
    kind: "vault-token",
    formats: ["hvs.{90-120:url}", "hvs.{24:alnum}", "hvb.{138-300:url}", "VAULT_TOKEN=s.{24:alnum}"],
  },
  { family: "Terraform", kind: "terraform-token", formats: ["{14:alnum}.atlasv1.{67:alnum}"] },
  { family: "CircleCI", kind: "circleci-token", formats: ["CCIPAT_{22:alnum}_{40:hex}"] },
  { family: "Buildkite", kind: "buildkite-token", formats: ["bkua_{40:hex}"] },
  { family: "Sonar", kind: "sonar-token", formats: ["sqp_{40:hex}", "squ_{40:hex}", "sqa_{40:hex}"] },
  { family: "Sourcegraph", kind: "sourcegraph-token", formats: ["sgp_{40:hex}", "sgp_{16:hex}_{40:hex}", "sgp_local_{40:hex}"] },
  { family: "Pulumi", kind: "pulumi-token", formats: ["pul-{40:hex}"] },
  { family: "Prefect", kind: "prefect-token", formats: ["pnu_{36:alnum}"] },
  { family: "Infracost", kind: "infracost-key", formats: ["ico-{32:alnum}"] },
  { family: "Octopus Deploy", kind: "octopus-key", formats: ["API-{26:upper}"] },
  { family: "Netlify", kind: "netlify-token", formats: ["nfp_{36:alnum}"] },
  { family: "Fly.io", kind: "fly-token", formats: ["fo1_{43:url}", "fm2_{200:base64}", "fm1r_{120:base64}=="] },
  { family: "Heroku", kind: "heroku-key", formats: ["HRKU-AA{58:url}", `HEROKU_API_KEY=${uuid}`] },
  { family: "Supabase", kind: "supabase-key", formats: ["sbp_{40:hex}", "sb_secret_{22:url}_{8:url}"] },
  { family: "PlanetScale", kind: "planetscale-token", formats: ["pscale_tkn_{43:url}", "pscale_oauth_{43:url}", "pscale_pw_{43:url}"] },
  { family: "Doppler", kind: "doppler-token", formats: ["dp.pt.{43:alnum}", "dp.st.dev.{43:alnum}"] },
  { family: "OpenShift", kind: "openshift-token", formats: ["sha256~{43:url}"] },
  { family: "Tailscale", kind: "tailscale-key", formats: ["tskey-auth-{17:alnum}-{32:alnum}", "tskey-api-{17:alnum}-{32:alnum}"] },
  {
    family: "Anthropic",
    kind: "anthropic-key",
    formats: ["sk-ant-api03-{93:url}AA", "sk-ant-admin01-{93:url}AA", "sk-ant-oat01-{60:url}"],
  },
  {
    family: "OpenAI",
    kind: "openai-key",
    formats: ["sk-{20:alnum}T3BlbkFJ{20:alnum}", "sk-proj-{74:url}T3BlbkFJ{74:url}", "sk-svcacct-{58:url}T3BlbkFJ{58:url}"],
  },
  { family: "DeepSeek", kind: "openai-key", formats: ["sk-{32:hex}"] },
  { family: "OpenRouter", kind: "openai-key", formats: ["sk-or-v1-{64:hex}"] },
  { family: "Langfuse", kind: "langfuse-key", formats: [`sk-lf-${uuid}`] },
  { family: "Hugging Face", kind: "huggingface-token", formats: ["hf_{34:alpha}", "api_org_{34:alpha}"] },
  { family: "Perplexity", kind: "perplexity-key", formats: ["pplx-{48:alnum}"] },
  { family: "Groq", kind: "groq-key", formats: ["gsk_{52:alnum}"] },
  { family: "xAI", kind: "xai-key", formats: ["xai-{80:word}"] },
  { family: "Replicate", kind: "replicate-token", formats: ["r8_{37:alnum}"] },
  { family: "Pinecone", kind: "pinecone-key", formats: ["pcsk_{5-6:alnum}_{63:alnum}", `PINECONE_API_KEY=${uuid}`] },
  { family: "LangSmith", kind: "langsmith-key", formats: ["lsv2_pt_{32:hex}_{10:hex}", "lsv2_sk_{32:hex}_{10:hex}"] },
  { family: "NVIDIA", kind: "nvidia-key", formats: ["nvapi-{64:url}"] },
  { family: "ElevenLabs", kind: "elevenlabs-key", formats: ["sk_{48:hex}", "ELEVENLABS_API_KEY={32:hex}"] },
  { family: "Tavily", kind: "tavily-key", formats: ["tvly-{32:alnum}", "tvly-dev-{32:alnum}"] },
  { family: "Together", kind: "together-key", formats: ["tgp_v1_{43:url}", "TOGETHER_API_KEY={64:hex}"] },
  { family: "Jina", kind: "jina-key", formats: ["jina_{32:hex}{28:word}"] },
  { family: "Cerebras", kind: "cerebras-key", formats: ["csk-{48:lower}"] },
  { family: "LlamaCloud", kind: "llamacloud-key", formats: ["llx-{48:alnum}"] },
  { family: "E2B", kind: "e2b-key", formats: ["e2b_{40:hex}"] },
  { family: "Firecrawl", kind: "firecrawl-key", formats: ["fc-{32:hex}"] },
  { family: "Cohere", kind: "cohere-key", formats: ["CO_API_KEY={40:alnum}", 'COHERE_API_KEY: "{40:alnum}"'] },
  { family: "Mistral", kind: "mistral-key", formats: ["MISTRAL_API_KEY={32:alnum}", '"MISTRAL_API_KEY": "{32:alnum}"'] },
  { family: "Fireworks", kind: "fireworks-key", formats: ["FIREWORKS_API_KEY=fw_{24:alnum}"] },
  { family: "Voyage", kind: "voyage-key", formats: ["VOYAGE_API_KEY=pa-{43:url}"] },
  { family: "Weights & Biases", kind: "wandb-key", formats: ["WANDB_API_KEY={40:hex}"] },
  {
    family: "AWS, ids of keys",
    kind: "aws-access-key",
    formats: ["AKIA{16:base32}", "ASIA{16:base32}", "ABIA{16:base32}", "ACCA{16:base32}"],
  },
  {
    family: "AWS, secret keys",
    kind: "aws-secret-key",
    formats: ["AWS_SECRET_ACCESS_KEY={40:base64}", 'aws_secret_access_key = "{40:base64}"', '"SecretAccessKey": "{40:base64}"'],
  },
  {
    family: "AWS Bedrock",
    kind: "aws-bedrock-key",
    formats: ["ABSK{110-260:base64}", `bedrock-api-key-${base64Of("bedrock.amazonaws.com/?Action=CallWithBearerToken")}{300:base64}`],
  },
  { family: "Azure, client secrets", kind: "azure-client-secret", formats: ["{3:alnum}{1:num}Q~{31-34:alnum}"] },
  { family: "Azure, storage", kind: "azure-storage-key", formats: ["AccountKey={86:base64}=="] },
  { family: "Azure OpenAI", kind: "azure-openai-key", formats: ["AZURE_OPENAI_API_KEY={32:hex}", "AZURE_OPENAI_API_KEY={84:alnum}"] },
  { family: "Google, API keys", kind: "google-api-key", formats: ["AIza{35:url}"] },
  { family: "Google, OAuth", kind: "google-oauth-secret", formats: ["GOCSPX-{28:url}"] },
  { family: "Google, access tokens", kind: "google-oauth-token", formats: ["ya29.{150-200:url}"] },
  { family: "DigitalOcean", kind: "digitalocean-token", formats: ["dop_v1_{64:hex}", "doo_v1_{64:hex}", "dor_v1_{64:hex}"] },
  { family: "Databricks", kind: "databricks-token", formats: ["dapi{32:hex}", "dapi{32:hex}-{1:num}"] },
  {
    family: "Cloudflare",
    kind: "cloudflare-token",
    formats: [
      "cfut_{40:alnum}{8:hex}",
      "cfat_{40:alnum}{8:hex}",
      "cfk_{40:alnum}{8:hex}",
      "v1.0-{24:hex}-{146:hex}",
      "CLOUDFLARE_API_TOKEN={40:url}",
      "CLOUDFLARE_API_KEY={37:hex}",
    ],
  },
  { family: "Alibaba", kind: "alibaba-access-key", formats: ["LTAI{20:alnum}"] },
  { family: "Grafana", kind: "grafana-token", formats: ["glc_{100-300:base64}=", "glsa_{32:alnum}_{8:hex}", "eyJrIjoi{70-120:alnum}"] },
  { family: "Dynatrace", kind: "dynatrace-token", formats: ["dt0c01.{24:base32}.{64:base32}"] },
  {
    family: "Sentry",
    kind: "sentry-token",
    formats: [`sntrys_${base64Of('{"iat":1700000000.1,"url":"https://sentry.io"')}{60-90:alnum}_{43:alnum}`, "sntryu_{64:hex}"],
  },
  { family: "New Relic", kind: "newrelic-key", formats: ["NRAK-{27:upper}"] },
  { family: "Datadog", kind: "datadog-key", formats: ["DD_API_KEY={32:hex}", "DD_APP_KEY={40:hex}"] },
  { family: "Postman", kind: "postman-key", formats: ["PMAK-{24:hex}-{34:hex}"] },
  {
    family: "Stripe",
    kind: "stripe-key",
    formats: [
      "sk_live_{24:alnum}",
      "sk_test_{99:alnum}",
      "rk_live_{24-99:alnum}",
      "rk_test_{24:alnum}",
      "sk_prod_{24:alnum}",
      "whsec_{32:alnum}",
    ],
  },
  { family: "Square", kind: "square-token", formats: ["sq0atp-{22:url}", "sq0csp-{43:url}"] },
  { family: "SendGrid", kind: "sendgrid-key", formats: ["SG.{22:url}.{43:url}"] },
  { family: "Brevo", kind: "brevo-key", formats: ["xkeysib-{64:hex}-{16:alnum}"] },
  { family: "Mailgun", kind: "mailgun-key", formats: ["key-{32:hex}"] },
  { family: "Resend", kind: "resend-key", formats: ["re_{8:alnum}_{24:alnum}"] },
  { family: "Twilio", kind: "twilio-key", formats: ["SK{32:hex}", "TWILIO_AUTH_TOKEN={32:hex}"] },
  { family: "Linear", kind: "linear-key", formats: ["lin_api_{40:alnum}", "lin_oauth_{64:hex}"] },
  { family: "Notion", kind: "notion-token", formats: ["ntn_{11:num}{35:alnum}", "secret_{43:alnum}"] },
  { family: "Shopify", kind: "shopify-token", formats: ["shpat_{32:hex}", "shpca_{32:hex}", "shppa_{32:hex}", "shpss_{32:hex}"] },
  { family: "HubSpot", kind: "hubspot-token", formats: [`pat-na1-${uuid}`, `pat-eu1-${uuid}`] },
  { family: "Contentful", kind: "contentful-token", formats: ["CFPAT-{43:url}"] },
  { family: "Figma", kind: "figma-token", formats: ["figd_{40:url}"] },
  { family: "Mapbox", kind: "mapbox-token", formats: ["sk.eyJ{80:alnum}.{22:url}"] },
  {
    family: "Slack",
    kind: "slack-token",
    formats: [
      ...["xoxb-{12:num}-{13:num}-{24:alnum}", "xoxp-{12:num}-{12:num}-{13:num}-{32:hex}", "xoxa-2-{12:num}-{12:num}-{12:num}-{32:hex}"],
      ...[
        "xapp-1-A{10:upper}-{13:num}-{64:hex}",
        "xoxe.xoxp-1-{163:upper}",
        "xoxe-1-{146:upper}",
        "xoxs-{11:num}-{11:num}-{11:num}-{10:hex}",
      ],
    ],
  },
  {
    family: "Slack, URLs of webhooks",
    kind: "slack-webhook",
    formats: [
      "hooks.slack.com/services/T{10:upper}/B{10:upper}/{24:alnum}",
      "hooks.slack.com/workflows/T{10:upper}/A{10:upper}/{18:num}/{24:alnum}",
      "hooks.slack.com/triggers/T{10:upper}/{13:num}/{32:hex}",
    ],
  },
  { family: "Discord, URLs of webhooks", kind: "discord-webhook", formats: ["discord.com/api/webhooks/{19:num}/{68:url}"] },
  { family: "Adobe", kind: "adobe-secret", formats: ["p8e-{32:alnum}"] },
  { family: "ClickHouse", kind: "clickhouse-key", formats: ["4b1d{38:alnum}"] },
  { family: "Duffel", kind: "duffel-token", formats: ["duffel_live_{43:url}", "duffel_test_{43:url}"] },
  { family: "EasyPost", kind: "easypost-key", formats: ["EZAK{54:alnum}", "EZTK{54:alnum}"] },
  { family: "Flutterwave", kind: "flutterwave-key", formats: ["FLWSECK_TEST-{32:hex}-X", "FLWSECK-{32:hex}-X"] },
  { family: "Frame.io", kind: "frameio-token", formats: ["fio-u-{64:url}"] },
  { family: "ReadMe", kind: "readme-key", formats: ["rdme_{70:lower}"] },
  { family: "Shippo", kind: "shippo-token", formats: ["shippo_live_{40:hex}", "shippo_test_{40:hex}"] },
  { family: "Facebook", kind: "facebook-token", formats: ["EAAM{100-180:alnum}", "EAAC{100-180:alnum}"] },
  { family: "Scalingo", kind: "scalingo-token", formats: ["tk-us-{48:url}"] },
  { family: "Telegram", kind: "telegram-token", formats: ["{10:num}:AA{33:url}"] },
  { family: "1Password", kind: "1password-token", formats: ["ops_eyJ{250-600:base64}"] },
  {
    family: "1Password, secret keys",
    kind: "1password-secret-key",
    formats: ["A3-{6:upper}-{6:upper}-{5:upper}-{5:upper}-{5:upper}-{5:upper}", "A3-{6:upper}-{11:upper}-{5:upper}-{5:upper}-{5:upper}"],
  },
  { family: "age", kind: "age-secret-key", formats: ["AGE-SECRET-KEY-1{58:bech32}"] },
  { family: "Snyk", kind: "snyk-token", formats: [`SNYK_TOKEN=${uuid}`] },
  { family: "Codecov", kind: "codecov-token", formats: [`CODECOV_TOKEN=${uuid}`] },
  { family: "JSON Web Tokens", kind: "jwt", formats: [jwt] },
];

/** A token of a format. `random` returns numbers from 0 to below 1. */
export function tokenOf(format: string, random: () => number): string {
  return format.replace(/\{([0-9]+)(?:-([0-9]+))?:([A-Za-z0-9]+)\}/g, (_, min: string, max: string | undefined, name: string) => {
    const set = sets[name];
    if (set === undefined) throw new Error(`no such set: ${name}`);
    const length = Number(min) + Math.floor(random() * (Number(max ?? min) - Number(min) + 1));
    return Array.from({ length }, () => set[Math.floor(random() * set.length)]).join("");
  });
}
