/** Ways out through the kernel's interfaces: system calls, `/proc`, devices, mounts, shared memory and signals. See `escape-attempts.ts`. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Attempt } from "./escape-attempts.ts";
import type { Scene } from "./scenes.ts";

/** Linux's numbers for x86-64 and arm64. */
const calls: Readonly<Record<string, readonly [x64: number, arm64: number]>> = {
  acct: [163, 89],
  add_key: [248, 217],
  bpf: [321, 280],
  delete_module: [176, 106],
  fanotify_init: [300, 262],
  fsopen: [430, 430],
  init_module: [175, 105],
  kcmp: [312, 272],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  prctl: [157, 167],
  pidfd_send_signal: [424, 424],
  process_vm_readv: [310, 270],
  ptrace: [101, 117],
  reboot: [169, 142],
  request_key: [249, 218],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  setns: [308, 268],
  socket: [41, 198],
  swapoff: [168, 225],
  unshare: [272, 97],
  userfaultfd: [323, 282],
  vhangup: [153, 58],
};

const perl = ["/usr/bin/perl", "/bin/perl"].find((place) => existsSync(place));

/** Whether system calls can be made by number here. */
export const canCall = perl !== undefined && ["x64", "arm64"].includes(process.arch);

/**
 * `call NUMBER ARG...` prints `no` if the kernel refuses a call for lack of a right or does not have it, `yes` if it succeeds, and the
 * error's number otherwise. An argument that begins with `s:` is a text, `b:N` is a buffer of N zero bytes, `x:` begins one in hex.
 */
const callPrelude = `
call() { ${perl} -e 'my @a = map { /^s:(.*)/s ? "$1" : /^b:(\\d+)/ ? "\\0" x $1 : /^x:(.*)/ ? pack("H*", $1) : $_ + 0 } @ARGV;
my $r = syscall($a[0], @a[1..$#a]); my %no = map { $_ => 1 } 1, 2, 3, 13, 28, 30, 38, 95, 97, 126, 129;
print $r >= 0 ? "yes\\n" : $no{$! + 0} ? "no\\n" : "error " . ($! + 0) . "\\n"' "$@"; }
`;

function number(name: string): number {
  return calls[name]?.[process.arch === "arm64" ? 1 : 0] ?? -1;
}

/** An attempt of system calls, one line of output each. */
function refused(name: string, ...lines: readonly string[]): Attempt {
  const snippet = lines.map((line) => line.replace(/^(\w+)/, (_, call: string) => `call ${number(call)}`)).join("; ");
  return [name, `${callPrelude}${snippet}`, lines.map(() => "no").join("\n")];
}

const newUser = 0x1000_0000;
const newMounts = 0x0002_0000;
const newNetwork = 0x4000_0000;
const newProcesses = 0x2000_0000;
const newGroups = 0x0200_0000;

