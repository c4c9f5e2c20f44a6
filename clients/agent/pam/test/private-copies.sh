#!/bin/sh
# private-copies.sh FOLDER COMMAND…: runs a command as root of a computer of its own: copies of /etc, /usr, /var and /home stand
# before the real ones, for its processes alone, and all of them end with it. FOLDER is an empty folder. Needs root.
set -e
if [ "${STINT_PRIVATE_COPIES:-}" != yes ]; then
  exec env STINT_PRIVATE_COPIES=yes unshare --mount --pid --fork --mount-proc --kill-child "$0" "$@"
fi
unset STINT_PRIVATE_COPIES
mount --make-rprivate /
mount -t tmpfs none "$1"
for each in etc usr var home; do
  mkdir -p "$1/$each/upper" "$1/$each/work"
  mount -t overlay overlay -o "lowerdir=/$each,upperdir=$1/$each/upper,workdir=$1/$each/work" "/$each"
done
mount -t tmpfs -o mode=755 none /run
mkdir /run/sshd
shift
# Not exec: the first process of a computer takes in orphans.
"$@"
exit $?
