#!/usr/bin/env bash
# Brings up a private, real, one-machine Slurm with accounting, for development and tests.
#
# munge, MariaDB, slurmdbd, slurmctld and slurmd come from Debian's packages and run as root without systemd.
# Everything they own lies in ${EMODISTILL_SLURM_DIR:-/tmp/emodistill-slurm}: configuration, key, database, state,
# logs, sockets, pid files. Ports are private, and only the key in the folder opens them. A Slurm, munge or database that the
# machine already has is never joined, changed or stopped.
#
# Run it again at any time: healthy, it says so within a second; half dead, it starts what is missing.
# Exit codes: 0 up; 1 did not come up (log tail and reason on stderr); 2 this machine cannot host it.
set -euo pipefail
# shellcheck source=slurm/dev/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

start_us=${EPOCHREALTIME/./}
cluster=emodistill

say_up() {
  local ms=$(((${EPOCHREALTIME/./} - start_us) / 1000))
  printf 'Slurm %s in %d.%d s. Use it with: source %s/env.sh\n' "$1" $((ms / 1000)) $((ms % 1000 / 100)) "$dir"
}

# fail DAEMON REASON: what that daemon logged last, what the last command that asked it was told, and the reason.
fail() {
  tail -q -n 15 "$dir/log/$1.log" "$dir/log/client.log" >&2 2>/dev/null || true
  die 1 "Slurm did not come up: $2. Above is the end of $dir/log/$1.log. Running $here/up.sh again keeps the state and tries again; $here/down.sh first, and it starts from nothing."
}

# May it run here, and in this folder?

if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
  die 2 "A private Slurm cannot be started here: it needs root (slurmd starts jobs as their owners) and apt-get (its parts come from Debian's packages). Run $here/up.sh as root on a Debian or Ubuntu machine or container."
fi
# Slurm's files know no quoting, and a unix socket's path ends at 107 characters.
[[ $dir =~ ^/[A-Za-z0-9._/-]{1,60}$ && $dir != / ]] ||
  die 2 "EMODISTILL_SLURM_DIR=$dir cannot be used: the path may have at most 60 characters out of letters, digits and . _ / -. Choose another."
mkdir -p "$dir"
# down.sh removes the folder, and /tmp is writable by all: only an empty folder of our own becomes one.
if [[ ! -O $dir || (! -e $marker && -n $(ls -A "$dir")) ]]; then
  die 2 "$dir exists and was not made by this script for this user, so it is left alone. Set EMODISTILL_SLURM_DIR to a folder that is empty or does not exist."
fi
lock_folder
touch "$marker"
chmod 755 "$dir" # munged refuses a socket in a folder that others cannot enter
mkdir -p "$dir"/{run,log,state,spool}

# Already up?

ask() { timeout 10 "$@" 2>"$dir/log/client.log"; }
node_state() { ask sinfo --noheader --format=%T; }
# %T ends in * while the node does not answer, so equality with these is enough.
node_works() { [[ $(node_state) =~ ^(idle|mixed|allocated|completing)$ ]]; }
# ControlPort is 0 until slurmctld has an open connection to slurmdbd, so this checks both and the link.
accounting_works() {
  local port
  port=$(ask sacctmgr --noheader --parsable2 list cluster "$cluster" format=controlport) &&
    [[ $port =~ ^[1-9] ]] && ask sacct --noheader >/dev/null
}
all_run() {
  local daemon
  for daemon in "${daemons[@]}"; do pid_of "$daemon" >/dev/null || return 1; done
}

if all_run && node_works && accounting_works; then
  say_up "was already up: checked"
  exit
fi

# Packages: only those whose program is missing, so that nothing installed is upgraded or restarted

# The -core packages hold MariaDB's programs without its system-wide server.
declare -A package_of=([munged]=munge [mariadbd]=mariadb-server-core [my_print_defaults]=mariadb-client-core
  [slurmdbd]=slurmdbd [slurmctld]=slurmctld [slurmd]=slurmd [sacctmgr]=slurm-client)
PATH=$PATH:/usr/sbin:/sbin
missing=()
for program in "${!package_of[@]}"; do
  command -v "$program" >/dev/null || missing+=("${package_of[$program]}")
done