/** Each prints `no` for each line; on other processors than x86-64 and arm64, and without Perl, they are left out. */
export const systemCalls: readonly Attempt[] = canCall
  ? [
      refused("trace the first process", "ptrace 16 1 0 0", "ptrace 16902 1 0 0"),
      [
        "read the memory of the first process",
        `${callPrelude}${perl} -e 'my $b = "\0" x 8; my ($l, $r) = (pack("P Q", $b, 8), pack("Q Q", 4194304, 8)); print syscall(${number("process_vm_readv")}, 1, $l, 1, $r, 1, 0) < 0 && ($! + 0 == 1 || $! + 0 == 3) ? "no" : "yes"'`,
        "no",
      ],
      [
        "take a descriptor of the first process",
        `${callPrelude}${perl} -e 'my $p = syscall(${number("pidfd_open")}, 1, 0); for (0..9) { print "got $_\\n" if syscall(${number("pidfd_getfd")}, $p, $_, 0) >= 0 } print "none\\n"'`,
        "none",
      ],
      [
        "take a descriptor of wave by its end of a socket",
        `${perl} -e 'for my $n (1, 2) { open(my $f, ">&=", $n); my $v = getsockopt($f, 1, 77) or next; my $p = unpack("i", $v); for (0..40) { print "got $_\\n" if syscall(${number("pidfd_getfd")}, $p, $_, 0) >= 0 } print "signalled\\n" if syscall(${number("pidfd_send_signal")}, $p, 0, 0, 0) >= 0; for my $t (${newUser}, ${newMounts}) { print "joined\\n" if syscall(${number("setns")}, $p, $t) >= 0 } } print "none\\n"'`,
        "none",
      ],
      refused("compare with the first process", "kcmp 1 $$ 1 0 0"),
      refused("load a program into the kernel", "bpf 5 b:120 120", "bpf 11 b:120 120"),
      [
        "watch every process of a processor",
        `${callPrelude}[ "$(cat /proc/sys/kernel/perf_event_paranoid)" -lt 1 ] && echo no || call ${number("perf_event_open")} b:128 -1 0 -1 0`,
        "no",
      ],
      [
        "handle page faults of the kernel",
        `${callPrelude}[ "$(cat /proc/sys/vm/unprivileged_userfaultfd)" = 1 ] && echo no || call ${number("userfaultfd")} 0`,
        "no",
      ],
      refused("open a file by its handle", "open_by_handle_at -100 x:08000000010000000200000000000000 0"),
      refused(
        "load a kernel, a module, swap, accounting",
        "kexec_load 0 0 0 0",
        "init_module 0 0 s:",
        "delete_module s:wave 0",
        "swapoff s:/",
        "acct 0",
      ),
      refused("restart the machine", `reboot ${0xfee1_dead} 672274793 0 0`),
      refused("rename the machine", "sethostname s:evil 4", "setdomainname s:evil 4"),
      refused("hang up the terminal", "vhangup"),
      refused(
        "mount with the newer calls",
        "fsopen s:tmpfs 0",
        "open_tree -100 s:/ 1",
        "mount_setattr -100 s:/ 0 b:32 32",
        "move_mount -100 s:/proc -100 s:/tmp 0",
      ),
      refused(
        "namespaces by system call",
        `unshare ${newUser}`,
        `unshare ${newMounts}`,
        `unshare ${newNetwork}`,
        `unshare ${newProcesses}`,
        `unshare ${newGroups}`,
        `unshare ${newUser + newMounts}`,
      ),
      [
        "join namespaces of the first process",
        `for n in mnt pid net user ipc uts cgroup; do ${perl} -e 'open(my $f, "<", "/proc/1/ns/$ARGV[0]") or do { print "no\\n"; exit }; print syscall(${number("setns")}, fileno($f), 0) == 0 ? "yes\\n" : "no\\n"' $n; done`,
        Array(7).fill("no").join("\n"),
      ],
      refused("watch a whole mount", "fanotify_init 12 0"),
      refused("capabilities by system call", "prctl 47 2 21 0 0", "prctl 35 1 0 0 0"),
      refused(
        "keys of the user and of the session",
        "request_key s:user s:wave-canary 0 0",
        "keyctl 10 -4 s:user s:wave-canary 0",
        "keyctl 10 -3 s:user s:wave-canary 0",
      ),
      refused("a socket to the host of a virtual machine", "socket 40 1 0", "socket 40 2 0"),
      refused("raw, packet and kernel sockets", "socket 2 3 1", "socket 2 3 255", "socket 17 3 768", "socket 10 3 58"),
    ]
  : [];

