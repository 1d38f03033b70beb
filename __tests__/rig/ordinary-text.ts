/** Text without secrets that is easily taken for one: hashes, ids, encoded images, dumps, lock files, minified source. */

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Generated texts of about `size` characters each, by what they are. */
export function ordinaryText(random: () => number, size: number): Readonly<Record<string, string>> {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const some = (length: number, characters: string) =>
    Array.from({ length }, () => characters[Math.floor(random() * characters.length)]).join("");
  const hex = (length: number) => some(length, "0123456789abcdef");
  const base64 = (length: number) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256))).toString("base64");
  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
  const word = () =>
    pick("key token secret api task desk risk mask value config header request user name cache hit state build test".split(" "));
  const camel = () => Array.from({ length: 5 }, () => word()).reduce((name, next) => name + next[0]?.toUpperCase() + next.slice(1));
  const lines = (line: () => string) => {
    let text = "";
    while (text.length < size) text += `${line()}\n`;
    return text;
  };
  return {
    "hashes of git": lines(() => `${hex(7)} ${hex(40)} ${pick(["blob", "tree", "commit"])} ${word()}/${word()}.ts`),
    digests: lines(() => `sha256:${hex(64)} sha512-${base64(64)} md5 ${hex(32)} ${hex(128)}`),
    "lock file of npm": lines(
      () =>
        `"node_modules/${word()}-${word()}": { "version": "1.2.3", "resolved": "https://registry.npmjs.org/${word()}/-/${word()}-1.2.3.tgz", "integrity": "sha512-${base64(64)}" },`,
    ),
    "lock file of Go": lines(() => `github.com/${word()}/${word()} v1.2.3-0.20240101120000-${hex(12)}/go.mod h1:${base64(32)}`),
    "lock file of Python": lines(() => `    {file = "${word()}-1.0-py3-none-any.whl", hash = "sha256:${hex(64)}"},`),
    ids: lines(
      () => `${uuid()} ${some(26, "0123456789ABCDEFGHJKMNPQRSTVWXYZ")} ${some(21, `${alphanumeric}_-`)} ${some(24, "0123456789abcdef")}`,
    ),
    images: lines(() => `<img src="data:image/png;base64,${base64(3000)}">`),
    "wrapped base64": lines(() => base64(48)),
    certificates: lines(
      () => `-----BEGIN CERTIFICATE-----\n${Array.from({ length: 20 }, () => base64(48)).join("\n")}\n-----END CERTIFICATE-----`,
    ),
    "SSH public keys": lines(() => `ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ${base64(360)} ${word()}@${word()}`),
    dumps: lines(() => `${hex(8)}  ${Array.from({ length: 16 }, () => hex(2)).join(" ")}  |................|`),
    names: lines(
      () => `const ${camel()} = ${word()}_${word()}_${word()}_${word()}(${camel()}, "${word()}-${word()}-${word()}-${word()}-${hex(8)}");`,
    ),
    "minified source": lines(() =>
      `function ${some(2, alphanumeric.slice(0, 52))}(e,t){return e.${camel()}?t:${hex(6)}n.${word()}[${some(3, "0123456789")}]}var ${some(2, "abcdefgh")}=${camel()};`.repeat(
        5,
      ),
    ),
    "source maps": lines(() => `{"version":3,"mappings":"${Array.from({ length: 200 }, () => some(4, `${alphanumeric}+/`)).join(",")}"}`),
    settings: lines(
      () =>
        `${word().toUpperCase()}_API_KEY=\${${word().toUpperCase()}_API_KEY} ${word().toUpperCase()}_TOKEN: "<your ${word()} here>" COHERE_API_KEY=your-api-key AWS_SECRET_ACCESS_KEY=$SECRET`,
    ),
    URLs: lines(
      () => `https://${word()}.example.com/${word()}/${hex(32)}?${word()}=${uuid()}&${word()}=${some(43, `${alphanumeric}_-`)}#${word()}`,
    ),
    times: lines(
      () =>
        `2026-01-0${1 + Math.floor(random() * 9)}T10:20:30.${some(3, "0123456789")}Z ${some(10, "0123456789")}:${some(2, "AB")} 0x${hex(16)} ${some(20, "0123456789")}`,
    ),
  };
}
