/** Decides which paths in `/etc` a manifest may add to the sandbox, and which may contain secrets. Pure. */

/**
 * Relative to `/etc`. The sandbox never shows unreadable files, but some of these are readable by all users, or change
 * while a step runs.
 */
const secretPlaces = [
  ..."shadow shadow- gshadow gshadow- passwd- group- subuid subgid sudoers sudoers.d doas.conf security ssh ssl/private pki".split(" "),
  ..."letsencrypt acme krb5.keytab krb5kdc wireguard openvpn ipsec.conf ipsec.d ipsec.secrets strongswan swanctl racoon ppp".split(" "),
  ..."NetworkManager network/interfaces netplan wpa_supplicant iwd chatscripts samba cifs-credentials crypttab fstab exports".split(" "),
  ..."docker containers containerd kubernetes rancher k3s cni consul.d vault.d nomad.d puppet puppetlabs salt chef ansible".split(" "),
  ..."gitconfig npmrc pip.conf wgetrc curlrc netrc environment environment.d profile profile.d bash.bashrc zsh".split(" "),
  ..."maven/settings.xml gradle R/Renviron.site apt yum.repos.d yum dnf zypp pacman.d apk conda condarc bundle gemrc".split(" "),
  ..."mysql/debian.cnf postfix/sasl_passwd exim4/passwd.client msmtprc ssmtp fetchmailrc ldap.secret nslcd.conf sssd".split(" "),
  ..."default sysconfig systemd init.d cron.d crontab cron.daily cron.hourly cron.weekly cron.monthly rc.local aws boto.cfg".split(" "),
  ..."s3cfg google-cloud google azure snmp bind named tor audit cups polkit-1 machine-id gitlab-runner github buildkite-agent".split(" "),
].map((name) => `/etc/${name}`);

/** Why the sandbox does not show a path. */
export type EtcRefusal = "outside" | "secret";

/** `place` is as written in a manifest. A directory that contains a secret path is refused too. */
export function etcRefusal(place: string): EtcRefusal | undefined {
  if (!/^\/etc(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+$/.test(place)) return "outside";
  const isIn = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`);
  return secretPlaces.some((secret) => isIn(place, secret) || isIn(secret, place)) ? "secret" : undefined;
}
