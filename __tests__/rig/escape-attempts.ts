/**
 * Ways out of a sandbox, as shell snippets and what each has to print. They run inside, in the project, with `OUTSIDE` (a directory of the machine),
 * `HOST_HOME`, `PORT` (a server of the machine), `ABSTRACT` (a socket's name), and:
 *
 *     can COMMAND...      prints whether it succeeded
 *     dial HOST PORT      prints how a connection ended: `open`, or the error's code
 */

/** `[what is tried, snippet, what it prints]`. */
export type Attempt = readonly [name: string, snippet: string, prints: string];

export const prelude = `
can() { if "$@" >/dev/null 2>&1 </dev/null; then echo yes; else echo no; fi; }
dial() { node -e 'const s=require("net").connect({port:+process.argv[2],host:process.argv[1],timeout:3000});
for (const [e,f] of [["connect",()=>"open"],["timeout",()=>"timeout"],["error",e=>e.code]]) s.on(e,(x)=>{console.log(f(x));process.exit()})' "$@"; }
knock() { node -e 'const s=require("net").connect(process.argv[1].replace(/^@/,"\\0"));
s.on("connect",()=>{console.log("open");process.exit()}).on("error",e=>console.log(e.code))' "$@"; }
`;

/** A script that runs attempts one after the other and leaves what they print in the artifact `report`. */
export function scriptOf(attempts: readonly Attempt[]): string {
  const runs = attempts.map(([name, snippet]) => `printf '\\n@@ %s\\n' '${name.replaceAll("'", "'\\''")}'\n( ${snippet}\n) 2>/dev/null`);
  return `${prelude}\nexec >"$WAVE_OUTPUT_DIR/report"\n${runs.join("\n")}\ntrue\n`;
}

/** What the attempts printed, by name. */
export function printedBy(report: string): Readonly<Record<string, string>> {
  const parts = report.split("\n@@ ").slice(1);
  return Object.fromEntries(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1).trim()]));
}

export const files: readonly Attempt[] = [
  ["write by an absolute path", 'can sh -c "echo x >$OUTSIDE/new"', "no"],
  ["write through ..", "echo x >../wave-escaped; can test -e $OUTSIDE", "no"],
  ["write to /etc", "can touch /etc/passwd; can touch /etc/wave-escaped", "no\nno"],
  ["write to /usr", "can touch /usr/wave-escaped; can touch /usr/local/bin/git", "no\nno"],
  ["write to the root", "can mkdir /wave-escaped; can touch /run/wave-escaped; can touch /dev/wave-escaped", "no\nno\nno"],
  ["write to the user's home", "can touch $HOST_HOME/.bashrc; can ls $HOST_HOME", "no\nno"],
  ["read by an absolute path", "can cat $OUTSIDE/secret.txt", "no"],
  [
    "read what only the machine should",
    "can cat /etc/shadow; can ls /etc/ssl/private; can ls /etc/sudoers.d; can cat /etc/npmrc",
    "no\nno\nno\nno",
  ],
  ["a symlink in the project that leads out", "can cat leak/secret.txt; can touch leak/new", "no\nno"],
  ["a symlink made here", "ln -s $OUTSIDE over && can cat over/secret.txt; can touch over/new; rm over", "no\nno"],
  ["a hard link to a file outside", "can ln $OUTSIDE/secret.txt mine", "no"],
  ["a project file that has a hard link outside", "can sh -c 'echo changed >>linked.txt'", "yes"],
  ["/proc/self/root", "can cat /proc/self/root$OUTSIDE/secret.txt; can touch /proc/self/root/etc/x", "no\nno"],
  ["/proc/1/root", "can cat /proc/1/root$OUTSIDE/secret.txt; can ls /proc/1/root/", "no\nno"],
  ["/proc/*/cwd", 'for d in /proc/[0-9]*/cwd; do [ -e "$d/secret.txt" ] && echo "$d"; done; can ls /proc/1/cwd/', "no"],
  ["descriptors of other processes", "ls -l /proc/[0-9]*/fd | grep -c -e $OUTSIDE -e journals; can readlink /proc/1/fd/0", "0\nno"],
  ["a descriptor that wave inherited", "for fd in /proc/self/fd/*; do [ -e $fd/secret.txt ] && echo $fd; done; true", ""],
  ["/proc/1/mem, maps and exe", "can head -c 1 /proc/1/mem; can head -c 1 /proc/1/maps; can sh -c ': >>/proc/1/exe'", "no\nno\nno"],
  ["the state directory", "ls -A .wave/state; can touch .wave/state/x; can rmdir .wave/state", "no\nno"],
  [
    "the directory of another attempt",
    "can ls .wave/state/workspaces; own=$(sed -n 's,.* \\(/[^ ]*/workspaces/[^ /]*/[^ /]*\\)/home .*,\\1,p' /proc/self/mountinfo); can ls /nowhere$own; can ls ${own:-/nowhere}",
    "no\nno\nno",
  ],
  [
    "disks and memory in /dev",
    "find /dev -type b; ls /dev | grep -e mem -e kmsg -e sd -e vd; can mknod disk b 8 0; can mknod mem c 1 1",
    "no\nno",
  ],
  ["/home, /root, /sys, /run, /var", "can ls /sys/kernel; ls -A /run; ls -A /var; can ls /root/.ssh", "no\ntmp\nno"],
  ["the schedule of cron", "can sh -c 'echo x >/var/spool/cron/x'; can sh -c 'echo x >/etc/cron.d/x'", "no\nno"],
  ["more shared memory than there is room", "can sh -c 'head -c 300000000 /dev/zero >/dev/shm/big'; rm -f /dev/shm/big", "no"],
];

