#!/bin/sh
# Prints why the tests of the installed package cannot run here; nothing where they can.
missing=
for tool in gcc make dpkg-deb pam-auth-update sshd ssh ssh-keygen sudo su login script unshare; do
  PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -e /usr/include/security/pam_modules.h ] || missing="$missing libpam0g-dev"
if [ "$(id -u)" != 0 ]; then
  echo 'it needs root.'
elif [ -n "$missing" ]; then
  echo "not installed:$missing."
else
  folder=$(mktemp -d)
  said=$("$(dirname "$0")/private-copies.sh" "$folder" true 2>&1) || echo "it needs namespaces and overlay mounts ($said)."
  rmdir "$folder"
fi