export const kernel: readonly Attempt[] = [
  [
    "settings that name a program for the kernel to run",
    "for f in core_pattern modprobe hotplug poweroff_cmd; do can sh -c \"echo '|/bin/sh' >/proc/sys/kernel/$f\"; done; can sh -c 'echo x >/proc/sys/fs/binfmt_misc/register'",
    Array(5).fill("no").join("\n"),
  ],
  [
    "a control group's release agent",
    "can mount -t cgroup -o memory x /tmp; can mount -t cgroup2 x /tmp; can sh -c 'echo x >/sys/fs/cgroup/release_agent'; can test -e /sys/fs/cgroup",
    "no\nno\nno\nno",
  ],
  ["another control group", "can sh -c 'echo $$ >/sys/fs/cgroup/cgroup.procs'; can unshare -C true", "no\nno"],
  ["the kernel's logs and tracing", "cat /proc/kmsg /proc/kallsyms | wc -c; can ls /sys/kernel/debug /sys/kernel/tracing", "0\nno"],
  [
    "interrupts, drivers and tuning of the machine",
    'for f in irq/default_smp_affinity bus/x driver/x fs/x tty/driver/x sys/vm/swappiness sys/net/ipv4/ip_forward; do can sh -c "echo 1 >/proc/$f"; done',
    Array(7).fill("no").join("\n"),
  ],
  [
    "the user map of a process",
    "can sh -c 'echo 0 0 1 >/proc/self/uid_map'; can sh -c 'echo 0 0 1 >/proc/1/uid_map'; can sh -c 'echo allow >/proc/self/setgroups'",
    "no\nno\nno",
  ],
  [
    "the first process's environment, files and descriptors",
    'for f in environ auxv stack syscall; do can sh -c "cat /proc/1/$f | grep -q ."; done; can ls -l /proc/1/fd/; can ls /proc/1/map_files/',
    Array(6).fill("no").join("\n"),
  ],
  [
    "the first process's memory limits and score",
    "can sh -c 'echo -1000 >/proc/1/oom_score_adj'; can sh -c 'echo x >/proc/1/comm'",
    "no\nno",
  ],
  [
    "modes of devices",
    "for d in null zero full random urandom tty; do can chmod 600 /dev/$d; done; can chown 12345 /dev/null; can touch /dev/null",
    Array(8).fill("no").join("\n"),
  ],
  [
    "modes of the kernel's files",
    "can chmod 600 /proc/version; can chmod 600 /proc/self/net/dev; can chmod 777 /proc/sys/kernel/core_pattern; can touch /proc/cpuinfo",
    "no\nno\nno\nno",
  ],
  [
    "devices by their numbers",
    "for t in 'c 1 1' 'c 5 1' 'c 10 200' 'c 10 229' 'b 7 0' 'b 254 0'; do can mknod \"$TMPDIR/node\" $t; done; rm -f \"$TMPDIR/node\"",
    Array(6).fill("no").join("\n"),
  ],
  [
    "devices for files and networks in user space",
    "for d in fuse net/tun kvm vsock vhost-vsock loop0 loop-control mem port console tty0 uinput snapshot; do [ -e /dev/$d ] && echo $d; done; true",
    "",
  ],
  ["a terminal of the machine", "ls /dev/pts | grep -v ptmx; can sh -c ': >/dev/console'; can sh -c ': >/dev/tty0'", "no\nno"],
  ["a set-user-id program on any mount", "grep -v -e nosuid -e ' /dev/pts ' /proc/self/mountinfo | cut -d' ' -f5", ""],
  [
    "a device node on any mount",
    "grep -v -e nodev -e ' /dev/pts ' /proc/self/mountinfo | cut -d' ' -f5 | while read -r p; do [ -c \"$p\" ] || echo $p; done",
    "",
  ],
  [
    "set-user-id programs of the machine",
    "own=$(grep CapEff /proc/self/status); for p in su sudo mount umount passwd newgrp chsh gpasswd pkexec; do q=$(command -v $p) && can sh -c \"$q --version && ! grep -qx '$own' /proc/self/status\"; done | sort -u | grep yes",
    "",
  ],
  [
    "a capability of a file",
    "cp $(command -v id) own; can setcap cap_sys_admin+ep own; can setpriv --ambient-caps +all grep -q 'CapAmb.*[1-9a-f]' /proc/self/status; can setpriv --inh-caps +all grep -q 'CapEff.*[1-9a-f]' /proc/self/status; rm own",
    "no\nno\nno",
  ],
  [
    "a library for every program",
    "can sh -c 'echo /tmp/evil.so >/etc/ld.so.preload'; can sh -c 'echo /tmp >/etc/ld.so.conf.d/evil.conf'; can touch /etc/ld.so.cache",
    "no\nno\nno",
  ],
  [
    "mounts over the view",
    "for p in /usr /etc/passwd /proc /dev/null . .wave /wave/inputs; do can mount --bind /tmp $p; done",
    Array(7).fill("no").join("\n"),
  ],
  [
    "mounts moved and made writable",
    "can mount --move /proc /tmp; can mount -o remount,bind,rw /; can mount -o remount,bind,rw /proc; can mount --make-rshared /; can mount -t overlay -o lowerdir=/usr,upperdir=/tmp,workdir=/tmp o /usr",
    Array(5).fill("no").join("\n"),
  ],
  [
    "file systems of the machine",
    "for t in proc sysfs devtmpfs debugfs securityfs cgroup2 ext4 nfs fuse bpf; do can mount -t $t x /tmp; done",
    Array(10).fill("no").join("\n"),
  ],
  [
    "the state directory moved away",
    "can mv .wave/state .wave/old; can rm -r .wave/state; can ln -sfn /tmp .wave/state; ls -A .wave/state",
    "no\nno\nno",
  ],
  [
    "state written beside its place",
    "can sh -c 'echo x >.wave/state/journals/x'; can mkdir .wave/state/blobs; can sh -c 'echo x >.wave/state/wave.db'; can sh -c 'echo x >.wave/state/locks/x'",
    "no\nno\nno\nno",
  ],
  [
    "blobs of earlier steps",
    "can ls .wave/state/blobs; find / -xdev -path '*sha256*' -name '*' -newer /wave/task.md 2>/dev/null | grep -c state; true",
    "no\n0",
  ],
  [
    "its own task and inputs",
    "can chmod 777 /wave/task.md; can sh -c 'echo x >>/wave/task.md'; can rm -r /wave/inputs; can touch /wave/inputs/x; can mkdir /wave/x",
    Array(5).fill("no").join("\n"),
  ],
  [
    "memory that processes of the machine share",
    `ipcs -m | grep -c 0x57415645; ${perl ?? "false"} -e 'print defined(shmget(0x57415645, 0, 0)) ? "yes" : "no", "\\n"; print defined(msgget(0x57415645, 0)) ? "yes" : "no", "\\n"'; ls -A /dev/shm`,
    "0\nno\nno",
  ],
  ["message queues", "can ls /dev/mqueue; can mount -t mqueue x /tmp", "no\nno"],
  [
    "signals to processes of the machine",
    "can kill -0 $HOST_PID; can kill -STOP $HOST_PID; can test -d /proc/$HOST_PID; ls -d /proc/[0-9]* | wc -l | awk '{print ($1 < 40)}'",
    "no\nno\nno\n1",
  ],
  [
    "priorities of processes of the machine",
    "can renice -n 5 -p $HOST_PID; can prlimit --pid $HOST_PID --nofile; can taskset -p $HOST_PID; can ionice -p $HOST_PID",
    "no\nno\nno\nno",
  ],
  [
    "a real-time process",
    "can chrt -f 50 true; can chrt -r 1 true; can ionice -c 1 true; can nice -n -1 sh -c '[ $(nice) = -1 ]'",
    "no\nno\nno\nno",
  ],
  [
    "higher limits",
    'can sh -c "ulimit -Hn 99999999"; can prlimit --nofile=99999999 true; can sh -c "ulimit -Hr 50 && [ $(ulimit -Hr) = 50 ]"',
    "no\nno\nno",
  ],
  [
    "what wave inherited",
    "for f in /proc/self/fd/*; do readlink $f; done | grep -c -e $OUTSIDE -e .wave/state/journals -e .wave/state/locks -e socket: -e anon_inode",
    "0",
  ],
  ["a write lease on the machine's programs", "can sh -c 'exec 3<>/usr/bin/env'; can sh -c 'exec 3>>/etc/passwd'", "no\nno"],
  [
    "bytes over what the view shows",
    "for f in /wave/task.md /etc/hosts /usr/bin/env /proc/version; do can truncate -s 0 $f; can dd if=/dev/zero of=$f count=1 conv=notrunc; done",
    Array(8).fill("no").join("\n"),
  ],
  [
    "names over what the view shows",
    "for f in /usr/bin/env /etc/passwd /dev/null /wave/task.md /bin; do can mv -T $f /tmp/moved; can ln $f /tmp/linked; done",
    Array(10).fill("no").join("\n"),
  ],
  [
    "directories in the view's root",
    "for d in / /dev /etc /wave /run /var /proc /usr /usr/local; do can mkdir $d/wave-new; done",
    Array(9).fill("no").join("\n"),
  ],
];

