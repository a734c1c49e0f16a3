#!/bin/busybox sh
# Work for `exclave bench`, which lets the guest do it with and without the monitor: prints a name and hundredths of a second, each time it is done.
# Short pieces, done often: what disturbs the build machine hits some of them, and the shortest counts.
# The argument is a TCP port of the build machine, where somebody sends 4 MiB and takes what comes.
port=$1

now() {
    read -r up idle < /proc/uptime
    hundredths=$((${up%.*} * 100 + 1${up#*.} - 100))
}

measure() {
    work=$1
    times=$2
    while [ "$times" -gt 0 ]; do
        now
        begin=$hundredths
        "$work" > /dev/null 2>&1 || { echo "work.sh: $work failed" >&2; exit 1; }
        now
        echo "$work $((hundredths - begin))"
        times=$((times - 1))
    done
}

repeat() {
    count=$1
    shift
    while [ "$count" -gt 0 ]; do
        "$@" || return
        count=$((count - 1))
    done
}

compute() {
    gzip -c /usr/bin/exclave-guest | sha256sum
}

io() {
    rm -rf /tmp/tree
    mkdir /tmp/tree
    tar -xf /tmp/tree.tar -C /tmp/tree
    find /tmp/tree -type f -exec sha256sum {} +
}

fork() {
    repeat 100 /bin/true
}

pipe() {
    dd if=/dev/zero bs=512 count=5000 | cat | dd of=/dev/null bs=512
}

# Through the window that devices reach: written past the page cache's end, dropped, read again.
disk() {
    dd if=/tmp/tree.tar of=/dev/vda bs=64k conv=fsync
    echo 3 > /proc/sys/vm/drop_caches
    dd if=/dev/vda of=/dev/null bs=64k count=400
}

# Both directions at once.
network() {
    head -c 4194304 /tmp/tree.tar | nc 10.0.2.2 "$port"
}

tar -cf /tmp/tree.tar -C / bin sbin usr lib etc
measure compute 4
measure io 6
measure fork 6
measure pipe 6
measure disk 4
measure network 2
exit 0
