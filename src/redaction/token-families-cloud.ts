/**
 * Keys of clouds, and of services for applications and operators. Prefixes, characters and lengths are from the vendors' documentation,
 * else from the rules of gitleaks and the detectors of TruffleHog. Pure data.
 */
import type { TokenFamily } from "./token-family.ts";

const slackPaths = ["services", "workflows", "triggers"];

export const cloudFamilies: readonly TokenFamily[] = [
  // docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html. AWS's examples end in EXAMPLE.
  { kind: "aws-access-key", prefixes: ["AKIA", "ASIA", "ABIA", "ACCA"], length: 16, body: /^[A-Z0-9]{9}(?!EXAMPLE)[A-Z0-9]{7}$/ },
  // docs.aws.amazon.com/bedrock: a long-lived key, and a short-lived one (a signed URL in base64).
  { kind: "aws-bedrock-key", prefixes: ["ABSK"], characters: "base64", length: [109, 269] },
  {
    kind: "aws-bedrock-key",
    prefixes: ["bedrock-api-key-"],
    characters: "base64",
    length: [64, 4096],
    body: /^YmVkcm9jay5hbWF6b25hd3MuY29t/,
  },
  // The excluded key is the public one of the storage emulator.
  { kind: "azure-storage-key", prefixes: ["AccountKey="], characters: "base64", length: 88, body: /^(?!Eby8vdM02xNOcqFl)[^=]{86}==$/ },
  { kind: "google-api-key", prefixes: ["AIza"], characters: "dashed", length: 35 },
  { kind: "google-oauth-secret", prefixes: ["GOCSPX-"], characters: "dashed", length: 28 },
  { kind: "google-oauth-token", prefixes: ["ya29."], characters: "dotted", length: [60, 2048] },
  { kind: "digitalocean-token", prefixes: ["dop_v1_", "doo_v1_", "dor_v1_"], length: 64, body: /^[0-9a-f]+$/ },
  { kind: "databricks-token", prefixes: ["dapi"], characters: "dashed", length: [32, 34], body: /^[0-9a-f]{32}(?:-[0-9])?$/ },
  // developers.cloudflare.com/fundamentals/api/get-started/token-formats: 40 characters and a checksum of 8.
  { kind: "cloudflare-token", prefixes: ["cfut_", "cfat_", "cfk_"], length: 48, body: /^[A-Za-z0-9]+$/ },
  { kind: "cloudflare-token", prefixes: ["v1.0-"], characters: "dashed", length: 171, body: /^[0-9a-f]{24}-[0-9a-f]{146}$/ },
  { kind: "alibaba-access-key", prefixes: ["LTAI"], length: 20, body: /^[A-Za-z0-9]+$/ },
  // grafana.com/docs: cloud tokens, tokens of service accounts, and older keys, which are JSON with `k` in base64.
  { kind: "grafana-token", prefixes: ["glc_"], characters: "base64", length: [32, 400] },
  { kind: "grafana-token", prefixes: ["glsa_"], length: 41, body: /^[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}$/ },
  { kind: "grafana-token", prefixes: ["eyJrIjoi"], characters: "base64", length: [70, 400] },
  { kind: "dynatrace-token", prefixes: ["dt0c01.", "dt0s16."], characters: "dotted", length: 89, body: /^[A-Z0-9]{24}\.[A-Z0-9]{64}$/ },
  // github.com/getsentry/rfcs, 0091: JSON in base64, and a secret; tokens of users and integrations.
  { kind: "sentry-token", prefixes: ["sntrys_eyJ"], characters: "anyBase64", length: [60, 512] },
  { kind: "sentry-token", prefixes: ["sntryu_", "sntrya_", "sntryi_"], length: 64, body: /^[0-9a-f]+$/ },
  { kind: "newrelic-key", prefixes: ["NRAK-"], length: 27, body: /^[A-Z0-9]+$/ },
  { kind: "postman-key", prefixes: ["PMAK-"], characters: "dashed", length: 59, body: /^[0-9a-f]{24}-[0-9a-f]{34}$/ },
  // docs.stripe.com/keys: secret and restricted keys, and the secrets that sign webhooks.
  {
    kind: "stripe-key",
    prefixes: ["sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_"],
    length: [16, 255],
    body: /^[A-Za-z0-9]{16}/,
  },
  { kind: "stripe-key", prefixes: ["whsec_"], characters: "base64", length: [32, 64] },
  { kind: "square-token", prefixes: ["sq0atp-", "sq0csp-"], characters: "dashed", length: [22, 60] },
  { kind: "sendgrid-key", prefixes: ["SG."], characters: "dotted", length: 66, body: /^[\w-]{22}\.[\w-]{43}$/ },
  { kind: "brevo-key", prefixes: ["xkeysib-"], characters: "dashed", length: 81, body: /^[0-9a-f]{64}-[A-Za-z0-9]{16}$/ },
  { kind: "mailgun-key", prefixes: ["key-"], length: 32, body: /^[0-9a-z]+$/ },
  { kind: "resend-key", prefixes: ["re_"], length: [32, 36], body: /^[A-Za-z0-9]{8}_[A-Za-z0-9]{24}$/ },
  // twilio.com/docs/iam/api-keys: SK and 32 hex digits. Here the prefix includes the first digit.
  { kind: "twilio-key", prefixes: [..."0123456789abcdef"].map((digit) => `SK${digit}`), length: 31, body: /^[0-9a-f]+$/ },
  { kind: "linear-key", prefixes: ["lin_api_", "lin_oauth_"], length: [40, 64], body: /^[A-Za-z0-9]+$/ },
  { kind: "notion-token", prefixes: ["ntn_"], length: 46, body: /^[0-9]{11}[A-Za-z0-9]{35}$/ },
  { kind: "notion-token", prefixes: ["secret_"], length: 43, body: /^(?=.*[0-9])(?=.*[A-Z])[A-Za-z0-9]+$/ },
  { kind: "shopify-token", prefixes: ["shpat_", "shpca_", "shppa_", "shpss_"], length: 32, body: /^[0-9A-Fa-f]+$/ },
  {
    kind: "hubspot-token",
    prefixes: ["pat-na1-", "pat-na2-", "pat-eu1-"],
    characters: "dashed",
    length: 36,
    body: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  },
  { kind: "contentful-token", prefixes: ["CFPAT-"], characters: "dashed", length: 43 },
  { kind: "figma-token", prefixes: ["figd_"], characters: "dashed", length: [40, 64] },
  { kind: "mapbox-token", prefixes: ["sk.eyJ"], characters: "dotted", length: [60, 255] },
  { kind: "adobe-secret", prefixes: ["p8e-"], length: 32, body: /^[A-Za-z0-9]+$/ },
  { kind: "clickhouse-key", prefixes: ["4b1d"], length: 38, body: /^[A-Za-z0-9]+$/ },
  { kind: "duffel-token", prefixes: ["duffel_test_", "duffel_live_"], characters: "dashed", length: 43 },
  { kind: "easypost-key", prefixes: ["EZAK", "EZTK"], length: 54, body: /^[A-Za-z0-9]+$/ },
  {
    kind: "flutterwave-key",
    prefixes: ["FLWSECK_TEST-", "FLWSECK-"],
    characters: "dashed",
    length: [12, 40],
    body: /^[0-9a-hA-H]{12,32}(?:-X)?$/,
  },
  { kind: "frameio-token", prefixes: ["fio-u-"], characters: "dashed", length: 64 },
  { kind: "readme-key", prefixes: ["rdme_"], length: 70, body: /^[a-z0-9]+$/ },
  { kind: "shippo-token", prefixes: ["shippo_live_", "shippo_test_"], length: 40, body: /^[0-9A-Fa-f]+$/ },
  { kind: "facebook-token", prefixes: ["EAAM", "EAAC"], length: [100, 512], body: /^[A-Za-z0-9]+$/ },
  { kind: "scalingo-token", prefixes: ["tk-us-"], characters: "dashed", length: 48 },
  // api.slack.com/authentication/token-types: groups of digits, then letters; app-level and rotating tokens; URLs of webhooks.
  {
    kind: "slack-token",
    prefixes: [
      "xoxa-",
      "xoxb-",
      "xoxc-",
      "xoxd-",
      "xoxe-",
      "xoxo-",
      "xoxp-",
      "xoxr-",
      "xoxs-",
      "xapp-",
      "xwfp-",
      "xoxe.xoxb-",
      "xoxe.xoxp-",
    ],
    characters: "dashed",
    length: [16, 512],
    body: /(?:[0-9][^0-9]*){4}/,
  },
  { kind: "slack-webhook", prefixes: slackPaths.map((kind) => `hooks.slack.com/${kind}/`), characters: "path", length: [32, 128] },
  {
    kind: "slack-webhook",
    prefixes: slackPaths.map((kind) => `hooks.slack.com\\/${kind}\\/`),
    characters: "escapedPath",
    length: [32, 128],
  },
  {
    kind: "discord-webhook",
    prefixes: ["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
    characters: "path",
    length: [64, 160],
  },
  // support.1password.com, developer.1password.com/docs/service-accounts; age-encryption.org/v1 with the bech32 alphabet.
  { kind: "1password-token", prefixes: ["ops_eyJ"], characters: "anyBase64", length: [200, 2048] },
  {
    kind: "1password-secret-key",
    prefixes: ["A3-"],
    characters: "dashed",
    length: [36, 38],
    body: /^[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}$/,
  },
  { kind: "age-secret-key", prefixes: ["AGE-SECRET-KEY-1"], length: 58, body: /^[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]+$/ },
  { kind: "age-secret-key", prefixes: ["AGE-SECRET-KEY-PQ-1"], length: [58, 128], body: /^[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]+$/ },
];