/** Where wave runs on a terminal. */
export const terminal: readonly Attempt[] = [
  ["the terminal that wave runs on", "can sh -c ': </dev/tty'; can sh -c ': >/dev/tty'; can tty; ls /dev/pts | grep -v ptmx", "no\nno\nno"],
  ["the session's terminal", "sed 's/.*) //' /proc/self/stat | cut -d' ' -f5", "0"],
  ...(canCall
    ? [
        [
          "keystrokes for the terminal",
          `for fd in 0 1 2; do ${perl} -e 'open(my $f, "+<&=", $ARGV[0]) or open($f, "<&=", $ARGV[0]); my $c = "x"; print ioctl($f, 0x5412, $c) ? "yes\n" : "no\n"' $fd; done`,
          "no\nno\nno",
        ] as const,
      ]
    : []),
];

/** In a sandbox with a network of its own. */
export const closedNetwork: readonly Attempt[] = [
  [
    "metadata in other spellings",
    "for h in 169.254.169.254 2852039166 0xa9fea9fe 168.63.129.16 100.100.100.200 192.0.0.192 fd00:ec2::254 ::ffff:a9fe:a9fe 64:ff9b::a9fe:a9fe; do dial $h 80; done | grep -v -e ENETUNREACH -e EAI_AGAIN -e ENOTFOUND -e ECONNREFUSED -e EADDRNOTAVAIL",
    "",
  ],
  [
    "addresses of the machine's interfaces",
    "for h in $ADDRESSES; do dial $h $PORT; done | grep -v -e ENETUNREACH -e EADDRNOTAVAIL -e ECONNREFUSED -e EHOSTUNREACH -e EINVAL",
    "",
  ],
  [
    "the machine's name service",
    "dial 127.0.0.53 53; dial $(sed -n 's/^nameserver //p' /etc/resolv.conf | head -1) 53",
    "ECONNREFUSED\nENETUNREACH",
  ],
  [
    "other interfaces",
    "ls /proc/self/net/dev_snmp6 2>/dev/null | grep -v -x -e lo -e 'sit0' -e 'ip6tnl0' -e 'tunl0' -e 'gre0' -e 'gretap0' -e 'erspan0' -e 'ip_vti0' -e 'ip6_vti0' -e 'ip6gre0'; sed -n 's/ *\\([^:]*\\):.*/\\1/p' /proc/net/dev | grep -c -e eth -e ens -e wl -e docker",
    "0",
  ],
  [
    "broadcast and multicast",
    'node -e \'const s=require("dgram").createSocket("udp4");s.bind(0,()=>{s.setBroadcast(true);s.send("x",9,"255.255.255.255",e=>{console.log(e&&e.code);s.send("x",5353,"224.0.0.251",e=>{console.log(e&&e.code);process.exit()})})})\'',
    "ENETUNREACH\nENETUNREACH",
  ],
  [
    "abstract sockets that listen on the machine",
    "grep -c @ /proc/net/unix; knock @/tmp/.X11-unix/X0; knock @/containerd-shim",
    "0\nECONNREFUSED\nECONNREFUSED",
  ],
];

/** Gives processes of the machine a key and shared memory that attempts look for. They belong to the scene's user. */
export function shareOnMachine({ uid }: Scene): void {
  if (!canCall || perl === undefined) return;
  const share = `defined(shmget(0x57415645, 4096, 01666)) && defined(msgget(0x57415645, 01666)) or die $!;
    my @key = ("user", "wave-canary", "x"); syscall(${number("add_key")}, $key[0], $key[1], $key[2], 1, -4) >= 0 or die $!`;
  execFileSync(perl, ["-e", share], uid === undefined ? {} : { uid, gid: uid });
}

/** Takes back what `shareOnMachine` left. */
export function unshareOnMachine(): void {
  if (canCall && perl !== undefined)
    execFileSync(perl, [
      "-e",
      "for (shmget(0x57415645, 0, 0)) { shmctl($_, 0, 0) if defined } for (msgget(0x57415645, 0)) { msgctl($_, 0, 0) if defined }",
    ]);
}