if ((${#missing[@]})); then
  echo "Installing ${missing[*]} (under a minute; log: $dir/log/apt.log)" >&2
  # The packages' own services would start system-wide daemons on the standard ports. Where the machine has no
  # policy on that, forbid it for the length of the installation.
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  apt() { DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet -o DPkg::Lock::Timeout=300 "$@" >>"$dir/log/apt.log" 2>&1 9<&-; }
  # --no-remove: a machine with another database or Slurm in the way keeps it, and the installation fails.
  apt update || true # a dead third-party source need not matter: the installation will tell
  apt install --no-install-recommends --no-upgrade --no-remove "${missing[@]}" ||
    fail apt "apt-get could not install ${missing[*]}"
  if [[ -n $(trap -p EXIT) ]]; then
    rm -f "$policy"
    trap - EXIT INT TERM
  fi
fi

# Configuration, written once: a mended Slurm keeps its ports, key, database and job numbers

# First block of four ports that nobody listens on. Below 32768: above it the kernel hands them to clients.
free_ports() {
  local base port
  for ((base = 16810; base < 17800; base += 10)); do
    for port in "$base" $((base + 1)) $((base + 2)) $((base + 3)); do
      # shellcheck disable=SC2188
      ! (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue 2
    done
    echo "$base"
    return
  done
  return 1
}

configure() {
  local base host cpus memory_mb password
  base=$(free_ports) || die 1 "No four free ports between 16810 and 17800 on the loopback: stop what occupies them, or use another machine."
  host=$(hostname -s) # Debian's slurmd finds its own node by this name, and launchers resolve the node's name to connect to it
  cpus=$(nproc --all)
  memory_mb=$(($(awk '$1 == "MemTotal:" {print $2}' /proc/meminfo) / 1024))
  password=$(head -c 24 /dev/urandom | base64 | tr -d '/+=')

  rm -rf "$dir"/{db,state,spool} # a set-up that was interrupted
  mkdir "$dir"/{state,spool}
  (
    umask 077 # three secrets
    head -c 128 /dev/urandom >"$dir/munge.key"
    cat >"$dir/db.sql" <<SQL
CREATE DATABASE IF NOT EXISTS slurm_acct_db;
CREATE USER IF NOT EXISTS slurm@127.0.0.1 IDENTIFIED BY '$password';
GRANT ALL ON slurm_acct_db.* TO slurm@127.0.0.1;
SQL
    cat >"$dir/slurmdbd.conf" <<CONF
DbdHost=$host
DbdAddr=127.0.0.1
DbdPort=$((base + 2))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$((base + 3))
StorageUser=slurm
StoragePass=$password
StorageLoc=slurm_acct_db
PidFile=$dir/run/slurmdbd.pid
LogFile=$dir/log/slurmdbd.log
CONF
  )
  # init-file runs at every start, before the first connection: no client and no waiting needed for it.
  cat >"$dir/my.cnf" <<CONF
[mariadbd]
user=root
datadir=$dir/db
socket=$dir/db.socket
bind-address=127.0.0.1
port=$((base + 3))
skip-name-resolve
init-file=$dir/db.sql
pid-file=$dir/run/mariadbd.pid
log-error=$dir/log/mariadbd.log
# slurmdbd asks for a long lock wait; the rest makes a small database quick to create.
innodb-lock-wait-timeout=900
innodb-log-file-size=16M
innodb-flush-log-at-trx-commit=2
CONF
  mariadb-install-db --defaults-file="$dir/my.cnf" --skip-test-db >"$dir/log/mariadbd.log" 2>&1 9<&- ||
    fail mariadbd "the accounting database could not be created"

  cat >"$dir/env.sh" <<ENV
export SLURM_CONF=$dir/slurm.conf
ENV
  cat >"$dir/slurm.conf.new" <<CONF
ClusterName=$cluster
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$base
SlurmdPort=$((base + 1))
# Listen on the loopback only.
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits until its old credential has expired: 11 s instead of the default's 121 s.
AuthInfo=socket=$dir/munge.socket,cred_expire=10
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
MailProg=/bin/true

AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((base + 2))
# Without this, clients take the machine's own munge to talk to slurmdbd.
AccountingStoragePass=$dir/munge.socket
JobAcctGatherType=jobacct_gather/linux

# No cgroups: containers seldom let us write them.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# Every hardware thread counts as a core, and what is written here holds: so two jobs fit on two threads of one
# core, and a container's view of its memory cannot drain the node.
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory_mb State=UNKNOWN
# A job has its cores to itself, unless it says --oversubscribe: then up to four such jobs share a core.
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE OverSubscribe=YES:4 State=UP

JobRequeue=1
ReturnToService=2
MaxArraySize=1001
# Look for work at once and often: development jobs last seconds. Slow machines get longer to answer.
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
MessageTimeout=30
MinJobAge=300
CONF
  mv "$dir/slurm.conf.new" "$dir/slurm.conf" # last, and at once: with it the folder counts as configured
}

[[ -e $dir/slurm.conf ]] || configure

# Start what does not run, each after what it needs

# start DAEMON COMMAND...: descriptor 9 is our lock, which a daemon must not inherit.
start() {
  local daemon=$1
  shift
  pid_of "$daemon" >/dev/null && return
  rm -f "$dir/run/$daemon.pid"
  "$@" </dev/null >>"$dir/log/$daemon.log" 2>&1 9<&- || fail "$daemon" "$daemon refused to start"
}

start munged munged --key-file="$dir/munge.key" --socket="$dir/munge.socket" --seed-file="$dir/munge.seed" \
  --pid-file="$dir/run/munged.pid" --log-file="$dir/log/munged.log"
wait_for 10 pid_of munged >/dev/null || fail munged "munged does not run"

start_mariadbd() { # it writes a pid file, but does not leave the foreground by itself
  rm -f "$dir/db.socket"
  setsid mariadbd --defaults-file="$dir/my.cnf" &
}
start mariadbd start_mariadbd
mariadbd_listens() { [[ -S $dir/db.socket ]] && pid_of mariadbd >/dev/null; }
wait_for 30 mariadbd_listens || fail mariadbd "the accounting database does not run"

start slurmdbd slurmdbd
slurmdbd_answers() { [[ -n $(ask sacctmgr --noheader list cluster format=cluster) ]]; }
slurmdbd_knows_us() { slurmdbd_answers || ask sacctmgr --immediate add cluster "$cluster" >/dev/null; }
wait_for 30 slurmdbd_knows_us || fail slurmdbd "slurmdbd does not answer sacctmgr"

start slurmctld slurmctld
slurmctld_answers() { [[ $(ask scontrol ping) == *"is UP"* ]]; }
wait_for 30 slurmctld_answers || fail slurmctld "slurmctld does not answer scontrol ping"

start slurmd slurmd
# A node that an earlier failure drained stays so until told.
[[ $(node_state) != *drain* ]] || scontrol update nodename="$(hostname -s)" state=resume
wait_for 30 node_works || fail slurmd "sinfo shows the node as '$(node_state)' instead of idle"
wait_for 30 accounting_works || fail slurmctld "sacct does not answer, or slurmctld has not registered with slurmdbd"
all_run || fail slurmctld "a daemon ended right after its start"
say_up "is up"