export const git: readonly Attempt[] = [
  ["a planted hook", "echo evil >.git/hooks/post-commit; ls -A .git/hooks | grep -v post-commit; true", ""],
  [
    "a token in .git/config",
    "git config --list | grep -c -e canary -e extraheader; git remote get-url origin",
    "0\nhttps://example.invalid/x.git",
  ],
  [
    "a token in a repository inside",
    "grep -c canary nested/.git/config; git -C nested config --get-all http.https://github.com/.extraheader",
    "0",
  ],
  // In a copy these are the copy's own files; either way they never reach the project.
  ["a changed .git/config", "git config core.fsmonitor evil; echo evil >>.git/config; rm .git/config; mv .git/hooks h; rm -rf h; true", ""],
  ["another .git", "mv .git .other; rm -rf .git .other; true", ""],
];

export const rights: readonly Attempt[] = [
  [
    "capabilities",
    "grep -e ^Cap -e ^NoNewPrivs /proc/self/status | tr -d '\\t' | tr -s 0 | tr '\\n' ' '",
    "CapInh:0 CapPrm:0 CapEff:0 CapBnd:0 CapAmb:0 NoNewPrivs:1",
  ],
  ["mount", "can mount -t tmpfs x /tmp; can mount --bind / /tmp; can mount -o remount,rw /usr; can mount -t proc x /tmp", "no\nno\nno\nno"],
  ["umount of what hides", "can umount .wave/state; can umount .git/config; can umount -l /proc/sys; can umount /tmp", "no\nno\nno\nno"],
  ["new namespaces", "can unshare -Ur true; can unshare -m true; can unshare -n true; can unshare -p -f true", "no\nno\nno\nno"],
  ["others' namespaces", "can nsenter -t 1 -m true; can nsenter -t 1 -a true", "no\nno"],
  ["another root", "can chroot / true; can pivot_root . .", "no\nno"],
  ["su and sudo", "can su -c id root; can sudo -n id; can pkexec id", "no\nno\nno"],
  ["a set-user-id program", "cp $(command -v id) own && chmod 6755 own && [ $(./own -u) = $(id -u) ] && echo same; rm own", "same"],
  ["another user", "touch mine; can chown 12345 mine; can setpriv --reuid=12345 true; rm mine", "no\nno"],
  [
    "the kernel's settings",
    "can sh -c 'echo x >/proc/sys/kernel/core_pattern'; can sh -c 'echo 1 >/proc/sys/vm/drop_caches'; can sh -c 'echo b >/proc/sysrq-trigger'; can sh -c 'echo -1000 >/proc/self/oom_score_adj'",
    "no\nno\nno\nno",
  ],
  ["the kernel's memory and keys", "cat /proc/kcore /proc/keys /proc/timer_list /proc/kmsg /proc/kpageflags | wc -c", "0"],
  ["the machine's clock and name", "can date -s 2001-01-01; can hostname evil", "no\nno"],
  ["control groups", "can mkdir /sys/fs/cgroup/x; can ls /sys/fs/cgroup", "no\nno"],
  ["a better priority", "can nice -n -5 sh -c '[ $(nice) = -5 ]'", "no"],
  ["a terminal to type into", "can sh -c ': </dev/tty'; can tty", "no\nno"],
  [
    "processes of the machine",
    "grep -l -e vitest -e cli.js /proc/[0-9]*/cmdline; cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c -e canary -e PARENT",
    "0",
  ],
  ["wave's environment", "env | grep -c -e canary -e PARENT_TOKEN -e NODE_OPTIONS -e LD_", "0"],
  ["the first process", "kill -9 1; kill -STOP 1; can test -d /proc/1", "yes"],
];

