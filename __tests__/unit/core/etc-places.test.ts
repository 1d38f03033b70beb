/** The paths in `/etc` that a manifest may add to the sandbox. */
import { expect, test } from "vitest";
import { etcRefusal } from "../../../src/core/etc-places.ts";

test.each(["/etc/hdparm.conf", "/etc/mysql/my.cnf", "/etc/php/8.2/fpm", "/etc/ssl/openssl.cnf", "/etc/a..b", "/etc/shadows"])(
  "%s may be shown",
  (place) => {
    expect(etcRefusal(place)).toBeUndefined();
  },
);

test.each([
  ...["shadow", "gshadow", "sudoers", "sudoers.d/90-cloud", "ssh", "ssh/ssh_host_ed25519_key", "ssl", "ssl/private", "ssl/private/k.pem"],
  ...["letsencrypt/live", "krb5.keytab", "NetworkManager", "environment", "maven", "maven/settings.xml", "mysql", "apt/auth.conf"],
])("/etc/%s holds secrets", (name) => {
  expect(etcRefusal(`/etc/${name}`)).toBe("secret");
});

test.each([
  "",
  "/",
  "/etc",
  "/etc/",
  "/etc//x",
  "/etc/x/",
  "/etc/../root/.ssh",
  "/etc/x/../ssh",
  "/etc/./ssh",
  "etc/x",
  "/root/x",
  "/etcx",
  "/etc/x\0y",
])("%j is not a path in /etc", (place) => {
  expect(etcRefusal(place)).toBe("outside");
});
