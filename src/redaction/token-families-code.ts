/**
 * Tokens of code hosts, package registries, CI and deployment. Prefixes, characters and lengths are from the vendors' documentation, else
 * from the rules of gitleaks and the detectors of TruffleHog. Pure data.
 */
import type { TokenFamily } from "./token-family.ts";

export const codeFamilies: readonly TokenFamily[] = [
  // github.blog/2021-04-05-behind-githubs-new-authentication-token-formats: 36 characters, ghr_ 76.
  { kind: "github-token", prefixes: ["ghp_", "gho_", "ghr_"], length: [36, 255], body: /^[A-Za-z0-9]{36}/ },
  // Installation tokens, such as GITHUB_TOKEN: 36 characters, or the app's number and a JWT (about 520 characters).
  { kind: "github-token", prefixes: ["ghs_", "ghu_"], characters: "dotted", length: [36, 1024], body: /^(?:[A-Za-z0-9]{36}|[0-9]+_eyJ)/ },
  // docs.github.com: fine-grained tokens, 82 characters.
  { kind: "github-token", prefixes: ["github_pat_"], length: [36, 255] },
  // docs.gitlab.com/security/tokens. Routable tokens contain dots, job tokens can be a JWT.
  {
    kind: "gitlab-token",
    prefixes: [
      ...["glpat-", "gloas-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glwt-", "glsoat-"],
      ...["glffct-", "GR1348941"],
    ],
    characters: "dotted",
    length: [20, 1024],
  },
  { kind: "gitlab-token", prefixes: ["_gitlab_session="], length: 32, body: /^[0-9a-z]+$/ },
  // support.atlassian.com: API tokens, and access tokens of Bitbucket.
  { kind: "atlassian-token", prefixes: ["ATATT3", "ATCTT3"], characters: "anyBase64", length: [100, 512] },
  { kind: "atlassian-token", prefixes: ["ATBB"], length: 32, body: /^[A-Za-z0-9]{24}[A-F0-9]{8}$/ },
  // github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format.
  { kind: "npm-token", prefixes: ["npm_"], length: 36, body: /^[A-Za-z0-9]+$/ },
  // pypi.org/help: a macaroon whose location is pypi.org or test.pypi.org.
  { kind: "pypi-token", prefixes: ["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"], characters: "dashed", length: [50, 1000] },
  { kind: "rubygems-token", prefixes: ["rubygems_"], length: 48, body: /^[0-9a-f]+$/ },
  { kind: "nuget-key", prefixes: ["oy2"], length: 43, body: /^[a-z0-9]+$/ },
  { kind: "crates-token", prefixes: ["cio"], length: 32, body: /^(?=.*[0-9])(?=.*[A-Z])[A-Za-z0-9]+$/ },
  { kind: "clojars-token", prefixes: ["CLOJARS_"], length: 60, body: /^[a-z0-9]+$/ },
  { kind: "docker-token", prefixes: ["dckr_pat_"], characters: "dashed", length: 27 },
  { kind: "docker-token", prefixes: ["dckr_oat_"], characters: "dashed", length: 32 },
  // jfrog.com: API keys, and reference tokens, which are base64 of `reftkn:`.
  { kind: "jfrog-token", prefixes: ["AKCp"], length: 69, body: /^[A-Za-z0-9]+$/ },
  { kind: "jfrog-token", prefixes: ["cmVmdGtu"], length: 56, body: /^[A-Za-z0-9]+$/ },
  // developer.hashicorp.com/vault/docs/concepts/tokens.
  { kind: "vault-token", prefixes: ["hvs.", "hvb.", "hvr."], characters: "dashed", length: [24, 512] },
  { kind: "circleci-token", prefixes: ["CCIPAT_", "CCIPRJ_"], length: [40, 128], body: /_[0-9a-f]{40}$/ },
  { kind: "buildkite-token", prefixes: ["bkua_"], length: 40, body: /^[0-9a-f]+$/ },
  { kind: "sonar-token", prefixes: ["sqp_", "squ_", "sqa_"], length: 40, body: /^[0-9a-f]+$/ },
  { kind: "sourcegraph-token", prefixes: ["sgp_"], length: [40, 64], body: /^(?:(?:[0-9a-f]{16}|local)_)?[0-9a-f]{40}$/ },
  { kind: "pulumi-token", prefixes: ["pul-"], length: 40, body: /^[0-9a-f]+$/ },
  { kind: "prefect-token", prefixes: ["pnu_"], length: 36, body: /^[A-Za-z0-9]+$/ },
  { kind: "infracost-key", prefixes: ["ico-"], length: 32, body: /^[A-Za-z0-9]+$/ },
  { kind: "octopus-key", prefixes: ["API-"], length: 26, body: /^[A-Z0-9]+$/ },
  { kind: "netlify-token", prefixes: ["nfp_"], length: 36, body: /^[A-Za-z0-9]+$/ },
  { kind: "fly-token", prefixes: ["fo1_"], characters: "dashed", length: 43 },
  { kind: "fly-token", prefixes: ["fm1r_", "fm1a_", "fm2_"], characters: "base64", length: [100, 2048] },
  { kind: "heroku-key", prefixes: ["HRKU-AA"], characters: "dashed", length: 58 },
  { kind: "supabase-key", prefixes: ["sbp_"], length: 40, body: /^[0-9a-f]+$/ },
  { kind: "supabase-key", prefixes: ["sb_secret_"], characters: "dashed", length: [30, 64] },
  { kind: "planetscale-token", prefixes: ["pscale_tkn_", "pscale_oauth_", "pscale_pw_"], characters: "dotted", length: [32, 64] },
  { kind: "doppler-token", prefixes: ["dp.pt.", "dp.st.", "dp.ct."], characters: "dotted", length: [40, 100] },
  { kind: "openshift-token", prefixes: ["sha256~"], characters: "dashed", length: 43 },
  { kind: "tailscale-key", prefixes: ["tskey-auth-", "tskey-api-", "tskey-client-"], characters: "dashed", length: [24, 128] },
];