/** What root prints instead for two of `rights`: it keeps the capabilities for files, and may become another user in the sandbox. */
export const rootRights: Readonly<Record<string, string>> = {
  capabilities: "CapInh:0 CapPrm:0db CapEff:0db CapBnd:0db CapAmb:0 NoNewPrivs:1",
  "another user": "yes\nyes",
};

const users = [1, 33, 1000, 61_234, 61_236];

/** What belongs to other users of the machine. `OUTSIDE/private` is one's, with mode 0600, and so is `TOOLS/private`, below `/usr/local` for root. */
export const others: readonly Attempt[] = [
  ["a private file of another user", "can grep . $OUTSIDE/private; can grep . $TOOLS/private; can grep . $TOOLS/closed/f", "no\nno\nno"],
  [
    "as another user, its files",
    `for u in ${users.join(" ")}; do for f in $OUTSIDE/private $TOOLS/private $TOOLS/closed/f; do can setpriv --reuid=$u --regid=$u --clear-groups grep . $f; done; done | sort -u`,
    "no",
  ],
  [
    "as another user, its processes",
    `for u in ${users.join(" ")}; do can setpriv --reuid=$u kill -0 $HOST_PID; can setpriv --reuid=$u cat /proc/1/environ; done | sort -u`,
    "no",
  ],
  [
    "owners and modes of the machine's files",
    "can chown 1000 /etc/passwd; can chmod 4755 /usr/bin/id; can chown 1000 /dev/null; can chmod 777 /proc/sys/kernel/core_pattern; can chown 1000 $TOOLS",
    "no\nno\nno\nno\nno",
  ],
  [
    "settings that only root writes",
    `can sh -c 'echo 1 >/proc/sys/user/max_user_namespaces'; for u in ${users.join(" ")}; do can setpriv --reuid=$u unshare -U true; can setpriv --reuid=$u unshare -Um true; done | sort -u`,
    "no\nno",
  ],
];

export const noNetwork: readonly Attempt[] = [
  ["a server on localhost", "dial 127.0.0.1 $PORT; dial ::1 $PORT", "ECONNREFUSED\nECONNREFUSED"],
  ["the cloud's metadata", "dial 169.254.169.254 80", "ENETUNREACH"],
  ["addresses near and far", "dial 10.0.0.1 80; dial 192.0.2.1 443", "ENETUNREACH\nENETUNREACH"],
  ["names", 'node -e \'require("dns").promises.resolve4("example.com").then(()=>console.log("found"),()=>console.log("none"))\'', "none"],
  [
    "datagrams",
    'node -e \'require("dgram").createSocket("udp4").send("x",53,"192.0.2.1",e=>{console.log(e.code);process.exit()})\'',
    "ENETUNREACH",
  ],
  ["a new interface", "can ip link add x type dummy; can ip addr add 10.1.1.1/8 dev lo", "no\nno"],
  [
    "the container engine's socket",
    "knock $OUTSIDE/docker.sock; knock /var/run/docker.sock; knock /run/docker.sock",
    "ENOENT\nENOENT\nENOENT",
  ],
  ["an abstract socket", "knock @$ABSTRACT", "ECONNREFUSED"],
  ["the system's bus", "can test -e /run/dbus/system_bus_socket; can test -e /run/systemd/private", "no\nno"],
];

