# Sourced by up.sh: chooses ports and addresses and writes every configuration file, once. A Slurm that is mended or
# started again keeps its ports, key, database and job numbers.
# shellcheck shell=bash disable=SC2154

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

# configure NODES: one node is this machine under its own name; several are n1, n2, ... of network.sh.
configure() {
  local base host controller listen_and_loss node node_lines cpus memory_mb password
  base=$(free_ports) || die 1 "No four free ports between 16810 and 17800 on the loopback: stop what occupies them, or use another machine."
  host=$(hostname -s) # Debian's slurmd finds its own node by this name, and launchers resolve the node's name to connect to it
  cpus=$(nproc --all)
  memory_mb=$(($(awk '$1 == "MemTotal:" {print $2}' /proc/meminfo) / 1024))
  password=$(head -c 24 /dev/urandom | base64 | tr -d '/+=')

  rm -rf "$dir"/{db,state,spool} # a set-up that was interrupted
  mkdir "$dir"/{state,spool}
  # Every node offers the whole machine, so that what fits the one node fits each of several.
  if (($1 == 1)); then
    controller=127.0.0.1
    listen_and_loss='# Listen on the loopback only.
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny'
    node_lines="NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory_mb State=UNKNOWN"
  else
    write_hosts "$1"
    controller=$(address_of head)
    listen_and_loss='# A node that does not answer is down after about 30 s, and its jobs are queued again.
SlurmdTimeout=10'
    node_lines=$(for node in $(node_names "$1"); do
      echo "NodeName=$node NodeAddr=$(address_of "$node") CPUs=$cpus RealMemory=$memory_mb State=UNKNOWN"
    done)
  fi
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
DbdAddr=$controller
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
SlurmctldHost=$host($controller)
SlurmctldPort=$base
SlurmdPort=$((base + 1))
$listen_and_loss
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits until its old credential has expired: 11 s instead of the default's 121 s.
AuthInfo=socket=$dir/munge.socket,cred_expire=10
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd.%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
MailProg=/bin/true

AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=$controller
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
$node_lines
# A job has its cores to itself, unless it says --oversubscribe: then up to four such jobs share a core.
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE OverSubscribe=YES:4 GraceTime=10 State=UP
# What is submitted to urgent takes the place of jobs in main: they are told, and 10 s later back in the queue.
PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=2 State=UP
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE

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