/** With `network_access:127.0.0.1:$PORT` allowed. `get` and `tunnel` ask wave's proxy, and print the status. */
const proxyPrelude = `
get() { node -e 'const p=new URL(process.env.HTTP_PROXY);require("http").get({host:p.hostname,port:p.port,path:process.argv[1],headers:{host:"x"}},r=>{let t="";
r.on("data",d=>t+=d).on("end",()=>console.log(r.statusCode===200?"200 "+t:r.statusCode))}).on("error",e=>console.log(e.code))' "$@"; }
tunnel() { node -e 'const p=new URL(process.env.HTTP_PROXY);require("http").request({host:p.hostname,port:p.port,method:"CONNECT",path:process.argv[1]}).on("connect",(r,s)=>{
console.log(r.statusCode);process.exit()}).on("response",r=>{console.log(r.statusCode);process.exit()}).on("error",e=>console.log(e.code)).end()' "$@"; }
`;

export const proxied: readonly Attempt[] = [
  ["what is allowed", `${proxyPrelude} get http://127.0.0.1:$PORT/; tunnel 127.0.0.1:$PORT`, "200 reached\n200"],
  [
    "another port",
    `${proxyPrelude} get http://127.0.0.1:$OTHER/; tunnel 127.0.0.1:$OTHER; tunnel 127.0.0.1:99999; tunnel 127.0.0.1:0`,
    "403\n403\n403\n403",
  ],
  [
    "other names of this machine",
    `${proxyPrelude} for h in localhost 0 0.0.0.0 127.0.0.2 [::1] [::ffff:127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::]; do tunnel $h:$PORT; done`,
    Array(8).fill("403").join("\n"),
  ],
  ["the allowed address in other spellings", `${proxyPrelude} for h in 2130706433 0x7f.1 127.1; do tunnel $h:$PORT; done`, "200\n200\n200"],
  [
    "hosts that no rule names",
    `${proxyPrelude} get http://example.com/; tunnel example.com:443; tunnel evil.127.0.0.1:$PORT; get http://127.0.0.1:$PORT@example.com/`,
    "403\n403\n403\n403",
  ],
  [
    "metadata and private addresses",
    `${proxyPrelude} for h in 169.254.169.254 168.63.129.16 10.0.0.1 192.168.0.1 172.16.0.1 [fd00::1] [fe80::1] [fec0::1]; do tunnel $h:80; done`,
    Array(8).fill("403").join("\n"),
  ],
  ["what is no request", `${proxyPrelude} get ftp://127.0.0.1:$PORT/; get /; tunnel nonsense; tunnel :$PORT`, "403\n403\n403\n403"],
  ["a way around the proxy", "dial 127.0.0.1 $PORT; dial 192.0.2.1 443; dial 169.254.169.254 80", "ECONNREFUSED\nENETUNREACH\nENETUNREACH"],
];

const surroundings = [
  ...["localhost", "127.0.0.1", "127.1", "0", "2130706433", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:0:7f00:1]", "[::7f00:1]"],
  ...["169.254.169.254", "0xa9fea9fe", "168.63.129.16", "100.100.100.200", "192.0.0.192", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]"],
  ...["[64:ff9b:1::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[2001:0:a9fe:a9fe::]", "[::ffff:a9fe:a9fe]", "10.0.0.1", "192.168.0.1"],
  ...["172.16.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "[fe80::1]", "[fec0::1]", "[fc00::1]", "[ff02::1]"],
];

/** With `network_access:*` allowed and nothing else. */
export const wildcardAllowed: readonly Attempt[] = [
  [
    "the surroundings under a wildcard, by tunnel",
    `${proxyPrelude} for h in ${surroundings.map((host) => `'${host}'`).join(" ")}; do tunnel "$h:$PORT"; done | sort | uniq -c | tr -s ' '`,
    `${surroundings.length} 403`,
  ],
  [
    "the surroundings under a wildcard, by request",
    `${proxyPrelude} for h in localhost 127.0.0.1 169.254.169.254 168.63.129.16 '[::1]' '[fec0::1]'; do get "http://$h:$PORT/"; done | sort | uniq -c | tr -s ' '`,
    "6 403",
  ],
  [
    "this machine's own addresses under a wildcard",
    `${proxyPrelude} for h in $(hostname) $ADDRESSES; do case $h in *:*) h="[$h]" ;; esac; tunnel "$h:$PORT"; done | sort -u`,
    "403",
  ],
  [
    "a way around the proxy under a wildcard",
    "dial 127.0.0.1 $PORT; dial 192.0.2.1 443; dial 169.254.169.254 80",
    "ECONNREFUSED\nENETUNREACH\nENETUNREACH",
  ],
];
